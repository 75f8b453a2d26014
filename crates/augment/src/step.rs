//! [`Step`]: one transform of a configuration's list, with its probability.

use serde::{Deserialize, Serialize};

use crate::transform::Sometimes;
use crate::{
    AugmentError, RandomBrightness, RandomContrast, RandomCrop, RandomElastic, RandomHorizontalFlip, RandomPerspective,
    RandomQuarterTurns, RandomResizedCrop, RandomRotation, RandomSaturation, RandomShear, RandomShift,
    RandomVerticalFlip, RandomVerticalShear, RandomZoom, Transform, ZoomRange,
};

/// A transform and the share of pictures that it is drawn for.
///
/// ```
/// use aumenta_augment::Step;
///
/// let step: Step = toml::from_str("transform = 'rotation'\ndegrees = 20\nprobability = 0.3")?;
/// assert!(step.build().is_ok());
/// assert!(toml::from_str::<Step>("transform = 'rotation'\nangle = 20").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// What is drawn.
    #[serde(flatten)]
    pub transform: TransformConfig,
    /// The share of pictures that it is drawn for, from 0 to 1. Without it, flips are drawn for half of the pictures and
    /// everything else for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

impl Step {
    /// The transform, drawn as often as asked.
    ///
    /// # Errors
    /// Where a setting is outside of its range.
    pub fn build(&self) -> Result<Box<dyn Transform>, AugmentError> {
        let probability = self.probability.unwrap_or_else(|| self.transform.default_probability());
        Sometimes::wrap(probability, self.transform.build()?)
    }
}

impl From<TransformConfig> for Step {
    fn from(transform: TransformConfig) -> Self {
        Self { transform, probability: None }
    }
}

/// A transform as a configuration names it: `transform = "rotation"`, followed by its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transform", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum TransformConfig {
    /// [`RandomRotation`].
    Rotation {
        /// The largest turn about the centre, either way, from 0 to 180.
        degrees: f64,
    },
    /// [`RandomShift`].
    Shift {
        /// The largest move to the left or right, as a fraction of the width, from 0 to 1.
        #[serde(default)]
        width: f64,
        /// The largest move up or down, as a fraction of the height, from 0 to 1.
        #[serde(default)]
        height: f64,
    },
    /// [`RandomShear`].
    Shear {
        /// The largest lean, either way, from 0 to 80.
        degrees: f64,
    },
    /// [`RandomVerticalShear`].
    VerticalShear {
        /// The largest lean, either way, from 0 to 80.
        degrees: f64,
    },
    /// [`RandomQuarterTurns`].
    QuarterTurns {},
    /// [`RandomCrop`].
    Crop {
        /// The window's width and height, in those of the picture, from 0.01 to `1 + 2 * padding-fraction`.
        #[serde(default = "one")]
        size_fraction: f64,
        /// What is added on each side, in widths and heights of the picture, from 0 to 1.
        #[serde(default)]
        padding_fraction: f64,
    },
    /// [`RandomResizedCrop`].
    ResizedCrop {
        /// The range of the window's area, in areas of the picture.
        #[serde(default = "customary_area")]
        area: [f64; 2],
        /// The range of the window's width over its height, in pixels of the picture.
        #[serde(default = "customary_aspect_ratio")]
        aspect_ratio: [f64; 2],
    },
    /// [`RandomPerspective`].
    Perspective {
        /// How far corners move at most, in halves of the width and height, from 0 to 1.
        #[serde(default = "half")]
        distortion: f64,
    },
    /// [`RandomElastic`].
    Elastic {
        /// The strength of the field, from 0 to 10,000.
        alpha_pixels: f64,
        /// The standard deviation of the Gaussian that smooths it, from 0.5 to 1000.
        sigma_pixels: f64,
    },
    /// [`RandomZoom`].
    Zoom {
        /// The range of enlargement, drawn for width and height independently.
        range: ZoomRange,
    },
    /// [`RandomHorizontalFlip`].
    HorizontalFlip {},
    /// [`RandomVerticalFlip`].
    VerticalFlip {},
    /// [`RandomBrightness`].
    Brightness {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomContrast`].
    Contrast {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomSaturation`].
    Saturation {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
}

impl TransformConfig {
    /// The transform itself, drawn for every picture.
    ///
    /// # Errors
    /// Where a setting is outside of its range.
    pub fn build(&self) -> Result<Box<dyn Transform>, AugmentError> {
        Ok(match *self {
            Self::Rotation { degrees } => Box::new(RandomRotation::new(degrees)?),
            Self::Shift { width, height } => Box::new(RandomShift::new(width, height)?),
            Self::Shear { degrees } => Box::new(RandomShear::new(degrees)?),
            Self::VerticalShear { degrees } => Box::new(RandomVerticalShear::new(degrees)?),
            Self::QuarterTurns {} => Box::new(RandomQuarterTurns {}),
            Self::Crop { size_fraction, padding_fraction } => {
                Box::new(RandomCrop::new(size_fraction, padding_fraction)?)
            }
            Self::ResizedCrop { area, aspect_ratio } => {
                Box::new(RandomResizedCrop::new(area.into(), aspect_ratio.into())?)
            }
            Self::Perspective { distortion } => Box::new(RandomPerspective::new(distortion)?),
            Self::Elastic { alpha_pixels, sigma_pixels } => Box::new(RandomElastic::new(alpha_pixels, sigma_pixels)?),
            Self::Zoom { range } => {
                let (low, high) = range.ends();
                Box::new(RandomZoom::new(low, high)?)
            }
            Self::HorizontalFlip {} => Box::new(RandomHorizontalFlip::new(1.0)?),
            Self::VerticalFlip {} => Box::new(RandomVerticalFlip::new(1.0)?),
            Self::Brightness { amount } => Box::new(RandomBrightness::new(amount)?),
            Self::Contrast { amount } => Box::new(RandomContrast::new(amount)?),
            Self::Saturation { amount } => Box::new(RandomSaturation::new(amount)?),
        })
    }

    /// The share of pictures that a [`Step`] draws this for where it names none.
    pub(crate) fn default_probability(&self) -> f64 {
        match self {
            Self::HorizontalFlip {} | Self::VerticalFlip {} => 0.5,
            _ => 1.0,
        }
    }
}

const fn one() -> f64 {
    1.0
}

const fn half() -> f64 {
    0.5
}

const fn customary_area() -> [f64; 2] {
    [0.08, 1.0]
}

const fn customary_aspect_ratio() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_step_reads_back_as_it_was_written() {
        for text in ["transform = \"rotation\"\ndegrees = 20.0\nprobability = 0.3\n", "transform = \"vertical-flip\"\n"]
        {
            assert_eq!(toml::to_string(&step(text)).unwrap(), text);
        }
    }

    #[test]
    fn unknown_names_and_settings_are_refused() {
        for text in [
            "transform = 'spin'",
            "transform = 'rotation'",
            "transform = 'vertical-flip'\ndegrees = 3",
            "transform = 'rotation'\ndegrees = 3\nchance = 0.5",
        ] {
            assert!(toml::from_str::<Step>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn settings_out_of_range_do_not_build() {
        for text in ["transform = 'rotation'\ndegrees = -1", "transform = 'vertical-flip'\nprobability = 1.5"] {
            assert!(step(text).build().is_err(), "{text}");
        }
    }
}
