//! [`AugmentConfig`]: augmentation as a user writes it.

use aumenta_imgproc::{Fill, Interpolation};
use serde::{Deserialize, Serialize};

use crate::{
    AugmentError, Pipeline, Prefilter, RandomBrightness, RandomContrast, RandomHorizontalFlip, RandomRotation,
    RandomSaturation, RandomShear, RandomShift, RandomVerticalFlip, RandomZoom, Step, Transform,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// How colours between pixels are read: `"bilinear"`, `"nearest"` or `"bicubic"`.
    pub interpolation: Interpolation,
    /// What stands before a resampling to half the size or less: `"area"` or `"none"`.
    pub prefilter: Prefilter,
    /// Further transforms, which act after the settings above, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Step>,
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

    /// The same with all amounts `strength` times as large, flips as they are; with a strength of 0 nothing is left.
    ///
    /// Further transforms have no amount in common, so they have no strength.
    ///
    /// # Errors
    /// [`AugmentError::Strength`] where the strength is negative or not a number, and where there are further transforms.
    ///
    /// ```
    /// use aumenta_augment::{AugmentConfig, ZoomRange};
    ///
    /// let half = AugmentConfig::book().with_strength(0.5)?;
    /// assert_eq!((half.rotation_degrees, half.zoom, half.horizontal_flip), (20.0, ZoomRange::Around(0.1), true));
    /// # Ok::<(), aumenta_augment::AugmentError>(())
    /// ```
    pub fn with_strength(&self, strength: f64) -> Result<Self, AugmentError> {
        if !(strength >= 0.0 && strength.is_finite() && self.transforms.is_empty()) {
            return Err(AugmentError::Strength { strength, transforms: self.transforms.len() });
        }
        Ok(Self {
            rotation_degrees: self.rotation_degrees * strength,
            width_shift: self.width_shift * strength,
            height_shift: self.height_shift * strength,
            shear_degrees: self.shear_degrees * strength,
            zoom: match self.zoom {
                ZoomRange::Around(amount) => ZoomRange::Around(amount * strength),
                ZoomRange::Between(ends) => ZoomRange::Between(ends.map(|end| 1.0 + (end - 1.0) * strength)),
            },
            horizontal_flip: self.horizontal_flip && strength > 0.0,
            vertical_flip: self.vertical_flip && strength > 0.0,
            brightness: self.brightness * strength,
            contrast: self.contrast * strength,
            saturation: self.saturation * strength,
            ..self.clone()
        })
    }

    /// Whether no setting changes any picture; fill, interpolation and prefilter alone do not.
    pub fn is_neutral(&self) -> bool {
        let zoom = if self.zoom.ends() == (1.0, 1.0) { ZoomRange::default() } else { self.zoom };
        let Self { fill, interpolation, prefilter, .. } = Self::default();
        Self { zoom, fill, interpolation, prefilter, ..self.clone() } == Self::default()
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
        for step in &self.transforms {
            transforms.push(step.build()?);
        }
        Ok(Pipeline::new(transforms, self.fill, self.interpolation).with_prefilter(self.prefilter))
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::{Canvas, Op, Plan};

    fn draw(config: &AugmentConfig) -> Plan {
        config.build().unwrap().draw(Canvas::of(Size::square(100)), &mut Seed::new(7).rng("augment", 0, 0))
    }

    #[test]
    fn an_empty_configuration_is_neutral() {
        let config: AugmentConfig = toml::from_str("").unwrap();
        assert_eq!(config, AugmentConfig::default());
        assert!(config.is_neutral());
        assert!(config.build().unwrap().is_empty());
    }

    #[test]
    fn only_what_moves_or_colors_a_picture_is_not_neutral() {
        for neutral in ["fill = 'wrap'", "interpolation = 'nearest'", "zoom = [1.0, 1.0]", "zoom = 0"] {
            let config: AugmentConfig = toml::from_str(neutral).unwrap();
            assert!(config.is_neutral() && config.build().unwrap().is_empty(), "{neutral}");
        }
        for change in
            ["zoom = 0.1", "zoom = [1.0, 1.1]", "vertical-flip = true", "contrast = 0.1", "height-shift = 0.1"]
        {
            let config: AugmentConfig = toml::from_str(change).unwrap();
            assert!(!config.is_neutral() && !config.build().unwrap().is_empty(), "{change}");
        }
    }

    #[test]
    fn every_setting_reaches_the_plan_in_order() {
        let config: AugmentConfig = toml::from_str(
            "rotation-degrees = 10\nwidth-shift = 0.1\nheight-shift = 0.2\nshear-degrees = 5\nzoom = [0.9, 1.3]\n\
             brightness = 0.1\ncontrast = 0.2\nsaturation = 0.3\nfill = { constant = [1, 2, 3] }\n\
             interpolation = 'nearest'\n[[transforms]]\ntransform = 'vertical-flip'\nprobability = 1",
        )
        .unwrap();
        let plan = draw(&config);
        assert_eq!((plan.fill, plan.interpolation), (Fill::Constant([1, 2, 3]), Interpolation::Nearest));
        assert!(
            matches!(
                plan.ops[..],
                [
                    Op::Rotate { .. },
                    Op::Shift { .. },
                    Op::Shear { .. },
                    Op::Zoom { .. },
                    Op::Brightness { .. },
                    Op::Contrast { .. },
                    Op::Saturation { .. },
                    Op::VerticalFlip {}
                ]
            ),
            "{plan}"
        );
    }

    #[test]
    fn the_resolved_configuration_reads_back() {
        let config = AugmentConfig {
            zoom: ZoomRange::Between([0.8, 1.5]),
            fill: Fill::Constant([4, 5, 6]),
            brightness: 0.25,
            ..AugmentConfig::book()
        };
        assert_eq!(toml::from_str::<AugmentConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
        let json = serde_json::to_string(&AugmentConfig::book()).unwrap();
        assert_eq!(serde_json::from_str::<AugmentConfig>(&json).unwrap(), AugmentConfig::book());
    }

    #[test]
    fn no_strength_leaves_nothing_and_full_strength_everything() {
        let config = AugmentConfig { zoom: ZoomRange::Between([0.5, 2.0]), contrast: 0.5, ..AugmentConfig::book() };
        assert!(config.with_strength(0.0).unwrap().is_neutral());
        assert_eq!(config.with_strength(1.0).unwrap(), config);
        assert_eq!(config.with_strength(0.5).unwrap().zoom, ZoomRange::Between([0.75, 1.5]));
    }

    #[test]
    fn what_has_no_strength_is_refused() {
        for strength in [-0.5, f64::NAN, f64::INFINITY] {
            assert!(AugmentConfig::book().with_strength(strength).is_err(), "{strength}");
        }
        let further: AugmentConfig = toml::from_str("[[transforms]]\ntransform = 'vertical-flip'").unwrap();
        let message = further.with_strength(0.5).unwrap_err().to_string();
        assert!(message.contains("1 further transforms"), "{message}");
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for text in ["rotation = 20", "fill = 'mirror'", "fill = { constant = [1, 2] }", "zoom = 'far'"] {
            assert!(toml::from_str::<AugmentConfig>(text).is_err(), "{text}");
        }
        let error = toml::from_str::<AugmentConfig>("zoom = 'far'").unwrap_err();
        assert!(error.to_string().contains("zoom is a number z, meaning [1 - z, 1 + z], or a range [low, high]"));
    }

    #[test]
    fn settings_out_of_range_do_not_build() {
        for text in ["zoom = 1.5", "zoom = [1.2, 0.8]", "rotation-degrees = -3", "width-shift = 2", "contrast = nan"] {
            let config: AugmentConfig = toml::from_str(text).unwrap();
            assert!(config.build().is_err(), "{text}");
        }
    }
}
