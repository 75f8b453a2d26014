//! [`RandomShear`] and [`RandomVerticalShear`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Leans every picture sideways, by an angle drawn uniformly from `[-degrees, degrees]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomShear {
    degrees: f64,
}

impl RandomShear {
    /// A shear by up to `degrees` either way.
    ///
    /// # Errors
    /// Where `degrees` is not in `[0, 80]`; at 90 the picture would be infinitely wide.
    pub fn new(degrees: f64) -> Result<Self, AugmentError> {
        Ok(Self { degrees: in_range("shear-degrees", degrees, 0.0, 80.0, "an angle from 0 to 80")? })
    }
}

impl Transform for RandomShear {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Shear { degrees: rng.random_range(-self.degrees..=self.degrees) });
    }
}

/// Leans every picture up and down, by an angle drawn uniformly from `[-degrees, degrees]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomVerticalShear {
    degrees: f64,
}

impl RandomVerticalShear {
    /// A vertical shear by up to `degrees` either way.
    ///
    /// # Errors
    /// Where `degrees` is not in `[0, 80]`; at 90 the picture would be infinitely high.
    pub fn new(degrees: f64) -> Result<Self, AugmentError> {
        Ok(Self { degrees: in_range("vertical-shear-degrees", degrees, 0.0, 80.0, "an angle from 0 to 80")? })
    }
}

impl Transform for RandomVerticalShear {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::VerticalShear { degrees: rng.random_range(-self.degrees..=self.degrees) });
    }
}
