//! Adam with decoupled weight decay.

use serde::{Deserialize, Serialize};

use super::adam::{Adam, check};
use super::config::{Decayed, OptimizerVariant};
use super::group::ParameterGroup;
use super::sweep::Sweep;
use crate::error::NnError;

/// `AdamW` (Loshchilov and Hutter 2019, algorithm 2): Adam's step after a decay of the parameters themselves.
///
/// `p = p * (1 - learning_rate * weight_decay)`, then the step of [`AdamConfig`](crate::AdamConfig), whose gradient the
/// decay does not enter. The decay follows the learning rate, as in PyTorch and in Keras, not the paper's schedule factor
/// alone. L1 regularization stays coupled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AdamWConfig {
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
    /// L2 regularization, decoupled, at least 0. Default 0.01, as in PyTorch; Keras' own default is 0.004.
    pub weight_decay: f32,
    /// Which parameters it applies to. Default all, as in PyTorch and Keras.
    pub decayed: Decayed,
    /// L1 regularization, coupled, at least 0. Default 0.
    pub l1: f32,
    /// The largest global norm of gradients, above 0. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
    /// Parameters that are stepped otherwise. Default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            variant: OptimizerVariant::default(),
            weight_decay: 0.01,
            decayed: Decayed::default(),
            l1: 0.0,
            clip_norm: None,
            groups: Vec::new(),
        }
    }
}

impl AdamWConfig {
    pub(super) fn check(&self) -> Result<(), NnError> {
        check(self.beta1, self.beta2, self.epsilon)
    }

    /// Moves all parameters, in the step counted `step`, from 1.
    pub(super) fn sweep(&self, sweep: Sweep<'_>, step: u64) -> Result<(), NnError> {
        sweep.run_decoupled(Adam::new([self.beta1, self.beta2], self.epsilon, self.variant, step))
    }
}
