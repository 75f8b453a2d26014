//! [`RandomDownscale`].

use rand::Rng;

use super::{Transform, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Makes pixels fewer and larger, by a share drawn uniformly from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomDownscale {
    range: [f64; 2],
}

impl RandomDownscale {
    /// Shares of the width and height that are left, from the first number to the second; usual are 0.25 to 0.75.
    ///
    /// # Errors
    /// Where an end is not in `[0.01, 1.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("fraction", range, 0.01, 1.0, "shares from 0.01 to 1")? })
    }
}

impl Transform for RandomDownscale {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Downscale { fraction: uniform(self.range, rng) });
    }
}
