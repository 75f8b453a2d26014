//! [`Step`]: one transform of a configuration's list, with its probability.

mod build;
mod defaults;

use serde::{Deserialize, Serialize};

use crate::{AutoAugmentPolicy, Cover, ZoomRange};

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

impl From<TransformConfig> for Step {
    fn from(transform: TransformConfig) -> Self {
        Self { transform, probability: None }
    }
}

/// A transform as a configuration names it: `transform = "rotation"`, followed by its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transform", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum TransformConfig {
    /// [`RandomRotation`](crate::RandomRotation).
    Rotation {
        /// The largest turn about the centre, either way, from 0 to 180.
        degrees: f64,
    },
    /// [`RandomShift`](crate::RandomShift).
    Shift {
        /// The largest move to the left or right, as a fraction of the width, from 0 to 1.
        #[serde(default)]
        width: f64,
        /// The largest move up or down, as a fraction of the height, from 0 to 1.
        #[serde(default)]
        height: f64,
    },
    /// [`RandomShear`](crate::RandomShear).
    Shear {
        /// The largest lean, either way, from 0 to 80.
        degrees: f64,
    },
    /// [`RandomVerticalShear`](crate::RandomVerticalShear).
    VerticalShear {
        /// The largest lean, either way, from 0 to 80.
        degrees: f64,
    },
    /// [`RandomQuarterTurns`](crate::RandomQuarterTurns).
    QuarterTurns {},
    /// [`RandomCrop`](crate::RandomCrop).
    Crop {
        /// The window's width and height, in those of the picture, from 0.01 to `1 + 2 * padding-fraction`.
        #[serde(default = "defaults::size_fraction")]
        size_fraction: f64,
        /// What is added on each side, in widths and heights of the picture, from 0 to 1.
        #[serde(default)]
        padding_fraction: f64,
    },
    /// [`RandomResizedCrop`](crate::RandomResizedCrop).
    ResizedCrop {
        /// The range of the window's area, in areas of the picture.
        #[serde(default = "defaults::crop_areas")]
        areas: [f64; 2],
        /// The range of the window's width over its height, in pixels of the picture.
        #[serde(default = "defaults::crop_aspect_ratios")]
        aspect_ratios: [f64; 2],
    },
    /// [`RandomPerspective`](crate::RandomPerspective).
    Perspective {
        /// How far corners move at most, in halves of the width and height, from 0 to 1.
        #[serde(default = "defaults::distortion")]
        distortion: f64,
    },
    /// [`RandomElastic`](crate::RandomElastic).
    Elastic {
        /// The strength of the field, from 0 to 10,000.
        alpha_pixels: f64,
        /// The standard deviation of the Gaussian that smooths it, from 0.5 to 1000.
        sigma_pixels: f64,
    },
    /// [`RandomZoom`](crate::RandomZoom).
    Zoom {
        /// The range of enlargement, drawn for width and height independently.
        range: ZoomRange,
    },
    /// [`RandomHorizontalFlip`](crate::RandomHorizontalFlip).
    HorizontalFlip {},
    /// [`RandomVerticalFlip`](crate::RandomVerticalFlip).
    VerticalFlip {},
    /// [`RandomBrightness`](crate::RandomBrightness).
    Brightness {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomContrast`](crate::RandomContrast).
    Contrast {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomSaturation`](crate::RandomSaturation).
    Saturation {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomContrastAboutMean`](crate::RandomContrastAboutMean).
    ContrastAboutMean {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomSharpness`](crate::RandomSharpness).
    Sharpness {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomChannelShift`](crate::RandomChannelShift).
    ChannelShift {
        /// The largest number added to a channel, either way, from 0 to 255.
        levels: f64,
    },
    /// [`RandomHue`](crate::RandomHue).
    Hue {
        /// The largest turn of the color wheel, either way, from 0 to 0.5.
        turns: f64,
    },
    /// [`RandomGamma`](crate::RandomGamma).
    Gamma {
        /// The range of exponents, within 0.01 to 100.
        exponents: [f64; 2],
    },
    /// [`Op::Grayscale`](crate::Op::Grayscale).
    Grayscale {},
    /// [`Op::Invert`](crate::Op::Invert).
    Invert {},
    /// [`RandomPosterize`](crate::RandomPosterize).
    Posterize {
        /// The range of bits that stay, within 0 to 8.
        bits: [u8; 2],
    },
    /// [`RandomSolarize`](crate::RandomSolarize).
    Solarize {
        /// The range of thresholds, within 0 to 256.
        threshold_levels: [u16; 2],
    },
    /// [`Op::Equalize`](crate::Op::Equalize).
    Equalize {},
    /// [`Op::Autocontrast`](crate::Op::Autocontrast).
    Autocontrast {
        /// The share of pixels at either end that may be lost, from 0 to 49; 0 if left out.
        #[serde(default)]
        cutoff_percent: f64,
    },
    /// [`RandomClahe`](crate::RandomClahe).
    Clahe {
        /// The range of clip limits, within 1 to 256; 1 to 4 if left out.
        #[serde(default = "defaults::clip_limits")]
        clip_limits: [f64; 2],
        /// Neighborhoods to a side, from 1 to 64; 8 if left out.
        #[serde(default = "defaults::tiles")]
        tiles: usize,
    },
    /// [`RandomGaussianBlur`](crate::RandomGaussianBlur).
    GaussianBlur {
        /// The range of standard deviations, within 0 to 100.
        sigma_pixels: [f64; 2],
    },
    /// [`RandomMotionBlur`](crate::RandomMotionBlur).
    MotionBlur {
        /// The range of lengths, within 1 to 200.
        length_pixels: [f64; 2],
    },
    /// [`RandomGaussianNoise`](crate::RandomGaussianNoise).
    GaussianNoise {
        /// The range of standard deviations, within 0 to 255.
        sigma_levels: [f64; 2],
    },
    /// [`RandomSaltAndPepper`](crate::RandomSaltAndPepper).
    SaltAndPepper {
        /// The range of shares of black and white pixels, within 0 to 1.
        fraction: [f64; 2],
    },
    /// [`RandomShotNoise`](crate::RandomShotNoise).
    ShotNoise {
        /// The range of mean photon counts of white, within 1 to 1000000.
        photons_at_white: [f64; 2],
    },
    /// [`RandomJpeg`](crate::RandomJpeg).
    Jpeg {
        /// The range of qualities, within 1 to 100.
        quality: [u8; 2],
    },
    /// [`RandomDownscale`](crate::RandomDownscale).
    Downscale {
        /// The range of shares of width and height that are left, within 0.01 to 1.
        fraction: [f64; 2],
    },
    /// [`RandomErasing`](crate::RandomErasing).
    Erasing {
        /// The range of shares of the picture's area; 0.02 to 0.33 if left out.
        #[serde(default = "defaults::areas")]
        areas: [f64; 2],
        /// The range of ratios of height to width; 0.3 to 3.3 if left out.
        #[serde(default = "defaults::aspect_ratios")]
        aspect_ratios: [f64; 2],
        /// What is painted; noise if left out.
        #[serde(default = "defaults::erasing_cover")]
        cover: Cover,
    },
    /// [`Cutout`](crate::Cutout).
    Cutout {
        /// The square's side, in shorter sides of the output, from 0 to 2; a half if left out.
        #[serde(default = "defaults::side_fraction")]
        side_fraction: f64,
        /// What is painted; black if left out.
        #[serde(default = "defaults::black")]
        cover: Cover,
    },
    /// [`RandomGridMask`](crate::RandomGridMask).
    GridMask {
        /// The range of units, in shorter sides of the output; 0.43 to 1 if left out.
        #[serde(default = "defaults::unit_fractions")]
        unit_fractions: [f64; 2],
        /// The part of a unit's side that is kept, from 0 to 1; 0.6 if left out.
        #[serde(default = "defaults::keep_fraction")]
        keep_fraction: f64,
        /// The grid's largest turn about the center, either way, from 0 to 180; 0 if left out.
        #[serde(default)]
        max_rotation_degrees: f64,
        /// What is painted; black if left out.
        #[serde(default = "defaults::black")]
        cover: Cover,
    },
    /// [`Sequence`](crate::Sequence): all of the steps, in order.
    Sequence {
        /// What is drawn, each with its own probability.
        steps: Vec<Step>,
    },
    /// [`OneOf`](crate::OneOf): one of the steps.
    OneOf {
        /// What is chosen from.
        steps: Vec<Step>,
        /// How often each is chosen, in relation to the others; equally often without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<Vec<f64>>,
    },
    /// [`SomeOf`](crate::SomeOf): some of the steps, in order.
    SomeOf {
        /// What is chosen from.
        steps: Vec<Step>,
        /// How many are chosen: a number or a range `[low, high]`, up to the number of steps.
        count: CountRange,
    },
    /// [`RandAugment`](crate::RandAugment).
    RandAugment {
        /// The operations for each picture, from 1 to 16.
        #[serde(default = "defaults::operations")]
        operations: u32,
        /// Their strength, from 0 to 30.
        #[serde(default = "defaults::magnitude")]
        magnitude: u32,
    },
    /// [`TrivialAugmentWide`](crate::TrivialAugmentWide).
    TrivialAugmentWide {},
    /// [`AutoAugment`](crate::AutoAugment).
    AutoAugment {
        /// The data set for which the operations were searched: `"imagenet"`, `"cifar10"` or `"svhn"`.
        #[serde(default)]
        policy: AutoAugmentPolicy,
    },
    /// [`AugMix`](crate::AugMix).
    AugMix {
        /// The operations' strength, from 1 to 10.
        #[serde(default = "defaults::severity")]
        severity: u32,
        /// The chains that are mixed, from 1 to 10.
        #[serde(default = "defaults::chains")]
        width: u32,
        /// The parameter of the weights' distributions, from 0.05 to 100; 1 if left out, where all are as likely.
        #[serde(default = "defaults::alpha")]
        alpha: f64,
    },
}

/// How many of several things.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "count is a number or a range [low, high]")]
pub enum CountRange {
    /// Always so many.
    Exactly(usize),
    /// From the first number to the second.
    Between([usize; 2]),
}

impl CountRange {
    /// The lower and the upper end.
    pub fn ends(self) -> [usize; 2] {
        match self {
            Self::Exactly(count) => [count; 2],
            Self::Between(ends) => ends,
        }
    }
}

impl TransformConfig {
    /// The share of pictures that a [`Step`] draws this for where it names none.
    pub(crate) fn default_probability(&self) -> f64 {
        match self {
            Self::HorizontalFlip {} | Self::VerticalFlip {} => 0.5,
            _ => 1.0,
        }
    }
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
    fn every_color_degradation_and_occlusion_has_a_name() {
        for text in [
            "transform = 'contrast-about-mean'\namount = 0.2",
            "transform = 'sharpness'\namount = 0.5",
            "transform = 'channel-shift'\nlevels = 20",
            "transform = 'hue'\nturns = 0.1",
            "transform = 'gamma'\nexponents = [0.8, 1.2]",
            "transform = 'grayscale'",
            "transform = 'invert'",
            "transform = 'posterize'\nbits = [4, 8]",
            "transform = 'solarize'\nthreshold-levels = [128, 256]",
            "transform = 'equalize'",
            "transform = 'autocontrast'",
            "transform = 'clahe'",
            "transform = 'gaussian-blur'\nsigma-pixels = [0.1, 2.0]",
            "transform = 'motion-blur'\nlength-pixels = [3, 7]",
            "transform = 'gaussian-noise'\nsigma-levels = [2, 12]",
            "transform = 'salt-and-pepper'\nfraction = [0.0, 0.05]",
            "transform = 'shot-noise'\nphotons-at-white = [5, 60]",
            "transform = 'jpeg'\nquality = [40, 95]",
            "transform = 'downscale'\nfraction = [0.25, 0.75]",
            "transform = 'erasing'\ncover = { color = [1, 2, 3] }\nprobability = 0.5",
            "transform = 'cutout'\ncover = 'noise'",
            "transform = 'grid-mask'\nkeep-fraction = 0.5",
        ] {
            let step = step(text);
            assert!(step.build().is_ok(), "{text}");
            let written = toml::to_string(&step).unwrap();
            assert_eq!(toml::from_str::<Step>(&written).unwrap(), step, "{written}");
            assert!(toml::from_str::<Step>(&format!("{text}\nunheard-of = 1")).is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_names_and_settings_are_refused() {
        for text in [
            "transform = 'spin'",
            "transform = 'rotation'",
            "transform = 'vertical-flip'\ndegrees = 3",
            "transform = 'rotation'\ndegrees = 3\nchance = 0.5",
            "transform = 'one-of'",
            "transform = 'sequence'\nsteps = [{ transform = 'spin' }]",
            "transform = 'auto-augment'\npolicy = 'mnist'",
            "transform = 'some-of'\ncount = 'all'\nsteps = []",
        ] {
            assert!(toml::from_str::<Step>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn geometry_and_policies_have_names_and_read_back() {
        for text in [
            "transform = 'vertical-shear'\ndegrees = 5",
            "transform = 'quarter-turns'",
            "transform = 'crop'\npadding-fraction = 0.125",
            "transform = 'resized-crop'\nareas = [0.5, 1]",
            "transform = 'perspective'",
            "transform = 'elastic'\nalpha-pixels = 34\nsigma-pixels = 4",
            "transform = 'sequence'\nprobability = 0.5\nsteps = [{ transform = 'invert', probability = 0.1 }]",
            "transform = 'one-of'\nweights = [2, 1]\nsteps = [{ transform = 'invert' }, { transform = 'equalize' }]",
            "transform = 'some-of'\ncount = [0, 1]\nsteps = [{ transform = 'one-of', steps = [{ transform = 'invert' }] }]",
            "transform = 'some-of'\ncount = 1\nsteps = [{ transform = 'horizontal-flip' }]",
            "transform = 'rand-augment'\noperations = 2\nmagnitude = 9",
            "transform = 'trivial-augment-wide'",
            "transform = 'auto-augment'\npolicy = 'imagenet'",
            "transform = 'aug-mix'",
        ] {
            let step = step(text);
            assert!(step.build().is_ok(), "{text}");
            assert_eq!(toml::from_str::<Step>(&toml::to_string(&step).unwrap()).unwrap(), step, "{text}");
        }
    }
}
