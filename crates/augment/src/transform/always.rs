//! [`Always`]: an operation without random numbers.

use rand::Rng;

use super::Transform;
use crate::{Canvas, Op, Plan};

/// Appends the same operation to every plan: grayscale, inversion, equalization and the like, for which only the share of
/// pictures is random (see [`Sometimes`](crate::Sometimes)).
///
/// ```
/// use aumenta_augment::{Always, Canvas, Op, Plan, Transform};
/// use aumenta_imgproc::Size;
///
/// let mut plan = Plan::identity();
/// let mut rng = aumenta_seed::Seed::new(7).rng("augment", 0, 0);
/// Always::new(Op::Grayscale {}).draw(Canvas::of(Size::square(150)), &mut rng, &mut plan);
/// assert_eq!(plan.ops, [Op::Grayscale {}]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Always {
    op: Op,
}

impl Always {
    /// This operation for every picture.
    pub const fn new(op: Op) -> Self {
        Self { op }
    }
}

impl Transform for Always {
    fn draw(&self, _: Canvas, _: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(self.op.clone());
    }
}
