//! Batch normalization in training, with its activation.

use super::stage::{Operands, Pass, Stage, two};
use crate::error::NnError;
use crate::kernel::activation;
use crate::kernel::batch_norm::{self as kernel, Normalization};
use crate::kernel::scratch::Scratch;
use crate::layer::{BatchNormLayer, NamedLayer};
use crate::parameters::Parameters;

#[derive(Debug)]
pub struct BatchNorm {
    layer: String,
    len: usize,
    settings: BatchNormLayer,
    /// Scale and shift among the parameters.
    scale: usize,
    shift: usize,
    /// Mean and variance among the running statistics.
    running: [usize; 2],
    /// What each channel was normalized by: the batch's mean and biased variance, or the running ones.
    mean: Vec<f32>,
    variance: Vec<f32>,
    /// Values a channel in the batch.
    count: usize,
}

impl BatchNorm {
    pub fn new(
        layer: &NamedLayer,
        settings: &BatchNormLayer,
        input: &[usize],
        parameters: &Parameters,
    ) -> Result<Self, NnError> {
        let channels = input[input.len() - 1];
        let running = [
            parameters.statistic_index(&layer.name, "running_mean")?,
            parameters.statistic_index(&layer.name, "running_var")?,
        ];
        Ok(Self {
            layer: layer.name.clone(),
            len: input.iter().product(),
            settings: *settings,
            scale: parameters.index(&layer.name, "weight")?,
            shift: parameters.index(&layer.name, "bias")?,
            running,
            mean: vec![0.0; channels],
            variance: vec![0.0; channels],
            count: 0,
        })
    }
}

impl Stage for BatchNorm {
    fn output_len(&self) -> usize {
        self.len
    }

    fn check(&self, count: usize) -> Result<(), NnError> {
        if self.settings.fixed_statistics || count * self.len > self.mean.len() {
            return Ok(());
        }
        let reason = "needs more than one value a channel in training, got a batch of one sample".to_string();
        Err(NnError::Layer { layer: self.layer.clone(), reason })
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        let (gamma, beta, epsilon) = (pass.parameters[self.scale], pass.parameters[self.shift], self.settings.epsilon);
        self.count = x.len() / gamma.len();
        let (mean, variance) = (&mut self.mean, &mut self.variance);
        if self.settings.fixed_statistics {
            let [running_mean, running_variance] = self.running.map(|place| pass.statistics[place]);
            mean.copy_from_slice(running_mean);
            variance.copy_from_slice(running_variance);
            kernel::eval_forward(x, &Normalization { gamma, mean, variance, epsilon }, beta, y);
        } else {
            kernel::train_forward(x, gamma, beta, epsilon, y, mean, variance);
        }
        activation::apply(self.settings.activation, y);
    }

    fn update_statistics(&self, statistics: &mut [&mut [f32]]) {
        if self.settings.fixed_statistics {
            return;
        }
        let [mean, variance] = two(statistics, self.running);
        let momentum = self.settings.momentum;
        kernel::move_running(momentum, 1.0, &self.mean, mean);
        kernel::move_running(momentum, kernel::unbiased(self.count), &self.variance, variance);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, to: &mut [&mut [f32]]) {
        let Operands { x, y, gradient } = *operands;
        let mut to_normalized = Scratch::of(gradient.len());
        activation::input_gradient(self.settings.activation, y, gradient, &mut to_normalized);
        let (mean, variance, epsilon) = (&self.mean, &self.variance, self.settings.epsilon);
        let normalization = Normalization { gamma: pass.parameters[self.scale], mean, variance, epsilon };
        let [to_gamma, to_beta] = two(to, [self.scale, self.shift]);
        kernel::parameter_gradients(x, &normalization, &to_normalized, to_gamma, to_beta);
        let Some(to_x) = to_x else { return };
        if self.settings.fixed_statistics {
            kernel::eval_input_gradient(&normalization, &to_normalized, to_x);
        } else {
            kernel::train_input_gradient(x, &normalization, &to_normalized, to_gamma, to_beta, to_x);
        }
    }
}
