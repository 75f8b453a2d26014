//! [`RandomRotation`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Turns every picture about its centre, by an angle drawn uniformly from `[-degrees, degrees]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomRotation {
    degrees: f64,
}

impl RandomRotation {
    /// A rotation by up to `degrees` either way.
    ///
    /// # Errors
    /// Where `degrees` is not in `[0, 180]`.
    pub fn new(degrees: f64) -> Result<Self, AugmentError> {
        let degrees = in_range("rotation-degrees", degrees, 0.0, 180.0, "an angle from 0 to 180")?;
        Ok(Self { degrees })
    }
}

impl Transform for RandomRotation {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Rotate { degrees: rng.random_range(-self.degrees..=self.degrees) });
    }
}
