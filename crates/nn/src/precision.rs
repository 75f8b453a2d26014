//! How exactly a network computes.

use serde::{Deserialize, Serialize};

/// The arithmetic of a network's convolutions and dense layers. Weights, their gradients, statistics, losses and what an
/// optimizer remembers are f32 whichever it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Products and sums in f32. Default, and the only one on the CPU.
    #[default]
    F32,
    /// Convolutions take the factors of their products with 10 bits of mantissa, as GPUs since NVIDIA's Ampere do fast; sums stay
    /// f32, and so do dense layers.
    Tf32,
    /// Activations, and copies of the weights, are bfloat16, with 7 bits of mantissa and the range of f32 (Kalamkar et al. 2019,
    /// *A study of BFLOAT16 for deep learning training*); sums stay f32. As the range is that of f32, losses need no scale.
    Bf16,
}

impl Precision {
    /// Its name, as configurations spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
