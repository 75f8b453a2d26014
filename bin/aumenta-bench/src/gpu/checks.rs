//! The list of all checks: operations with their gradients, optimizers, and whole networks.

mod convolutions;
#[cfg(feature = "nccl")]
mod exchange;
mod losses;
mod networks;
mod normalization;
mod optimizers;
mod pointwise;
mod pooling;

use aumenta_nn::Precision;

use super::check::Check;

/// All checks: operations in f32, and what is computed in other `precisions` in these too, as whole networks are.
pub fn all(precisions: &[Precision]) -> Vec<Check> {
    let mut checks = convolutions::checks(precisions);
    checks.extend(pooling::checks());
    checks.extend(normalization::checks());
    checks.extend(pointwise::checks());
    checks.extend(losses::checks());
    checks.extend(optimizers::checks());
    checks.extend(networks::checks(precisions));
    #[cfg(feature = "nccl")]
    checks.extend(exchange::checks());
    checks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use candle_core::Device;

    use super::*;
    use crate::gpu::check::{Output, Tolerance, compare};

    /// How many times the limit a planted error is large.
    const PLANTED: f64 = 3.0;

    /// The output with an error in one of its values, a little too large for its tolerance.
    fn with_error(output: &Output) -> Output {
        let mut output = output.clone();
        let largest = output.values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        let norm = output.values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        let error = match output.tolerance {
            Tolerance::Exact => f64::from(largest),
            Tolerance::OfLargest(limit) => PLANTED * limit * f64::from(largest),
            Tolerance::OfNorm(limit) => PLANTED * limit * norm,
        };
        let middle = output.values.len() / 2;
        output.values[middle] += error as f32;
        output
    }

    #[test]
    fn every_check_computes_something_twice_the_same_and_sees_a_planted_error_in_each_output() {
        let checks = all(&[Precision::F32]);
        let names: BTreeSet<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names.len(), checks.len(), "two checks have one name");
        for check in &checks {
            let outputs = check.outputs(&Device::Cpu).unwrap();
            let compared = compare(&outputs, &check.outputs(&Device::Cpu).unwrap()).unwrap();
            assert!(compared.deviation == 0.0 && compared.is_met(), "{}: {compared:?}", check.name);
            for (index, output) in outputs.iter().enumerate() {
                let place = format!("{}, {}", check.name, output.name);
                assert!(output.values.iter().all(|value| value.is_finite()), "{place}");
                assert!(output.values.iter().any(|value| *value != 0.0), "{place} is zero throughout");
                let mut wrong = outputs.clone();
                wrong[index] = with_error(output);
                let compared = compare(&outputs, &wrong).unwrap();
                assert!(!compared.is_met() && compared.output == output.name, "{place}: {compared:?}");
            }
        }
    }
}
