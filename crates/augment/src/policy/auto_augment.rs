//! [`AutoAugment`].

use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

use super::auto_augment_tables::{CIFAR10, IMAGENET, SVHN};
use super::space::{Kind, Space};
use crate::{Canvas, Plan, Transform};

/// Draws one of the 25 pairs of operations that a search has found for a data set (Cubuk, Zoph, Mané, Vasudevan and Le,
/// *`AutoAugment`: Learning Augmentation Strategies from Data*, 2019, appendix).
///
/// Each operation of a pair has its own probability and strength. A strength is one of ten bins, from none to a shear of
/// 0.3, a translation by 150/331 of the side, a rotation by 30 degrees, factors 0.9 away from 1, 4 bits and a threshold of 0.
/// The fill is the plan's.
///
/// ```
/// use aumenta_augment::{AutoAugment, AutoAugmentPolicy, Canvas, Plan, Transform};
/// use aumenta_imgproc::Size;
///
/// let mut plan = Plan::identity();
/// let auto_augment = AutoAugment::new(AutoAugmentPolicy::Cifar10);
/// auto_augment.draw(Canvas::of(Size::square(32)), &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert!(plan.ops.len() <= 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AutoAugment {
    policy: AutoAugmentPolicy,
}

/// The data set for which a policy was searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoAugmentPolicy {
    /// Photographs of 1,000 classes.
    #[default]
    ImageNet,
    /// Photographs of 32x32 pixels.
    Cifar10,
    /// House numbers.
    Svhn,
}

/// An operation of a pair: its kind, its probability in tenths and its strength, from 0 to 9.
pub(super) type Choice = (Kind, u32, u32);

impl AutoAugment {
    /// The policy of a data set.
    pub const fn new(policy: AutoAugmentPolicy) -> Self {
        Self { policy }
    }
}

impl Transform for AutoAugment {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let pairs = match self.policy {
            AutoAugmentPolicy::ImageNet => &IMAGENET,
            AutoAugmentPolicy::Cifar10 => &CIFAR10,
            AutoAugmentPolicy::Svhn => &SVHN,
        };
        for (kind, tenths, bin) in pairs[rng.random_range(0..pairs.len())] {
            if rng.random_ratio(tenths, 10) {
                Space::SEARCHED.push(kind, f64::from(bin) / 9.0, canvas, rng, plan);
            }
        }
    }
}
