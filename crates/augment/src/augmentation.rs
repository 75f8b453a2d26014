//! [`Augmentation`]: the augmentation section of a configuration, in whatever dialect it is written.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{AugmentConfig, AugmentError, KerasConfig, NormalizationConfig, Pipeline};

/// What is drawn for each training image: this project's own settings, or with a `dialect` another library's.
///
/// ```
/// use aumenta_augment::{AugmentConfig, Augmentation};
///
/// let augmentation: Augmentation = toml::from_str("rotation-degrees = 20")?;
/// assert_eq!(augmentation, AugmentConfig { rotation_degrees: 20.0, ..AugmentConfig::default() }.into());
/// let keras: Augmentation = toml::from_str("dialect = 'keras-2.15'\nrotation_range = 20")?;
/// assert!(matches!(keras, Augmentation::Keras(_)));
/// # Ok::<(), toml::de::Error>(())
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
    /// use aumenta_augment::{Augmentation, NormalizationConfig};
    ///
    /// let keras: Augmentation = toml::from_str("dialect = 'keras-2.15'\nrescale = 0.5")?;
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

impl<'de> Deserialize<'de> for Augmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Which settings are allowed depends on a key that may stand anywhere among them.
        let settings = Map::deserialize(deserializer)?;
        let has_dialect = settings.contains_key("dialect");
        let foreign = settings.keys().any(|key| key.contains(if has_dialect { '-' } else { '_' }));
        let read = if has_dialect {
            KerasConfig::deserialize(Value::Object(settings)).map(Self::Keras)
        } else {
            AugmentConfig::deserialize(Value::Object(settings)).map(Self::Native)
        };
        read.map_err(|error| match (has_dialect, foreign) {
            (true, true) => {
                D::Error::custom(format_args!("{error}; with a dialect, settings have that library's names"))
            }
            (false, true) => D::Error::custom(format_args!(
                "{error}; for Keras' names, set dialect = \"keras-2.15\" or \"keras-2.0.8\""
            )),
            _ => D::Error::custom(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        toml::from_str::<Augmentation>(text).unwrap_err().message().to_string()
    }

    #[test]
    fn the_names_of_one_language_are_refused_in_the_other() {
        let keras = error("rotation_range = 20");
        assert!(keras.starts_with("unknown field `rotation_range`, expected one of `rotation-degrees`"), "{keras}");
        assert!(keras.ends_with("for Keras' names, set dialect = \"keras-2.15\" or \"keras-2.0.8\""), "{keras}");
        let native = error("dialect = 'keras-2.15'\nrotation-degrees = 20");
        assert!(native.starts_with("unknown field `rotation-degrees`"), "{native}");
        assert!(native.ends_with("with a dialect, settings have that library's names"), "{native}");
        assert!(!error("rotation = 20").contains("dialect"));
        assert!(error("dialect = 'keras-3'").contains("expected `keras-2.0.8` or `keras-2.15`"));
    }

    #[test]
    fn a_function_is_refused_with_the_reason() {
        assert!(error("dialect = 'keras-2.15'\npreprocessing_function = 'f'").contains("holds no code"));
    }

    #[test]
    fn a_dialect_or_the_preprocessing_normalizes() {
        let rescale = |factor| NormalizationConfig::Rescale { factor };
        let imagenet = NormalizationConfig::Imagenet;
        let native = Augmentation::default();
        assert_eq!(native.normalization(None), Ok(rescale(1.0 / 255.0)));
        assert_eq!(native.normalization(Some(&imagenet)), Ok(imagenet.clone()));
        let keras = |arguments: &str| -> Augmentation {
            toml::from_str(&format!("dialect = 'keras-2.15'\n{arguments}")).unwrap()
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

    #[test]
    fn the_resolved_settings_read_back() {
        for text in [
            "zoom = [0.8, 1.2]\nhorizontal-flip = true",
            "dialect = 'keras-2.0.8'\nrotation_range = 40\nshear_range = 0.2\nzoom_range = 0.2\ncval = 3.0",
            "dialect = 'keras-2.15'\nwidth_shift_range = 7\nheight_shift_range = [1, -2.5]\nbrightness_range = [0.5, 1]",
        ] {
            let augmentation: Augmentation = toml::from_str(text).unwrap();
            let written = toml::to_string(&augmentation).unwrap();
            assert_eq!(toml::from_str::<Augmentation>(&written).unwrap(), augmentation, "{written}");
            let json = serde_json::to_string(&augmentation).unwrap();
            assert_eq!(serde_json::from_str::<Augmentation>(&json).unwrap(), augmentation, "{json}");
        }
    }
}
