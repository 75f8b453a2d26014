//! [`NormalizationFit`]: from what is wanted, and images where it takes some, to a [`Normalization`].

use aumenta_imgproc::Channels;

use super::statistics::ChannelStatistics;
use super::whitening::Covariance;
use super::{Centering, Normalization, NormalizationConfig, Whitening};
use crate::AugmentError;

/// A normalization that is being fitted.
///
/// The same images in the same order give the same numbers.
///
/// ```
/// use aumenta_augment::{Centering, Normalization, NormalizationConfig};
/// use aumenta_imgproc::Channels;
///
/// let config = NormalizationConfig::Featurewise(Centering { center: true, std: true });
/// let mut fit = config.fit(Channels::Gray, 2)?;
/// assert!(fit.needs_images());
/// fit.add(&[10.0, 20.0]);
/// fit.add(&[30.0, 40.0]);
/// let Normalization::Affine { scale, offset } = fit.finish()? else { panic!("it is affine") };
/// assert!((scale[0] - 1.0 / 125f32.sqrt()).abs() < 1e-6);
/// assert!((offset[0] + 25.0 / 125f32.sqrt()).abs() < 1e-6);
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NormalizationFit(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Known(Normalization),
    Featurewise { centering: Centering, statistics: ChannelStatistics },
    Zca { epsilon: f64, covariance: Covariance },
}

/// The means of `ImageNet`'s channels, for values from 0 to 1.
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
/// The standard deviations of `ImageNet`'s channels.
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

impl NormalizationFit {
    pub(super) fn new(config: &NormalizationConfig, channels: Channels, values: usize) -> Result<Self, AugmentError> {
        Ok(Self(match *config {
            NormalizationConfig::Rescale { factor } => {
                check("rescale.factor", factor, factor.is_normal(), "a number other than 0")?;
                Kind::Known(Normalization::Affine { scale: [factor as f32; 3], offset: [0.0; 3] })
            }
            NormalizationConfig::MeanStd { ref mean, ref std } => Kind::Known(mean_std(mean, std, channels)?),
            NormalizationConfig::Imagenet => Kind::Known(mean_std(&IMAGENET_MEAN, &IMAGENET_STD, channels)?),
            NormalizationConfig::Samplewise(centering) => Kind::Known(Normalization::Samplewise(centering)),
            NormalizationConfig::Featurewise(centering) => {
                Kind::Featurewise { centering, statistics: ChannelStatistics::new(channels.count()) }
            }
            NormalizationConfig::Zca { epsilon } => {
                let positive = epsilon > 0.0 && epsilon.is_finite();
                check("zca.epsilon", epsilon, positive, "a number above 0")?;
                let fits = values <= Whitening::MAX_VALUES;
                check("the number of values an image for zca", values as f64, fits, "at most 3072, such as 32x32 RGB")?;
                Kind::Zca { epsilon, covariance: Covariance::new(values) }
            }
        }))
    }

    /// Whether [`finish`](Self::finish) needs to have seen images.
    pub fn needs_images(&self) -> bool {
        !matches!(self.0, Kind::Known(_))
    }

    /// Looks at an image: values from 0 to 255, HWC.
    pub fn add(&mut self, image: &[f32]) {
        match &mut self.0 {
            Kind::Known(_) => {}
            Kind::Featurewise { statistics, .. } => statistics.add(image),
            Kind::Zca { covariance, .. } => covariance.add(image),
        }
    }

    /// The numbers.
    ///
    /// # Errors
    /// Where no image was added but needed, or a channel has the same value everywhere, so that its standard deviation is
    /// 0.
    pub fn finish(self) -> Result<Normalization, AugmentError> {
        Ok(match self.0 {
            Kind::Known(normalization) => normalization,
            Kind::Featurewise { centering, statistics } => featurewise(centering, &statistics)?,
            Kind::Zca { epsilon, covariance } => Normalization::Whitening(covariance.whitening(epsilon)?),
        })
    }
}

fn mean_std(mean: &[f64], std: &[f64], channels: Channels) -> Result<Normalization, AugmentError> {
    let (means, stds) = (by_channel("mean-std.mean", mean, channels)?, by_channel("mean-std.std", std, channels)?);
    for value in means {
        check("mean-std.mean", value, value.is_finite(), "a number")?;
    }
    for value in stds {
        check("mean-std.std", value, value.is_normal() && value > 0.0, "a number above 0")?;
    }
    Ok(affine(means.map(|mean| 255.0 * mean), stds.map(|std| 255.0 * std)))
}

/// One number for each channel, of which there may be fewer than three.
fn by_channel(field: &'static str, numbers: &[f64], channels: Channels) -> Result<[f64; 3], AugmentError> {
    match *numbers {
        [all] => Ok([all; 3]),
        [red, green, blue] if channels == Channels::Rgb => Ok([red, green, blue]),
        _ => Err(AugmentError::Count { field, count: numbers.len(), expected: channels.count() }),
    }
}

fn featurewise(centering: Centering, statistics: &ChannelStatistics) -> Result<Normalization, AugmentError> {
    let mean = if centering.center { statistics.means()? } else { [0.0; 3] };
    let std = if centering.std { statistics.stds()? } else { [255.0; 3] };
    Ok(affine(mean, std))
}

/// `(value - mean) / std`.
fn affine(mean: [f64; 3], std: [f64; 3]) -> Normalization {
    let scale = std.map(|std| (1.0 / std) as f32);
    let offset = std::array::from_fn(|channel| (-mean[channel] / std[channel]) as f32);
    Normalization::Affine { scale, offset }
}

pub(super) fn check(field: &'static str, value: f64, holds: bool, expected: &'static str) -> Result<(), AugmentError> {
    if holds { Ok(()) } else { Err(AugmentError::OutOfRange { field, value, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Centering = Centering { center: true, std: true };

    #[track_caller]
    fn check_refused(config: &NormalizationConfig, message: &str) {
        let error = config.fit(Channels::Rgb, 75).and_then(NormalizationFit::finish).unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let mean_std =
            |mean: &[f64], std: &[f64]| NormalizationConfig::MeanStd { mean: mean.to_vec(), std: std.to_vec() };
        check_refused(
            &NormalizationConfig::Rescale { factor: 0.0 },
            "rescale.factor is 0, expected a number other than 0",
        );
        check_refused(&mean_std(&[0.5], &[0.0]), "mean-std.std is 0, expected a number above 0");
        check_refused(&mean_std(&[0.5], &[f64::NAN]), "mean-std.std is NaN, expected a number above 0");
        check_refused(&mean_std(&[f64::NAN], &[1.0]), "mean-std.mean is NaN, expected a number");
        check_refused(&mean_std(&[0.5, 0.5], &[1.0]), "mean-std.mean has 2 numbers, expected 1 or 3");
        check_refused(&NormalizationConfig::Zca { epsilon: 0.0 }, "zca.epsilon is 0, expected a number above 0");
    }

    #[test]
    fn a_whitening_of_too_many_values_is_refused_before_any_work() {
        let error = NormalizationConfig::Zca { epsilon: 1e-6 }.fit(Channels::Rgb, 3073).unwrap_err();
        let expected = "the number of values an image for zca is 3073, expected at most 3072, such as 32x32 RGB";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn images_that_cannot_be_fitted_to_are_named() {
        let featurewise = NormalizationConfig::Featurewise(BOTH);
        check_refused(&featurewise, "the number of images to fit to is 0, expected at least 1");
        check_refused(
            &NormalizationConfig::Zca { epsilon: 1e-6 },
            "the number of images to fit to is 0, expected at least 1",
        );
        let mut fit = featurewise.fit(Channels::Rgb, 6).unwrap();
        fit.add(&[1.0, 2.0, 9.0, 3.0, 4.0, 9.0]);
        let message = fit.finish().unwrap_err().to_string();
        assert_eq!(message, "the standard deviation of channel 2 is 0, expected images that differ in it");
    }

    #[test]
    fn gray_has_no_imagenet() {
        let error = NormalizationConfig::Imagenet.fit(Channels::Gray, 1).unwrap_err();
        assert_eq!(error.to_string(), "mean-std.mean has 3 numbers, expected 1");
    }
}
