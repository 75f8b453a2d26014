//! [`Transform`]: something that draws an operation, and the transforms there are.

mod factor;
mod flip;
mod rotation;
mod shear;
mod shift;
mod zoom;

use std::fmt::Debug;

use rand::Rng;

pub use self::factor::{RandomBrightness, RandomContrast, RandomSaturation};
pub use self::flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use self::rotation::RandomRotation;
pub use self::shear::RandomShear;
pub use self::shift::RandomShift;
pub use self::zoom::RandomZoom;
use crate::{AugmentError, Plan};

/// A random change of pictures: it draws numbers and writes them down, and never sees a pixel.
///
/// ```
/// use aumenta_augment::{Op, Plan, Transform};
///
/// /// Turns half of all pictures upside down.
/// #[derive(Debug)]
/// struct UpsideDown;
///
/// impl Transform for UpsideDown {
///     fn draw(&self, rng: &mut dyn rand::Rng, plan: &mut Plan) {
///         if rand::RngExt::random_bool(rng, 0.5) {
///             plan.ops.push(Op::Rotate { degrees: 180.0 });
///         }
///     }
/// }
///
/// let mut plan = Plan::identity();
/// UpsideDown.draw(&mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert!(plan.ops.len() <= 1);
/// ```
pub trait Transform: Send + Sync + Debug {
    /// Draws this transform's numbers from `rng` and appends the operation to `plan`, or nothing where the draw leaves
    /// the picture alone.
    ///
    /// How many numbers are drawn must not depend on anything but earlier draws, so that a seed always gives the same
    /// plan.
    fn draw(&self, rng: &mut dyn Rng, plan: &mut Plan);
}

/// `value`, if it lies in `low..=high`; NaN does not.
fn in_range(field: &'static str, value: f64, low: f64, high: f64, expected: &'static str) -> Result<f64, AugmentError> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(AugmentError::OutOfRange { field, value, expected }) }
}
