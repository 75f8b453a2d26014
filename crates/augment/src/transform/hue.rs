//! [`RandomHue`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Turns every picture's color wheel, by an angle drawn uniformly from `[-turns, turns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomHue {
    turns: f64,
}

impl RandomHue {
    /// A turn by up to `turns` of the whole wheel either way; usual is 0.1. It is the `hue` of torchvision's `ColorJitter`.
    ///
    /// # Errors
    /// Where `turns` is not in `[0, 0.5]`.
    pub fn new(turns: f64) -> Result<Self, AugmentError> {
        Ok(Self { turns: in_range("hue-turns", turns, 0.0, 0.5, "turns from 0 to 0.5")? })
    }
}

impl Transform for RandomHue {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Hue { turns: rng.random_range(-self.turns..=self.turns) });
    }
}
