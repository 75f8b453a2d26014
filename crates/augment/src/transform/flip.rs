//! [`RandomHorizontalFlip`] and [`RandomVerticalFlip`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Mirrors a picture left to right with some probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomHorizontalFlip {
    probability: f64,
}

impl RandomHorizontalFlip {
    /// A flip of this share of pictures.
    ///
    /// # Errors
    /// Where `probability` is not in `[0, 1]`.
    pub fn new(probability: f64) -> Result<Self, AugmentError> {
        let probability = in_range("horizontal-flip", probability, 0.0, 1.0, "a probability from 0 to 1")?;
        Ok(Self { probability })
    }
}

impl Transform for RandomHorizontalFlip {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        if rng.random_bool(self.probability) {
            plan.ops.push(Op::HorizontalFlip {});
        }
    }
}

/// Mirrors a picture top to bottom with some probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomVerticalFlip {
    probability: f64,
}

impl RandomVerticalFlip {
    /// A flip of this share of pictures.
    ///
    /// # Errors
    /// Where `probability` is not in `[0, 1]`.
    pub fn new(probability: f64) -> Result<Self, AugmentError> {
        let probability = in_range("vertical-flip", probability, 0.0, 1.0, "a probability from 0 to 1")?;
        Ok(Self { probability })
    }
}

impl Transform for RandomVerticalFlip {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        if rng.random_bool(self.probability) {
            plan.ops.push(Op::VerticalFlip {});
        }
    }
}
