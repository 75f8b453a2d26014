//! [`RandomShift`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Moves every picture, by a distance drawn uniformly and independently in each direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomShift {
    width_fraction: f64,
    height_fraction: f64,
}

impl RandomShift {
    /// A shift by up to `width_fraction` of the width to the left or right, and up to `height_fraction` of the height
    /// up or down.
    ///
    /// # Errors
    /// Where a fraction is not in `[0, 1]`.
    pub fn new(width_fraction: f64, height_fraction: f64) -> Result<Self, AugmentError> {
        let fraction = |field, value| in_range(field, value, 0.0, 1.0, "a fraction from 0 to 1");
        Ok(Self {
            width_fraction: fraction("width-shift", width_fraction)?,
            height_fraction: fraction("height-shift", height_fraction)?,
        })
    }
}

impl Transform for RandomShift {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Shift {
            x_fraction: rng.random_range(-self.width_fraction..=self.width_fraction),
            y_fraction: rng.random_range(-self.height_fraction..=self.height_fraction),
        });
    }
}
