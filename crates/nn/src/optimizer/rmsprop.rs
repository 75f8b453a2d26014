//! `RMSprop` as Keras computes it.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::parameters::Parameters;
use crate::storage::{f32s, f32s_mut};

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

/// The settings of [`RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RmsPropConfig {
    /// The step size, above 0. Default 0.001.
    pub learning_rate: f32,
    /// The decay of the mean square, in `[0, 1)`. Default 0.9.
    pub rho: f32,
    /// Added to the root of the mean square, above 0. Default 1e-8, as in Keras 2.0.
    pub epsilon: f32,
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, rho: 0.9, epsilon: 1e-8 }
    }
}

impl RmsPropConfig {
    /// Whether all settings lie in their ranges.
    ///
    /// # Errors
    /// [`NnError::Setting`], naming the setting and its range.
    pub fn check(&self) -> Result<(), NnError> {
        let above_zero = |value: f32| value > 0.0 && value.is_finite();
        let settings = [
            ("learning-rate", "above 0", self.learning_rate, above_zero(self.learning_rate)),
            ("rho", "at least 0 and below 1", self.rho, (0.0..1.0).contains(&self.rho)),
            ("epsilon", "above 0", self.epsilon, above_zero(self.epsilon)),
        ];
        match settings.into_iter().find(|(_, _, _, fits)| !fits) {
            Some((name, range, value, _)) => Err(NnError::Setting { name, range, value }),
            None => Ok(()),
        }
    }
}

/// `RMSprop` (Hinton, *Neural Networks for Machine Learning*, lecture 6e, 2012).
///
/// For each element: `v = rho * v + (1 - rho) * g^2`, then `p = p - learning_rate * g / (sqrt(v) + epsilon)`. Keras and
/// PyTorch add epsilon outside the root, as here; TensorFlow 1's own optimizer adds it inside.
#[derive(Debug)]
pub struct RmsProp {
    config: RmsPropConfig,
    /// The mean square of each parameter, in the parameters' order.
    mean_squares: Vec<Tensor>,
}

impl RmsProp {
    /// An optimizer for `parameters`, with all mean squares at zero.
    ///
    /// # Errors
    /// [`NnError::Setting`] where a setting is out of its range, [`NnError::Candle`] where memory cannot be had.
    pub fn new(config: RmsPropConfig, parameters: &Parameters) -> Result<Self, NnError> {
        config.check()?;
        let zeros = parameters.iter().map(|parameter| parameter.var.zeros_like());
        Ok(Self { config, mean_squares: zeros.collect::<candle_core::Result<_>>()? })
    }

    /// The settings.
    pub fn config(&self) -> RmsPropConfig {
        self.config
    }

    /// Moves every parameter by its gradient.
    ///
    /// # Errors
    /// [`NnError::NoGradient`] where the loss does not depend on a parameter; no parameter has moved then.
    pub fn step(&mut self, parameters: &Parameters, gradients: &crate::Gradients<'_>) -> Result<(), NnError> {
        for ((parameter, gradient), mean_square) in parameters.iter().zip(gradients.tensors()).zip(&self.mean_squares) {
            let gradient = gradient.contiguous()?;
            mean_square.inplace_op2(&gradient, &MeanSquare { rho: self.config.rho })?;
            let op = Step { learning_rate: self.config.learning_rate, epsilon: self.config.epsilon };
            parameter.var.inplace_op3(&gradient, mean_square, &op)?;
        }
        Ok(())
    }
}

/// `v = rho * v + (1 - rho) * g^2`.
struct MeanSquare {
    rho: f32,
}

impl InplaceOp2 for MeanSquare {
    fn name(&self) -> &'static str {
        "rmsprop-mean-square"
    }

    fn cpu_fwd(
        &self,
        mean_square: &mut CpuStorage,
        mean_square_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mean_square = f32s_mut(self.name(), mean_square, mean_square_layout)?;
        let rho = self.rho;
        mean_square.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).for_each(|(mean_square, gradient)| {
            for (v, g) in mean_square.iter_mut().zip(gradient) {
                *v = rho * *v + (1.0 - rho) * g * g;
            }
        });
        Ok(())
    }
}

/// `p = p - learning_rate * g / (sqrt(v) + epsilon)`.
struct Step {
    learning_rate: f32,
    epsilon: f32,
}

impl InplaceOp3 for Step {
    fn name(&self) -> &'static str {
        "rmsprop-step"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        parameter_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        mean_square: &CpuStorage,
        mean_square_layout: &Layout,
    ) -> candle_core::Result<()> {
        let gradient = f32s(self.name(), gradient, gradient_layout)?;
        let mean_square = f32s(self.name(), mean_square, mean_square_layout)?;
        let parameter = f32s_mut(self.name(), parameter, parameter_layout)?;
        let (rate, epsilon) = (self.learning_rate, self.epsilon);
        let chunks = parameter.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(mean_square.par_chunks(CHUNK));
        chunks.for_each(|((parameter, gradient), mean_square)| {
            for ((p, g), v) in parameter.iter_mut().zip(gradient).zip(mean_square) {
                *p -= rate * g / (v.sqrt() + epsilon);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn one_parameter(values: &[f32]) -> Parameters {
        let mut parameters = Parameters::default();
        parameters.push("p".to_string(), Var::new(values, &Device::Cpu).unwrap());
        parameters
    }

    #[test]
    fn two_steps_equal_the_formula() {
        let parameters = one_parameter(&[1.0, -2.0]);
        let config = RmsPropConfig { learning_rate: 0.1, rho: 0.9, epsilon: 1e-8 };
        let mut optimizer = RmsProp::new(config, &parameters).unwrap();
        let var = parameters.get("p").unwrap();
        let (mut p, mut v) = ([1.0f64, -2.0], [0.0f64; 2]);
        for _ in 0..2 {
            // The loss is the sum of cubes, so the gradient is three times the square.
            let loss = var.powf(3.0).unwrap().sum_all().unwrap();
            optimizer.step(&parameters, &crate::Gradients::of(&loss, &parameters).unwrap()).unwrap();
            for i in 0..2 {
                let g = 3.0 * p[i] * p[i];
                v[i] = 0.9 * v[i] + 0.1 * g * g;
                p[i] -= 0.1 * g / (v[i].sqrt() + 1e-8);
            }
        }
        for (got, expected) in var.to_vec1::<f32>().unwrap().iter().zip(p) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} instead of {expected}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = RmsPropConfig::default();
        good.check().unwrap();
        for (config, message) in [
            (RmsPropConfig { learning_rate: 0.0, ..good }, "`learning-rate` must be above 0, got 0"),
            (RmsPropConfig { learning_rate: f32::NAN, ..good }, "`learning-rate` must be above 0, got NaN"),
            (RmsPropConfig { rho: 1.0, ..good }, "`rho` must be at least 0 and below 1, got 1"),
            (RmsPropConfig { epsilon: -1.0, ..good }, "`epsilon` must be above 0, got -1"),
        ] {
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
    }
}
