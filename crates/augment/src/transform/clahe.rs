//! [`RandomClahe`].

use rand::Rng;

use super::{Transform, in_range, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Equalizes brightness by neighborhoods, with a limit of contrast drawn uniformly from a range (Zuiderveld 1994).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomClahe {
    clip_limits: [f64; 2],
    tiles: usize,
}

impl RandomClahe {
    /// Clip limits from the first number to the second (albumentations draws them from 1 to 4), and `tiles` neighborhoods
    /// to a side (8 there).
    ///
    /// # Errors
    /// Where a limit is not in `[1, 256]`, the first is above the second, or `tiles` is not in `[1, 64]`.
    pub fn new(clip_limits: [f64; 2], tiles: usize) -> Result<Self, AugmentError> {
        in_range("tiles", tiles as f64, 1.0, 64.0, "tiles from 1 to 64")?;
        let clip_limits = range_within("clip-limits", clip_limits, 1.0, 256.0, "limits from 1 to 256")?;
        Ok(Self { clip_limits, tiles })
    }
}

impl Transform for RandomClahe {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Clahe { clip_limit: uniform(self.clip_limits, rng), tiles: self.tiles });
    }
}
