//! A chain of layers with its parameters.

use aumenta_seed::Seed;
use candle_core::{DType, Device, Tensor, Var};

use crate::error::NnError;
use crate::gradients::Gradients;
use crate::layer::{BatchNormLayer, LayerSpec, NamedLayer, ParameterShape};
use crate::op::activation::{self, Activation};
use crate::op::avg_pool2d::{self, PaddingCount};
use crate::op::batch_norm::{self, RunningStatistics};
use crate::op::conv2d::{self, Conv2dOptions};
use crate::op::depthwise_conv2d::{self, DepthwiseConv2dOptions};
use crate::op::dropout::{self, mask_key};
use crate::op::{check_f32, dense, global_avg_pool2d, max_pool2d, spatial_dropout};
use crate::parameters::Parameters;
use crate::plan::{Plan, infer};
use crate::precision::Precision;
use crate::tape::{Graph, Tape};

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops, and gradients can be taken.
    Train {
        /// Counts the optimizer's steps from 0; chooses the dropout masks together with the seed.
        step: u64,
    },
    /// Dropout passes its input on, and no graph for gradients is kept.
    Evaluate,
}

/// Layers applied one after the other.
#[derive(Debug)]
pub struct Sequential {
    pub(crate) layers: Vec<NamedLayer>,
    pub(crate) input: Vec<usize>,
    seed: Seed,
    pub(crate) parameters: Parameters,
    /// How many of the first layers are frozen.
    pub(crate) frozen: usize,
    pub(crate) precision: Precision,
    /// Made by the first training step on the CPU, for the layers that are not frozen.
    pub(crate) plan: Option<Plan>,
}

/// What [`Sequential::gradients`] computes.
#[derive(Debug)]
pub struct TrainStep<'a> {
    /// The network's output for the batch, without history.
    pub output: Tensor,
    /// What the loss made of it, without history.
    pub losses: Tensor,
    /// The gradients of the mean of `losses`.
    pub gradients: Gradients<'a>,
}

impl Sequential {
    /// A network for input samples of shape `input` (`[height, width, channels]`), its weights as their layers'
    /// [`NamedLayer::initializer`] says and its biases zero, all drawn from `seed`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where a layer cannot take the output of the one before, or has no name of its own;
    /// [`NnError::Shape`] where there is none.
    pub fn new(input: &[usize], layers: &[NamedLayer], seed: Seed, device: &Device) -> Result<Self, NnError> {
        NamedLayer::check_names(layers)?;
        if layers.is_empty() {
            return Err(NnError::shape("sequential", "a network needs at least one layer"));
        }
        let mut parameters = Parameters::default();
        let mut shape = input.to_vec();
        for layer in layers {
            let next = layer.output_shape(&shape)?;
            for ParameterShape { name, shape, role, initializer, penalty } in layer.parameter_shapes(&shape) {
                let var = initializer.variable(&name, &shape, seed, device)?;
                if role.is_trained() {
                    parameters.push_penalized(name, var, penalty);
                } else {
                    parameters.push_statistic(name, var);
                }
            }
            shape = next;
        }
        let (layers, input, precision) = (layers.to_vec(), input.to_vec(), Precision::default());
        Ok(Self { layers, input, seed, parameters, frozen: 0, precision, plan: None })
    }

    /// The layers.
    pub fn layers(&self) -> &[NamedLayer] {
        &self.layers
    }

    /// Computes with this precision from now on. Inputs and outputs stay f32.
    ///
    /// # Errors
    /// [`NnError::Precision`] where the device has no kernels for it: the CPU computes in f32 alone.
    pub fn set_precision(&mut self, precision: Precision) -> Result<(), NnError> {
        let on_cpu = self.parameters.all().all(|parameter| parameter.var.device().is_cpu());
        if on_cpu && precision != Precision::F32 {
            return Err(NnError::Precision { precision, device: "the CPU" });
        }
        self.precision = precision;
        Ok(())
    }

    /// The parameters, in the order of the layers.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The output of all layers for a batch `x`, `[n, height, width, channels]`.
    ///
    /// # Errors
    /// [`NnError::Shape`] where `x` is no batch of the network's input shape.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.check_input(x)?;
        self.forward_range(x, 0..self.layers.len(), mode)
    }

    /// The output for a batch `x` in evaluation, without history: [`Sequential::forward`] in [`Mode::Evaluate`], which on the
    /// CPU is much faster this way.
    ///
    /// # Errors
    /// As [`Sequential::forward`].
    pub fn predict(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.check_input(x)?;
        if x.device().is_cpu() {
            return infer(&self.input, &self.layers, &self.parameters, &x.contiguous()?);
        }
        Ok(self.forward(x, Mode::Evaluate)?.detach())
    }

    /// A training step up to the optimizer, for a batch `x` that [`Sequential::frozen_output`] gave: the forward pass of step
    /// `step` through the layers that are not frozen, the losses that `loss` computes from the output, and the gradients of
    /// their mean to all parameters that are not frozen.
    ///
    /// On the CPU it runs through a plan, whose buffers stay with the network from step to step; elsewhere it is
    /// [`Sequential::forward`] and Candle's backward pass. Both compute the same.
    ///
    /// # Errors
    /// As [`Sequential::predict_unfrozen`] and `loss`; [`NnError::Shape`] where the losses do not depend on the output.
    pub fn gradients(
        &mut self,
        x: &Tensor,
        step: u64,
        loss: &mut dyn FnMut(&Tensor) -> Result<Tensor, NnError>,
    ) -> Result<TrainStep<'_>, NnError> {
        let shape = self.frozen_shape()?;
        check_batch(x, &shape)?;
        let layers = &self.layers[self.frozen..];
        if !x.device().is_cpu() {
            return self.gradients_by_tape(x, step, loss);
        }
        let x = x.contiguous()?;
        let plan = match &mut self.plan {
            Some(plan) => plan,
            none => none.insert(Plan::new(&shape, layers, &self.parameters, self.seed)?),
        };
        let output = plan.forward(&x, &self.parameters, step)?;
        let (losses, gradient) = losses_and_gradient(&output, loss)?;
        let gradients = plan.backward(&x, &self.parameters, step, &gradient)?;
        Ok(TrainStep { output, losses, gradients })
    }

    /// [`Sequential::gradients`] on any device, operation by operation.
    fn gradients_by_tape(
        &self,
        x: &Tensor,
        step: u64,
        loss: &mut dyn FnMut(&Tensor) -> Result<Tensor, NnError>,
    ) -> Result<TrainStep<'static>, NnError> {
        let mut tape = Tape::new(&self.parameters);
        let layers = &self.layers[self.frozen..];
        let output = self.chain_on(&mut Graph::Tape(&mut tape), layers, x, Mode::Train { step })?;
        let (losses, gradient) = losses_and_gradient(&output, loss)?;
        let gradients = tape.backward(&output, gradient, &self.parameters)?;
        Ok(TrainStep { output, losses, gradients })
    }

    /// The first layer that is not frozen whose output holds NaN or an infinity, in evaluation, for a batch `x` that
    /// [`Sequential::frozen_output`] gave; `None` where all are finite.
    ///
    /// # Errors
    /// As [`Sequential::predict_unfrozen`].
    pub fn first_not_finite(&self, x: &Tensor) -> Result<Option<String>, NnError> {
        check_batch(x, &self.frozen_shape()?)?;
        let mut x = x.clone();
        for layer in &self.layers[self.frozen..] {
            x = self.apply(layer, &x, Mode::Evaluate)?;
            if !is_finite(&x)? {
                return Ok(Some(layer.name.clone()));
            }
        }
        Ok(None)
    }

    /// Whether `x` is a batch of the network's input shape.
    ///
    /// # Errors
    /// [`NnError::Shape`] where it is not.
    pub fn check_input(&self, x: &Tensor) -> Result<(), NnError> {
        check_batch(x, &self.input)
    }

    /// The output of the layers in `range` alone, for the input of the first of them. Frozen layers are in evaluation mode in any
    /// case.
    ///
    /// # Errors
    /// As [`Sequential::forward`], by the layer that cannot take its input.
    pub fn forward_range(&self, x: &Tensor, range: std::ops::Range<usize>, mode: Mode) -> Result<Tensor, NnError> {
        let Some(layers) = self.layers.get(range.clone()) else {
            let reason = format!("there are no layers {range:?} among {}", self.layers.len());
            return Err(NnError::shape("sequential", reason));
        };
        if x.rank() < 2 || x.elem_count() == 0 {
            return Err(NnError::shape("sequential", format!("{:?} is no batch", x.dims())));
        }
        let (frozen, rest) = layers.split_at(self.frozen.clamp(range.start, range.end) - range.start);
        self.chain(rest, &self.chain(frozen, x, Mode::Evaluate)?, mode)
    }

    /// What `layers` make of a batch, f32 both, in the network's precision.
    pub(crate) fn chain(&self, layers: &[NamedLayer], x: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.chain_on(&mut Graph::Candle, layers, x, mode)
    }

    fn chain_on(
        &self,
        graph: &mut Graph<'_>,
        layers: &[NamedLayer],
        x: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, NnError> {
        let inside = if self.precision == Precision::Bf16 { DType::BF16 } else { DType::F32 };
        let x = graph.cast(x, inside)?;
        let y = self.in_turn(graph, layers, &x, mode)?;
        Ok(graph.cast(&y, DType::F32)?)
    }

    fn in_turn(&self, graph: &mut Graph<'_>, layers: &[NamedLayer], x: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        layers.iter().try_fold(x.clone(), |x, layer| self.apply_on(graph, layer, &x, mode))
    }

    pub(crate) fn apply(&self, layer: &NamedLayer, input: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.apply_on(&mut Graph::Candle, layer, input, mode)
    }

    fn apply_on(
        &self,
        graph: &mut Graph<'_>,
        layer: &NamedLayer,
        input: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, NnError> {
        let sample = &input.dims()[1..];
        match &layer.spec {
            LayerSpec::Conv2d(conv) => {
                let (options, _) = layer.conv2d(conv, sample)?;
                let options = Conv2dOptions { precision: self.precision, ..options };
                let bias = if conv.bias { Some(self.parameter(layer, "bias", mode)?) } else { None };
                let weight = self.weight(graph, layer, input, mode)?;
                conv2d::on(graph, input, &weight, bias.as_ref(), options)
            }
            LayerSpec::DepthwiseConv2d(conv) => {
                let (options, geometry) = layer.depthwise_conv2d(conv, sample)?;
                let options = DepthwiseConv2dOptions { precision: self.precision, ..options };
                let bias = if conv.bias {
                    self.parameter(layer, "bias", mode)?
                } else {
                    Tensor::zeros(geometry.output[2], DType::F32, input.device())?
                };
                let weight = self.weight(graph, layer, input, mode)?;
                depthwise_conv2d::on(graph, input, &weight, &bias, options)
            }
            LayerSpec::BatchNorm(norm) => self.batch_norm(graph, layer, norm, input, mode),
            LayerSpec::MaxPool2d(pool) => max_pool2d::on(graph, input, layer.pool2d(pool, sample)?.0),
            LayerSpec::AvgPool2d(pool) => {
                avg_pool2d::on(graph, input, layer.pool2d(pool, sample)?.0, PaddingCount::Excluded)
            }
            LayerSpec::GlobalAvgPool2d {} => global_avg_pool2d::on(graph, input),
            LayerSpec::Activation { activation } => activation::on(graph, input, *activation),
            LayerSpec::Flatten {} => Ok(graph.flatten(input)?),
            LayerSpec::Dropout { rate } => match mode {
                Mode::Train { step } => dropout::on(graph, input, *rate, mask_key(self.seed, &layer.name, step)),
                Mode::Evaluate => Ok(input.clone()),
            },
            LayerSpec::SpatialDropout { rate } => match mode {
                Mode::Train { step } => {
                    spatial_dropout::on(graph, input, *rate, mask_key(self.seed, &layer.name, step))
                }
                Mode::Evaluate => Ok(input.clone()),
            },
            LayerSpec::Dense { activation, .. } => {
                let weight = self.weight(graph, layer, input, mode)?;
                let bias = self.parameter(layer, "bias", mode)?;
                dense::on(graph, input, &weight, &bias, *activation)
            }
            LayerSpec::Residual { layers, shortcut, activation } => {
                let through = self.in_turn(graph, layers, input, mode)?;
                let past = self.in_turn(graph, shortcut, input, mode)?;
                let sum = graph.sum(&through, &past)?;
                if *activation == Activation::Linear { Ok(sum) } else { activation::on(graph, &sum, *activation) }
            }
        }
    }

    /// In training, the running statistics move towards the batch's.
    fn batch_norm(
        &self,
        graph: &mut Graph<'_>,
        layer: &NamedLayer,
        norm: &BatchNormLayer,
        input: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, NnError> {
        let (gamma, beta) = (self.parameter(layer, "weight", mode)?, self.parameter(layer, "bias", mode)?);
        let mut running = RunningStatistics {
            mean: self.parameter(layer, "running_mean", Mode::Evaluate)?,
            variance: self.parameter(layer, "running_var", Mode::Evaluate)?,
        };
        let y = match mode {
            Mode::Train { .. } if !norm.fixed_statistics => {
                let (y, batch) = batch_norm::train_on(graph, input, [&gamma, &beta], norm.epsilon)?;
                running.update(&batch, norm.momentum)?;
                for (kind, value) in [("running_mean", &running.mean), ("running_var", &running.variance)] {
                    self.var(layer, kind)?.set(value)?;
                }
                y
            }
            Mode::Train { .. } | Mode::Evaluate => {
                batch_norm::eval_on(graph, input, [&gamma, &beta], &running, norm.epsilon)?
            }
        };
        if norm.activation == Activation::Linear { Ok(y) } else { activation::on(graph, &y, norm.activation) }
    }

    fn var(&self, layer: &NamedLayer, kind: &str) -> Result<&Var, NnError> {
        let var = self.parameters.get(&format!("{}.{kind}", layer.name));
        var.ok_or_else(|| NnError::Layer { layer: layer.name.clone(), reason: format!("has no {kind}") })
    }

    /// The weight of `layer` in the type of its input; the gradient comes back in f32.
    fn weight(&self, graph: &mut Graph<'_>, layer: &NamedLayer, input: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        Ok(graph.cast(&self.parameter(layer, "weight", mode)?, input.dtype())?)
    }

    fn parameter(&self, layer: &NamedLayer, kind: &str, mode: Mode) -> Result<Tensor, NnError> {
        let var = self.var(layer, kind)?;
        Ok(match mode {
            Mode::Train { .. } => var.as_tensor().clone(),
            Mode::Evaluate => var.as_detached_tensor(),
        })
    }
}

/// The losses of an output, and the gradient of their mean to it; the loss stays ordinary Candle code.
fn losses_and_gradient(
    output: &Tensor,
    loss: &mut dyn FnMut(&Tensor) -> Result<Tensor, NnError>,
) -> Result<(Tensor, Tensor), NnError> {
    let output = Var::from_tensor(output)?;
    let losses = loss(output.as_tensor())?;
    let gradient = losses.mean_all()?.backward()?.remove(&output);
    let Some(gradient) = gradient else {
        return Err(NnError::shape("sequential", "the losses do not depend on the network's output"));
    };
    Ok((losses.detach(), gradient.contiguous()?))
}

/// Whether `x` is a batch of samples of a shape.
pub(crate) fn check_batch(x: &Tensor, sample: &[usize]) -> Result<(), NnError> {
    let got = x.dims();
    if got.get(1..) != Some(sample) {
        return Err(NnError::shape("sequential", format!("got a batch {got:?} for samples of {sample:?}")));
    }
    if got[0] == 0 {
        return Err(NnError::shape("sequential", format!("got a batch {got:?} without samples")));
    }
    check_f32("sequential", &[("the batch", x)])
}

/// Whether every element is finite.
fn is_finite(x: &Tensor) -> Result<bool, NnError> {
    let values: Vec<f32> = x.flatten_all()?.to_vec1()?;
    Ok(values.iter().all(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::finite_differences::{assert_gradients, ramp};
    use crate::layer::{Conv2dLayer, DepthwiseConv2dLayer, Padding, Pool2dLayer};
    use crate::op::loss::cross_entropy;
    use crate::optimizer::{Optimizer, OptimizerConfig, RmsPropConfig};
    use crate::reference::Stored;
    use crate::tensor_file::NamedTensor;

    fn small(dropout_rate: f32) -> Sequential {
        let layers = [
            NamedLayer::new("conv1", LayerSpec::conv2d(6, 3, Activation::Relu)),
            NamedLayer::new("pool1", LayerSpec::max_pool2d(2)),
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("dropout", LayerSpec::Dropout { rate: dropout_rate }),
            NamedLayer::new("dense1", LayerSpec::Dense { units: 16, activation: Activation::Relu }),
            NamedLayer::new("dense2", LayerSpec::Dense { units: 3, activation: Activation::Linear }),
        ];
        Sequential::new(&[8, 8, 2], &layers, Seed::new(7), &Device::Cpu).unwrap()
    }

    fn train(network: &mut Sequential, steps: u64) -> f32 {
        let x = ramp(&[8, 8, 8, 2], 7);
        let classes = Tensor::new(&[0u32, 1, 2, 0, 1, 2, 0, 1], &Device::Cpu).unwrap();
        let config = RmsPropConfig { learning_rate: 3e-3, ..RmsPropConfig::default() };
        let parameters = network.parameters().clone();
        let mut optimizer = Optimizer::new(OptimizerConfig::Rmsprop(config), &parameters).unwrap();
        let mut last = f32::NAN;
        for step in 0..steps {
            let step = network.gradients(&x, step, &mut |logits| cross_entropy(logits, &classes)).unwrap();
            optimizer.step(&parameters, &step.gradients).unwrap();
            last = step.losses.mean_all().unwrap().to_scalar().unwrap();
        }
        last
    }

    #[test]
    fn the_first_layer_that_leaves_the_finite_is_named() {
        let network = small(0.0);
        let x = ramp(&[2, 8, 8, 2], 7);
        assert_eq!(network.first_not_finite(&x).unwrap(), None);
        let weight = network.parameters().get("dense1.weight").unwrap();
        weight.set(&Tensor::full(f32::MAX, weight.dims(), &Device::Cpu).unwrap()).unwrap();
        assert_eq!(network.first_not_finite(&x).unwrap().as_deref(), Some("dense1"));
    }

    /// A network with all kinds of layers.
    fn diverse() -> Sequential {
        let same = Conv2dLayer { padding: Padding::Same, bias: false, ..Conv2dLayer::new(12, 3) };
        let norm = |activation| LayerSpec::BatchNorm(BatchNormLayer { activation, ..BatchNormLayer::default() });
        let depthwise = DepthwiseConv2dLayer { stride: 2, padding: Padding::Same, ..DepthwiseConv2dLayer::new(3) };
        let sigmoid = Conv2dLayer { activation: Activation::Sigmoid, groups: 2, ..Conv2dLayer::new(12, 1) };
        let overlapping = Pool2dLayer { window: 3, stride: Some(2), padding: Padding::Zeros(1) };
        let block = vec![
            NamedLayer::new("block.conv", LayerSpec::Conv2d(same)),
            NamedLayer::new("block.norm", norm(Activation::Relu)),
        ];
        let strided = |name: &str, kernel| {
            let conv = Conv2dLayer { stride: 2, padding: Padding::Same, ..Conv2dLayer::new(8, kernel) };
            NamedLayer::new(name, LayerSpec::Conv2d(conv))
        };
        let down = LayerSpec::Residual {
            layers: vec![
                strided("down.conv1", 3),
                NamedLayer::new("down.norm1", norm(Activation::Relu)),
                NamedLayer::new("down.drop", LayerSpec::Dropout { rate: 0.1 }),
            ],
            shortcut: vec![strided("down.conv2", 1), NamedLayer::new("down.norm2", norm(Activation::Linear))],
            activation: Activation::Relu6,
        };
        let flat_block = LayerSpec::Residual {
            layers: vec![NamedLayer::new("deep.drop", LayerSpec::Dropout { rate: 0.2 })],
            shortcut: vec![NamedLayer::new(
                "deep.dense",
                LayerSpec::Dense { units: 9, activation: Activation::Linear },
            )],
            activation: Activation::Sigmoid,
        };
        let layers = [
            NamedLayer::new("conv1", LayerSpec::conv2d(12, 3, Activation::Relu6)),
            NamedLayer::new("pool1", LayerSpec::max_pool2d(2)),
            NamedLayer::new("norm1", norm(Activation::Linear)),
            NamedLayer::new("block", LayerSpec::residual(block)),
            NamedLayer::new("down", down),
            NamedLayer::new("depthwise", LayerSpec::DepthwiseConv2d(depthwise)),
            NamedLayer::new("spatial", LayerSpec::SpatialDropout { rate: 0.2 }),
            NamedLayer::new("conv2", LayerSpec::Conv2d(sigmoid)),
            NamedLayer::new("pool2", LayerSpec::MaxPool2d(overlapping)),
            NamedLayer::new("pool3", LayerSpec::AvgPool2d(overlapping)),
            NamedLayer::new("conv3", LayerSpec::conv2d(9, 1, Activation::Linear)),
            NamedLayer::new("activation", LayerSpec::Activation { activation: Activation::Relu }),
            NamedLayer::new("pool4", LayerSpec::GlobalAvgPool2d {}),
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("deep", flat_block),
            NamedLayer::new("dropout", LayerSpec::Dropout { rate: 0.3 }),
            NamedLayer::new("dense1", LayerSpec::Dense { units: 7, activation: Activation::Relu }),
            NamedLayer::new("dense2", LayerSpec::Dense { units: 3, activation: Activation::Linear }),
        ];
        Sequential::new(&[21, 19, 2], &layers, Seed::new(7), &Device::Cpu).unwrap()
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[track_caller]
    fn assert_close(what: &str, got: &Tensor, expected: &Tensor) {
        let (got, expected) = (flat(got), flat(expected));
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 0.0, "{what} is zero");
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() <= 1e-5 * largest, "{what}: {got} instead of {expected}");
        }
    }

    #[test]
    fn the_plan_computes_what_the_operations_compute_for_batches_of_any_size() {
        let (mut network, other) = (diverse(), diverse());
        let parameters = network.parameters().clone();
        for (step, count) in [(0, 4), (1, 9), (2, 2)] {
            let x = ramp(&[count, 21, 19, 2], 7);
            let classes =
                Tensor::from_vec((0..count as u32).map(|i| i % 3).collect::<Vec<_>>(), count, &Device::Cpu).unwrap();
            let output = other.forward(&x, Mode::Train { step }).unwrap();
            let losses = cross_entropy(&output, &classes).unwrap();
            let expected = Gradients::of(&losses.mean_all().unwrap(), other.parameters()).unwrap();
            let got = network.gradients(&x, step, &mut |logits| cross_entropy(logits, &classes)).unwrap();
            assert_close("output", &got.output, &output);
            assert_close("losses", &got.losses, &losses);
            for (parameter, (got, expected)) in
                parameters.iter().zip(got.gradients.tensors().iter().zip(expected.tensors()))
            {
                assert_close(&parameter.name, got, expected);
            }
            for (got, expected) in parameters.statistics().zip(other.parameters().statistics()) {
                assert_close(&got.name, got.var.as_tensor(), expected.var.as_tensor());
            }
        }
        assert_eq!(parameters.statistics().count(), 8);
    }

    #[test]
    fn the_tape_gives_the_bytes_that_the_graph_of_candle_gives() {
        for frozen in [0, 3] {
            let [mut graph, mut tape] = [diverse(), diverse()];
            graph.freeze(frozen).unwrap();
            tape.freeze(frozen).unwrap();
            for step in 0..2 {
                let x = graph.frozen_output(&ramp(&[5, 21, 19, 2], 7)).unwrap();
                let layers = &graph.layers()[frozen..];
                let output = graph.chain(layers, &x, Mode::Train { step }).unwrap();
                let losses = output.sqr().unwrap();
                let expected = Gradients::of(&losses.mean_all().unwrap(), graph.parameters()).unwrap();
                let got = tape.gradients_by_tape(&x, step, &mut |output| Ok(output.sqr()?)).unwrap();
                assert_eq!(flat(&got.output), flat(&output));
                for (got, expected) in got.gradients.tensors().iter().zip(expected.tensors()) {
                    assert_eq!((got.dims(), flat(got)), (expected.dims(), flat(expected)));
                }
                assert_eq!(tape.parameters().tensors().unwrap(), graph.parameters().tensors().unwrap());
            }
        }
    }

    #[test]
    fn the_tape_names_a_parameter_that_the_loss_does_not_depend_on() {
        let mut parameters = Parameters::default();
        parameters.push("stray".to_string(), Var::from_tensor(&ramp(&[2], 3)).unwrap());
        let tape = Tape::new(&parameters);
        let x = ramp(&[1, 2], 3);
        let error = tape.backward(&x, x.clone(), &parameters).unwrap_err().to_string();
        assert_eq!(error, "parameter `stray` got no gradient: the loss does not depend on it");
    }

    #[test]
    fn the_gradient_through_a_block_with_a_shortcut_equals_finite_differences() {
        let conv = |name: &str, kernel| {
            let conv = Conv2dLayer { stride: 2, padding: Padding::Same, ..Conv2dLayer::new(3, kernel) };
            NamedLayer::new(name, LayerSpec::Conv2d(conv))
        };
        for activation in [Activation::Linear, Activation::Relu, Activation::Sigmoid] {
            let (layers, shortcut) = (vec![conv("block.conv1", 3)], vec![conv("block.conv2", 1)]);
            let block = [NamedLayer::new("block", LayerSpec::Residual { layers, shortcut, activation })];
            let network = Sequential::new(&[5, 4, 2], &block, Seed::new(7), &Device::Cpu).unwrap();
            let x = ramp(&[2, 5, 4, 2], 7);
            assert_gradients(&[x], |inputs| network.forward(&inputs[0], Mode::Train { step: 0 }));
        }
    }

    #[test]
    fn all_gradients_of_a_small_network_equal_those_of_pytorch() {
        let layers = [
            NamedLayer::new("conv1", LayerSpec::conv2d(6, 3, Activation::Relu)),
            NamedLayer::new("pool1", LayerSpec::max_pool2d(2)),
            NamedLayer::new("conv2", LayerSpec::conv2d(10, 3, Activation::Relu)),
            NamedLayer::new("pool2", LayerSpec::max_pool2d(2)),
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("dense1", LayerSpec::Dense { units: 16, activation: Activation::Relu }),
            NamedLayer::new("dense2", LayerSpec::Dense { units: 3, activation: Activation::Linear }),
        ];
        let mut network = Sequential::new(&[15, 14, 3], &layers, Seed::new(7), &Device::Cpu).unwrap();
        let (stored, parameters) = (Stored::networks(), network.parameters().clone());
        for parameter in &parameters {
            parameter.var.set(&stored.given(&format!("network.{}", parameter.name))).unwrap();
        }
        let classes = Tensor::new(stored.u32s("network.classes"), &Device::Cpu).unwrap();
        let images = stored.given("network.images");
        let step = network.gradients(&images, 0, &mut |logits| cross_entropy(logits, &classes)).unwrap();
        stored.assert_close("network.logits", &step.output);
        stored.assert_close("network.loss", &step.losses.mean_all().unwrap());
        for (parameter, gradient) in parameters.iter().zip(step.gradients.tensors()) {
            stored.assert_close(&format!("network.gradient.{}", parameter.name), gradient);
        }
    }

    #[test]
    fn running_statistics_are_saved_and_used_in_evaluation() {
        let mut network = diverse();
        let x = ramp(&[4, 21, 19, 2], 7);
        let before = network.forward(&x, Mode::Evaluate).unwrap();
        network.gradients(&x, 0, &mut |output| Ok(output.sqr()?)).unwrap();
        let after = network.forward(&x, Mode::Evaluate).unwrap();
        assert_ne!(flat(&before), flat(&after));
        let other = diverse();
        let saved = network.parameters().tensors().unwrap();
        other.parameters().set_tensors(&saved).unwrap();
        assert_eq!(flat(&other.forward(&x, Mode::Evaluate).unwrap()), flat(&after));
    }

    #[test]
    fn prediction_equals_the_operations_in_evaluation() {
        let mut network = diverse();
        for (step, count) in [(0, 5), (1, 1), (2, 7)] {
            let x = ramp(&[count, 21, 19, 2], 7);
            assert_close("output", &network.predict(&x).unwrap(), &network.forward(&x, Mode::Evaluate).unwrap());
            network.gradients(&ramp(&[4, 21, 19, 2], 5), step, &mut |output| Ok(output.sqr()?)).unwrap();
        }
    }

    #[test]
    fn a_network_learns_eight_images_by_heart() {
        let loss = train(&mut small(0.0), 120);
        assert!(loss < 0.02, "the loss is still {loss}");
    }

    /// What a network of all kinds of layers and another one hold after a few steps on so many threads.
    fn weights_after_training(threads: usize) -> Vec<Vec<NamedTensor>> {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut network = small(0.5);
            train(&mut network, 5);
            let mut other = diverse();
            let parameters = other.parameters().clone();
            let mut optimizer = Optimizer::new(OptimizerConfig::default(), &parameters).unwrap();
            for step in 0..3 {
                let x = ramp(&[11, 21, 19, 2], 7 + step as usize);
                let step = other.gradients(&x, step, &mut |output| Ok(output.sqr()?)).unwrap();
                optimizer.step(&parameters, &step.gradients).unwrap();
            }
            vec![network.parameters().tensors().unwrap(), parameters.tensors().unwrap()]
        })
    }

    #[test]
    fn the_same_seed_ends_with_the_same_weights_on_one_two_and_five_threads() {
        let weights = weights_after_training(1);
        assert!(weights == weights_after_training(2));
        assert!(weights == weights_after_training(5));
    }

    #[test]
    fn dropout_acts_in_training_alone() {
        let (network, x) = (small(0.5), ramp(&[1, 8, 8, 2], 7));
        let run = |mode| -> Vec<f32> { network.forward(&x, mode).unwrap().flatten_all().unwrap().to_vec1().unwrap() };
        assert_eq!(run(Mode::Evaluate), run(Mode::Evaluate));
        assert_eq!(run(Mode::Train { step: 3 }), run(Mode::Train { step: 3 }));
        assert_ne!(run(Mode::Train { step: 3 }), run(Mode::Train { step: 4 }));
        assert_ne!(run(Mode::Train { step: 3 }), run(Mode::Evaluate));
    }

    #[test]
    fn evaluation_keeps_no_graph() {
        let network = small(0.0);
        assert!(!network.forward(&ramp(&[1, 8, 8, 2], 7), Mode::Evaluate).unwrap().track_op());
    }

    #[test]
    fn flattening_goes_channel_by_channel() {
        let layers = [NamedLayer::new("flatten", LayerSpec::Flatten {})];
        let network = Sequential::new(&[1, 2, 2], &layers, Seed::new(7), &Device::Cpu).unwrap();
        let x = Tensor::new(&[1f32, 10., 2., 20.], &Device::Cpu).unwrap().reshape((1, 1, 2, 2)).unwrap();
        let flat = network.forward(&x, Mode::Evaluate).unwrap();
        assert_eq!(flat.to_vec2::<f32>().unwrap(), [[1.0, 2.0, 10.0, 20.0]]);
    }

    #[test]
    fn layers_that_make_no_network_are_named() {
        let refused = |input: &[usize], layers: &[NamedLayer]| {
            Sequential::new(input, layers, Seed::new(7), &Device::Cpu).unwrap_err().to_string()
        };
        let dropout = NamedLayer::new("drop", LayerSpec::Dropout { rate: 0.1 });
        let twice = [dropout.clone(), NamedLayer::new("block", LayerSpec::residual(vec![dropout.clone()]))];
        assert_eq!(refused(&[4], &twice), "layer `drop`: another layer has the same name");
        assert!(refused(&[4], &[]).contains("at least one layer"));
        assert!(refused(&[4, 0, 2], std::slice::from_ref(&dropout)).contains("[4, 0, 2]"));
        assert!(refused(&[1 << 40, 1 << 30], &[dropout]).contains("more than"));
        let huge = NamedLayer::new("dense", LayerSpec::Dense { units: 1 << 20, activation: Activation::Linear });
        assert!(refused(&[1 << 20], &[huge]).contains("more than"));
        let network = small(0.0);
        let x = ramp(&[1, 8, 8, 2], 7);
        assert!(network.forward_range(&x, 3..99, Mode::Evaluate).unwrap_err().to_string().contains("3..99"));
        let scalar = Tensor::new(1f32, &Device::Cpu).unwrap();
        assert!(network.forward_range(&scalar, 0..1, Mode::Evaluate).unwrap_err().to_string().contains("no batch"));
        assert!(network.forward_range(&ramp(&[2, 3], 7), 0..1, Mode::Evaluate).is_err());
    }

    #[test]
    fn an_image_of_two_axes_is_flattened_alike_in_training_and_prediction() {
        let layers = [
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("dense", LayerSpec::Dense { units: 2, activation: Activation::Linear }),
        ];
        let mut network = Sequential::new(&[5, 4], &layers, Seed::new(7), &Device::Cpu).unwrap();
        let x = ramp(&[3, 5, 4], 7);
        let output = network.forward(&x, Mode::Evaluate).unwrap();
        assert_close("prediction", &network.predict(&x).unwrap(), &output);
        let step = network.gradients(&x, 0, &mut |output| Ok(output.sqr()?)).unwrap();
        assert_close("training", &step.output, &output);
    }

    #[test]
    fn batches_that_cannot_be_trained_on_are_named() {
        let mut network = small(0.0);
        let mut refused = |x: &Tensor| network.gradients(x, 0, &mut |y| Ok(y.clone())).unwrap_err().to_string();
        assert!(refused(&ramp(&[1, 9, 8, 2], 7)).contains("got a batch [1, 9, 8, 2] for samples of [8, 8, 2]"));
        assert!(refused(&Tensor::zeros((0, 8, 8, 2), DType::F32, &Device::Cpu).unwrap()).contains("without samples"));
        let bytes = Tensor::zeros((1, 8, 8, 2), DType::U8, &Device::Cpu).unwrap();
        assert!(refused(&bytes).contains("the batch must be f32, got u8"));
        let norm = [NamedLayer::new("norm", LayerSpec::BatchNorm(BatchNormLayer::default()))];
        let mut network = Sequential::new(&[1, 1, 3], &norm, Seed::new(7), &Device::Cpu).unwrap();
        let error = network.gradients(&ramp(&[1, 1, 1, 3], 7), 0, &mut |y| Ok(y.clone())).unwrap_err();
        assert!(error.to_string().starts_with("layer `norm`: needs more than one value a channel"), "{error}");
    }

    #[test]
    fn a_batch_of_another_size_is_named() {
        let error = small(0.0).forward(&ramp(&[1, 9, 8, 2], 7), Mode::Evaluate).unwrap_err();
        assert!(error.to_string().contains("got a batch [1, 9, 8, 2] for samples of [8, 8, 2]"));
    }
}
