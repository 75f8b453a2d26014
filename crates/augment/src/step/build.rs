//! What a [`Step`] of the settings builds: each variant's transform, its settings checked.

use super::{Step, TransformConfig};
use crate::transform::{Sometimes, in_range};
use crate::{
    Always, AugMix, AugmentError, AutoAugment, Cutout, OneOf, Op, RandAugment, RandomBrightness, RandomChannelShift,
    RandomClahe, RandomContrast, RandomContrastAboutMean, RandomCrop, RandomDownscale, RandomElastic, RandomErasing,
    RandomGamma, RandomGaussianBlur, RandomGaussianNoise, RandomGridMask, RandomHorizontalFlip, RandomHue, RandomJpeg,
    RandomMotionBlur, RandomPerspective, RandomPosterize, RandomQuarterTurns, RandomResizedCrop, RandomRotation,
    RandomSaltAndPepper, RandomSaturation, RandomSharpness, RandomShear, RandomShift, RandomShotNoise, RandomSolarize,
    RandomVerticalFlip, RandomVerticalShear, RandomZoom, Sequence, SomeOf, Transform, TrivialAugmentWide,
};

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
            Self::GridMask { unit_fractions, keep_fraction, max_rotation_degrees, cover } => {
                Box::new(RandomGridMask::new(unit_fractions, keep_fraction, max_rotation_degrees, cover)?)
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
            Self::AugMix { severity, width, alpha } => Box::new(AugMix::new(severity, width, alpha)?),
        })
    }
}

fn built(steps: &[Step]) -> Result<Vec<Box<dyn Transform>>, AugmentError> {
    steps.iter().map(Step::build).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) {
        let step: Step = toml::from_str(text).unwrap();
        assert!(step.build().is_err(), "{text}");
    }

    #[test]
    fn settings_out_of_range_do_not_build() {
        for text in [
            "transform = 'rotation'\ndegrees = -1",
            "transform = 'vertical-flip'\nprobability = 1.5",
            "transform = 'autocontrast'\ncutoff-percent = 50",
        ] {
            refused(text);
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
            refused(text);
        }
    }
}
