//! A chain of layers with its parameters.

use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use crate::error::NnError;
use crate::init::Initializer;
use crate::layer::{LayerSpec, NamedLayer};
use crate::op::conv2d::{Conv2dOptions, conv2d};
use crate::op::dense::dense;
use crate::op::dropout::dropout;
use crate::op::max_pool2d::max_pool2d;
use crate::parameters::Parameters;

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
    layers: Vec<NamedLayer>,
    input: Vec<usize>,
    seed: Seed,
    parameters: Parameters,
}

impl Sequential {
    /// A network for input samples of shape `input` (`[height, width, channels]`), its weights Glorot-uniform and its
    /// biases zero, all drawn from `seed`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where a layer cannot take the output of the one before.
    pub fn new(input: &[usize], layers: &[NamedLayer], seed: Seed, device: &Device) -> Result<Self, NnError> {
        let mut parameters = Parameters::default();
        let mut shape = input.to_vec();
        for layer in layers {
            let next = layer.output_shape(&shape)?;
            for (name, parameter_shape) in layer.parameter_shapes(&shape) {
                let initializer =
                    if parameter_shape.len() > 1 { Initializer::GlorotUniform } else { Initializer::Zeros };
                let var = initializer.variable(&name, &parameter_shape, seed, device)?;
                parameters.push(name, var);
            }
            shape = next;
        }
        Ok(Self { layers: layers.to_vec(), input: input.to_vec(), seed, parameters })
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

    /// Whether `x` is a batch of the network's input shape.
    ///
    /// # Errors
    /// [`NnError::Shape`] where it is not.
    pub fn check_input(&self, x: &Tensor) -> Result<(), NnError> {
        if x.dims().get(1..) == Some(&self.input) {
            return Ok(());
        }
        let (got, expected) = (x.dims(), &self.input);
        Err(NnError::shape("sequential", format!("got a batch {got:?} for samples of {expected:?}")))
    }

    /// The output of the layers in `range` alone, for the input of the first of them.
    ///
    /// # Errors
    /// As [`Sequential::forward`], by the layer that cannot take its input.
    pub fn forward_range(&self, x: &Tensor, range: std::ops::Range<usize>, mode: Mode) -> Result<Tensor, NnError> {
        self.layers[range].iter().try_fold(x.clone(), |x, layer| self.apply(layer, &x, mode))
    }

    fn apply(&self, layer: &NamedLayer, x: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        match layer.spec {
            LayerSpec::Conv2d { activation, .. } => {
                let options = Conv2dOptions { activation, ..Conv2dOptions::default() };
                conv2d(x, &self.parameter(layer, "weight", mode)?, &self.parameter(layer, "bias", mode)?, options)
            }
            LayerSpec::MaxPool2d { window } => max_pool2d(x, window),
            LayerSpec::Flatten {} if x.rank() == 4 => Ok(x.permute((0, 3, 1, 2))?.contiguous()?.flatten_from(1)?),
            LayerSpec::Flatten {} => Ok(x.flatten_from(1)?),
            LayerSpec::Dropout { rate } => match mode {
                Mode::Train { step } => {
                    dropout(x, rate, self.seed.counter_key(&format!("dropout/{}", layer.name), step))
                }
                Mode::Evaluate => Ok(x.clone()),
            },
            LayerSpec::Dense { activation, .. } => {
                dense(x, &self.parameter(layer, "weight", mode)?, &self.parameter(layer, "bias", mode)?, activation)
            }
        }
    }

    fn parameter(&self, layer: &NamedLayer, kind: &str, mode: Mode) -> Result<Tensor, NnError> {
        let name = format!("{}.{kind}", layer.name);
        let Some(var) = self.parameters.get(&name) else {
            return Err(NnError::Layer { layer: layer.name.clone(), reason: format!("has no {kind}") });
        };
        Ok(match mode {
            Mode::Train { .. } => var.as_tensor().clone(),
            Mode::Evaluate => var.as_detached_tensor(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finite_differences::ramp;
    use crate::gradients::Gradients;
    use crate::op::activation::Activation;
    use crate::op::loss::cross_entropy;
    use crate::optimizer::{Optimizer, OptimizerConfig, RmsPropConfig};

    fn small(dropout_rate: f32) -> Sequential {
        let layers = [
            NamedLayer::new("conv1", LayerSpec::Conv2d { filters: 6, kernel: 3, activation: Activation::Relu }),
            NamedLayer::new("pool1", LayerSpec::MaxPool2d { window: 2 }),
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("dropout", LayerSpec::Dropout { rate: dropout_rate }),
            NamedLayer::new("dense1", LayerSpec::Dense { units: 16, activation: Activation::Relu }),
            NamedLayer::new("dense2", LayerSpec::Dense { units: 3, activation: Activation::Linear }),
        ];
        Sequential::new(&[8, 8, 2], &layers, Seed::new(7), &Device::Cpu).unwrap()
    }

    fn train(network: &Sequential, steps: u64) -> f32 {
        let x = ramp(&[8, 8, 8, 2], 7);
        let classes = Tensor::new(&[0u32, 1, 2, 0, 1, 2, 0, 1], &Device::Cpu).unwrap();
        let config = RmsPropConfig { learning_rate: 3e-3, ..RmsPropConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Rmsprop(config), network.parameters()).unwrap();
        let mut last = f32::NAN;
        for step in 0..steps {
            let logits = network.forward(&x, Mode::Train { step }).unwrap();
            let loss = cross_entropy(&logits, &classes).unwrap().mean_all().unwrap();
            let gradients = Gradients::of(&loss, network.parameters()).unwrap();
            optimizer.step(network.parameters(), &gradients).unwrap();
            last = loss.to_scalar().unwrap();
        }
        last
    }

    #[test]
    fn a_network_learns_eight_images_by_heart() {
        let loss = train(&small(0.0), 120);
        assert!(loss < 0.02, "the loss is still {loss}");
    }

    #[test]
    fn the_same_seed_ends_with_the_same_weights_on_one_thread_and_on_three() {
        let weights = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let network = small(0.5);
                train(&network, 5);
                network.parameters().to_safetensors(&[]).unwrap()
            })
        };
        assert!(weights(1) == weights(3));
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
    fn a_batch_of_another_size_is_named() {
        let error = small(0.0).forward(&ramp(&[1, 9, 8, 2], 7), Mode::Evaluate).unwrap_err();
        assert!(error.to_string().contains("got a batch [1, 9, 8, 2] for samples of [8, 8, 2]"));
    }
}
