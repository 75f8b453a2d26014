//! `RMSprop`.

use serde::{Deserialize, Serialize};

use super::config::{Decayed, OptimizerVariant};
use super::group::ParameterGroup;
use super::sweep::{Rule, Sweep};
use crate::error::NnError;
use crate::setting;

/// `RMSprop` (Hinton, *Neural Networks for Machine Learning*, lecture 6e, 2012): a step in each element by its gradient `g`
/// over the root of the mean of past squares.
///
/// For each element, `v = rho * v + (1 - rho) * g^2`, then
///
/// - PyTorch: `p = p - learning_rate * g / (sqrt(v) + epsilon)`. With the defaults here this is also `RMSprop` of Keras 1 and
///   2.0; PyTorch's own defaults are `rho = 0.99` (there named alpha) and a learning rate of 0.01.
/// - Keras: `p = p - learning_rate * g / sqrt(v + epsilon)`. Keras' own default is `epsilon = 1e-7`, which weighs more here
///   than outside the root: gradients below `sqrt(epsilon)`, 3e-4, are slowed down.
///
/// `centered` (Graves 2013, equations 38 to 45) takes the variance in place of the mean square: `a = rho * a + (1 - rho) * g`,
/// and `v - a^2` stands for `v` in the second formula; where rounding makes it negative, 0 does.
///
/// With `momentum`, a buffer `b` sums steps of unit size, `b = momentum * b + g / root` and `p = p - learning_rate * b`
/// (PyTorch), or of full size, `b = momentum * b + learning_rate * g / root` and `p = p - b` (Keras), where `root` is
/// the divisor of the second formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RmsPropConfig {
    /// The step size, above 0. Default 0.001.
    pub learning_rate: f32,
    /// The decay of the means, in `[0, 1)`. Default 0.9.
    pub rho: f32,
    /// Added to the root, or inside it, above 0. Default 1e-8.
    pub epsilon: f32,
    /// The share of the buffer of past steps that stays, in `[0, 1)`. Default 0.
    pub momentum: f32,
    /// Whether the variance takes the place of the mean square. Default false.
    pub centered: bool,
    /// Whose place of epsilon and of the learning rate. Default PyTorch's.
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

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            rho: 0.9,
            epsilon: 1e-8,
            momentum: 0.0,
            centered: false,
            variant: OptimizerVariant::default(),
            weight_decay: 0.0,
            decayed: Decayed::default(),
            l1: 0.0,
            clip_norm: None,
            groups: Vec::new(),
        }
    }
}

impl RmsPropConfig {
    pub(super) fn check(&self) -> Result<(), NnError> {
        setting::below_one("rho", self.rho)?;
        setting::above_zero("epsilon", self.epsilon)?;
        setting::below_one("momentum", self.momentum)
    }

    pub(super) fn slots(&self) -> Vec<&'static str> {
        let centered = self.centered.then_some("mean_gradient");
        let momentum = (self.momentum > 0.0).then_some("momentum");
        ["mean_square"].into_iter().chain(centered).chain(momentum).collect()
    }

    /// Epsilon inside the root, and outside.
    pub(super) fn epsilons(&self) -> [f32; 2] {
        match self.variant {
            OptimizerVariant::Pytorch => [0.0, self.epsilon],
            OptimizerVariant::Keras => [self.epsilon, 0.0],
        }
    }

    pub(super) fn sweep(&self, sweep: Sweep<'_>) -> Result<(), NnError> {
        let Self { rho, momentum, variant, .. } = *self;
        let [inside, outside] = self.epsilons();
        let means = Means { rho, inside, outside, variant };
        match (self.centered, momentum > 0.0) {
            (false, false) => sweep.run(Plain(means)),
            (true, false) => sweep.run(Centered(means)),
            (false, true) => sweep.run(WithMomentum(means, momentum)),
            (true, true) => sweep.run(CenteredWithMomentum(means, momentum)),
        }
    }
}

/// The parts of the formula that all rules share.
#[derive(Clone, Copy)]
struct Means {
    rho: f32,
    /// Epsilon where it is added inside the root, else 0.
    inside: f32,
    /// Epsilon where it is added outside the root, else 0.
    outside: f32,
    variant: OptimizerVariant,
}

impl Means {
    #[inline(always)]
    fn square(self, v: f32, g: f32) -> f32 {
        self.rho * v + (1.0 - self.rho) * g * g
    }

    #[inline(always)]
    fn gradient(self, a: f32, g: f32) -> f32 {
        self.rho * a + (1.0 - self.rho) * g
    }

    /// The divisor of a gradient.
    #[inline(always)]
    fn root(self, v: f32) -> f32 {
        (v + self.inside).sqrt() + self.outside
    }

    #[inline(always)]
    fn centered_root(self, v: f32, a: f32) -> f32 {
        let variance = v - a * a;
        // A NaN stays one, so that it is seen.
        self.root(if variance < 0.0 { 0.0 } else { variance })
    }

    #[inline(always)]
    fn momentum_step(self, momentum: f32, rate: f32, p: f32, quotient: f32, b: f32) -> (f32, f32) {
        let [entering, leaving] = self.variant.split(rate);
        let b = momentum * b + entering * quotient;
        (p - leaving * b, b)
    }
}

#[derive(Clone, Copy)]
struct Plain(Means);

impl Rule<1> for Plain {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [v]: [f32; 1]) -> (f32, [f32; 1]) {
        let v = self.0.square(v, g);
        (p - rate * g / self.0.root(v), [v])
    }
}

#[derive(Clone, Copy)]
struct Centered(Means);

impl Rule<2> for Centered {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [v, a]: [f32; 2]) -> (f32, [f32; 2]) {
        let (v, a) = (self.0.square(v, g), self.0.gradient(a, g));
        (p - rate * g / self.0.centered_root(v, a), [v, a])
    }
}

#[derive(Clone, Copy)]
struct WithMomentum(Means, f32);

impl Rule<2> for WithMomentum {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [v, b]: [f32; 2]) -> (f32, [f32; 2]) {
        let v = self.0.square(v, g);
        let (p, b) = self.0.momentum_step(self.1, rate, p, g / self.0.root(v), b);
        (p, [v, b])
    }
}

#[derive(Clone, Copy)]
struct CenteredWithMomentum(Means, f32);

impl Rule<3> for CenteredWithMomentum {
    #[inline(always)]
    fn update(self, rate: f32, p: f32, g: f32, [v, a, b]: [f32; 3]) -> (f32, [f32; 3]) {
        let (v, a) = (self.0.square(v, g), self.0.gradient(a, g));
        let (p, b) = self.0.momentum_step(self.1, rate, p, g / self.0.centered_root(v, a), b);
        (p, [v, a, b])
    }
}
