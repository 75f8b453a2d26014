//! [`Augmentation`]: the augmentation section of a configuration, in whatever dialect it is written.

use serde::Serialize;

use crate::{AugmentConfig, AugmentError, KerasConfig, NormalizationConfig, Pipeline};

/// What is drawn for each training image: this project's own settings, or with a `dialect` another library's.
///
/// It is written, and not read: a reader that has seen whether there is a `dialect` reads the one or the other, and so keeps
/// the place of what is wrong.
///
/// ```
/// use aumenta_augment::{AugmentConfig, Augmentation, KerasConfig};
///
/// let native: AugmentConfig = toml::from_str("rotation-degrees = 20")?;
/// let keras: KerasConfig = toml::from_str("dialect = 'keras-2.15'\nrotation_range = 20")?;
/// for augmentation in [Augmentation::from(native), Augmentation::from(keras)] {
///     assert!(!augmentation.build()?.is_empty());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Augmentation {
    /// The project's own settings.
    Native(AugmentConfig),
    /// The arguments of Keras' `ImageDataGenerator`.
    Keras(KerasConfig),
}

impl Augmentation {
    /// Whether no setting changes any picture.
    pub fn is_neutral(&self) -> bool {
        match self {
            Self::Native(config) => config.is_neutral(),
            Self::Keras(config) => config.is_neutral(),
        }
    }

    /// The pipeline of these settings.
    ///
    /// # Errors
    /// Where a setting is outside of its range; the first such setting is named.
    pub fn build(&self) -> Result<Pipeline, AugmentError> {
        match self {
            Self::Native(config) => config.build(),
            Self::Keras(config) => config.build(),
        }
    }

    /// How values are normalized: as the arguments of a dialect say, else as `preprocessing` does, else divided by 255.
    ///
    /// # Errors
    /// Where a dialect and `preprocessing` say different things, or an argument is out of its range or has no equal.
    ///
    /// ```
    /// use aumenta_augment::{Augmentation, KerasConfig, NormalizationConfig};
    ///
    /// let keras: KerasConfig = toml::from_str("dialect = 'keras-2.15'\nrescale = 0.5")?;
    /// let keras = Augmentation::from(keras);
    /// assert_eq!(keras.normalization(None)?, NormalizationConfig::Rescale { factor: 0.5 });
    /// assert!(keras.normalization(Some(&NormalizationConfig::Imagenet)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn normalization(
        &self,
        preprocessing: Option<&NormalizationConfig>,
    ) -> Result<NormalizationConfig, AugmentError> {
        let dialect = match self {
            Self::Native(_) => None,
            Self::Keras(config) => config.normalization()?,
        };
        match (dialect, preprocessing) {
            (Some((field, asked)), Some(other)) if asked != *other => Err(AugmentError::TwoNormalizations { field }),
            (Some((_, asked)), _) => Ok(asked),
            (None, other) => Ok(other.cloned().unwrap_or_default()),
        }
    }
}

impl Default for Augmentation {
    fn default() -> Self {
        Self::Native(AugmentConfig::default())
    }
}

impl From<AugmentConfig> for Augmentation {
    fn from(config: AugmentConfig) -> Self {
        Self::Native(config)
    }
}

impl From<KerasConfig> for Augmentation {
    fn from(config: KerasConfig) -> Self {
        Self::Keras(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_or_the_preprocessing_normalizes() {
        let rescale = |factor| NormalizationConfig::Rescale { factor };
        let imagenet = NormalizationConfig::Imagenet;
        let native = Augmentation::default();
        assert_eq!(native.normalization(None), Ok(rescale(1.0 / 255.0)));
        assert_eq!(native.normalization(Some(&imagenet)), Ok(imagenet.clone()));
        let keras = |arguments: &str| {
            Augmentation::from(toml::from_str::<KerasConfig>(&format!("dialect = 'keras-2.15'\n{arguments}")).unwrap())
        };
        for silent in ["", "rescale = 0", "zca_epsilon = 0.1"] {
            assert_eq!(keras(silent).normalization(None), Ok(rescale(1.0 / 255.0)), "{silent}");
            assert_eq!(keras(silent).normalization(Some(&imagenet)), Ok(imagenet.clone()), "{silent}");
        }
        let rescaled = keras("rescale = 0.5");
        assert_eq!(rescaled.normalization(None), Ok(rescale(0.5)));
        assert_eq!(rescaled.normalization(Some(&rescale(0.5))), Ok(rescale(0.5)));
        assert_eq!(rescaled.normalization(Some(&imagenet)), Err(AugmentError::TwoNormalizations { field: "rescale" }));
        let centered = keras("rescale = 0.5\nfeaturewise_std_normalization = true");
        assert_eq!(
            centered.normalization(Some(&rescale(0.5))).unwrap_err().to_string(),
            "`featurewise_std_normalization` of `[augment]` and `normalization` of `[preprocessing]` ask for different \
             things, expected one of them"
        );
    }
}
