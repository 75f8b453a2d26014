//! The first layers of a network, kept as they are while the others are trained.

use candle_core::Tensor;

use crate::error::NnError;
use crate::layer::NamedLayer;
use crate::plan::infer;
use crate::sequential::{Mode, Sequential, check_batch};
use crate::setting;

impl Sequential {
    /// Freezes the first `layers` layers, and no others. In training they are in evaluation mode: dropout there drops nothing,
    /// running statistics stay, and no graph, gradient or memory of a whole batch is made for them.
    ///
    /// # Errors
    /// [`NnError::Shape`] where there are not so many layers, or no parameter is left to be trained.
    pub fn freeze(&mut self, layers: usize) -> Result<(), NnError> {
        let Some(frozen) = self.layers.get(..layers) else {
            let reason = format!("cannot freeze {layers} layers of {}", self.layers.len());
            return Err(NnError::shape("sequential", reason));
        };
        let counts = self.parameter_counts(frozen)?;
        let [parameters, statistics] = [0, 1].map(|kind| counts.iter().map(|counts| counts[kind]).sum());
        let mut changed = self.parameters.clone();
        changed.freeze(parameters, statistics);
        if changed.iter().len() == 0 {
            let reason = format!("with {layers} frozen layers, no parameter is left to be trained");
            return Err(NnError::shape("sequential", reason));
        }
        (self.frozen, self.parameters, self.plan) = (layers, changed, None);
        Ok(())
    }

    /// How many parameters and statistics each of the first layers, `layers`, has.
    fn parameter_counts(&self, layers: &[NamedLayer]) -> Result<Vec<[usize; 2]>, NnError> {
        let mut shape = self.input.clone();
        let counts = layers.iter().map(|layer| {
            let parameters = layer.parameter_shapes(&shape);
            let trained = parameters.iter().filter(|parameter| parameter.role.is_trained()).count();
            shape = layer.output_shape(&shape)?;
            Ok([trained, parameters.len() - trained])
        });
        counts.collect()
    }

    /// Multiplies the learning rate of the parameters of each layer by its factor in `scales`, in an optimizer that is made
    /// later; before a group of the optimizer does.
    ///
    /// # Errors
    /// [`NnError::Setting`] where a factor is not at least 0, [`NnError::Shape`] where there is not one a layer.
    pub fn scale_rates(&mut self, scales: &[f32]) -> Result<(), NnError> {
        if scales.len() != self.layers.len() {
            let reason = format!("got {} factors of the learning rate for {} layers", scales.len(), self.layers.len());
            return Err(NnError::shape("sequential", reason));
        }
        scales.iter().try_for_each(|scale| setting::at_least_zero("rate-scale", *scale))?;
        let counts = self.parameter_counts(&self.layers)?;
        let of_parameters =
            scales.iter().zip(counts).flat_map(|(scale, [trained, _])| std::iter::repeat_n(*scale, trained));
        self.parameters.scale_rates(of_parameters);
        Ok(())
    }

    /// What the frozen layers make of a batch `x` of input samples, without history: `x` itself where there are none.
    ///
    /// # Errors
    /// As [`Sequential::forward`].
    pub fn frozen_output(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.check_input(x)?;
        let frozen = &self.layers[..self.frozen];
        if frozen.is_empty() {
            return Ok(x.clone());
        }
        if x.device().is_cpu() {
            return infer(&self.input, frozen, &self.parameters, &x.contiguous()?);
        }
        Ok(self.chain(frozen, x, Mode::Evaluate)?.detach())
    }

    /// The output in evaluation, without history, for a batch `x` that [`Sequential::frozen_output`] gave.
    ///
    /// # Errors
    /// [`NnError::Shape`] where `x` is no such batch.
    pub fn predict_unfrozen(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let shape = self.frozen_shape()?;
        check_batch(x, &shape)?;
        let layers = &self.layers[self.frozen..];
        if x.device().is_cpu() {
            return infer(&shape, layers, &self.parameters, &x.contiguous()?);
        }
        Ok(self.chain(layers, x, Mode::Evaluate)?.detach())
    }

    /// The shape of a sample behind the frozen layers.
    pub(crate) fn frozen_shape(&self) -> Result<Vec<usize>, NnError> {
        self.layers[..self.frozen].iter().try_fold(self.input.clone(), |shape, layer| layer.output_shape(&shape))
    }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;
    use candle_core::Device;

    use super::*;
    use crate::finite_differences::ramp;
    use crate::gradients::Gradients;
    use crate::layer::{BatchNormLayer, LayerSpec};
    use crate::op::activation::Activation;
    use crate::optimizer::{Optimizer, OptimizerConfig, SgdConfig};

    /// Two blocks of a convolution, a normalization and dropout each, and a dense layer.
    fn network() -> Sequential {
        let block = |number: usize| {
            let name = |part: &str| format!("{part}{number}");
            [
                NamedLayer::new(&name("conv"), LayerSpec::conv2d(4, 3, Activation::Linear)),
                NamedLayer::new(&name("norm"), LayerSpec::BatchNorm(BatchNormLayer::default())),
                NamedLayer::new(&name("dropout"), LayerSpec::Dropout { rate: 0.4 }),
            ]
        };
        let head = [
            NamedLayer::new("flatten", LayerSpec::Flatten {}),
            NamedLayer::new("dense", LayerSpec::Dense { units: 2, activation: Activation::Linear }),
        ];
        let layers: Vec<NamedLayer> = block(1).into_iter().chain(block(2)).chain(head).collect();
        Sequential::new(&[8, 7, 2], &layers, Seed::new(7), &Device::Cpu).unwrap()
    }

    fn images() -> Tensor {
        ramp(&[5, 8, 7, 2], 7)
    }

    fn names<'a>(parameters: impl Iterator<Item = &'a crate::parameters::Parameter>) -> Vec<&'a str> {
        parameters.map(|parameter| parameter.name.as_str()).collect()
    }

    fn flat(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn frozen_parameters_and_statistics_are_the_first_ones() {
        let mut network = network();
        network.freeze(3).unwrap();
        let parameters = network.parameters();
        let frozen =
            ["conv1.weight", "conv1.bias", "norm1.weight", "norm1.bias", "norm1.running_mean", "norm1.running_var"];
        assert_eq!(names(parameters.frozen()), frozen);
        let moved = ["conv2.weight", "conv2.bias", "norm2.weight", "norm2.bias", "dense.weight", "dense.bias"];
        assert_eq!(names(parameters.iter()), moved);
        assert_eq!(parameters.all().count(), 14);
        network.freeze(0).unwrap();
        assert_eq!(network.parameters().frozen().count(), 0);
    }

    #[test]
    fn training_moves_all_parameters_and_statistics_but_the_frozen_ones() {
        let mut network = network();
        network.freeze(3).unwrap();
        let parameters = network.parameters().clone();
        let before = parameters.tensors().unwrap();
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &parameters).unwrap();
        for step in 0..3 {
            let x = network.frozen_output(&images()).unwrap();
            let step = network.gradients(&x, step, &mut |output| Ok(output.sqr()?)).unwrap();
            optimizer.step(&parameters, &step.gradients).unwrap();
        }
        let frozen = names(parameters.frozen());
        for (before, after) in before.iter().zip(parameters.tensors().unwrap()) {
            assert_eq!(*before == after, frozen.contains(&before.name.as_str()), "{}", before.name);
        }
    }

    #[test]
    fn gradients_behind_frozen_layers_are_those_of_the_operations() {
        let (mut network, mut other) = (network(), network());
        network.freeze(3).unwrap();
        other.freeze(3).unwrap();
        let output = other.forward(&images(), Mode::Train { step: 1 }).unwrap();
        let expected = Gradients::of(&output.sqr().unwrap().mean_all().unwrap(), other.parameters()).unwrap();
        let x = network.frozen_output(&images()).unwrap();
        let got = network.gradients(&x, 1, &mut |output| Ok(output.sqr()?)).unwrap();
        assert_eq!(got.gradients.tensors().len(), 6);
        for (got, expected) in got.gradients.tensors().iter().zip(expected.tensors()) {
            for (got, expected) in flat(got).into_iter().zip(flat(expected)) {
                assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
            }
        }
    }

    #[test]
    fn frozen_layers_are_evaluated_and_keep_no_graph() {
        let mut network = network();
        let evaluated = network.forward_range(&images(), 0..3, Mode::Evaluate).unwrap();
        network.freeze(3).unwrap();
        for frozen in [
            network.forward_range(&images(), 0..3, Mode::Train { step: 1 }).unwrap(),
            network.frozen_output(&images()).unwrap(),
        ] {
            assert!(!frozen.track_op());
            for (got, expected) in flat(&frozen).into_iter().zip(flat(&evaluated)) {
                assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_two_parts_predict_what_the_whole_predicts() {
        let mut network = network();
        let whole = flat(&network.predict(&images()).unwrap());
        for layers in 0..=7 {
            network.freeze(layers).unwrap();
            let x = network.frozen_output(&images()).unwrap();
            for (got, expected) in flat(&network.predict_unfrozen(&x).unwrap()).into_iter().zip(&whole) {
                assert!((got - expected).abs() < 1e-5, "{layers}: {got} instead of {expected}");
            }
        }
    }

    #[test]
    fn a_layer_steps_by_its_own_factor_of_the_learning_rate() {
        let moved = |scales: Option<[f32; 8]>| -> Vec<Vec<f32>> {
            let mut network = network();
            if let Some(scales) = scales {
                network.scale_rates(&scales).unwrap();
            }
            let parameters = network.parameters().clone();
            let before: Vec<Vec<f32>> = parameters.iter().map(|parameter| flat(&parameter.var)).collect();
            let config = OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.1, ..SgdConfig::default() });
            let mut optimizer = Optimizer::new(config, &parameters).unwrap();
            let step = network.gradients(&images(), 0, &mut |output| Ok(output.sqr()?)).unwrap();
            optimizer.step(&parameters, &step.gradients).unwrap();
            let steps = before.iter().zip(parameters.iter()).map(|(before, parameter)| {
                flat(&parameter.var).iter().zip(before).map(|(after, before)| after - before).collect()
            });
            steps.collect()
        };
        let (scaled, plain) = (moved(Some([0.5, 0.0, 1.0, 0.25, 1.0, 1.0, 1.0, 2.0])), moved(None));
        let factors = [0.5, 0.5, 0.0, 0.0, 0.25, 0.25, 1.0, 1.0, 2.0, 2.0];
        for ((scaled, plain), factor) in scaled.iter().zip(&plain).zip(factors) {
            for (scaled, plain) in scaled.iter().zip(plain) {
                assert!((scaled - factor * plain).abs() < 1e-6, "{scaled} instead of {factor} * {plain}");
            }
        }
        let mut network = network();
        assert!(network.scale_rates(&[1.0]).unwrap_err().to_string().contains("1 factors"));
        assert!(network.scale_rates(&[-1.0; 8]).is_err());
    }

    #[test]
    fn something_must_be_left_to_be_trained() {
        let mut network = network();
        let message = network.freeze(8).unwrap_err().to_string();
        assert!(message.ends_with("with 8 frozen layers, no parameter is left to be trained"), "{message}");
        assert!(network.freeze(9).unwrap_err().to_string().ends_with("cannot freeze 9 layers of 8"));
        assert_eq!(network.parameters().frozen().count(), 0, "a refusal changes nothing");
    }
}
