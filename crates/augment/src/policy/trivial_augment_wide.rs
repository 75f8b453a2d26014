//! [`TrivialAugmentWide`].

use rand::{Rng, RngExt as _};

use super::space::{ALL_BUT_INVERT, Space, Translation, any_of};
use crate::{Canvas, Plan, Transform};

/// Draws one operation of random strength for every picture (Müller and Hutter, *`TrivialAugment`: Tuning-free Yet
/// State-of-the-Art Data Augmentation*, 2021, in its wide space).
///
/// The operations are those of [`RandAugment`](crate::RandAugment), and each of the strengths `0/30, 1/30, .. 30/30` comes as
/// often, up to a shear of 0.99, a translation by 32 pixels, a rotation by 135 degrees, factors 0.99 away from 1, 2 bits and
/// a threshold of 0. The fill is the plan's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrivialAugmentWide {}

const SPACE: Space = Space {
    shear: 0.99,
    translation: Translation::Pixels(32.0),
    rotation_degrees: 135.0,
    enhancement: 0.99,
    bits: [8.0, 2.0],
};

impl Transform for TrivialAugmentWide {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let kind = any_of(&ALL_BUT_INVERT, rng);
        let strength = f64::from(rng.random_range(0..=30u32)) / 30.0;
        SPACE.push(kind, strength, canvas, rng, plan);
    }
}
