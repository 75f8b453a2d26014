//! Activations, element by element, and their gradients.
//!
//! A gradient is taken from the activation's output, so that its input need not be kept.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::conv2d::NO_LIMITS;
use super::vectors::Vectors;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

/// What a layer applies to its output, element by element. A NaN stays a NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `y = x`.
    #[default]
    Linear,
    /// `y = max(x, 0)`, with gradient 0 at 0 (Nair and Hinton 2010).
    Relu,
    /// `y = min(max(x, 0), 6)`, with gradient 0 at 0 and at 6 (Krizhevsky 2010).
    Relu6,
    /// `y = 1 / (1 + exp(-x))`, in (0, 1), to a relative error below 1e-6 for `x` above -87.
    Sigmoid,
}

impl Activation {
    /// The limits below and above which the activation cuts its input off, where that is all it does.
    pub(crate) fn limits(self) -> Option<[f32; 2]> {
        match self {
            Self::Linear => Some(NO_LIMITS),
            Self::Relu => Some([0.0, f32::INFINITY]),
            Self::Relu6 => Some([0.0, 6.0]),
            Self::Sigmoid => None,
        }
    }
}

/// Applies `activation` to all `values`.
pub fn apply(activation: Activation, values: &mut [f32]) {
    if activation != Activation::Linear {
        values.par_chunks_mut(CHUNK).for_each(|values| apply_chunk(activation, values));
    }
}

/// As [`apply`], on the calling thread: for values that are still in its cache.
pub fn apply_chunk(activation: Activation, values: &mut [f32]) {
    Vectors::widest().run(Apply { activation, values });
}

/// The gradient to the activation's input, from its output `y` and the `gradient` to that output, written to `out`.
pub fn input_gradient(activation: Activation, y: &[f32], gradient: &[f32], out: &mut [f32]) {
    let chunks = out.par_chunks_mut(CHUNK).zip(y.par_chunks(CHUNK)).zip(gradient.par_chunks(CHUNK));
    chunks.for_each(|((out, y), gradient)| {
        out.copy_from_slice(gradient);
        scale_chunk(activation, y, out);
    });
}

fn scale_chunk(activation: Activation, y: &[f32], gradient: &mut [f32]) {
    Vectors::widest().run(Scale { activation, y, gradient });
}

struct Apply<'a> {
    activation: Activation,
    values: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        match self.activation {
            Activation::Linear => {}
            Activation::Relu => change(self.values, relu),
            Activation::Relu6 => change(self.values, relu6),
            Activation::Sigmoid => change(self.values, sigmoid),
        }
    }
}

#[inline(always)]
fn change(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    // `f32::max` would turn a NaN into 0.
    if x <= 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn relu6(x: f32) -> f32 {
    let x = relu(x);
    if x >= 6.0 { 6.0 } else { x }
}

/// The power is taken of `-|x|` alone, so that it cannot overflow.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let power = exp_of_negative(-x.abs());
    (if x < 0.0 { power } else { 1.0 }) / (1.0 + power)
}

/// `exp(x)` for `x <= 0`: `2^n * exp(r)` with `n` the integer next to `x / ln 2`, and `exp(r)` by its Taylor polynomial of
/// degree 6, whose error for `|r| <= ln 2 / 2` is below that of f32. Below -87 it stays at `exp(-87)`, about 1.6e-38.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// Adding it moves the integer part to the lowest bits of the mantissa.
    const ROUNDER: f32 = 12_582_912.0;
    /// `ln 2` in two parts: products of the first with integers up to 2^7 are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = rounded - ROUNDER;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let series = [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(1.0 / 720.0, |sum, coefficient| sum * r + coefficient);
    power * f32::from_bits((rounded.to_bits() << 23).wrapping_add(1f32.to_bits()))
}

struct Scale<'a> {
    activation: Activation,
    y: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        match self.activation {
            Activation::Linear => {}
            Activation::Relu => scale(self.y, self.gradient, |y, g| if y <= 0.0 { 0.0 } else { g }),
            Activation::Relu6 => scale(self.y, self.gradient, |y, g| if y <= 0.0 || y >= 6.0 { 0.0 } else { g }),
            Activation::Sigmoid => scale(self.y, self.gradient, |y, g| y * (1.0 - y) * g),
        }
    }
}

#[inline(always)]
fn scale(y: &[f32], gradient: &mut [f32], slope: impl Fn(f32, f32) -> f32) {
    for (gradient, y) in gradient.iter_mut().zip(y) {
        *gradient = slope(*y, *gradient);
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    const ALL: [Activation; 4] = [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Sigmoid];

    fn applied(activation: Activation, values: &[f32]) -> Vec<f32> {
        let mut values = values.to_vec();
        apply(activation, &mut values);
        values
    }

    #[test]
    fn values_by_hand() {
        let x = [-2.0, 0.0, 1.5, 6.0, 7.0, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(applied(Activation::Linear, &x), x);
        assert_eq!(applied(Activation::Relu, &x), [0.0, 0.0, 1.5, 6.0, 7.0, f32::INFINITY, 0.0]);
        assert_eq!(applied(Activation::Relu6, &x), [0.0, 0.0, 1.5, 6.0, 6.0, 6.0, 0.0]);
        let y = applied(Activation::Sigmoid, &x);
        assert_eq!((y[1], y[5]), (0.5, 1.0));
        assert!((y[0] - 0.119_202_92).abs() < 1e-7 && y[6] < 2e-38);
    }

    #[test]
    fn a_nan_stays_a_nan() {
        for activation in ALL {
            assert!(applied(activation, &[f32::NAN])[0].is_nan(), "{activation:?}");
        }
    }

    #[test]
    fn a_sigmoid_is_accurate_to_1e_6_of_its_value() {
        let x: Vec<f32> = (-87_000..=90_000).map(|i| i as f32 / 1000.0).collect();
        for (x, y) in x.iter().zip(applied(Activation::Sigmoid, &x)) {
            let expected = 1.0 / (1.0 + (-f64::from(*x)).exp());
            assert!((f64::from(y) - expected).abs() < 1e-6 * expected, "sigmoid({x}) is {y} instead of {expected}");
        }
    }

    #[test]
    fn gradients_by_hand() {
        let (y, g) = ([0.0, 0.5, 6.0, f32::NAN], [1.0, 2.0, 4.0, 8.0]);
        let mut to_x = [f32::NAN; 4];
        for (activation, expected) in [
            (Activation::Linear, [1.0, 2.0, 4.0, 8.0]),
            (Activation::Relu, [0.0, 2.0, 4.0, 8.0]),
            (Activation::Relu6, [0.0, 2.0, 0.0, 8.0]),
        ] {
            input_gradient(activation, &y, &g, &mut to_x);
            assert_eq!(to_x, expected, "{activation:?}");
        }
        input_gradient(Activation::Sigmoid, &[0.25, 0.5, 0.0, 1.0], &[2.0, f32::INFINITY, 1.0, 1.0], &mut to_x);
        assert_eq!(to_x, [0.375, f32::INFINITY, 0.0, 0.0]);
    }

    #[test]
    fn every_kind_of_vectors_gives_the_same_bytes() {
        let x: Vec<f32> = (0..1003).map(|i| (i * 37 % 997) as f32 / 50.0 - 10.0).collect();
        for activation in ALL {
            for vectors in Vectors::available() {
                let mut values = x.clone();
                vectors.run(Apply { activation, values: &mut values });
                assert_eq!(values, applied(activation, &x), "{activation:?}, {vectors:?}");
            }
        }
    }

    #[test]
    fn one_thread_and_five_give_the_same_bytes() {
        let x: Vec<f32> = (0..3 * CHUNK + 5).map(|i| (i % 997) as f32 / 50.0 - 10.0).collect();
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (y, mut to_x) = (applied(Activation::Sigmoid, &x), vec![f32::NAN; x.len()]);
                input_gradient(Activation::Sigmoid, &y, &x, &mut to_x);
                (y, to_x)
            })
        };
        assert_eq!(run(1), run(5));
    }

    #[test]
    fn configurations_spell_names_in_lower_case() {
        for (name, activation) in ["linear", "relu", "relu6", "sigmoid"].into_iter().zip(ALL) {
            let deserializer: StrDeserializer<'_, Error> = name.into_deserializer();
            assert_eq!(Activation::deserialize(deserializer).unwrap(), activation);
        }
    }
}
