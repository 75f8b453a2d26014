//! [`RandomElastic`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Distorts every picture like rubber (Simard, Steinkraus and Platt, 2003), each by a field of its own.
///
/// The numbers are those of the paper, in pixels of the output: a field of numbers from -1 to 1 is smoothed by a Gaussian
/// of `sigma_pixels` and multiplied by `alpha_pixels`. A smoothed number has a standard deviation of about
/// `0.163 / sigma_pixels`, so pixels move by about `0.163 * alpha_pixels / sigma_pixels`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomElastic {
    alpha_pixels: f64,
    sigma_pixels: f64,
}

impl RandomElastic {
    /// A distortion of this strength and smoothness; the paper takes 34 and 4 for digits of 29x29 pixels.
    ///
    /// # Errors
    /// Where `alpha_pixels` is not in `[0, 10000]`, or `sigma_pixels` is not in `[0.5, 1000]`.
    pub fn new(alpha_pixels: f64, sigma_pixels: f64) -> Result<Self, AugmentError> {
        Ok(Self {
            alpha_pixels: in_range("alpha-pixels", alpha_pixels, 0.0, 10_000.0, "a factor from 0 to 10000")?,
            sigma_pixels: in_range("sigma-pixels", sigma_pixels, 0.5, 1000.0, "pixels from 0.5 to 1000")?,
        })
    }
}

impl Transform for RandomElastic {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let Self { alpha_pixels, sigma_pixels } = *self;
        plan.ops.push(Op::Elastic { seed: rng.random(), alpha_pixels, sigma_pixels });
    }
}
