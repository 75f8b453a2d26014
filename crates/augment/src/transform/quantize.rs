//! [`RandomPosterize`], [`RandomSolarize`] and [`RandomJpeg`], whose numbers are whole.

use rand::{Rng, RngExt as _};

use super::{Transform, range_within};
use crate::{AugmentError, Canvas, Op, Plan};

/// Keeps the highest bits of every value, as many as drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomPosterize {
    range: [u8; 2],
}

impl RandomPosterize {
    /// Bits from the first number to the second; usual are 4 to 8.
    ///
    /// # Errors
    /// Where an end is not in `[0, 8]`, or the first is above the second.
    pub fn new(range: [u8; 2]) -> Result<Self, AugmentError> {
        range_within("bits", range.map(f64::from), 0.0, 8.0, "bits from 0 to 8")?;
        Ok(Self { range })
    }
}

impl Transform for RandomPosterize {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Posterize { bits: rng.random_range(self.range[0]..=self.range[1]) });
    }
}

/// Inverts the values from a threshold up, which is drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomSolarize {
    range: [u16; 2],
}

impl RandomSolarize {
    /// Thresholds from the first number to the second; usual is 128.
    ///
    /// # Errors
    /// Where an end is not in `[0, 256]`, or the first is above the second.
    pub fn new(range: [u16; 2]) -> Result<Self, AugmentError> {
        range_within("threshold-levels", range.map(f64::from), 0.0, 256.0, "levels from 0 to 256")?;
        Ok(Self { range })
    }
}

impl Transform for RandomSolarize {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Solarize { threshold_level: rng.random_range(self.range[0]..=self.range[1]) });
    }
}

/// Stores every picture as a JPEG, of a quality drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomJpeg {
    range: [u8; 2],
}

impl RandomJpeg {
    /// Qualities from the first number to the second; usual are 40 to 95.
    ///
    /// # Errors
    /// Where an end is not in `[1, 100]`, or the first is above the second.
    pub fn new(range: [u8; 2]) -> Result<Self, AugmentError> {
        range_within("quality", range.map(f64::from), 1.0, 100.0, "qualities from 1 to 100")?;
        Ok(Self { range })
    }
}

impl Transform for RandomJpeg {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Jpeg { quality: rng.random_range(self.range[0]..=self.range[1]) });
    }
}
