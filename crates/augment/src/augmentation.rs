//! [`Augmentation`]: the augmentation section of a configuration, in whatever dialect it is written.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{AugmentConfig, AugmentError, Pipeline};

/// What is drawn for each training image.
///
/// ```
/// use aumenta_augment::{AugmentConfig, Augmentation};
///
/// let augmentation: Augmentation = toml::from_str("rotation-degrees = 20")?;
/// assert_eq!(augmentation, AugmentConfig { rotation_degrees: 20.0, ..AugmentConfig::default() }.into());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Augmentation {
    /// The project's own settings.
    Native(AugmentConfig),
}

impl Augmentation {
    /// Whether no setting changes any picture.
    pub fn is_neutral(&self) -> bool {
        match self {
            Self::Native(config) => config.is_neutral(),
        }
    }

    /// The pipeline of these settings.
    ///
    /// # Errors
    /// Where a setting is outside of its range; the first such setting is named.
    pub fn build(&self) -> Result<Pipeline, AugmentError> {
        match self {
            Self::Native(config) => config.build(),
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

impl<'de> Deserialize<'de> for Augmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AugmentConfig::deserialize(deserializer).map(Self::Native)
    }
}
