//! [`Sometimes`]: a transform for a share of the pictures.

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Plan};

/// Draws another transform with some probability, and nothing otherwise.
#[derive(Debug)]
pub struct Sometimes {
    probability: f64,
    transform: Box<dyn Transform>,
}

impl Sometimes {
    /// `transform` for this share of pictures.
    ///
    /// # Errors
    /// Where `probability` is not in `[0, 1]`.
    pub fn new(probability: f64, transform: Box<dyn Transform>) -> Result<Self, AugmentError> {
        let probability = in_range("probability", probability, 0.0, 1.0, "a probability from 0 to 1")?;
        Ok(Self { probability, transform })
    }

    /// As [`new`](Self::new), but `transform` itself where it is certain to be drawn.
    pub(crate) fn wrap(probability: f64, transform: Box<dyn Transform>) -> Result<Box<dyn Transform>, AugmentError> {
        Ok(if probability == 1.0 { transform } else { Box::new(Self::new(probability, transform)?) })
    }
}

impl Transform for Sometimes {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        if rng.random_bool(self.probability) {
            self.transform.draw(canvas, rng, plan);
        }
    }
}
