//! [`RandomChannelShift`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Adds to every channel a number of its own, drawn uniformly from `[-levels, levels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomChannelShift {
    levels: f64,
}

impl RandomChannelShift {
    /// A shift by up to `levels` of 255 either way; usual is 20.
    ///
    /// # Errors
    /// Where `levels` is not in `[0, 255]`.
    pub fn new(levels: f64) -> Result<Self, AugmentError> {
        Ok(Self { levels: in_range("channel-shift-levels", levels, 0.0, 255.0, "levels from 0 to 255")? })
    }
}

impl Transform for RandomChannelShift {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut shift = || rng.random_range(-self.levels..=self.levels);
        plan.ops.push(Op::ChannelShift { red_levels: shift(), green_levels: shift(), blue_levels: shift() });
    }
}
