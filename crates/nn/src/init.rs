//! Initial values of parameters, drawn from the seed and the parameter's own name.
//!
//! Each parameter has its own random stream, so adding a layer does not change the others' values. Candle's CPU generator
//! cannot be seeded.

use std::f64::consts::TAU;

use aumenta_seed::{Rng, Seed};
use candle_core::{Device, Tensor, Var};
use rand::RngExt as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::setting;

/// The standard deviation of a standard normal distribution cut off at 2 standard deviations.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// How a new parameter is filled.
///
/// The fans of a weight `[outputs, inputs, kernel...]` are `fan_in = inputs * area` and `fan_out = outputs * area`, where
/// `area` is the product of the kernel's sides (1 for a dense layer). A grouped or depthwise weight is
/// `[outputs, inputs / groups, kernel...]`; its own shape counts, as in PyTorch, so its `fan_out` leaves the groups out of
/// account.
///
/// ```
/// # use aumenta_nn::Initializer;
/// # use aumenta_seed::Seed;
/// # use candle_core::Device;
/// let weight = Initializer::Orthogonal { gain: 2.0 }.variable("dense1.weight", &[2, 3], Seed::new(7), &Device::Cpu)?;
/// // The rows are at right angles and have the length of the gain.
/// let products = weight.matmul(&weight.t()?)?.to_vec2::<f32>()?;
/// assert!((products[0][0] - 4.0).abs() < 1e-6 && products[0][1].abs() < 1e-6);
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Initializer {
    /// All zero; for biases.
    Zeros,
    /// All one; for the scales of a normalization.
    Ones,
    /// All this value.
    Constant(f32),
    /// Uniform in `[low, high]`.
    Uniform {
        /// The smallest value.
        low: f32,
        /// The largest value.
        high: f32,
    },
    /// Normal with mean 0.
    Normal {
        /// The standard deviation, at least 0.
        deviation: f32,
    },
    /// Uniform in `[-a, a]` with `a = sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010, equation 16), Keras' default.
    GlorotUniform,
    /// Normal with mean 0 and standard deviation `sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio 2010, equation 12), cut
    /// off at twice a normal distribution's deviation that is larger by 1 / 0.8796, so that the deviation after the cut is
    /// the one named. Keras does so; PyTorch's is not cut off.
    GlorotNormal,
    /// Uniform in `[-a, a]` with `a = sqrt(6 / fan_in)` (He et al. 2015, equation 10); for layers before a `ReLU`.
    HeUniform,
    /// Normal with mean 0 and standard deviation `sqrt(2 / fan_in)` (He et al. 2015, equation 10), cut off as
    /// [`Initializer::GlorotNormal`] is; for layers before a `ReLU`.
    HeNormal,
    /// As a matrix `[outputs, inputs * area]`, orthonormal rows or, where there are fewer columns, orthonormal columns, times
    /// `gain` (Saxe et al. 2014). Uniform among all such matrices.
    Orthogonal {
        /// The length of each row or column. Default 1.
        #[serde(default = "unit_gain")]
        gain: f32,
    },
}

fn unit_gain() -> f32 {
    1.0
}

impl Initializer {
    /// Whether all settings lie in their ranges.
    ///
    /// # Errors
    /// [`NnError::Setting`], naming the setting and its range.
    pub fn check(self) -> Result<(), NnError> {
        match self {
            Self::Constant(value) => setting::finite("constant", value),
            Self::Uniform { low, high } => {
                setting::finite("low", low)?;
                setting::check("high", "finite and not below `low`", high, high.is_finite() && low <= high)
            }
            Self::Normal { deviation } => setting::at_least_zero("deviation", deviation),
            Self::Orthogonal { gain } => setting::finite("gain", gain),
            _ => Ok(()),
        }
    }

    /// A new variable of `shape` for the parameter `name`.
    ///
    /// # Errors
    /// [`NnError::Setting`] where a setting is out of its range; [`NnError::Shape`] where the initialiser needs fans or a
    /// matrix and a weight has fewer than two dimensions; [`NnError::Candle`] where memory cannot be had on `device`.
    pub fn variable(self, name: &str, shape: &[usize], seed: Seed, device: &Device) -> Result<Var, NnError> {
        self.check()?;
        let len = shape.iter().product();
        let mut rng = seed.rng(&format!("init/{name}"), 0, 0);
        let weight = || Weight::of(self, name, shape);
        let values = match self {
            Self::Zeros => vec![0.0; len],
            Self::Ones => vec![1.0; len],
            Self::Constant(value) => vec![value; len],
            Self::Uniform { low, high } => uniform(len, low, high, &mut rng),
            Self::Normal { deviation } => (0..len).map(|_| (f64::from(deviation) * normal(&mut rng)) as f32).collect(),
            Self::GlorotUniform => {
                let limit = (6.0 / weight()?.fans() as f32).sqrt();
                uniform(len, -limit, limit, &mut rng)
            }
            Self::GlorotNormal => truncated_normal(len, 2.0 / weight()?.fans() as f64, &mut rng),
            Self::HeUniform => {
                let limit = (6.0 / weight()?.fan_in() as f32).sqrt();
                uniform(len, -limit, limit, &mut rng)
            }
            Self::HeNormal => truncated_normal(len, 2.0 / weight()?.fan_in() as f64, &mut rng),
            Self::Orthogonal { gain } => {
                let weight = weight()?;
                let matrix = orthogonal(weight.outputs, weight.fan_in(), &mut rng);
                matrix.into_iter().map(|value| (f64::from(gain) * value) as f32).collect()
            }
        };
        Ok(Var::from_tensor(&Tensor::from_vec(values, shape, device)?)?)
    }

    /// The name in configurations.
    fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Ones => "ones",
            Self::Constant(_) => "constant",
            Self::Uniform { .. } => "uniform",
            Self::Normal { .. } => "normal",
            Self::GlorotUniform => "glorot-uniform",
            Self::GlorotNormal => "glorot-normal",
            Self::HeUniform => "he-uniform",
            Self::HeNormal => "he-normal",
            Self::Orthogonal { .. } => "orthogonal",
        }
    }
}

/// The sizes of a weight that has fans.
struct Weight {
    outputs: usize,
    inputs: usize,
    area: usize,
}

impl Weight {
    fn of(initializer: Initializer, name: &str, shape: &[usize]) -> Result<Self, NnError> {
        let [outputs, inputs, kernel @ ..] = shape else {
            return Err(NnError::shape(initializer.name(), format!("`{name}` of shape {shape:?} has no fans")));
        };
        Ok(Self { outputs: *outputs, inputs: *inputs, area: kernel.iter().product() })
    }

    fn fan_in(&self) -> usize {
        self.inputs * self.area
    }

    /// Both fans together.
    fn fans(&self) -> usize {
        (self.inputs + self.outputs) * self.area
    }
}

fn uniform(len: usize, low: f32, high: f32, rng: &mut Rng) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(low..=high)).collect()
}

/// Normal numbers of mean 0, cut off, whose variance after the cut is `variance`.
fn truncated_normal(len: usize, variance: f64, rng: &mut Rng) -> Vec<f32> {
    let deviation = variance.sqrt() / TRUNCATED_DEVIATION;
    let mut standard = std::iter::repeat_with(|| normal(rng)).filter(|value| value.abs() <= 2.0);
    (0..len).map_while(|_| standard.next()).map(|value| (deviation * value) as f32).collect()
}

/// A number of the standard normal distribution (Box and Muller 1958), the same on every platform.
fn normal(rng: &mut Rng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - rng.random::<f64>(), TAU * rng.random::<f64>());
    (-2.0 * libm::log(radius)).sqrt() * libm::cos(angle)
}

/// A matrix `[rows, columns]` whose rows, or columns where these are fewer, are orthonormal.
///
/// Modified Gram-Schmidt over normal vectors: the factor R of their QR decomposition has a positive diagonal, which makes Q
/// uniform (Mezzadri 2007, section 5).
fn orthogonal(rows: usize, columns: usize, rng: &mut Rng) -> Vec<f64> {
    let (count, len) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = (0..count).map(|_| (0..len).map(|_| normal(rng)).collect()).collect();
    for done in 0..count {
        let (before, after) = vectors.split_at_mut(done + 1);
        let unit = &mut before[done];
        let length = dot(unit, unit).sqrt();
        for value in unit.iter_mut() {
            *value /= length;
        }
        after.par_iter_mut().for_each(|vector| {
            let share = dot(unit, vector);
            for (value, unit) in vector.iter_mut().zip(&*unit) {
                *value -= share * unit;
            }
        });
    }
    let at = |row: usize, column: usize| if rows <= columns { vectors[row][column] } else { vectors[column][row] };
    (0..rows)
        .flat_map(|row| (0..columns).map(move |column| (row, column)))
        .map(|(row, column)| at(row, column))
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, (a, a_rest), (b, b_rest)) = ([0.0; 8], a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(initializer: Initializer, name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
        let var = initializer.variable(name, shape, Seed::new(seed), &Device::Cpu).unwrap();
        var.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn values(name: &str, shape: &[usize], seed: u64) -> Vec<f32> {
        drawn(Initializer::GlorotUniform, name, shape, seed)
    }

    fn mean_and_variance(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        (mean, values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n)
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
    fn glorot_uniform_values_never_change_between_versions() {
        // Written down once: a changed number here means that every published result changes with it.
        let written = [-1.009_858_6, -1.048_231_2, 0.216_387_51, -0.873_543_4];
        assert_eq!(values("conv1.weight", &[2, 2], 7), written);
    }

    #[test]
    fn each_distribution_has_the_variance_of_its_fans() {
        // A depthwise weight of 64 channels: its fan-in is 25, its fan-out 64 * 25.
        let (dense, depthwise) = ([96, 200].as_slice(), [64, 1, 5, 5].as_slice());
        for (initializer, shape, variance) in [
            (Initializer::GlorotUniform, dense, 2.0 / 296.0),
            (Initializer::GlorotNormal, dense, 2.0 / 296.0),
            (Initializer::HeUniform, dense, 2.0 / 200.0),
            (Initializer::HeNormal, dense, 2.0 / 200.0),
            (Initializer::GlorotUniform, depthwise, 2.0 / (65.0 * 25.0)),
            (Initializer::HeNormal, depthwise, 2.0 / 25.0),
            (Initializer::Normal { deviation: 0.5 }, dense, 0.25),
            (Initializer::Uniform { low: -1.0, high: 3.0 }, dense, 16.0 / 12.0),
        ] {
            let values = drawn(initializer, "w", shape, 7);
            let (mean, got) = mean_and_variance(&values);
            let center =
                if let Initializer::Uniform { low, high } = initializer { f32::midpoint(low, high) } else { 0.0 };
            // Four standard errors of the mean, and of the variance of a normal distribution.
            let n = values.len() as f64;
            assert!((mean - f64::from(center)).abs() < 4.0 * (variance / n).sqrt(), "{initializer:?}: mean {mean}");
            assert!((got / variance - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{initializer:?}: {got} for {variance}");
        }
    }

    #[test]
    fn normal_weights_end_at_two_deviations_before_the_cut() {
        let limit = 2.0 * (2.0f64 / 200.0).sqrt() / TRUNCATED_DEVIATION;
        let values = drawn(Initializer::HeNormal, "w", &[96, 200], 7);
        let largest = values.iter().map(|value| f64::from(value.abs())).fold(0.0, f64::max);
        assert!(largest > 0.99 * limit && largest <= limit * (1.0 + 1e-6), "{largest} for {limit}");
    }

    #[test]
    fn a_normal_distribution_has_its_share_beyond_each_deviation() {
        let values = drawn(Initializer::Normal { deviation: 1.0 }, "w", &[100_000], 7);
        for (deviations, expected) in [(1.0, 0.3173), (2.0, 0.0455), (3.0, 0.0027)] {
            let share = values.iter().filter(|value| value.abs() > deviations).count() as f64 / 1e5;
            assert!((share - expected).abs() < 4.0 * (expected / 1e5).sqrt(), "{share} beyond {deviations}");
        }
    }

    #[test]
    fn the_shorter_side_of_an_orthogonal_weight_is_orthonormal_times_the_gain() {
        for shape in [[5, 12].as_slice(), &[12, 5], &[7, 7], &[6, 2, 3, 3], &[40, 2, 3, 3], &[1, 3]] {
            let values = drawn(Initializer::Orthogonal { gain: 1.5 }, "w", shape, 7);
            let (rows, columns) = (shape[0], values.len() / shape[0]);
            let matrix = Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap();
            let transposed = matrix.t().unwrap();
            let [a, b] = if rows <= columns { [&matrix, &transposed] } else { [&transposed, &matrix] };
            let products = a.contiguous().unwrap().matmul(&b.contiguous().unwrap()).unwrap().to_vec2::<f32>().unwrap();
            for (i, row) in products.iter().enumerate() {
                for (j, product) in row.iter().enumerate() {
                    let expected = if i == j { 2.25 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5, "{shape:?}: {product} at {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn constants_are_constant() {
        assert_eq!(drawn(Initializer::Zeros, "b", &[2], 7), [0.0; 2]);
        assert_eq!(drawn(Initializer::Ones, "b", &[2], 7), [1.0; 2]);
        assert_eq!(drawn(Initializer::Constant(0.25), "b", &[2], 7), [0.25; 2]);
    }

    #[test]
    fn the_name_and_the_seed_choose_the_values() {
        for initializer in [
            Initializer::GlorotUniform,
            Initializer::HeNormal,
            Initializer::Orthogonal { gain: 1.0 },
            Initializer::Normal { deviation: 1.0 },
        ] {
            let base = drawn(initializer, "conv1.weight", &[4, 4], 7);
            assert_eq!(base, drawn(initializer, "conv1.weight", &[4, 4], 7));
            assert_ne!(base, drawn(initializer, "conv2.weight", &[4, 4], 7));
            assert_ne!(base, drawn(initializer, "conv1.weight", &[4, 4], 8));
        }
    }

    #[test]
    fn a_weight_without_fans_is_refused() {
        let error = Initializer::GlorotUniform.variable("w", &[3], Seed::new(7), &Device::Cpu).unwrap_err();
        assert!(error.to_string().contains("glorot-uniform: `w` of shape [3] has no fans"));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (initializer, message) in [
            (Initializer::Constant(f32::NAN), "`constant` must be finite, got NaN"),
            (Initializer::Uniform { low: 1.0, high: 0.0 }, "`high` must be finite and not below `low`, got 0"),
            (Initializer::Normal { deviation: -1.0 }, "`deviation` must be at least 0, got -1"),
            (Initializer::Orthogonal { gain: f32::INFINITY }, "`gain` must be finite, got inf"),
        ] {
            let error = initializer.variable("w", &[2, 2], Seed::new(7), &Device::Cpu).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn initialisers_are_read_by_name() {
        let parse = serde_json::from_str::<Initializer>;
        for (text, expected) in [
            (r#""zeros""#, Initializer::Zeros),
            (r#""glorot-uniform""#, Initializer::GlorotUniform),
            (r#""he-normal""#, Initializer::HeNormal),
            (r#"{"constant": 0.5}"#, Initializer::Constant(0.5)),
            (r#"{"uniform": {"low": -1, "high": 1}}"#, Initializer::Uniform { low: -1.0, high: 1.0 }),
            (r#"{"orthogonal": {}}"#, Initializer::Orthogonal { gain: 1.0 }),
        ] {
            assert_eq!(parse(text).unwrap(), expected);
            assert!(serde_json::to_string(&expected).unwrap().contains(expected.name()));
        }
        let error = parse(r#"{"normal": {"sigma": 1}}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `sigma`"), "{error}");
    }
}
