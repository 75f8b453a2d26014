//! [`NormalizationConfig`]: normalization as a user writes it.

use aumenta_imgproc::Channels;
use serde::{Deserialize, Serialize};

use super::NormalizationFit;
use crate::{AugmentError, KerasNormalization};

/// How values become those that a network takes. By default they are divided by 255.
///
/// ```
/// use aumenta_augment::NormalizationConfig;
///
/// #[derive(serde::Deserialize)]
/// struct Section {
///     normalization: NormalizationConfig,
/// }
///
/// for text in [
///     "normalization = 'imagenet'",
///     "normalization = 'caffe'",
///     "normalization = { rescale = { factor = 1.0 } }",
///     "normalization = { mean-std = { mean = [0.5], std = [0.5] } }",
///     "normalization = { samplewise = { center = true, std = true } }",
///     "normalization = { featurewise = { center = true, std = false } }",
///     "normalization = { zca = { epsilon = 1e-6 } }",
/// ] {
///     toml::from_str::<Section>(text)?;
/// }
/// assert!(toml::from_str::<Section>("normalization = { zca = { eps = 1e-6 } }").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum NormalizationConfig {
    /// Every value from 0 to 255 times a factor.
    Rescale {
        /// The factor, not 0; 1/255 where it is left out.
        #[serde(default = "default_factor")]
        factor: f64,
    },
    /// `(value / 255 - mean) / std` by channel.
    MeanStd {
        /// A mean for each channel, or one for all; in values from 0 to 1.
        mean: Vec<f64>,
        /// A standard deviation for each channel, or one for all; positive, in values from 0 to 1.
        std: Vec<f64>,
    },
    /// As `mean-std` with the numbers of `ImageNet` that torchvision's networks were trained with: means 0.485, 0.456 and
    /// 0.406, standard deviations 0.229, 0.224 and 0.225. Gray has no such numbers.
    Imagenet,
    /// `value - mean` in the order blue, green, red, with the means 103.939, 116.779 and 123.68 of `ImageNet`, for values from 0
    /// to 255: what VGG16's original weights take, as Keras' `vgg16.preprocess_input` computes it. Gray has no such numbers.
    Caffe,
    /// Each image by its own mean and its own standard deviation over all its values, after a division by 255.
    Samplewise(Centering),
    /// Each channel by its mean and its standard deviation over all pixels of the training images, after a division by
    /// 255.
    Featurewise(Centering),
    /// ZCA whitening (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, appendix A): values
    /// divided by 255, less their mean over the training images place by place, times
    /// `U diag(1 / sqrt(s + epsilon)) U^T` for the covariance `U diag(s) U^T` of the training images. At most
    /// [`Whitening::MAX_VALUES`](super::Whitening::MAX_VALUES) values an image.
    Zca {
        /// What is added to the covariance's eigenvalues; positive, 1e-6 where it is left out.
        #[serde(default = "default_epsilon")]
        epsilon: f64,
    },
    /// As Keras computes it, for the arguments of a dialect; a configuration has no other words for it.
    #[serde(skip)]
    Keras(KerasNormalization),
}

/// Which of the two steps of a normalization are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Centering {
    /// Whether the mean is subtracted.
    #[serde(default)]
    pub center: bool,
    /// Whether what is left is divided by the standard deviation.
    #[serde(default)]
    pub std: bool,
}

fn default_factor() -> f64 {
    1.0 / 255.0
}

fn default_epsilon() -> f64 {
    1e-6
}

impl Default for NormalizationConfig {
    fn default() -> Self {
        Self::Rescale { factor: default_factor() }
    }
}

impl NormalizationConfig {
    /// What leads to the numbers, for images of `values` values in all; it may ask for images.
    ///
    /// # Errors
    /// Where a setting is outside of its range, or there are too many values for a whitening.
    pub fn fit(&self, channels: Channels, values: usize) -> Result<NormalizationFit, AugmentError> {
        NormalizationFit::new(self, channels, values)
    }
}
