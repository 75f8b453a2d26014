//! [`RandomPerspective`].

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Draws every picture's corners inwards, the rest in perspective.
///
/// Each corner moves by distances drawn uniformly and independently from `[0, distortion / 2]` of the width and of the
/// height, as in torchvision's `RandomPerspective`, which however moves them by whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomPerspective {
    distortion: f64,
}

impl RandomPerspective {
    /// A perspective of up to `distortion`; torchvision's `distortion_scale`, where 0.5 is customary. At 1, corners reach
    /// the middle of the picture.
    ///
    /// # Errors
    /// Where `distortion` is not in `[0, 1]`.
    pub fn new(distortion: f64) -> Result<Self, AugmentError> {
        Ok(Self { distortion: in_range("distortion", distortion, 0.0, 1.0, "a fraction from 0 to 1")? })
    }
}

impl Transform for RandomPerspective {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut inward = || rng.random_range(0.0..=self.distortion / 2.0);
        plan.ops.push(Op::Perspective {
            top_left: [inward(), inward()],
            top_right: [1.0 - inward(), inward()],
            bottom_right: [1.0 - inward(), 1.0 - inward()],
            bottom_left: [inward(), 1.0 - inward()],
        });
    }
}
