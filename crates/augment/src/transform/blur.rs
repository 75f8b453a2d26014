//! [`RandomGaussianBlur`] and [`RandomMotionBlur`].

use rand::{Rng, RngExt as _};

use super::{Transform, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Blurs by a Gaussian, of a standard deviation drawn uniformly from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomGaussianBlur {
    range: [f64; 2],
}

impl RandomGaussianBlur {
    /// Standard deviations from the first number to the second, in pixels of the output; usual are 0.1 to 2.
    ///
    /// # Errors
    /// Where an end is not in `[0.0, 100.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("sigma-pixels", range, 0.0, 100.0, "standard deviations from 0 to 100 pixels")? })
    }
}

impl Transform for RandomGaussianBlur {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::GaussianBlur { sigma_pixels: uniform(self.range, rng) });
    }
}

/// Blurs along a line, of a length drawn uniformly from a range and an angle drawn uniformly from all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomMotionBlur {
    range: [f64; 2],
}

impl RandomMotionBlur {
    /// Lengths from the first number to the second, in pixels of the output; usual are 3 to 7.
    ///
    /// # Errors
    /// Where an end is not in `[1.0, 200.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("length-pixels", range, 1.0, 200.0, "lengths from 1 to 200 pixels")? })
    }
}

impl Transform for RandomMotionBlur {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let length_pixels = uniform(self.range, rng);
        plan.ops.push(Op::MotionBlur { length_pixels, angle_degrees: rng.random_range(0.0..180.0) });
    }
}
