//! [`RandomGamma`].

use rand::Rng;

use super::{Transform, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Brightens or darkens the middle values, by an exponent drawn uniformly from a range; 1 changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomGamma {
    range: [f64; 2],
}

impl RandomGamma {
    /// Exponents from the first number to the second; usual are 0.8 to 1.2.
    ///
    /// # Errors
    /// Where an end is not in `[0.01, 100.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("exponents", range, 0.01, 100.0, "exponents from 0.01 to 100")? })
    }
}

impl Transform for RandomGamma {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Gamma { exponent: uniform(self.range, rng) });
    }
}
