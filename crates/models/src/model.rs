//! The trait that every network stands behind.

use std::fmt::Debug;
use std::ops::Range;

use aumenta_nn::{LayerVisitor, Mode, NnError, Parameters, Precision, Sequential, TrainStep};
use candle_core::Tensor;

/// A network with weights: a base that computes features from images, and a head that computes logits from features.
///
/// The two are apart because features of a base that does not change can be computed once and reused.
pub trait Model: Debug + Send {
    /// All parameters, in the order of the layers.
    fn parameters(&self) -> &Parameters;

    /// The features of a batch of images, f32 NHWC.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the batch is not of the input's shape.
    fn features(&self, images: &Tensor, mode: Mode) -> Result<Tensor, NnError>;

    /// The logits, f32 `[n, outputs]`, of a batch of features.
    ///
    /// # Errors
    /// [`NnError::Shape`] where the features are not those of this model.
    fn head(&self, features: &Tensor, mode: Mode) -> Result<Tensor, NnError>;

    /// The logits, f32 `[n, outputs]`, of a batch of images, f32 NHWC.
    ///
    /// # Errors
    /// As [`Model::features`].
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.head(&self.features(images, mode)?, mode)
    }

    /// The logits of a batch of images in evaluation, without history: [`Model::forward`] in [`Mode::Evaluate`], by the fastest
    /// way there is.
    ///
    /// # Errors
    /// As [`Model::features`].
    fn predict(&self, images: &Tensor) -> Result<Tensor, NnError>;

    /// Computes with this precision from now on, see [`Sequential::set_precision`].
    ///
    /// # Errors
    /// [`NnError::Precision`] where the device has no kernels for it.
    fn set_precision(&mut self, precision: Precision) -> Result<(), NnError>;

    /// Freezes the first `layers` layers, and no others: see [`Sequential::freeze`]. How many they are
    /// [`Architecture::layers_before`](crate::Architecture::layers_before) says.
    ///
    /// # Errors
    /// [`NnError::Shape`] where there are not so many, or nothing is left to be trained.
    fn freeze(&mut self, layers: usize) -> Result<(), NnError>;

    /// Multiplies the learning rate of each layer by a factor, see [`Sequential::scale_rates`].
    ///
    /// # Errors
    /// [`NnError::Setting`] and [`NnError::Shape`] where there is not a factor of at least 0 for each layer.
    fn scale_rates(&mut self, scales: &[f32]) -> Result<(), NnError>;

    /// Lets the batch normalizations of the first `layers` layers keep their statistics in training, see
    /// [`Sequential::fix_statistics`].
    ///
    /// # Errors
    /// [`NnError::Shape`] where there are not so many.
    fn fix_statistics(&mut self, layers: usize) -> Result<(), NnError>;

    /// What the frozen layers make of a batch of images, without history: the images where none are frozen. As these layers do not
    /// change, it can be computed once and kept.
    ///
    /// # Errors
    /// As [`Model::features`].
    fn frozen_output(&self, images: &Tensor) -> Result<Tensor, NnError>;

    /// The logits of a batch of images in evaluation, each layer's output shown to `visit` on its way; [`Sequential::trace`].
    ///
    /// # Errors
    /// [`NnError::Layer`] by the layer that cannot take its input; the visitor's.
    fn trace(&self, images: &Tensor, visit: &mut LayerVisitor<'_>) -> Result<Option<Tensor>, NnError>;

    /// [`Model::predict`] from what [`Model::frozen_output`] gave.
    ///
    /// # Errors
    /// [`NnError::Shape`] where `x` is not of that shape.
    fn predict_unfrozen(&self, x: &Tensor) -> Result<Tensor, NnError>;

    /// The first layer that is not frozen whose output holds NaN or an infinity, in evaluation, for what
    /// [`Model::frozen_output`] gave; `None` where all are finite.
    ///
    /// # Errors
    /// As [`Model::predict_unfrozen`].
    fn first_not_finite(&self, x: &Tensor) -> Result<Option<String>, NnError>;

    /// A training step up to the optimizer, from what [`Model::frozen_output`] gave: the logits in training step `step`, the
    /// losses that `loss` computes from them, and the gradients of their mean to all parameters that are not frozen.
    ///
    /// # Errors
    /// As [`Model::predict_unfrozen`] and `loss`.
    fn gradients(
        &mut self,
        x: &Tensor,
        step: u64,
        loss: &mut dyn FnMut(&Tensor) -> Result<Tensor, NnError>,
    ) -> Result<TrainStep<'_>, NnError>;
}

/// A chain of layers whose last ones, `head`, are the head.
#[derive(Debug)]
pub(crate) struct SequentialModel {
    network: Sequential,
    head: Range<usize>,
}

impl SequentialModel {
    pub(crate) fn new(network: Sequential, head: Range<usize>) -> Self {
        Self { network, head }
    }
}

impl Model for SequentialModel {
    fn parameters(&self) -> &Parameters {
        self.network.parameters()
    }

    fn features(&self, images: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.network.check_input(images)?;
        self.network.forward_range(images, 0..self.head.start, mode)
    }

    fn head(&self, features: &Tensor, mode: Mode) -> Result<Tensor, NnError> {
        self.network.forward_range(features, self.head.clone(), mode)
    }

    fn predict(&self, images: &Tensor) -> Result<Tensor, NnError> {
        self.network.predict(images)
    }

    fn set_precision(&mut self, precision: Precision) -> Result<(), NnError> {
        self.network.set_precision(precision)
    }

    fn freeze(&mut self, layers: usize) -> Result<(), NnError> {
        self.network.freeze(layers)
    }

    fn scale_rates(&mut self, scales: &[f32]) -> Result<(), NnError> {
        self.network.scale_rates(scales)
    }

    fn fix_statistics(&mut self, layers: usize) -> Result<(), NnError> {
        self.network.fix_statistics(layers)
    }

    fn frozen_output(&self, images: &Tensor) -> Result<Tensor, NnError> {
        self.network.frozen_output(images)
    }

    fn predict_unfrozen(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.network.predict_unfrozen(x)
    }

    fn first_not_finite(&self, x: &Tensor) -> Result<Option<String>, NnError> {
        self.network.first_not_finite(x)
    }

    fn trace(&self, images: &Tensor, visit: &mut LayerVisitor<'_>) -> Result<Option<Tensor>, NnError> {
        self.network.trace(images, visit)
    }

    fn gradients(
        &mut self,
        x: &Tensor,
        step: u64,
        loss: &mut dyn FnMut(&Tensor) -> Result<Tensor, NnError>,
    ) -> Result<TrainStep<'_>, NnError> {
        self.network.gradients(x, step, loss)
    }
}

#[cfg(test)]
mod tests {
    use aumenta_nn::{AdamConfig, Optimizer, OptimizerConfig, cross_entropy};
    use aumenta_seed::Seed;
    use candle_core::{DType, Device};

    use super::*;
    use crate::config::ModelConfig;
    use crate::vgg16::Vgg16Top;

    #[test]
    fn every_parameter_of_every_model_gets_a_gradient() {
        for config in [
            ModelConfig::MnistConvnet {},
            ModelConfig::CatsDogsConvnet { image_size: 64, dropout: 0.3 },
            ModelConfig::EfficientnetLite0 { image_size: 64, classes: Some(3) },
            ModelConfig::MobilenetV2 { image_size: 64, classes: Some(3) },
            ModelConfig::ResnetSmall { image_size: 32, classes: Some(3) },
            ModelConfig::Resnet18 { image_size: 64, classes: Some(3) },
            ModelConfig::Vgg16 { image_size: 32, classes: Some(3), top: Vgg16Top::Dense256 },
        ] {
            let architecture = config.architecture().unwrap();
            let mut model = architecture.build(Seed::new(7), &Device::Cpu).unwrap();
            let [height, width, channels] = architecture.input();
            let len = 2 * height * width * channels;
            let pixels: Vec<f32> = (0..len).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0).collect();
            let x = Tensor::from_vec(pixels, (2, height, width, channels), &Device::Cpu).unwrap();
            assert_eq!(model.parameters().element_count(), architecture.summary().parameters());
            let parameters = model.parameters().clone();
            let step = model.gradients(&x, 0, &mut |logits| Ok(logits.sqr()?)).unwrap();
            assert_eq!(step.output.dims(), [2, architecture.outputs()]);
            for (parameter, gradient) in parameters.iter().zip(step.gradients.tensors()) {
                let size = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(size > 0.0, "{} has a zero gradient", parameter.name);
            }
        }
    }

    #[test]
    fn the_residual_network_learns_eight_images_by_heart() {
        let config = ModelConfig::ResnetSmall { image_size: 12, classes: Some(3) };
        let mut model = config.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let pixels: Vec<f32> = (0..8 * 12 * 12 * 3).map(|i| ((i * 7919 + 11) % 1009) as f32 / 1009.0).collect();
        let images = Tensor::from_vec(pixels, (8, 12, 12, 3), &Device::Cpu).unwrap();
        let classes = Tensor::new(&[0u32, 1, 2, 0, 1, 2, 0, 1], &Device::Cpu).unwrap();
        let parameters = model.parameters().clone();
        let config = AdamConfig { learning_rate: 3e-3, ..AdamConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Adam(config), &parameters).unwrap();
        let mut last = f32::NAN;
        for step in 0..40 {
            let step = model.gradients(&images, step, &mut |logits| cross_entropy(logits, &classes)).unwrap();
            optimizer.step(&parameters, &step.gradients).unwrap();
            last = step.losses.mean_all().unwrap().to_scalar().unwrap();
        }
        assert!(last < 0.02, "the loss is still {last}");
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let model = ModelConfig::MnistConvnet {}.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let x = Tensor::zeros((1, 28, 28, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(model.forward(&x, Mode::Evaluate).unwrap_err().to_string().contains("[28, 28, 1]"));
    }
}
