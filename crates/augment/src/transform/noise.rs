//! [`RandomGaussianNoise`], [`RandomSaltAndPepper`] and [`RandomShotNoise`]; each operation carries a seed for its pixels.

use rand::{Rng, RngExt as _};

use super::{Transform, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Adds Gaussian noise, of a standard deviation drawn uniformly from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomGaussianNoise {
    range: [f64; 2],
}

impl RandomGaussianNoise {
    /// Standard deviations from the first number to the second, in levels of 255; usual are 2 to 12.
    ///
    /// # Errors
    /// Where an end is not in `[0.0, 255.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("sigma-levels", range, 0.0, 255.0, "standard deviations from 0 to 255 levels")? })
    }
}

impl Transform for RandomGaussianNoise {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let sigma_levels = uniform(self.range, rng);
        plan.ops.push(Op::GaussianNoise { sigma_levels, seed: rng.random() });
    }
}

/// Turns pixels black or white, a share of them drawn uniformly from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomSaltAndPepper {
    range: [f64; 2],
}

impl RandomSaltAndPepper {
    /// Shares from the first number to the second; usual are 0.005 to 0.05.
    ///
    /// # Errors
    /// Where an end is not in `[0.0, 1.0]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("fraction", range, 0.0, 1.0, "shares from 0 to 1")? })
    }
}

impl Transform for RandomSaltAndPepper {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let fraction = uniform(self.range, rng);
        plan.ops.push(Op::SaltAndPepper { fraction, seed: rng.random() });
    }
}

/// Counts photons, white having as many on average as drawn uniformly from a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomShotNoise {
    range: [f64; 2],
}

impl RandomShotNoise {
    /// Mean counts of white from the first number to the second. Few are noisy: ImageNet-C has 60 to 3 (Hendrycks and
    /// Dietterich 2019).
    ///
    /// # Errors
    /// Where an end is not in `[1.0, 1e6]`, or the first is above the second.
    pub fn new(range: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self { range: range_within("photons-at-white", range, 1.0, 1e6, "photons from 1 to 1000000")? })
    }
}

impl Transform for RandomShotNoise {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let photons_at_white = uniform(self.range, rng);
        plan.ops.push(Op::ShotNoise { photons_at_white, seed: rng.random() });
    }
}
