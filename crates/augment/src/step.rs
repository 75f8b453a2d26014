//! [`Step`]: one transform of a configuration's list, with its probability.

use serde::{Deserialize, Serialize};

use crate::transform::{Sometimes, in_range};
use crate::{
    Always, AugMix, AugmentError, AutoAugment, AutoAugmentPolicy, Cover, Cutout, OneOf, Op, RandAugment,
    RandomBrightness, RandomChannelShift, RandomClahe, RandomContrast, RandomContrastAboutMean, RandomCrop,
    RandomDownscale, RandomElastic, RandomErasing, RandomGamma, RandomGaussianBlur, RandomGaussianNoise,
    RandomGridMask, RandomHorizontalFlip, RandomHue, RandomJpeg, RandomMotionBlur, RandomPerspective, RandomPosterize,
    RandomQuarterTurns, RandomResizedCrop, RandomRotation, RandomSaltAndPepper, RandomSaturation, RandomSharpness,
    RandomShear, RandomShift, RandomShotNoise, RandomSolarize, RandomVerticalFlip, RandomVerticalShear, RandomZoom,
    Sequence, SomeOf, Transform, TrivialAugmentWide, ZoomRange,
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
        #[serde(default = "usual::size_fraction")]
        size_fraction: f64,
        /// What is added on each side, in widths and heights of the picture, from 0 to 1.
        #[serde(default)]
        padding_fraction: f64,
    },
    /// [`RandomResizedCrop`].
    ResizedCrop {
        /// The range of the window's area, in areas of the picture.
        #[serde(default = "usual::crop_areas")]
        areas: [f64; 2],
        /// The range of the window's width over its height, in pixels of the picture.
        #[serde(default = "usual::crop_aspect_ratios")]
        aspect_ratios: [f64; 2],
    },
    /// [`RandomPerspective`].
    Perspective {
        /// How far corners move at most, in halves of the width and height, from 0 to 1.
        #[serde(default = "usual::distortion")]
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
    /// [`RandomContrastAboutMean`].
    ContrastAboutMean {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomSharpness`].
    Sharpness {
        /// The factor comes from `1 - amount` to `1 + amount`; from 0 to 1.
        amount: f64,
    },
    /// [`RandomChannelShift`].
    ChannelShift {
        /// The largest number added to a channel, either way, from 0 to 255.
        levels: f64,
    },
    /// [`RandomHue`].
    Hue {
        /// The largest turn of the color wheel, either way, from 0 to 0.5.
        turns: f64,
    },
    /// [`RandomGamma`].
    Gamma {
        /// The range of exponents, within 0.01 to 100.
        exponents: [f64; 2],
    },
    /// [`Op::Grayscale`].
    Grayscale {},
    /// [`Op::Invert`].
    Invert {},
    /// [`RandomPosterize`].
    Posterize {
        /// The range of bits that stay, within 0 to 8.
        bits: [u8; 2],
    },
    /// [`RandomSolarize`].
    Solarize {
        /// The range of thresholds, within 0 to 256.
        threshold_levels: [u16; 2],
    },
    /// [`Op::Equalize`].
    Equalize {},
    /// [`Op::Autocontrast`].
    Autocontrast {
        /// The share of pixels at either end that may be lost, from 0 to 49; 0 if left out.
        #[serde(default)]
        cutoff_percent: f64,
    },
    /// [`RandomClahe`].
    Clahe {
        /// The range of clip limits, within 1 to 256; 1 to 4 if left out.
        #[serde(default = "usual::clip_limits")]
        clip_limits: [f64; 2],
        /// Neighborhoods to a side, from 1 to 64; 8 if left out.
        #[serde(default = "usual::tiles")]
        tiles: usize,
    },
    /// [`RandomGaussianBlur`].
    GaussianBlur {
        /// The range of standard deviations, within 0 to 100.
        sigma_pixels: [f64; 2],
    },
    /// [`RandomMotionBlur`].
    MotionBlur {
        /// The range of lengths, within 1 to 200.
        length_pixels: [f64; 2],
    },
    /// [`RandomGaussianNoise`].
    GaussianNoise {
        /// The range of standard deviations, within 0 to 255.
        sigma_levels: [f64; 2],
    },
    /// [`RandomSaltAndPepper`].
    SaltAndPepper {
        /// The range of shares of black and white pixels, within 0 to 1.
        fraction: [f64; 2],
    },
    /// [`RandomShotNoise`].
    ShotNoise {
        /// The range of mean photon counts of white, within 1 to 1000000.
        photons_at_white: [f64; 2],
    },
    /// [`RandomJpeg`].
    Jpeg {
        /// The range of qualities, within 1 to 100.
        quality: [u8; 2],
    },
    /// [`RandomDownscale`].
    Downscale {
        /// The range of shares of width and height that are left, within 0.01 to 1.
        fraction: [f64; 2],
    },
    /// [`RandomErasing`].
    Erasing {
        /// The range of shares of the picture's area; 0.02 to 0.33 if left out.
        #[serde(default = "usual::areas")]
        areas: [f64; 2],
        /// The range of ratios of height to width; 0.3 to 3.3 if left out.
        #[serde(default = "usual::aspect_ratios")]
        aspect_ratios: [f64; 2],
        /// What is painted; noise if left out.
        #[serde(default = "usual::erasing_cover")]
        cover: Cover,
    },
    /// [`Cutout`].
    Cutout {
        /// The square's side, in shorter sides of the output, from 0 to 2; a half if left out.
        #[serde(default = "usual::side_fraction")]
        side_fraction: f64,
        /// What is painted; black if left out.
        #[serde(default = "usual::black")]
        cover: Cover,
    },
    /// [`RandomGridMask`].
    GridMask {
        /// The range of units, in shorter sides of the output; 0.43 to 1 if left out.
        #[serde(default = "usual::unit_fractions")]
        unit_fractions: [f64; 2],
        /// The part of a unit's side that is kept, from 0 to 1; 0.6 if left out.
        #[serde(default = "usual::keep_fraction")]
        keep_fraction: f64,
        /// What is painted; black if left out.
        #[serde(default = "usual::black")]
        cover: Cover,
    },
    /// [`Sequence`]: all of the steps, in order.
    Sequence {
        /// What is drawn, each with its own probability.
        steps: Vec<Step>,
    },
    /// [`OneOf`]: one of the steps.
    OneOf {
        /// What is chosen from.
        steps: Vec<Step>,
        /// How often each is chosen, in relation to the others; equally often without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<Vec<f64>>,
    },
    /// [`SomeOf`]: some of the steps, in order.
    SomeOf {
        /// What is chosen from.
        steps: Vec<Step>,
        /// How many are chosen: a number or a range `[low, high]`, up to the number of steps.
        count: CountRange,
    },
    /// [`RandAugment`].
    RandAugment {
        /// The operations for each picture, from 1 to 16.
        #[serde(default = "usual::operations")]
        operations: u32,
        /// Their strength, from 0 to 30.
        #[serde(default = "usual::magnitude")]
        magnitude: u32,
    },
    /// [`TrivialAugmentWide`].
    TrivialAugmentWide {},
    /// [`AutoAugment`].
    AutoAugment {
        /// The data set for which the operations were searched: `"imagenet"`, `"cifar10"` or `"svhn"`.
        #[serde(default)]
        policy: AutoAugmentPolicy,
    },
    /// [`AugMix`].
    AugMix {
        /// The operations' strength, from 1 to 10.
        #[serde(default = "usual::severity")]
        severity: u32,
        /// The chains that are mixed, from 1 to 10.
        #[serde(default = "usual::chains")]
        width: u32,
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
            Self::ResizedCrop { areas, aspect_ratios } => Box::new(RandomResizedCrop::new(areas, aspect_ratios)?),
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
            Self::ContrastAboutMean { amount } => Box::new(RandomContrastAboutMean::new(amount)?),
            Self::Sharpness { amount } => Box::new(RandomSharpness::new(amount)?),
            Self::ChannelShift { levels } => Box::new(RandomChannelShift::new(levels)?),
            Self::Hue { turns } => Box::new(RandomHue::new(turns)?),
            Self::Gamma { exponents } => Box::new(RandomGamma::new(exponents)?),
            Self::Grayscale {} => Box::new(Always::new(Op::Grayscale {})),
            Self::Invert {} => Box::new(Always::new(Op::Invert {})),
            Self::Posterize { bits } => Box::new(RandomPosterize::new(bits)?),
            Self::Solarize { threshold_levels } => Box::new(RandomSolarize::new(threshold_levels)?),
            Self::Equalize {} => Box::new(Always::new(Op::Equalize {})),
            Self::Autocontrast { cutoff_percent } => {
                in_range("cutoff-percent", cutoff_percent, 0.0, 49.0, "a share from 0 to 49 percent")?;
                Box::new(Always::new(Op::Autocontrast { cutoff_percent }))
            }
            Self::Clahe { clip_limits, tiles } => Box::new(RandomClahe::new(clip_limits, tiles)?),
            Self::GaussianBlur { sigma_pixels } => Box::new(RandomGaussianBlur::new(sigma_pixels)?),
            Self::MotionBlur { length_pixels } => Box::new(RandomMotionBlur::new(length_pixels)?),
            Self::GaussianNoise { sigma_levels } => Box::new(RandomGaussianNoise::new(sigma_levels)?),
            Self::SaltAndPepper { fraction } => Box::new(RandomSaltAndPepper::new(fraction)?),
            Self::ShotNoise { photons_at_white } => Box::new(RandomShotNoise::new(photons_at_white)?),
            Self::Jpeg { quality } => Box::new(RandomJpeg::new(quality)?),
            Self::Downscale { fraction } => Box::new(RandomDownscale::new(fraction)?),
            Self::Erasing { areas, aspect_ratios, cover } => Box::new(RandomErasing::new(areas, aspect_ratios, cover)?),
            Self::Cutout { side_fraction, cover } => Box::new(Cutout::new(side_fraction, cover)?),
            Self::GridMask { unit_fractions, keep_fraction, cover } => {
                Box::new(RandomGridMask::new(unit_fractions, keep_fraction, cover)?)
            }
            Self::Sequence { ref steps } => Box::new(Sequence::new(built(steps)?)),
            Self::OneOf { ref steps, ref weights } => {
                let equal = vec![1.0; steps.len()];
                let weights = weights.as_ref().unwrap_or(&equal);
                if weights.len() != steps.len() {
                    let expected = "one weight for each step";
                    return Err(AugmentError::OutOfRange { field: "weights", value: weights.len() as f64, expected });
                }
                Box::new(OneOf::new(weights.iter().copied().zip(built(steps)?).collect())?)
            }
            Self::SomeOf { ref steps, count } => Box::new(SomeOf::new(built(steps)?, count.ends())?),
            Self::RandAugment { operations, magnitude } => Box::new(RandAugment::new(operations, magnitude)?),
            Self::TrivialAugmentWide {} => Box::new(TrivialAugmentWide {}),
            Self::AutoAugment { policy } => Box::new(AutoAugment::new(policy)),
            Self::AugMix { severity, width } => Box::new(AugMix::new(severity, width)?),
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

fn built(steps: &[Step]) -> Result<Vec<Box<dyn Transform>>, AugmentError> {
    steps.iter().map(Step::build).collect()
}

/// Settings that may be left out, from the papers and libraries that the transforms name.
mod usual {
    use crate::Cover;

    pub(super) fn operations() -> u32 {
        2
    }

    pub(super) fn magnitude() -> u32 {
        9
    }

    pub(super) fn severity() -> u32 {
        3
    }

    pub(super) fn chains() -> u32 {
        3
    }

    pub(super) fn size_fraction() -> f64 {
        1.0
    }

    pub(super) fn crop_areas() -> [f64; 2] {
        [0.08, 1.0]
    }

    pub(super) fn crop_aspect_ratios() -> [f64; 2] {
        [3.0 / 4.0, 4.0 / 3.0]
    }

    pub(super) fn distortion() -> f64 {
        0.5
    }

    pub(super) fn clip_limits() -> [f64; 2] {
        [1.0, 4.0]
    }

    pub(super) fn tiles() -> usize {
        8
    }

    pub(super) fn areas() -> [f64; 2] {
        [0.02, 0.33]
    }

    pub(super) fn aspect_ratios() -> [f64; 2] {
        [0.3, 3.3]
    }

    pub(super) fn erasing_cover() -> Cover {
        Cover::Noise
    }

    pub(super) fn side_fraction() -> f64 {
        0.5
    }

    pub(super) fn unit_fractions() -> [f64; 2] {
        [0.43, 1.0]
    }

    pub(super) fn keep_fraction() -> f64 {
        0.6
    }

    pub(super) fn black() -> Cover {
        Cover::Color([0; 3])
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
    fn settings_out_of_range_do_not_build() {
        for text in [
            "transform = 'rotation'\ndegrees = -1",
            "transform = 'vertical-flip'\nprobability = 1.5",
            "transform = 'autocontrast'\ncutoff-percent = 50",
        ] {
            assert!(step(text).build().is_err(), "{text}");
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

    #[test]
    fn policies_that_make_no_sense_do_not_build() {
        for text in [
            "transform = 'crop'\nsize-fraction = 1.5\npadding-fraction = 0.125",
            "transform = 'one-of'\nsteps = []",
            "transform = 'one-of'\nweights = [1]\nsteps = [{ transform = 'invert' }, { transform = 'equalize' }]",
            "transform = 'some-of'\ncount = 2\nsteps = [{ transform = 'invert' }]",
            "transform = 'sequence'\nsteps = [{ transform = 'rotation', degrees = -1 }]",
            "transform = 'rand-augment'\nmagnitude = 31",
            "transform = 'aug-mix'\nseverity = 0",
        ] {
            assert!(step(text).build().is_err(), "{text}");
        }
    }
}
