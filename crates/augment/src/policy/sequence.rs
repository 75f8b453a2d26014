//! [`Sequence`]: several transforms as one.

use rand::Rng;

use crate::{Canvas, Plan, Transform};

/// Draws all of its transforms, in order; with [`Sometimes`](crate::Sometimes), all of them or none.
#[derive(Debug)]
pub struct Sequence {
    transforms: Vec<Box<dyn Transform>>,
}

impl Sequence {
    /// These transforms, the first drawing and acting first; none changes nothing.
    pub fn new(transforms: Vec<Box<dyn Transform>>) -> Self {
        Self { transforms }
    }
}

impl Transform for Sequence {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        for transform in &self.transforms {
            transform.draw(canvas, rng, plan);
        }
    }
}
