//! Initial values of parameters, drawn from the seed and the parameter's own name.
//!
//! Each parameter has its own random stream, so adding a layer does not change the others' values. Candle's CPU generator
//! cannot be seeded.

use aumenta_seed::Seed;
use candle_core::{Device, Tensor, Var};
use rand::RngExt as _;

use crate::error::NnError;

/// How a new parameter is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// All zero; for biases.
    Zeros,
    /// All one; for scales.
    Ones,
    /// Uniform in `[-a, a]` with `a = sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010, equation 16), Keras' default.
    GlorotUniform,
}

impl Initializer {
    /// A new variable of `shape` for the parameter `name`.
    ///
    /// The fans of a weight `[outputs, inputs, kernel...]` are `inputs * area` and `outputs * area`, where `area` is the
    /// product of the kernel's sides (1 for a dense layer).
    ///
    /// # Errors
    /// [`NnError::Shape`] where a weight has fewer than two dimensions; [`NnError::Candle`] where memory cannot be had on
    /// `device`.
    pub fn variable(self, name: &str, shape: &[usize], seed: Seed, device: &Device) -> Result<Var, NnError> {
        let len = shape.iter().product();
        let values = match self {
            Self::Zeros => vec![0.0; len],
            Self::Ones => vec![1.0; len],
            Self::GlorotUniform => {
                let [outputs, inputs, kernel @ ..] = shape else {
                    return Err(NnError::shape("glorot-uniform", format!("`{name}` of shape {shape:?} has no fans")));
                };
                let area: usize = kernel.iter().product();
                let limit = (6.0 / ((inputs + outputs) * area) as f32).sqrt();
                let mut rng = seed.rng(&format!("init/{name}"), 0, 0);
                (0..len).map(|_| rng.random_range(-limit..=limit)).collect()
            }
        };
        Ok(Var::from_tensor(&Tensor::from_vec(values, shape, device)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
        let var = Initializer::GlorotUniform.variable(name, shape, Seed::new(seed), &Device::Cpu).unwrap();
        var.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn glorot_values_fill_their_interval_evenly() {
        let values = values("conv1.weight", &[32, 16, 3, 3], 7);
        let limit = (6.0f32 / ((32 + 16) * 9) as f32).sqrt();
        assert!(values.iter().all(|v| v.abs() <= limit));
        assert!(values.iter().copied().fold(0.0, f32::max) > 0.99 * limit);
        let n = values.len() as f32;
        let variance = values.iter().map(|v| v * v).sum::<f32>() / n;
        assert!((values.iter().sum::<f32>() / n).abs() < 0.03 * limit);
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.05);
    }

    #[test]
    fn the_name_and_the_seed_choose_the_values() {
        let base = values("conv1.weight", &[4, 4], 7);
        assert_eq!(base, values("conv1.weight", &[4, 4], 7));
        assert_ne!(base, values("conv2.weight", &[4, 4], 7));
        assert_ne!(base, values("conv1.weight", &[4, 4], 8));
    }

    #[test]
    fn a_weight_without_fans_is_refused() {
        let error = Initializer::GlorotUniform.variable("w", &[3], Seed::new(7), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("`w` of shape [3] has no fans"));
    }
}
