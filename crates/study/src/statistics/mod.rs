//! Statistics over seeds: how far the mean of a few runs can be trusted, and whether two arms differ.
//!
//! Seeds are few, so everything here says what few seeds can and cannot show. Nothing assumes more than it says.

mod bootstrap;
mod holm;
mod interval;
mod paired;
mod permutation;
#[cfg(test)]
mod reference;

pub use self::holm::holm;
pub use self::interval::{Interval, IntervalMethod, Spread};
pub use self::paired::Paired;
pub use self::permutation::SignFlip;

/// The chance of a wrong claim that intervals and verdicts allow.
pub const ALPHA: f64 = 0.05;

/// The arithmetic mean; NaN of nothing.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation with `n - 1`; `None` of fewer than two values.
fn standard_deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Whether values differ by no more than rounding does: differences of accuracies carry errors of a few last bits of 1.
fn are_alike(values: &[f64]) -> bool {
    let largest = values.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    let spread = values.iter().fold(0.0_f64, |spread, value| spread.max((value - values[0]).abs()));
    spread <= 1e-12 * largest
}
