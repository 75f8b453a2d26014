//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::config::{Decayed, OptimizerVariant};
use super::group::ParameterGroup;
use super::sweep::{Rule, Sweep};
use crate::error::NnError;
use crate::setting;

/// Stochastic gradient descent: `p = p - learning_rate * g`.
///
/// With momentum (Polyak 1964), a buffer `b` of each element sums past gradients `g`:
///
/// - PyTorch: `b = momentum * b + g`, then `p = p - learning_rate * b`; with Nesterov's look ahead (Sutskever, Martens, Dahl
///   and Hinton 2013), `p = p - learning_rate * (g + momentum * b)`.
/// - Keras: `b = momentum * b + learning_rate * g`, then `p = p - b`; with Nesterov,
///   `p = p - (learning_rate * g + momentum * b)`.
///
/// While the learning rate is constant, both are the same. PyTorch's dampening is 0 here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SgdConfig {
    /// The step size, above 0. Default 0.01.
    pub learning_rate: f32,
    /// The share of the buffer that stays, in `[0, 1)`. Default 0.
    pub momentum: f32,
    /// Whether a step looks ahead to where momentum leads. Default false.
    pub nesterov: bool,
    /// Whose momentum. Default PyTorch's.
    pub variant: OptimizerVariant,
    /// L2 regularization, coupled, at least 0. Default 0.
    pub weight_decay: f32,
    /// Which parameters it applies to. Default all, as in PyTorch and Keras.
    pub decayed: Decayed,
    /// L1 regularization, at least 0. Default 0.
    pub l1: f32,
    /// The largest global norm of gradients, above 0. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
    /// Parameters that are stepped otherwise. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            momentum: 0.0,
            nesterov: false,
            variant: OptimizerVariant::default(),
            weight_decay: 0.0,
            decayed: Decayed::default(),
            l1: 0.0,
            clip_norm: None,
            groups: Vec::new(),
        }
    }
}

impl SgdConfig {
    pub(super) fn check(&self) -> Result<(), NnError> {
        setting::below_one("momentum", self.momentum)?;
        let fits = !self.nesterov || self.momentum > 0.0;
        setting::check("momentum", "above 0 with `nesterov`", self.momentum, fits)
    }

    pub(super) fn slots(&self) -> Vec<&'static str> {
        if self.momentum > 0.0 { vec!["momentum"] } else { Vec::new() }
    }

    pub(super) fn sweep(&self, sweep: Sweep<'_>) -> Result<(), NnError> {
        let Self { momentum, nesterov, variant, .. } = *self;
        if momentum > 0.0 { sweep.run(WithMomentum { momentum, nesterov, variant }) } else { sweep.run(Plain) }
    }
}

#[derive(Clone, Copy)]
struct Plain;

impl Rule<0> for Plain {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, []: [f32; 0]) -> (f32, [f32; 0]) {
        (p - rate * g, [])
    }
}

#[derive(Clone, Copy)]
struct WithMomentum {
    momentum: f32,
    nesterov: bool,
    variant: OptimizerVariant,
}

impl Rule<1> for WithMomentum {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [b]: [f32; 1]) -> (f32, [f32; 1]) {
        let [entering, leaving] = self.variant.split(rate);
        let g = entering * g;
        let b = self.momentum * b + g;
        let step = if self.nesterov { g + self.momentum * b } else { b };
        (p - leaving * step, [b])
    }
}
