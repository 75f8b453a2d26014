//! From a batch to weights that have moved, or to the reason why they have not.

use std::cell::RefCell;

use aumenta_models::Model;
use aumenta_nn::{GradientSum, Gradients, NamedTensor, NnError, Optimizer, OptimizerState, Parameters, WeightAverage};
use candle_core::Tensor;

use crate::error::NotFinite;
use crate::exchange::Exchange;
use crate::fit::{Fit, FitConfig, OnNan};
use crate::freezing::Phase;
use crate::objective::{Objective, losses};
use crate::tensors::{Examples, Input};

/// A network, and what moves its weights.
pub(crate) struct Stepper<'a> {
    pub model: &'a mut dyn Model,
    /// The model's, which they share their memory with.
    pub parameters: Parameters,
    pub optimizer: Optimizer,
    pub average: Option<WeightAverage>,
    objective: Objective,
    /// Gradients of batches that make a step together; `None` where each makes its own.
    sum: Option<GradientSum>,
    exchange: Option<&'a RefCell<Box<dyn Exchange>>>,
    /// Whether running statistics come back after a batch that moves no weight.
    keeps_statistics: bool,
}

/// What a batch has done.
pub(crate) struct Step {
    /// What the network made of it, or why it was of no use.
    pub trained: Result<Trained, NotFinite>,
    /// Whether the optimizer has taken a step.
    pub moved: bool,
}

/// What a network made of a batch before its weights moved.
pub(crate) struct Trained {
    /// Of each image, one an output.
    pub logits: Vec<Vec<f32>>,
    /// Of each image.
    pub losses: Vec<f32>,
}

impl<'a> Stepper<'a> {
    /// For the epochs of `phase`.
    pub fn new(model: &'a mut dyn Model, fit: &Fit<'a>, classes: usize, phase: Phase) -> Result<Self, NnError> {
        let config = &fit.config;
        model.set_precision(config.precision)?;
        model.freeze(phase.frozen)?;
        let parameters = model.parameters().clone();
        Ok(Self {
            model,
            optimizer: optimizer(config, phase, &parameters)?,
            average: average(config, &parameters)?,
            objective: Objective::new(&config.loss, &fit.train.class_counts(classes)),
            sum: sum(config, &parameters),
            exchange: fit.exchange,
            keeps_statistics: config.on_nan == OnNan::Skip,
            parameters,
        })
    }

    /// Goes on with the epochs of another phase, from the weights that the network has.
    pub fn enter(&mut self, config: &FitConfig, phase: Phase) -> Result<(), NnError> {
        self.model.freeze(phase.frozen)?;
        self.parameters = self.model.parameters().clone();
        self.optimizer = optimizer(config, phase, &self.parameters)?;
        self.average = average(config, &self.parameters)?;
        self.sum = sum(config, &self.parameters);
        Ok(())
    }

    /// Trains on a batch, the one counted `number` from 0 over all epochs; with `ends_step`, the optimizer then takes a step
    /// for it and those since its last.
    pub fn train(&mut self, examples: &Examples, number: u64, ends_step: bool) -> Result<Step, NnError> {
        let statistics = self.statistics()?;
        let x = match &examples.input {
            Input::Images(images) => self.model.frozen_output(images)?,
            Input::Frozen(x) => x.clone(),
        };
        let mut step = self.attempt(&x, examples, number, ends_step)?;
        if let Err(what) = &mut step.trained {
            for (var, values) in self.parameters.statistics().zip(statistics) {
                var.var.set(&values)?;
            }
            *what = self.origin(what.clone(), &x)?;
            // The batches before it are still good for a step.
            step.moved = ends_step && self.sum.is_some() && self.step_of_sum()?;
        }
        if step.moved
            && let Some(average) = &mut self.average
        {
            average.update(&self.parameters)?;
        }
        Ok(step)
    }

    fn attempt(&mut self, x: &Tensor, examples: &Examples, number: u64, ends_step: bool) -> Result<Step, NnError> {
        let useless = |what| Ok(Step { trained: Err(what), moved: false });
        let objective = &self.objective;
        let (targets, weights) = (objective.targets(examples)?, objective.weights(examples)?);
        let mut loss = |logits: &Tensor| losses(logits, &targets, weights.as_ref());
        let result = match self.model.gradients(x, number, &mut loss) {
            Err(NnError::LogitNotFinite { .. }) => return useless(NotFinite::Loss),
            result => result?,
        };
        let (mut gradients, logits) = (result.gradients, result.output);
        // Before anything is decided, so that all processes decide alike.
        if let Some(exchange) = self.exchange {
            gradients = exchange.borrow_mut().average(&gradients)?;
        }
        let losses: Vec<f32> = result.losses.to_vec1()?;
        if losses.iter().any(|loss| !loss.is_finite()) {
            return useless(NotFinite::Loss);
        }
        // Before the optimizer, whose step a GPU then takes while the next batch is prepared.
        let logits = logits.to_vec2()?;
        let moved = match &mut self.sum {
            None => self.optimizer.step(&self.parameters, &gradients).map(|()| true),
            Some(_) if !gradients.global_norm()?.is_finite() => Err(NnError::GradientNotFinite { name: String::new() }),
            Some(sum) => sum.add(&gradients, examples.len()).map(|()| false),
        };
        if let Err(NnError::GradientNotFinite { .. }) = moved {
            return useless(NotFinite::Gradient(first_on_the_way_back(&gradients, &self.parameters)?));
        }
        drop(gradients);
        let moved = moved? || ends_step && self.step_of_sum()?;
        Ok(Step { trained: Ok(Trained { logits, losses }), moved })
    }

    /// A step by the mean of the summed gradients; whether there were any.
    fn step_of_sum(&mut self) -> Result<bool, NnError> {
        let mean = self.sum.as_mut().map_or(Ok(None), GradientSum::take_mean)?;
        let Some(mean) = mean else { return Ok(false) };
        self.optimizer.step(&self.parameters, &mean)?;
        Ok(true)
    }

    /// The running statistics, where they are to come back.
    fn statistics(&self) -> Result<Vec<Tensor>, NnError> {
        let statistics = self.parameters.statistics().filter(|_| self.keeps_statistics);
        Ok(statistics.map(|statistic| statistic.var.as_tensor().copy()).collect::<candle_core::Result<_>>()?)
    }

    /// Where a loss that is not finite comes from.
    fn origin(&self, what: NotFinite, x: &Tensor) -> Result<NotFinite, NnError> {
        let broken = self.parameters.tensors()?.into_iter().find(|tensor| tensor.values.iter().any(|v| !v.is_finite()));
        if let Some(broken) = broken {
            return Ok(NotFinite::Parameter(broken.name));
        }
        if what != NotFinite::Loss {
            return Ok(what);
        }
        let layer = self.model.first_not_finite(x)?;
        Ok(layer.map_or(NotFinite::Loss, NotFinite::Output))
    }

    /// Puts the average in the place of the weights, where there is one; the weights.
    pub fn show_average(&self) -> Result<Option<Vec<NamedTensor>>, NnError> {
        let Some(average) = &self.average else { return Ok(None) };
        let weights = self.parameters.tensors()?;
        self.parameters.set_tensors(&average.tensors()?)?;
        Ok(Some(weights))
    }

    /// Puts the weights back that [`Self::show_average`] gave.
    pub fn hide_average(&self, weights: Option<Vec<NamedTensor>>) -> Result<(), NnError> {
        weights.map_or(Ok(()), |weights| self.parameters.set_tensors(&weights))
    }

    /// Goes on from saved weights.
    pub fn restore(
        &mut self,
        weights: &[NamedTensor],
        optimizer: &OptimizerState,
        average: &[NamedTensor],
    ) -> Result<(), NnError> {
        self.parameters.set_tensors(weights)?;
        self.optimizer.load_state(optimizer)?;
        if let Some(own) = &mut self.average {
            // An average that was only now asked for begins with the weights.
            own.restore(if average.is_empty() { weights } else { average }, optimizer.steps)?;
        }
        Ok(())
    }
}

fn optimizer(config: &FitConfig, phase: Phase, parameters: &Parameters) -> Result<Optimizer, NnError> {
    let learning_rate = phase.learning_rate.unwrap_or(config.optimizer.learning_rate());
    Optimizer::new(config.optimizer.clone().with_learning_rate(learning_rate), parameters)
}

fn average(config: &FitConfig, parameters: &Parameters) -> Result<Option<WeightAverage>, NnError> {
    config.ema_decay.map(|decay| WeightAverage::new(decay, parameters)).transpose()
}

fn sum(config: &FitConfig, parameters: &Parameters) -> Option<GradientSum> {
    (config.accumulate > 1).then(|| GradientSum::new(parameters))
}

/// The parameter whose gradient is the first on the way back from the loss that is not finite.
fn first_on_the_way_back(gradients: &Gradients<'_>, parameters: &Parameters) -> Result<String, NnError> {
    for (parameter, gradient) in parameters.iter().zip(gradients.tensors()).rev() {
        let values: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
        if values.iter().any(|value| !value.is_finite()) {
            return Ok(parameter.name.clone());
        }
    }
    // Each is finite, and the optimizer met one that was not: the mean over batches overflowed.
    Ok("the mean over batches".to_string())
}
