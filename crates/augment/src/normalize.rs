//! [`Normalization`]: from bytes to the numbers that a network takes, the same in training and in evaluation.
//!
//! It belongs to a network and not to a [`Plan`](crate::Plan): what was fitted to the training images stays with the
//! weights. A [`NormalizationConfig`] says what is wanted; [`NormalizationFit`] looks at images where that takes some.

mod config;
mod fit;
#[cfg(test)]
pub(crate) mod reference;
mod statistics;
mod whitening;

use aumenta_imgproc::{Channels, FloatFormat, Layout};
use serde::{Deserialize, Serialize};

pub use self::config::{Centering, NormalizationConfig};
pub use self::fit::NormalizationFit;
pub use self::whitening::Whitening;

/// How the values of an image, from 0 to 255, become those that a network takes; all numbers are known.
///
/// ```
/// use aumenta_augment::{Normalization, NormalizationConfig};
/// use aumenta_imgproc::Channels;
///
/// let fit = NormalizationConfig::Imagenet.fit(Channels::Rgb, 224 * 224 * 3)?;
/// let Normalization::Affine { scale, offset } = fit.finish()? else { panic!("nothing else is needed") };
/// assert!((255.0 * scale[0] + offset[0] - (1.0 - 0.485) / 0.229).abs() < 1e-5);
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Normalization {
    /// `value * scale + offset` by channel; gray takes the first.
    Affine {
        /// The factor of red, green and blue.
        scale: [f32; 3],
        /// What is added after the product.
        offset: [f32; 3],
    },
    /// `value * scale + offset` by channel, and the channels are blue, green and red, as networks of Caffe take them.
    Bgr {
        /// The factor of blue, green and red.
        scale: [f32; 3],
        /// What is added after the product.
        offset: [f32; 3],
    },
    /// Each image by itself: less its mean, then divided by its standard deviation plus 1e-6.
    Samplewise {
        /// The factor of the values before.
        #[serde(default = "rescaled")]
        scale: f32,
        /// Whether the mean is subtracted.
        center: bool,
        /// Whether what is left is divided by the standard deviation.
        std: bool,
    },
    /// Values that are uncorrelated and of variance 1 over the training images, after a division by 255.
    Whitening(Whitening),
}

impl Normalization {
    /// Values divided by 255.
    pub const RESCALED: Self = Self::Affine { scale: [rescaled(); 3], offset: [0.0; 3] };

    /// Values as they are, from 0 to 255.
    pub const PLAIN: Self = Self::Affine { scale: [1.0; 3], offset: [0.0; 3] };

    /// Whether an image's values can lie in `layout`; a whitening's numbers are for one order of values, HWC.
    pub const fn allows(&self, layout: Layout) -> bool {
        !matches!((self, layout), (Self::Whitening(_), Layout::Chw))
    }

    /// The form in which an image's values are written for [`finish`](Self::finish).
    ///
    /// # Panics
    /// Where the normalization does not [allow](Self::allows) the layout.
    pub fn format(&self, channels: Channels, layout: Layout) -> FloatFormat {
        assert!(self.allows(layout), "a whitening needs its values as HWC");
        let (scale, offset) = match *self {
            Self::Affine { scale, offset } | Self::Bgr { scale, offset } => (scale, offset),
            Self::Samplewise { scale, .. } => ([scale; 3], [0.0; 3]),
            Self::Whitening(_) => ([rescaled(); 3], [0.0; 3]),
        };
        let channels = if let Self::Bgr { .. } = self { Channels::Bgr } else { channels };
        FloatFormat { layout, channels, scale, offset }
    }

    /// The whitening, where it is one.
    pub fn whitening(&self) -> Option<&Whitening> {
        if let Self::Whitening(whitening) = self { Some(whitening) } else { None }
    }

    /// The whitening, where it is one.
    pub fn whitening_mut(&mut self) -> Option<&mut Whitening> {
        if let Self::Whitening(whitening) = self { Some(whitening) } else { None }
    }

    /// Does what is left to do with an image's values as they were written in [`format`](Self::format).
    ///
    /// `spare` is a buffer of any content.
    ///
    /// # Panics
    /// Where a whitening is for another number of values.
    pub fn finish(&self, values: &mut [f32], spare: &mut Vec<f32>) {
        match self {
            Self::Affine { .. } | Self::Bgr { .. } => {}
            Self::Samplewise { center, std, .. } => samplewise(Centering { center: *center, std: *std }, values),
            Self::Whitening(whitening) => whitening.apply(values, spare),
        }
    }
}

/// The factor of values that are divided by 255.
const fn rescaled() -> f32 {
    1.0 / 255.0
}

/// What Keras adds to a standard deviation before it divides, so that an image of one color becomes zeros.
const SAMPLEWISE_EPSILON: f64 = 1e-6;

/// Subtracts the mean of all values, then divides by their standard deviation plus 1e-6.
fn samplewise(centering: Centering, values: &mut [f32]) {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let variance =
        values.iter().map(|value| (f64::from(*value) - mean) * (f64::from(*value) - mean)).sum::<f64>() / count;
    let offset = if centering.center { mean } else { 0.0 };
    let divisor = if centering.std { variance.sqrt() + SAMPLEWISE_EPSILON } else { 1.0 };
    for value in values {
        *value = ((f64::from(*value) - offset) / divisor) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(normalization: &Normalization, values: &[f32]) -> Vec<f32> {
        let mut values = values.to_vec();
        normalization.finish(&mut values, &mut Vec::new());
        values
    }

    #[test]
    fn an_image_by_itself_by_hand() {
        let both = Normalization::Samplewise { scale: 1.0, center: true, std: true };
        let values = finished(&both, &[0.0, 0.5, 0.5, 1.0]);
        let expected = [-2f32.sqrt(), 0.0, 0.0, 2f32.sqrt()];
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{values:?}");
        let center = Normalization::Samplewise { scale: 1.0, center: true, std: false };
        assert_eq!(finished(&center, &[0.25, 0.75]), [-0.25, 0.25]);
    }

    #[test]
    fn an_image_of_one_color_becomes_zeros_and_an_empty_one_stays() {
        let both = Normalization::Samplewise { scale: 1.0, center: true, std: true };
        assert_eq!(finished(&both, &[0.5; 6]), [0.0; 6]);
        assert!(finished(&both, &[]).is_empty());
    }

    #[test]
    fn any_layout_is_normalized_but_not_whitened() {
        let whitening = Normalization::Whitening(Whitening::new(vec![0.5; 3], vec![1.0; 9]));
        let samplewise = Normalization::Samplewise { scale: 1.0, center: true, std: true };
        for layout in [Layout::Hwc, Layout::Chw] {
            assert_eq!(Normalization::RESCALED.format(Channels::Rgb, layout).layout, layout);
            assert_eq!(samplewise.format(Channels::Gray, layout).layout, layout);
            assert_eq!(whitening.allows(layout), layout == Layout::Hwc);
        }
        assert_eq!(whitening.format(Channels::Rgb, Layout::Hwc).layout, Layout::Hwc);
    }

    #[test]
    fn fitted_numbers_survive_being_written_down() {
        let affine = Normalization::Affine { scale: [0.1, 1.0 / 3.0, f32::MIN_POSITIVE], offset: [-0.7, 0.0, 1e9] };
        let bgr = Normalization::Bgr { scale: [1.0; 3], offset: [-103.939, -116.779, -123.68] };
        for normalization in [affine, bgr, Normalization::Samplewise { scale: 0.3, center: true, std: false }] {
            let json = serde_json::to_string(&normalization).unwrap();
            assert_eq!(serde_json::from_str::<Normalization>(&json).unwrap(), normalization);
        }
        let earlier = r#"{"samplewise":{"center":true,"std":false}}"#;
        let expected = Normalization::Samplewise { scale: 1.0 / 255.0, center: true, std: false };
        assert_eq!(serde_json::from_str::<Normalization>(earlier).unwrap(), expected);
    }
}
