//! Adam, and the rule that it shares with `AdamW`.

use serde::{Deserialize, Serialize};

use super::config::{Decayed, OptimizerVariant};
use super::group::ParameterGroup;
use super::sweep::{Rule, Sweep};
use crate::error::NnError;
use crate::setting;

/// Adam (Kingma and Ba 2015, algorithm 1): a step in each element by the mean of past gradients over the root of the mean
/// of their squares, both corrected for their start at zero.
///
/// For each element and its gradient `g`, at step `t`, counted from 1: `m = beta1 * m + (1 - beta1) * g`,
/// `v = beta2 * v + (1 - beta2) * g^2`, then, with the corrections `c1 = 1 - beta1^t` and `c2 = 1 - beta2^t`,
///
/// - PyTorch: `p = p - learning_rate * (m / c1) / (sqrt(v / c2) + epsilon)`, as in the paper's algorithm.
/// - Keras: `p = p - learning_rate * sqrt(c2) / c1 * m / (sqrt(v) + epsilon)`, as at the end of the paper's section 2; its
///   own default is `epsilon = 1e-7`. At the first step its epsilon weighs `1 / sqrt(1 - beta2)`, about 32, times more.
///
/// Weight decay is coupled, and so divided by the root as well; [`AdamWConfig`](crate::AdamWConfig) decouples it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AdamConfig {
    /// The step size, above 0. Default 0.001.
    pub learning_rate: f32,
    /// The decay of the mean gradient, in `[0, 1)`. Default 0.9.
    pub beta1: f64,
    /// The decay of the mean square, in `[0, 1)`. Default 0.999. In f64, since in f32 little is left of `1 - beta2`.
    pub beta2: f64,
    /// Added to the root, above 0. Default 1e-8.
    pub epsilon: f32,
    /// Whose place of epsilon. Default PyTorch's.
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

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            variant: OptimizerVariant::default(),
            weight_decay: 0.0,
            decayed: Decayed::default(),
            l1: 0.0,
            clip_norm: None,
            groups: Vec::new(),
        }
    }
}

impl AdamConfig {
    pub(super) fn check(&self) -> Result<(), NnError> {
        check(self.beta1, self.beta2, self.epsilon)
    }

    /// Moves all parameters, in the step counted `step`, from 1.
    pub(super) fn sweep(&self, sweep: Sweep<'_>, step: u64) -> Result<(), NnError> {
        sweep.run(Adam::new([self.beta1, self.beta2], self.epsilon, self.variant, step))
    }
}

/// What is remembered of each element.
pub(super) const SLOTS: [&str; 2] = ["mean_gradient", "mean_square"];

pub(super) fn check(beta1: f64, beta2: f64, epsilon: f32) -> Result<(), NnError> {
    for (name, beta) in [("beta1", beta1), ("beta2", beta2)] {
        // Also as the f32 number that a mean is multiplied by.
        let fits = (0.0..1.0).contains(&beta) && (beta as f32) < 1.0;
        setting::check(name, "at least 0 and below 1", beta as f32, fits)?;
    }
    setting::above_zero("epsilon", epsilon)
}

/// Adam's rule at one step.
#[derive(Clone, Copy)]
pub(super) struct Adam {
    /// The share of each mean that stays, and that of what enters it.
    pub(super) kept: [f32; 2],
    pub(super) entering: [f32; 2],
    pub(super) epsilon: f32,
    /// The factor of the learning rate that corrections make.
    pub(super) rate: f32,
    /// The factor of the root that corrections make.
    pub(super) root: f32,
}

impl Adam {
    pub fn new(betas: [f64; 2], epsilon: f32, variant: OptimizerVariant, step: u64) -> Self {
        // Powers of a number below 1 have long vanished where the count of steps leaves the range.
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        let [c1, c2] = betas.map(|beta| 1.0 - beta.powi(step));
        let (rate, root) = match variant {
            OptimizerVariant::Pytorch => (1.0 / c1, 1.0 / c2.sqrt()),
            OptimizerVariant::Keras => (c2.sqrt() / c1, 1.0),
        };
        Self {
            kept: betas.map(|beta| beta as f32),
            entering: betas.map(|beta| (1.0 - beta) as f32),
            epsilon,
            rate: rate as f32,
            root: root as f32,
        }
    }
}

impl Rule<2> for Adam {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [m, v]: [f32; 2]) -> (f32, [f32; 2]) {
        let m = self.kept[0] * m + self.entering[0] * g;
        let v = self.kept[1] * v + self.entering[1] * g * g;
        (p - rate * self.rate * m / (v.sqrt() * self.root + self.epsilon), [m, v])
    }
}
