//! The arguments of `ImageDataGenerator`, a struct a version: names, defaults and meanings are Keras'.

#![expect(clippy::struct_excessive_bools, reason = "the arguments are Keras'")]

use serde::{Deserialize, Deserializer, Serialize};

use crate::ZoomRange;

/// The arguments of `ImageDataGenerator` in Keras 2.0.8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keras2_0_8 {
    /// Refused: the preprocessing normalizes.
    pub featurewise_center: bool,
    /// Refused: the preprocessing normalizes.
    pub samplewise_center: bool,
    /// Refused: the preprocessing normalizes.
    pub featurewise_std_normalization: bool,
    /// Refused: the preprocessing normalizes.
    pub samplewise_std_normalization: bool,
    /// Refused: the preprocessing normalizes.
    pub zca_whitening: bool,
    /// Without whitening, nothing.
    pub zca_epsilon: f64,
    /// The largest turn in degrees, either way; at least 0.
    pub rotation_range: f64,
    /// The largest move along the columns, as a fraction of the width; at least 0.
    pub width_shift_range: f64,
    /// The largest move along the rows, as a fraction of the height; at least 0.
    pub height_shift_range: f64,
    /// The largest shear angle in **radians**, either way; at least 0.
    pub shear_range: f64,
    /// The range of factors, one drawn for each axis, that the way from the center to a pixel's source is multiplied with:
    /// above 1 shrinks. At least 0.
    pub zoom_range: ZoomRange,
    /// The largest number of levels added to a channel, either way, one drawn for each; at least 0. What leaves the range
    /// of the picture's own levels is clipped to it.
    pub channel_shift_range: f64,
    /// What shows outside of the picture.
    pub fill_mode: KerasFillMode,
    /// The level, in all channels, that [`KerasFillMode::Constant`] fills with: a whole number from 0 to 255.
    pub cval: f64,
    /// Whether half of the pictures are mirrored left to right.
    pub horizontal_flip: bool,
    /// Whether half of the pictures are mirrored top to bottom.
    pub vertical_flip: bool,
    /// `1 / 255` or nothing: either way, pixels reach the network from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescale: Option<f64>,
    /// Refused: a configuration holds no code.
    #[serde(skip_serializing, deserialize_with = "refuse_function")]
    pub preprocessing_function: (),
    /// Does not matter here: batches have the layout that the network asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format: Option<KerasDataFormat>,
}

/// The arguments of `ImageDataGenerator` in Keras 2.15.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keras2_15 {
    /// Refused: the preprocessing normalizes.
    pub featurewise_center: bool,
    /// Refused: the preprocessing normalizes.
    pub samplewise_center: bool,
    /// Refused: the preprocessing normalizes.
    pub featurewise_std_normalization: bool,
    /// Refused: the preprocessing normalizes.
    pub samplewise_std_normalization: bool,
    /// Refused: the preprocessing normalizes.
    pub zca_whitening: bool,
    /// Without whitening, nothing.
    pub zca_epsilon: f64,
    /// The largest turn in degrees, either way; at least 0.
    pub rotation_range: f64,
    /// The move along the first axis that Keras means to be the width's; it moves rows.
    pub width_shift_range: KerasShiftRange,
    /// The move along the axis that Keras means to be the height's; it moves columns.
    pub height_shift_range: KerasShiftRange,
    /// The range of factors on levels, such as `[0.5, 1.5]`; at least 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness_range: Option<[f64; 2]>,
    /// The largest shear angle in **degrees**, either way; at least 0.
    pub shear_range: f64,
    /// The range of factors, one drawn for each axis, that the way from the center to a pixel's source is multiplied with:
    /// above 1 shrinks. At least 0.
    pub zoom_range: ZoomRange,
    /// The largest number of levels added to all channels, either way; at least 0. What leaves the range of the picture's
    /// own levels is clipped to it.
    pub channel_shift_range: f64,
    /// What shows outside of the picture.
    pub fill_mode: KerasFillMode,
    /// The level, in all channels, that [`KerasFillMode::Constant`] fills with: a whole number from 0 to 255.
    pub cval: f64,
    /// Whether half of the pictures are mirrored left to right.
    pub horizontal_flip: bool,
    /// Whether half of the pictures are mirrored top to bottom.
    pub vertical_flip: bool,
    /// `1 / 255` or nothing: either way, pixels reach the network from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescale: Option<f64>,
    /// Refused: a configuration holds no code.
    #[serde(skip_serializing, deserialize_with = "refuse_function")]
    pub preprocessing_function: (),
    /// Does not matter here: batches have the layout that the network asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format: Option<KerasDataFormat>,
    /// Refused above 0: the manifest splits.
    pub validation_split: f64,
    /// 0 for the nearest pixel, 1 for bilinear.
    pub interpolation_order: u8,
    /// `float32`, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtype: Option<KerasDtype>,
}

/// A shift as Keras 2.15 reads it.
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

impl Keras2_0_8 {
    /// Whether no argument changes any picture.
    pub(super) fn is_neutral(&self) -> bool {
        [
            self.rotation_range,
            self.width_shift_range,
            self.height_shift_range,
            self.shear_range,
            self.channel_shift_range,
        ] == [0.0; 5]
            && self.zoom_range.ends() == (1.0, 1.0)
            && !self.horizontal_flip
            && !self.vertical_flip
    }
}

impl Keras2_15 {
    /// Whether no argument changes any picture.
    pub(super) fn is_neutral(&self) -> bool {
        [self.rotation_range, self.shear_range, self.channel_shift_range] == [0.0; 3]
            && self.width_shift_range.is_zero()
            && self.height_shift_range.is_zero()
            && self.brightness_range.is_none_or(|range| range == [1.0; 2])
            && self.zoom_range.ends() == (1.0, 1.0)
            && !self.horizontal_flip
            && !self.vertical_flip
    }
}

impl KerasShiftRange {
    /// Whether this is the number 0, which Keras takes for no shift.
    pub(super) fn is_zero(&self) -> bool {
        *self == Self::Pixels(0) || *self == Self::UpTo(0.0)
    }
}

impl Default for Keras2_0_8 {
    fn default() -> Self {
        Self {
            featurewise_center: false,
            samplewise_center: false,
            featurewise_std_normalization: false,
            samplewise_std_normalization: false,
            zca_whitening: false,
            zca_epsilon: 1e-6,
            rotation_range: 0.0,
            width_shift_range: 0.0,
            height_shift_range: 0.0,
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
        }
    }
}

impl Default for Keras2_15 {
    fn default() -> Self {
        Self {
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
            validation_split: 0.0,
            interpolation_order: 1,
            dtype: None,
        }
    }
}

fn refuse_function<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(serde::de::Error::custom("preprocessing_function has no equal here: a configuration holds no code"))
}
