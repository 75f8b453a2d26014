//! [`NormalizationFit`]: from what is wanted, and images where it takes some, to a [`Normalization`].

use aumenta_imgproc::Channels;

use super::statistics::ChannelStatistics;
use super::whitening::{Covariance, KerasWhitening};
use super::{Centering, Normalization, NormalizationConfig, Whitening, rescaled};
use crate::keras::KerasStatistics;
use crate::{AugmentError, KerasNormalization};

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
    Featurewise { centering: Centering, scaling: Scaling, statistics: ChannelStatistics },
    Zca { epsilon: f64, covariance: Covariance },
    KerasZca { whitening: KerasWhitening, covariance: Covariance },
}

/// What happens to values from 0 to 255 around their statistics.
#[derive(Clone, Copy, Debug)]
struct Scaling {
    /// Their factor before the mean is subtracted.
    factor: f64,
    /// Their factor before the statistics are taken.
    fitted_factor: f64,
    /// What is added to a standard deviation.
    std_epsilon: f64,
}

/// The means of `ImageNet`'s channels, for values from 0 to 1.
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
/// The standard deviations of `ImageNet`'s channels.
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

/// The means of `ImageNet`'s blue, green and red for values from 0 to 255, as Caffe's networks were trained with them.
const CAFFE_MEAN: [f64; 3] = [103.939, 116.779, 123.68];

impl NormalizationFit {
    pub(super) fn new(config: &NormalizationConfig, channels: Channels, values: usize) -> Result<Self, AugmentError> {
        Ok(Self(match *config {
            NormalizationConfig::Rescale { factor } => {
                check("rescale.factor", factor, factor.is_normal(), "a number other than 0")?;
                Kind::Known(Normalization::Affine { scale: [factor as f32; 3], offset: [0.0; 3] })
            }
            NormalizationConfig::MeanStd { ref mean, ref std } => Kind::Known(mean_std(mean, std, channels)?),
            NormalizationConfig::Imagenet => Kind::Known(mean_std(&IMAGENET_MEAN, &IMAGENET_STD, channels)?),
            NormalizationConfig::Caffe => {
                let mean = by_channel("caffe", &CAFFE_MEAN, channels)?;
                Kind::Known(Normalization::Bgr { scale: [1.0; 3], offset: mean.map(|mean| -mean as f32) })
            }
            NormalizationConfig::Samplewise(Centering { center, std }) => {
                Kind::Known(Normalization::Samplewise { scale: rescaled(), center, std })
            }
            NormalizationConfig::Featurewise(centering) => {
                let factor = 1.0 / 255.0;
                let scaling = Scaling { factor, fitted_factor: factor, std_epsilon: 0.0 };
                Kind::Featurewise { centering, scaling, statistics: ChannelStatistics::new(channels.count()) }
            }
            NormalizationConfig::Zca { epsilon } => {
                let positive = epsilon > 0.0 && epsilon.is_finite();
                check("zca.epsilon", epsilon, positive, "a number above 0")?;
                Kind::Zca { epsilon, covariance: covariance(values)? }
            }
            NormalizationConfig::Keras(ref keras) => keras_kind(keras, channels, values)?,
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
            Kind::Zca { covariance, .. } | Kind::KerasZca { covariance, .. } => covariance.add(image),
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
            Kind::Featurewise { centering, scaling, statistics } => featurewise(centering, scaling, &statistics)?,
            Kind::Zca { epsilon, covariance } => Normalization::Whitening(covariance.whitening(epsilon)?),
            Kind::KerasZca { whitening, covariance } => {
                Normalization::Whitening(covariance.keras_whitening(whitening)?)
            }
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

fn keras_kind(keras: &KerasNormalization, channels: Channels, values: usize) -> Result<Kind, AugmentError> {
    let (factor, fitted_factor) = (keras.rescale, keras.fitted_rescale());
    Ok(match keras.statistics {
        KerasStatistics::Samplewise(Centering { center, std }) => {
            Kind::Known(Normalization::Samplewise { scale: factor as f32, center, std })
        }
        KerasStatistics::Featurewise(centering) => {
            let scaling = Scaling { factor, fitted_factor, std_epsilon: keras.std_epsilon() };
            Kind::Featurewise { centering, scaling, statistics: ChannelStatistics::new(channels.count()) }
        }
        KerasStatistics::Zca { center, epsilon } => {
            let version = keras.version;
            let centered_channels = center.then_some(channels.count());
            let whitening = KerasWhitening { version, factor, fitted_factor, centered_channels, epsilon };
            Kind::KerasZca { whitening, covariance: covariance(values)? }
        }
    })
}

fn covariance(values: usize) -> Result<Covariance, AugmentError> {
    let fits = values <= Whitening::MAX_VALUES;
    check("the number of values an image for zca", values as f64, fits, "at most 3072, such as 32x32 RGB")?;
    Ok(Covariance::new(values))
}

/// `(factor * value - mean) / std`.
fn featurewise(
    centering: Centering,
    scaling: Scaling,
    statistics: &ChannelStatistics,
) -> Result<Normalization, AugmentError> {
    let Scaling { factor, fitted_factor, std_epsilon } = scaling;
    let mean = if centering.center { statistics.means()? } else { [0.0; 3] };
    let std =
        if centering.std { statistics.stds()?.map(|std| fitted_factor.abs() * std + std_epsilon) } else { [1.0; 3] };
    Ok(affine(mean.map(|mean| mean * fitted_factor / factor), std.map(|std| std / factor)))
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
        let error = |config: NormalizationConfig| config.fit(Channels::Gray, 1).unwrap_err().to_string();
        assert_eq!(error(NormalizationConfig::Imagenet), "mean-std.mean has 3 numbers, expected 1");
        assert_eq!(error(NormalizationConfig::Caffe), "caffe has 3 numbers, expected 1");
    }
}
