//! [`Transform`]: something that draws an operation, and the transforms there are.

mod crop;
mod elastic;
mod factor;
mod flip;
mod perspective;
mod quarter_turns;
mod rotation;
mod shear;
mod shift;
mod sometimes;
mod zoom;

use std::fmt::Debug;

use rand::Rng;

pub use self::crop::{RandomCrop, RandomResizedCrop};
pub use self::elastic::RandomElastic;
pub use self::factor::{RandomBrightness, RandomContrast, RandomSaturation};
pub use self::flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use self::perspective::RandomPerspective;
pub use self::quarter_turns::RandomQuarterTurns;
pub use self::rotation::RandomRotation;
pub use self::shear::{RandomShear, RandomVerticalShear};
pub use self::shift::RandomShift;
pub use self::sometimes::Sometimes;
pub use self::zoom::RandomZoom;
use crate::{AugmentError, Canvas, Plan};

/// A random change of pictures: it draws numbers and writes them down, and never sees a pixel.
///
/// ```
/// use aumenta_augment::{Canvas, Op, Plan, Transform};
/// use aumenta_imgproc::Size;
///
/// /// Turns half of all pictures upside down.
/// #[derive(Debug)]
/// struct UpsideDown;
///
/// impl Transform for UpsideDown {
///     fn draw(&self, _: Canvas, rng: &mut dyn rand::Rng, plan: &mut Plan) {
///         if rand::RngExt::random_bool(rng, 0.5) {
///             plan.ops.push(Op::Rotate { degrees: 180.0 });
///         }
///     }
/// }
///
/// let mut plan = Plan::identity();
/// let canvas = Canvas::of(Size::square(150));
/// UpsideDown.draw(canvas, &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert!(plan.ops.len() <= 1);
/// ```
pub trait Transform: Send + Sync + Debug {
    /// Draws this transform's numbers from `rng` and appends the operation to `plan`, or nothing where the draw leaves
    /// the picture alone.
    ///
    /// What is drawn must depend on the canvas and earlier draws alone, so that a seed always gives the same plan.
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan);
}

/// `value`, if it lies in `low..=high`; NaN does not.
pub(crate) fn in_range(
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
    expected: &'static str,
) -> Result<f64, AugmentError> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(AugmentError::OutOfRange { field, value, expected }) }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::Op;

    /// The operations of 200 samples.
    fn draws(transform: &dyn Transform) -> Vec<Op> {
        let mut plan = Plan::identity();
        for sample in 0..200 {
            transform.draw(Canvas::of(Size::square(100)), &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        plan.ops
    }

    /// Checks that numbers stay in their range, come close to both ends of it, and are balanced around its middle.
    #[track_caller]
    fn check(numbers: impl Iterator<Item = f64>, low: f64, high: f64) {
        let numbers: Vec<f64> = numbers.collect();
        assert_eq!(numbers.len(), 200);
        assert!(numbers.iter().all(|number| (low..=high).contains(number)), "{numbers:?}");
        let tenth = (high - low) / 10.0;
        assert!(
            numbers.iter().any(|&number| number < low + tenth) && numbers.iter().any(|&number| number > high - tenth)
        );
        let mean = numbers.iter().sum::<f64>() / 200.0;
        assert!((mean - f64::midpoint(low, high)).abs() < tenth, "the mean is {mean}");
    }

    macro_rules! numbers {
        ($draws:expr, $variant:ident . $field:ident) => {
            $draws.iter().filter_map(|op| if let Op::$variant { $field, .. } = op { Some(*$field) } else { None })
        };
    }

    #[test]
    fn drawn_numbers_fill_their_range() {
        check(numbers!(draws(&RandomRotation::new(40.0).unwrap()), Rotate.degrees), -40.0, 40.0);
        check(numbers!(draws(&RandomShear::new(10.0).unwrap()), Shear.degrees), -10.0, 10.0);
        let shifts = draws(&RandomShift::new(0.2, 0.1).unwrap());
        check(numbers!(shifts, Shift.x_fraction), -0.2, 0.2);
        check(numbers!(shifts, Shift.y_fraction), -0.1, 0.1);
        let zooms = draws(&RandomZoom::new(0.8, 1.4).unwrap());
        check(numbers!(zooms, Zoom.x), 0.8, 1.4);
        check(numbers!(zooms, Zoom.y), 0.8, 1.4);
        check(numbers!(draws(&RandomBrightness::new(0.3).unwrap()), Brightness.factor), 0.7, 1.3);
        check(numbers!(draws(&RandomContrast::new(0.3).unwrap()), Contrast.factor), 0.7, 1.3);
        check(numbers!(draws(&RandomSaturation::new(1.0).unwrap()), Saturation.factor), 0.0, 2.0);
    }

    #[test]
    fn width_and_height_are_drawn_independently() {
        let zooms = draws(&RandomZoom::new(0.8, 1.2).unwrap());
        assert!(zooms.iter().all(|op| matches!(op, Op::Zoom { x, y } if x != y)));
    }

    #[test]
    fn flips_come_as_often_as_asked() {
        assert!((70..=130).contains(&draws(&RandomHorizontalFlip::new(0.5).unwrap()).len()));
        assert_eq!(draws(&RandomHorizontalFlip::new(0.0).unwrap()), []);
        assert_eq!(draws(&RandomVerticalFlip::new(1.0).unwrap()), vec![Op::VerticalFlip {}; 200]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let error = RandomRotation::new(-1.0).unwrap_err();
        assert_eq!(error.to_string(), "rotation-degrees is -1, expected an angle from 0 to 180");
        assert_eq!(RandomZoom::new(1.2, 0.8), Err(AugmentError::Reversed { field: "zoom", low: 1.2, high: 0.8 }));
        assert!(RandomZoom::new(0.0, 1.0).is_err());
        assert!(RandomShift::new(0.1, f64::NAN).is_err());
        assert!(RandomShear::new(90.0).is_err());
        assert!(RandomHorizontalFlip::new(1.1).is_err());
        assert!(RandomVerticalFlip::new(f64::NAN).is_err());
        assert!(RandomBrightness::new(1.5).is_err());
        assert!(RandomContrast::new(-0.1).is_err());
        assert!(RandomSaturation::new(f64::INFINITY).is_err());
    }
}
