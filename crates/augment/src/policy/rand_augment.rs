//! [`RandAugment`].

use rand::Rng;

use super::space::{ALL_BUT_INVERT, Space, any_of};
use crate::transform::in_range;
use crate::{AugmentError, Canvas, Plan, Transform};

/// Draws a number of operations, all equally strong, for every picture (Cubuk, Zoph, Shlens and Le, *`RandAugment`:
/// Practical Automated Data Augmentation with a Reduced Search Space*, 2020).
///
/// The operations and their strengths are those of torchvision: identity, shear and translation in either direction,
/// rotation, brightness, color, contrast (about the mean), sharpness, posterization, solarization, autocontrast and
/// equalization. A magnitude `m` is the bin `m` of 31 from no strength to a shear of 0.3, a translation by 150/331 of the
/// side, a rotation by 30 degrees, factors 0.9 away from 1, 4 bits and a threshold of 0. The fill is the plan's.
///
/// ```
/// use aumenta_augment::{Canvas, Plan, RandAugment, Transform};
/// use aumenta_imgproc::Size;
///
/// let mut plan = Plan::identity();
/// let rand_augment = RandAugment::new(2, 9)?;
/// rand_augment.draw(Canvas::of(Size::square(224)), &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert!(plan.ops.len() <= 2, "the identity draws no operation");
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandAugment {
    operations: u32,
    magnitude: u32,
}

impl RandAugment {
    /// So many operations of this magnitude; customary are 2 and 9.
    ///
    /// # Errors
    /// Where `operations` is not in `[1, 16]`, or `magnitude` is above 30.
    pub fn new(operations: u32, magnitude: u32) -> Result<Self, AugmentError> {
        in_range("operations", f64::from(operations), 1.0, 16.0, "a number from 1 to 16")?;
        in_range("magnitude", f64::from(magnitude), 0.0, 30.0, "a number from 0 to 30")?;
        Ok(Self { operations, magnitude })
    }
}

impl Transform for RandAugment {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        for _ in 0..self.operations {
            let kind = any_of(&ALL_BUT_INVERT, rng);
            Space::SEARCHED.push(kind, f64::from(self.magnitude) / 30.0, canvas, rng, plan);
        }
    }
}
