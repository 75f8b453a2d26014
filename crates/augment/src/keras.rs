//! [`KerasConfig`]: Keras' `ImageDataGenerator` as a dialect, with its argument names and meanings.
//!
//! A dialect is for repeating an experiment: it keeps what a version of Keras does, its oddities included. They are these:
//!
//! | | 2.0.8 | 2.15 |
//! | --- | --- | --- |
//! | center of rotation, shear and zoom | half a pixel below and right of the last row's and column's middle: `n / 2 + 0.5` | `n / 2 - 0.5`, but the height's for columns and the width's for rows, which is off the center unless the picture is square |
//! | first axis of the map (`theta`, `tx`, `zx`) | rows | columns: `height_shift_range` is measured in heights and moves columns |
//! | `shear_range` | radians (up to 2.1.2) | degrees (from 2.1.3) |
//! | shifts | fractions | a fraction below 1, else pixels; an integer or a list is chosen from |
//! | order of interpolation | 0 | `interpolation_order`, 0 or 1 |
//! | `channel_shift_range` | one number a channel | one number for all channels |
//! | `brightness_range` | unknown | Pillow's, on levels cut to whole ones |
//! | flips | one number drawn where a flip is on | both numbers always drawn |
//!
//! Numbers are drawn in Keras' order and from its distributions, by this project's generators instead of NumPy's, so a seed
//! gives other pictures than in Keras. The picture is resized to the output first, as `target_size` does (averaging where
//! Keras skips pixels), and then moved at that size.
//!
//! The tests hold both to what Keras itself computes (`fixtures/reference`): all pixels are exact for interpolation of order
//! 0, and for order 1 within 1 level of 255. A channel shift is rounded to whole levels, and a brightness above 1 multiplies
//! what it is given, that 1 level included.

mod arguments;
mod generator;
mod map;
mod pixels;
#[cfg(test)]
mod reference;

use aumenta_imgproc::{Fill, Interpolation};
use serde::{Deserialize, Serialize};

pub use self::arguments::{Keras2_0_8, Keras2_15, KerasDataFormat, KerasDtype, KerasFillMode, KerasShiftRange};
use self::generator::Generator;
pub(crate) use self::map::KerasMap;
pub use self::map::KerasVersion;
pub(crate) use self::pixels::{multiply, resample, shift_channels};
use crate::{AugmentError, Pipeline};

/// The augmentation section of a configuration with a `dialect`.
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
#[serde(tag = "dialect")]
pub enum KerasConfig {
    /// Keras 2.0.8, the version of François Chollet's "Deep Learning with Python" (2017).
    #[serde(rename = "keras-2.0.8")]
    Keras2_0_8(Keras2_0_8),
    /// Keras 2.15, the last version before Keras 3.
    #[serde(rename = "keras-2.15")]
    Keras2_15(Keras2_15),
}

impl KerasConfig {
    /// Whether no argument changes any picture.
    pub fn is_neutral(&self) -> bool {
        match self {
            Self::Keras2_0_8(arguments) => arguments.is_neutral(),
            Self::Keras2_15(arguments) => arguments.is_neutral(),
        }
    }

    /// The pipeline of these arguments.
    ///
    /// # Errors
    /// Where an argument is outside of its range, or asks for what this project does elsewhere or not at all; the first
    /// such argument is named.
    pub fn build(&self) -> Result<Pipeline, AugmentError> {
        let generator = match self {
            Self::Keras2_0_8(arguments) => Generator::new_2_0_8(arguments)?,
            Self::Keras2_15(arguments) => Generator::new_2_15(arguments)?,
        };
        Ok(if self.is_neutral() {
            Pipeline::empty()
        } else {
            Pipeline::new(vec![Box::new(generator)], Fill::default(), Interpolation::default())
        })
    }
}
