//! [`KerasConfig`]: the arguments of `ImageDataGenerator`; names, defaults and meanings are Keras'.
//!
//! The arguments of 2.0.8 are among those of 2.15, so that one struct holds either.

#![expect(clippy::struct_excessive_bools, reason = "the arguments are Keras'")]

use aumenta_imgproc::{Fill, Interpolation};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Generator, KerasVersion};
use crate::{AugmentError, Pipeline, ZoomRange};

/// The augmentation section of a configuration with a `dialect`: the arguments of `ImageDataGenerator` in one of its versions.
///
/// ```
/// use aumenta_augment::{Canvas, KerasConfig, Op};
/// use aumenta_imgproc::Size;
/// use aumenta_seed::Seed;
///
/// let config: KerasConfig = toml::from_str("dialect = 'keras-2.15'\nrotation_range = 40\nzoom_range = 0.2")?;
/// let plan = config.build()?.draw(Canvas::of(Size::square(150)), &mut Seed::new(7).rng("augment", 0, 0));
/// assert!(matches!(plan.ops[..], [Op::KerasAffine { theta_degrees: -40.0..=40.0, zx: 0.8..=1.2, .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KerasConfig {
    /// `keras-2.0.8`, the version of François Chollet's "Deep Learning with Python" (2017), or `keras-2.15`, the last one
    /// before Keras 3, which is the default.
    #[serde(with = "Dialect")]
    pub dialect: KerasVersion,
    /// Whether each channel's mean over the training images is subtracted.
    pub featurewise_center: bool,
    /// Whether each image's mean is subtracted. Refused in 2.0.8, which takes each pixel's.
    pub samplewise_center: bool,
    /// Whether values are divided by each channel's standard deviation over the training images.
    pub featurewise_std_normalization: bool,
    /// Whether values are divided by each image's standard deviation. Refused in 2.0.8, which takes each pixel's.
    pub samplewise_std_normalization: bool,
    /// Whether values are left uncorrelated over the training images; at most
    /// [`Whitening::MAX_VALUES`](crate::Whitening::MAX_VALUES) an image.
    pub zca_whitening: bool,
    /// What whitening adds, in 2.0.8 to variances and in 2.15 to singular values of all training images; above 0.
    pub zca_epsilon: f64,
    /// The largest turn in degrees, either way; at least 0.
    pub rotation_range: f64,
    /// In 2.0.8 the largest move along the columns, in widths. In 2.15 the move along the first axis that Keras means to be
    /// the width's; it moves rows.
    pub width_shift_range: KerasShiftRange,
    /// In 2.0.8 the largest move along the rows, in heights. In 2.15 the move along the axis that Keras means to be the
    /// height's; it moves columns.
    pub height_shift_range: KerasShiftRange,
    /// The range of factors on levels, such as `[0.5, 1.5]`; at least 0. Not in 2.0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness_range: Option<[f64; 2]>,
    /// The largest shear angle, either way, in **radians** in 2.0.8 and in **degrees** in 2.15; at least 0.
    pub shear_range: f64,
    /// The range of factors, one drawn for each axis, that the way from the center to a pixel's source is multiplied with:
    /// above 1 shrinks. At least 0.
    pub zoom_range: ZoomRange,
    /// The largest number of levels added to a channel, either way, in 2.0.8 one drawn for each and in 2.15 one for all; at
    /// least 0. What leaves the range of the picture's own levels is clipped to it.
    pub channel_shift_range: f64,
    /// What shows outside of the picture.
    pub fill_mode: KerasFillMode,
    /// The level, in all channels, that [`KerasFillMode::Constant`] fills with: a whole number from 0 to 255.
    pub cval: f64,
    /// Whether half of the pictures are mirrored left to right.
    pub horizontal_flip: bool,
    /// Whether half of the pictures are mirrored top to bottom.
    pub vertical_flip: bool,
    /// The factor of values from 0 to 255. Left out or 0, it is 1 before the other normalizations; without any of them the
    /// preprocessing normalizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescale: Option<f64>,
    /// Refused: a configuration holds no code.
    #[serde(skip_serializing, deserialize_with = "refuse_function")]
    pub preprocessing_function: (),
    /// Does not matter here: batches have the layout that the network asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format: Option<KerasDataFormat>,
    /// Refused above 0: the manifest splits. Not in 2.0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_split: Option<f64>,
    /// 0 for the nearest pixel, 1 for bilinear, which is usual. Not in 2.0.8, where it is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation_order: Option<u8>,
    /// `float32`, or nothing. Not in 2.0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<KerasDtype>,
}

/// How a configuration names a version.
#[derive(Serialize, Deserialize)]
#[serde(remote = "KerasVersion")]
enum Dialect {
    #[serde(rename = "keras-2.0.8")]
    Keras2_0_8,
    #[serde(rename = "keras-2.15")]
    Keras2_15,
}

/// A shift as Keras reads it: in 2.15 as follows, in 2.0.8 any number as a fraction of the side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a shift is an integer, a float or a list of numbers")]
pub enum KerasShiftRange {
    /// An integer `n`: a whole number of pixels below `n`, either way.
    Pixels(u32),
    /// A float: below 1 a fraction of the side, from 1 on pixels; any number up to it, either way.
    UpTo(f64),
    /// A list: one of its numbers, either way; fractions where all are below 1, else pixels.
    OneOf(Vec<f64>),
}

/// What Keras shows outside of the picture, for the row `a b c d`; SciPy's modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KerasFillMode {
    /// `k k k | a b c d | k k k`, with `cval` for `k`, from the centers of the outermost pixels on.
    Constant,
    /// `a a a | a b c d | d d d`.
    #[default]
    Nearest,
    /// `c b a | a b c d | d c b`.
    Reflect,
    /// The picture repeated with a period of one pixel less than its side, as SciPy does.
    Wrap,
}

/// Where Keras keeps the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KerasDataFormat {
    /// NHWC.
    ChannelsLast,
    /// NCHW.
    ChannelsFirst,
}

/// The type of Keras' batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KerasDtype {
    /// The only one that batches have here.
    Float32,
}

impl KerasConfig {
    /// Whether no argument changes any picture.
    pub fn is_neutral(&self) -> bool {
        [self.rotation_range, self.shear_range, self.channel_shift_range] == [0.0; 3]
            && self.width_shift_range.is_zero()
            && self.height_shift_range.is_zero()
            && self.brightness_range.is_none_or(|range| range == [1.0; 2])
            && self.zoom_range.ends() == (1.0, 1.0)
            && !self.horizontal_flip
            && !self.vertical_flip
    }

    /// The pipeline of these arguments.
    ///
    /// # Errors
    /// Where the version does not know an argument, it is outside of its range, or asks for what this project does elsewhere
    /// or not at all; the first such argument is named.
    pub fn build(&self) -> Result<Pipeline, AugmentError> {
        let generator = Generator::new(self)?;
        Ok(if self.is_neutral() {
            Pipeline::empty()
        } else {
            Pipeline::new(vec![Box::new(generator)], Fill::default(), Interpolation::default())
        })
    }
}

impl KerasShiftRange {
    /// Whether this is the number 0, which Keras takes for no shift.
    pub(super) fn is_zero(&self) -> bool {
        *self == Self::Pixels(0) || *self == Self::UpTo(0.0)
    }
}

impl Default for KerasConfig {
    fn default() -> Self {
        Self {
            dialect: KerasVersion::Keras2_15,
            featurewise_center: false,
            samplewise_center: false,
            featurewise_std_normalization: false,
            samplewise_std_normalization: false,
            zca_whitening: false,
            zca_epsilon: 1e-6,
            rotation_range: 0.0,
            width_shift_range: KerasShiftRange::UpTo(0.0),
            height_shift_range: KerasShiftRange::UpTo(0.0),
            brightness_range: None,
            shear_range: 0.0,
            zoom_range: ZoomRange::default(),
            channel_shift_range: 0.0,
            fill_mode: KerasFillMode::default(),
            cval: 0.0,
            horizontal_flip: false,
            vertical_flip: false,
            rescale: None,
            preprocessing_function: (),
            data_format: None,
            validation_split: None,
            interpolation_order: None,
            dtype: None,
        }
    }
}

fn refuse_function<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(serde::de::Error::custom("preprocessing_function has no equal here: a configuration holds no code"))
}
