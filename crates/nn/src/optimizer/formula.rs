//! The rules of `kernels/optimizer.cu` for each configuration.

use super::adam::Adam;
use super::config::{OptimizerConfig, OptimizerVariant};
use super::sweep::{Decay, Terms};

/// What an optimizer does in a step on a GPU: its kernel, and the numbers that the kernel calls `formula`.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    pub kernel: &'static str,
    pub numbers: Vec<f32>,
}

impl OptimizerConfig {
    /// For the step counted `step`, from 1.
    pub(crate) fn formula(&self, step: u64) -> Formula {
        let is_keras = |variant| f32::from(u8::from(variant == OptimizerVariant::Keras));
        match self {
            Self::Sgd(sgd) if sgd.momentum == 0.0 => Formula { kernel: "sgd", numbers: vec![0.0] },
            Self::Sgd(sgd) => {
                let numbers = vec![sgd.momentum, f32::from(u8::from(sgd.nesterov)), is_keras(sgd.variant)];
                Formula { kernel: "sgd_momentum", numbers }
            }
            Self::Rmsprop(rmsprop) => {
                let [inside, outside] = rmsprop.epsilons();
                let centered = f32::from(u8::from(rmsprop.centered));
                let variant = is_keras(rmsprop.variant);
                let numbers = vec![rmsprop.rho, inside, outside, rmsprop.momentum, centered, variant];
                Formula { kernel: "rmsprop", numbers }
            }
            Self::Adam(adam) => Adam::new([adam.beta1, adam.beta2], adam.epsilon, adam.variant, step).formula(),
            Self::AdamW(adam) => Adam::new([adam.beta1, adam.beta2], adam.epsilon, adam.variant, step).formula(),
        }
    }

    /// Where its weight decay enters.
    pub(crate) fn decay(&self) -> Decay {
        match self {
            Self::AdamW(_) => Decay::Decoupled,
            Self::Sgd(_) | Self::Rmsprop(_) | Self::Adam(_) => Decay::Coupled,
        }
    }
}

impl Adam {
    fn formula(&self) -> Formula {
        let Self { kept, entering, epsilon, rate, root } = *self;
        let numbers = vec![kept[0], kept[1], entering[0], entering[1], epsilon, rate, root];
        Formula { kernel: "adam", numbers }
    }
}

impl Terms {
    /// As the kernels take them.
    pub(crate) fn numbers(self) -> [f32; 4] {
        [self.rate, self.l2, self.l1, self.decay]
    }
}
