//! [`KerasNormalization`]: what `fit` and `standardize` of `ImageDataGenerator` make of an image's values.

use super::{KerasConfig, KerasVersion};
use crate::{AugmentError, Centering, NormalizationConfig};

/// A normalization as a version of Keras computes it; [`KerasConfig`] holds its arguments.
///
/// Values are multiplied by `rescale`, then normalized by one kind of statistics. A standard deviation is divided by with
/// 1e-6 added to it, in 2.0.8 with 1e-7. What is fitted to training images is fitted to rescaled ones, in 2.0.8 to those
/// before `rescale`.
#[derive(Clone, Debug, PartialEq)]
pub struct KerasNormalization {
    pub(crate) version: KerasVersion,
    /// The factor of values from 0 to 255.
    pub(crate) rescale: f64,
    pub(crate) statistics: KerasStatistics,
}

/// What values are normalized by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KerasStatistics {
    /// Mean and standard deviation of each image.
    Samplewise(Centering),
    /// Mean and standard deviation of each channel over the training images.
    Featurewise(Centering),
    /// The products of every two values over the training images, less the means of their channels where `center`.
    Zca { center: bool, epsilon: f64 },
}

impl KerasNormalization {
    /// The factor of values before statistics are fitted to them.
    pub(crate) fn fitted_rescale(&self) -> f64 {
        match self.version {
            KerasVersion::Keras2_0_8 => 1.0,
            KerasVersion::Keras2_15 => self.rescale,
        }
    }

    /// What is added to a standard deviation.
    pub(crate) fn std_epsilon(&self) -> f64 {
        match self.version {
            KerasVersion::Keras2_0_8 => 1e-7,
            KerasVersion::Keras2_15 => 1e-6,
        }
    }
}

impl KerasConfig {
    /// The normalization that the arguments ask for, if any, behind the first argument that does.
    pub(crate) fn normalization(&self) -> Result<Option<(&'static str, NormalizationConfig)>, AugmentError> {
        // Keras takes 0 for no factor.
        let rescale = self.rescale.filter(|factor| *factor != 0.0);
        if let Some(value) = rescale.filter(|factor| !factor.is_normal()) {
            return Err(AugmentError::OutOfRange { field: "rescale", value, expected: "a finite number" });
        }
        let Some((field, statistics)) = self.statistics()? else {
            return Ok(rescale.map(|factor| ("rescale", NormalizationConfig::Rescale { factor })));
        };
        let rescale = rescale.unwrap_or(1.0);
        let normalization = KerasNormalization { version: self.dialect, rescale, statistics };
        Ok(Some((field, NormalizationConfig::Keras(normalization))))
    }

    fn statistics(&self) -> Result<Option<(&'static str, KerasStatistics)>, AugmentError> {
        // In 2.15 what divides or whitens also centers, and what whitens does not divide.
        let completes = self.dialect == KerasVersion::Keras2_15;
        let samplewise = Centering {
            center: self.samplewise_center || completes && self.samplewise_std_normalization,
            std: self.samplewise_std_normalization,
        };
        let featurewise = Centering {
            center: self.featurewise_center || completes && (self.featurewise_std_normalization || self.zca_whitening),
            std: self.featurewise_std_normalization && !(completes && self.zca_whitening),
        };
        let by_image = first([
            ("samplewise_center", self.samplewise_center),
            ("samplewise_std_normalization", self.samplewise_std_normalization),
        ]);
        let by_channel = first([
            ("featurewise_center", self.featurewise_center),
            ("featurewise_std_normalization", self.featurewise_std_normalization),
        ]);
        match (by_image, by_channel, self.zca_whitening) {
            (None, None, false) => Ok(None),
            (Some(field), None, false) if self.dialect == KerasVersion::Keras2_0_8 => Err(AugmentError::NoEqual {
                field,
                reason: "Keras 2.0.8 normalizes each pixel by its own channels, and not each image",
            }),
            (Some(field), None, false) => Ok(Some((field, KerasStatistics::Samplewise(samplewise)))),
            (Some(field), _, _) => Err(AugmentError::NoEqual {
                field,
                reason: "images are normalized by their own statistics or by those of the training images, not by both",
            }),
            (None, Some(field), false) => Ok(Some((field, KerasStatistics::Featurewise(featurewise)))),
            (None, _, true) if featurewise.std => Err(AugmentError::NoEqual {
                field: "featurewise_std_normalization",
                reason: "a whitening of divided values is not symmetric, and Keras 2.15 does not divide either",
            }),
            (None, _, true) => {
                let epsilon = self.zca_epsilon;
                if !(epsilon > 0.0 && epsilon.is_finite()) {
                    let field = "zca_epsilon";
                    return Err(AugmentError::OutOfRange { field, value: epsilon, expected: "a number above 0" });
                }
                Ok(Some(("zca_whitening", KerasStatistics::Zca { center: featurewise.center, epsilon })))
            }
        }
    }
}

fn first(arguments: [(&'static str, bool); 2]) -> Option<&'static str> {
    arguments.into_iter().find(|(_, asked)| *asked).map(|(field, _)| field)
}
