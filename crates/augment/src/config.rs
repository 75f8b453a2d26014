//! [`AugmentConfig`]: augmentation as a user writes it.

use aumenta_imgproc::{Fill, Interpolation};
use serde::{Deserialize, Serialize};

use crate::{
    AugmentError, Pipeline, RandomBrightness, RandomContrast, RandomHorizontalFlip, RandomRotation, RandomSaturation,
    RandomShear, RandomShift, RandomVerticalFlip, RandomZoom, Transform,
};

/// The augmentation section of a configuration. Every setting is optional, and left out it changes nothing.
///
/// The settings are those of Keras' `ImageDataGenerator`, with units in their names; the operations act on a picture in
/// its order as well: rotation, shift, shear, zoom, flips, then colours.
///
/// ```
/// use aumenta_augment::AugmentConfig;
///
/// let config: AugmentConfig = toml::from_str("rotation-degrees = 20\nzoom = 0.1\nfill = { constant = [0, 0, 0] }")?;
/// assert!(!config.is_neutral());
/// assert!(toml::from_str::<AugmentConfig>("rotation = 20").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct AugmentConfig {
    /// The largest turn about the centre, either way, from 0 to 180.
    pub rotation_degrees: f64,
    /// The largest move to the left or right, as a fraction of the width, from 0 to 1.
    pub width_shift: f64,
    /// The largest move up or down, as a fraction of the height, from 0 to 1.
    pub height_shift: f64,
    /// The largest lean, either way, from 0 to 80.
    pub shear_degrees: f64,
    /// The range of enlargement, drawn for width and height independently.
    pub zoom: ZoomRange,
    /// Whether half of the pictures are mirrored left to right.
    pub horizontal_flip: bool,
    /// Whether half of the pictures are mirrored top to bottom.
    pub vertical_flip: bool,
    /// `b` multiplies all channels by a factor from `1 - b` to `1 + b`; from 0 to 1.
    pub brightness: f64,
    /// `c` multiplies the distance from mid gray by a factor from `1 - c` to `1 + c`; from 0 to 1.
    pub contrast: f64,
    /// `s` multiplies the distance from each pixel's gray by a factor from `1 - s` to `1 + s`; from 0 to 1.
    pub saturation: f64,
    /// What shows where the picture has moved away: `"nearest"`, `"reflect"`, `"wrap"` or `{ constant = [r, g, b] }`.
    pub fill: Fill,
    /// How colours between pixels are read: `"bilinear"` or `"nearest"`.
    pub interpolation: Interpolation,
}

/// A range of zoom factors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "zoom is a number z, meaning [1 - z, 1 + z], or a range [low, high]")]
pub enum ZoomRange {
    /// `z` is the range `[1 - z, 1 + z]`.
    Around(f64),
    /// The range `[low, high]`.
    Between([f64; 2]),
}

impl Default for ZoomRange {
    fn default() -> Self {
        Self::Around(0.0)
    }
}

impl ZoomRange {
    /// The lower and the upper end.
    pub fn ends(self) -> (f64, f64) {
        match self {
            Self::Around(amount) => (1.0 - amount, 1.0 + amount),
            Self::Between([low, high]) => (low, high),
        }
    }
}

impl AugmentConfig {
    /// The augmentation of the dogs-and-cats example in François Chollet's "Deep Learning with Python" (2017, listing
    /// 5.11): rotation by 40 degrees, shifts, shear and zoom by 0.2, horizontal flips, nearest fill.
    ///
    /// The book's shear of 0.2 was meant in radians when Keras' documentation spoke of radians; later versions read
    /// the same number as degrees, where it does nothing that anyone could see. Here it is 0.2 radians, 11.459 degrees.
    pub fn book() -> Self {
        Self {
            rotation_degrees: 40.0,
            width_shift: 0.2,
            height_shift: 0.2,
            shear_degrees: 11.459,
            zoom: ZoomRange::Around(0.2),
            horizontal_flip: true,
            ..Self::default()
        }
    }

    /// Whether no setting changes any picture; fill and interpolation alone do not.
    pub fn is_neutral(&self) -> bool {
        let zoom = if self.zoom.ends() == (1.0, 1.0) { ZoomRange::default() } else { self.zoom };
        let changes = Self { zoom, fill: Fill::default(), interpolation: Interpolation::default(), ..*self };
        changes == Self::default()
    }

    /// The pipeline of these settings; what is neutral draws no numbers.
    ///
    /// # Errors
    /// Where a setting is outside of its range; the first such setting is named.
    pub fn build(&self) -> Result<Pipeline, AugmentError> {
        let (zoom_low, zoom_high) = self.zoom.ends();
        let mut transforms: Vec<Box<dyn Transform>> = Vec::new();
        if self.rotation_degrees != 0.0 {
            transforms.push(Box::new(RandomRotation::new(self.rotation_degrees)?));
        }
        if self.width_shift != 0.0 || self.height_shift != 0.0 {
            transforms.push(Box::new(RandomShift::new(self.width_shift, self.height_shift)?));
        }
        if self.shear_degrees != 0.0 {
            transforms.push(Box::new(RandomShear::new(self.shear_degrees)?));
        }
        if (zoom_low, zoom_high) != (1.0, 1.0) {
            transforms.push(Box::new(RandomZoom::new(zoom_low, zoom_high)?));
        }
        if self.horizontal_flip {
            transforms.push(Box::new(RandomHorizontalFlip::new(0.5)?));
        }
        if self.vertical_flip {
            transforms.push(Box::new(RandomVerticalFlip::new(0.5)?));
        }
        if self.brightness != 0.0 {
            transforms.push(Box::new(RandomBrightness::new(self.brightness)?));
        }
        if self.contrast != 0.0 {
            transforms.push(Box::new(RandomContrast::new(self.contrast)?));
        }
        if self.saturation != 0.0 {
            transforms.push(Box::new(RandomSaturation::new(self.saturation)?));
        }
        Ok(Pipeline::new(transforms, self.fill, self.interpolation))
    }
}
