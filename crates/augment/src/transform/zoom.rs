//! [`RandomZoom`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Enlarges or shrinks every picture, by factors drawn uniformly from `[low, high]`, one for the width and an
/// independent one for the height, as Keras' `ImageDataGenerator` does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomZoom {
    low: f64,
    high: f64,
}

impl RandomZoom {
    /// A zoom by `low` to `high`; above 1 enlarges.
    ///
    /// # Errors
    /// Where an end is not in `[0.01, 100]`, or `low` is above `high`.
    pub fn new(low: f64, high: f64) -> Result<Self, AugmentError> {
        for value in [low, high] {
            in_range("zoom", value, 0.01, 100.0, "factors from 0.01 to 100")?;
        }
        if low > high {
            return Err(AugmentError::Reversed { field: "zoom", low, high });
        }
        Ok(Self { low, high })
    }
}

impl Transform for RandomZoom {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut factor = || rng.random_range(self.low..=self.high);
        plan.ops.push(Op::Zoom { x: factor(), y: factor() });
    }
}
