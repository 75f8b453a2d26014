//! [`RandomBrightness`], [`RandomContrast`], [`RandomContrastAboutMean`], [`RandomSaturation`] and [`RandomSharpness`],
//! which all multiply by a factor around 1.

use rand::{Rng, RngExt as _};

use super::{Transform, in_range};
use crate::{AugmentError, Canvas, Op, Plan};

/// Brightens or darkens every picture, by a factor drawn uniformly from `[1 - amount, 1 + amount]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomBrightness {
    amount: f64,
}

impl RandomBrightness {
    /// A change of brightness by up to `amount` either way.
    ///
    /// # Errors
    /// Where `amount` is not in `[0, 1]`.
    pub fn new(amount: f64) -> Result<Self, AugmentError> {
        Ok(Self { amount: checked("brightness", amount)? })
    }
}

impl Transform for RandomBrightness {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Brightness { factor: factor(self.amount, rng) });
    }
}

/// Strengthens or weakens every picture's contrast, by a factor drawn uniformly from `[1 - amount, 1 + amount]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomContrast {
    amount: f64,
}

impl RandomContrast {
    /// A change of contrast by up to `amount` either way.
    ///
    /// # Errors
    /// Where `amount` is not in `[0, 1]`.
    pub fn new(amount: f64) -> Result<Self, AugmentError> {
        Ok(Self { amount: checked("contrast", amount)? })
    }
}

impl Transform for RandomContrast {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Contrast { factor: factor(self.amount, rng) });
    }
}

/// Strengthens or pales every picture's colours, by a factor drawn uniformly from `[1 - amount, 1 + amount]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomSaturation {
    amount: f64,
}

impl RandomSaturation {
    /// A change of saturation by up to `amount` either way.
    ///
    /// # Errors
    /// Where `amount` is not in `[0, 1]`.
    pub fn new(amount: f64) -> Result<Self, AugmentError> {
        Ok(Self { amount: checked("saturation", amount)? })
    }
}

impl Transform for RandomSaturation {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Saturation { factor: factor(self.amount, rng) });
    }
}

/// Strengthens or weakens every picture's contrast about its own mean gray, as Pillow and torchvision do, by a factor drawn uniformly from
/// `[1 - amount, 1 + amount]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomContrastAboutMean {
    amount: f64,
}

impl RandomContrastAboutMean {
    /// A change of contrast by up to `amount` either way.
    ///
    /// # Errors
    /// Where `amount` is not in `[0, 1]`.
    pub fn new(amount: f64) -> Result<Self, AugmentError> {
        Ok(Self { amount: checked("contrast-about-mean", amount)? })
    }
}

impl Transform for RandomContrastAboutMean {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::ContrastAboutMean { factor: factor(self.amount, rng) });
    }
}

/// Smooths or sharpens every picture as Pillow and torchvision do, by a factor drawn uniformly from
/// `[1 - amount, 1 + amount]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomSharpness {
    amount: f64,
}

impl RandomSharpness {
    /// A change of sharpness by up to `amount` either way.
    ///
    /// # Errors
    /// Where `amount` is not in `[0, 1]`.
    pub fn new(amount: f64) -> Result<Self, AugmentError> {
        Ok(Self { amount: checked("sharpness", amount)? })
    }
}

impl Transform for RandomSharpness {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::Sharpness { factor: factor(self.amount, rng) });
    }
}

fn checked(field: &'static str, amount: f64) -> Result<f64, AugmentError> {
    in_range(field, amount, 0.0, 1.0, "an amount from 0 to 1")
}

fn factor(amount: f64, rng: &mut dyn Rng) -> f64 {
    rng.random_range(1.0 - amount..=1.0 + amount)
}
