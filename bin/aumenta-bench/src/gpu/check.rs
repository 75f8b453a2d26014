//! [`Check`]: what a device computes, compared with what the CPU does.

use anyhow::{Context, Result, ensure};
use aumenta_seed::Seed;
use candle_core::{DType, Device, Tensor, Var};
use rand::RngExt as _;
use serde::Serialize;

/// The unit roundoff of f32: the largest relative error of one rounding.
const ROUNDOFF: f64 = 1.0 / (1 << 24) as f64;

/// The roundoffs that [`Tolerance::of_sum`] allows a term: transforms such as Winograd's round more than once.
const ROUNDINGS: f64 = 8.0;

/// A computation that is the same code on any device.
pub struct Check {
    /// Unique, for the report.
    pub name: String,
    compute: Box<Compute>,
}

type Compute = dyn Fn(&Device) -> Result<Vec<Output>>;

/// What a check computes, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Unique within the check.
    pub name: String,
    /// In row-major order.
    pub values: Vec<f32>,
    /// How far another device's values may lie away.
    pub tolerance: Tolerance,
}

/// How far values may lie from those of the CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// They are the same bits.
    Exact,
    /// No value is further away than this share of the largest of the CPU's.
    OfLargest(f64),
    /// The Euclidean distance is at most this share of the norm of the CPU's: for what is computed through many layers, where a
    /// rounding can decide which pixel of a pooling is the largest, and so move single gradients by all of their size.
    OfNorm(f64),
}

impl Tolerance {
    /// For sums of `terms` products in f32.
    ///
    /// Roundings of partial sums add up like a random walk, to about the root of `terms` roundoffs relative to the largest sum
    /// (Higham and Mary 2019, *A new approach to probabilistic rounding error analysis*).
    pub fn of_sum(terms: usize) -> Self {
        Self::OfLargest((ROUNDINGS * ROUNDOFF * (terms as f64).sqrt()).max(1e-5))
    }

    /// For a few roundings and functions such as `exp` for each value, no sums.
    pub fn of_each() -> Self {
        Self::OfLargest(2e-6)
    }

    /// The share that is allowed.
    pub fn limit(self) -> f64 {
        match self {
            Self::Exact => 0.0,
            Self::OfLargest(limit) | Self::OfNorm(limit) => limit,
        }
    }

    /// What the share is one of.
    pub fn measure(self) -> &'static str {
        match self {
            Self::Exact => "bits",
            Self::OfLargest(_) => "of the largest",
            Self::OfNorm(_) => "of the norm",
        }
    }

    /// How far `got` lies from `expected`, of the same length; NaN where a value is.
    fn deviation(self, expected: &[f32], got: &[f32]) -> f64 {
        let pairs = || expected.iter().zip(got).map(|(&expected, &got)| (f64::from(expected), f64::from(got)));
        match self {
            Self::Exact => {
                pairs().filter(|(expected, got)| expected.to_bits() != got.to_bits()).count() as f64 / got.len() as f64
            }
            Self::OfLargest(_) => {
                let farthest = pairs().map(|(expected, got)| (expected - got).abs()).fold(0.0, larger);
                farthest / pairs().map(|(expected, _)| expected.abs()).fold(f64::MIN_POSITIVE, larger)
            }
            Self::OfNorm(_) => {
                let distance: f64 = pairs().map(|(expected, got)| (expected - got).powi(2)).sum();
                let norm: f64 = pairs().map(|(expected, _)| expected.powi(2)).sum();
                (distance / norm.max(f64::MIN_POSITIVE)).sqrt()
            }
        }
    }
}

/// The larger one, or NaN where one is, which `f64::max` would leave out.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Compared {
    /// The output that came nearest to its limit, or went furthest beyond it.
    pub output: String,
    /// How far it lies from the CPU's.
    pub deviation: f64,
    /// How far it may lie.
    pub limit: f64,
    /// What both are shares of.
    pub measure: &'static str,
}

impl Compared {
    /// Whether it lies near enough; NaN does not.
    pub fn is_met(&self) -> bool {
        self.deviation <= self.limit
    }

    /// The share of the limit that is used up.
    fn used(&self) -> f64 {
        match (self.is_met(), self.deviation == 0.0) {
            (true, true) => 0.0,
            (true, false) => self.deviation / self.limit,
            // Also where the limit is 0 or the deviation is not a number.
            (false, _) if self.limit > 0.0 && self.deviation.is_finite() => self.deviation / self.limit,
            (false, _) => f64::INFINITY,
        }
    }
}

impl Check {
    /// A check named `name` of what `compute` gives.
    pub fn new(name: impl Into<String>, compute: impl Fn(&Device) -> Result<Vec<Output>> + 'static) -> Self {
        Self { name: name.into(), compute: Box::new(compute) }
    }

    /// What `device` computes.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn outputs(&self, device: &Device) -> Result<Vec<Output>> {
        (self.compute)(device)
    }

    /// What `device` computes against what the CPU does.
    ///
    /// # Errors
    /// Where one of them cannot compute it.
    pub fn compare(&self, device: &Device) -> Result<Compared> {
        compare(&self.outputs(&Device::Cpu)?, &self.outputs(device)?)
    }
}

/// The outputs `got` against those `expected`.
///
/// # Errors
/// Where there are others, or of other lengths.
pub fn compare(expected: &[Output], got: &[Output]) -> Result<Compared> {
    ensure!(!expected.is_empty() && expected.len() == got.len(), "{} outputs and {}", expected.len(), got.len());
    let mut worst: Option<Compared> = None;
    for (expected, got) in expected.iter().zip(got) {
        let lengths = (expected.values.len(), got.values.len());
        ensure!(expected.name == got.name && lengths.0 == lengths.1, "{}: {lengths:?} values", expected.name);
        let compared = Compared {
            output: expected.name.clone(),
            deviation: expected.tolerance.deviation(&expected.values, &got.values),
            limit: expected.tolerance.limit(),
            measure: expected.tolerance.measure(),
        };
        if worst.as_ref().is_none_or(|worst| compared.used() > worst.used()) {
            worst = Some(compared);
        }
    }
    Ok(worst.expect("there is an output"))
}

impl Output {
    /// The values of `tensor`, of any device and type.
    ///
    /// # Errors
    /// Where they cannot be fetched.
    pub fn new(name: impl Into<String>, tensor: &Tensor, tolerance: Tolerance) -> Result<Self> {
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Self { name: name.into(), values, tolerance })
    }
}

/// Numbers between -1 and 1 of shape `shape`, the same on every device and another for each `name`.
///
/// # Errors
/// Where the device has no room.
pub fn random(name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
    let mut rng = Seed::new(7).rng(name, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}

/// An operand of an operation: its name, its shape, and the tolerance of its gradient.
pub type Operand = (&'static str, Vec<usize>, Tolerance);

/// What `op` makes of random operands, and the gradients to them of the sum of the output times random numbers.
///
/// # Errors
/// Where the device cannot compute it.
pub fn with_gradients(
    device: &Device,
    operands: &[Operand],
    output: Tolerance,
    op: &dyn Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<Vec<Output>> {
    let vars = operands
        .iter()
        .map(|(name, shape, _)| Ok(Var::from_tensor(&random(name, shape, device)?)?))
        .collect::<Result<Vec<Var>>>()?;
    let y = op(&vars.iter().map(|var| var.as_tensor().clone()).collect::<Vec<_>>())?;
    let weights = random("output gradient", y.dims(), device)?;
    let gradients = (&y * &weights)?.sum_all()?.backward()?;
    let mut outputs = vec![Output::new("output", &y, output)?];
    for ((name, _, tolerance), var) in operands.iter().zip(&vars) {
        let gradient = gradients.get(var).with_context(|| format!("there is no gradient to `{name}`"))?;
        outputs.push(Output::new(format!("gradient of {name}"), gradient, *tolerance)?);
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(values: &[f32], tolerance: Tolerance) -> Output {
        Output { name: "y".to_string(), values: values.to_vec(), tolerance }
    }

    #[track_caller]
    fn check(tolerance: Tolerance, expected: &[f32], got: &[f32], deviation: f64, is_met: bool) {
        let compared = compare(&[output(expected, tolerance)], &[output(got, tolerance)]).unwrap();
        assert!((compared.deviation - deviation).abs() < 1e-12 || deviation.is_nan() && compared.deviation.is_nan());
        assert_eq!(compared.is_met(), is_met, "{compared:?}");
    }

    #[test]
    fn a_deviation_is_a_share_of_the_largest_of_the_norm_or_of_the_bits() {
        check(Tolerance::OfLargest(0.1), &[4.0, -8.0], &[4.5, -8.0], 0.0625, true);
        check(Tolerance::OfLargest(0.05), &[4.0, -8.0], &[4.5, -8.0], 0.0625, false);
        check(Tolerance::OfNorm(0.1), &[3.0, 4.0], &[3.0, 3.5], 0.1, true);
        check(Tolerance::Exact, &[1.0, 2.0], &[1.0, 2.0], 0.0, true);
        check(Tolerance::Exact, &[0.0, 2.0], &[-0.0, 2.0], 0.5, false);
    }

    #[test]
    fn what_is_not_a_number_is_far_away() {
        for tolerance in [Tolerance::OfLargest(0.1), Tolerance::OfNorm(0.1)] {
            check(tolerance, &[1.0, 2.0], &[f32::NAN, 2.0], f64::NAN, false);
        }
        let far = output(&[f32::NAN], Tolerance::of_each());
        let near = output(&[1.0], Tolerance::of_each());
        let compared = compare(&[near.clone(), near.clone()], &[far, near]).unwrap();
        assert!(!compared.is_met(), "{compared:?}");
    }

    #[test]
    fn the_output_that_uses_up_most_of_its_limit_is_told() {
        let outputs = |first: f32, second: f32| {
            let wide = Output { name: "wide".to_string(), ..output(&[first], Tolerance::OfLargest(0.5)) };
            [wide, output(&[second], Tolerance::OfLargest(0.01))]
        };
        let compared = compare(&outputs(1.0, 1.0), &outputs(1.2, 1.008)).unwrap();
        assert_eq!((compared.output.as_str(), compared.is_met()), ("y", true));
        let exact = |value: f32| output(&[value], Tolerance::Exact);
        let [wide, _] = outputs(1.0, 1.0);
        let compared = compare(&[wide.clone(), exact(1.0)], &[wide, exact(2.0)]).unwrap();
        assert_eq!((compared.output.as_str(), compared.is_met()), ("y", false));
    }

    #[test]
    fn longer_sums_may_lie_further_away() {
        assert_eq!(Tolerance::of_sum(9), Tolerance::OfLargest(1e-5));
        let Tolerance::OfLargest(limit) = Tolerance::of_sum(1 << 20) else { panic!() };
        assert!((4e-4..6e-4).contains(&limit), "{limit}");
    }
}
