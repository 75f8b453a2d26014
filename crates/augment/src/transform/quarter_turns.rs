//! [`RandomQuarterTurns`].

use rand::{Rng, RngExt as _};

use super::Transform;
use crate::{Canvas, Op, Plan};

/// Turns every picture by none, one, two or three quarters, each as often as the others.
///
/// It is for pictures that have no upside, such as those of a microscope or a satellite. On a canvas that is no square, the
/// turned picture is stretched to fill it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RandomQuarterTurns {}

impl Transform for RandomQuarterTurns {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let turns = rng.random_range(0..4);
        if turns != 0 {
            plan.ops.push(Op::QuarterTurns { turns });
        }
    }
}
