//! A running weighted mean that does not care about the order of its terms.

use serde::{Deserialize, Serialize};

/// A running weighted mean: `sum(weight * value) / sum(weight)`, in `f64` with compensated sums.
///
/// The compensation (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974) keeps
/// what each addition rounds away, so that the mean does not drift over a long epoch and does not depend on the order
/// of the batches beyond its last bit. A NaN or an infinity among the values shows in the mean.
///
/// ```
/// use aumenta_metrics::Mean;
///
/// let mut loss = Mean::default();
/// loss.add(0.5, 32.0);
/// loss.add(0.8, 16.0);
/// assert_eq!(loss.value(), Some(0.6));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    total: Sum,
    weight: Sum,
}

impl Mean {
    /// Adds `value` with `weight`: for the loss of a batch, its number of samples.
    pub fn add(&mut self, value: f64, weight: f64) {
        self.total.add(value * weight);
        self.weight.add(weight);
    }

    /// The mean of what was added; `None` where the weights add up to nothing.
    pub fn value(&self) -> Option<f64> {
        let weight = self.weight.value();
        (weight != 0.0).then(|| self.total.value() / weight)
    }

    /// The sum of the weights.
    pub fn weight(&self) -> f64 {
        self.weight.value()
    }
}

/// A sum and what its additions rounded away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost += if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    fn value(self) -> f64 {
        // Where the sum is infinite, what it "lost" is infinity minus infinity, and would hide the infinity.
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> Option<f64> {
        let mut mean = Mean::default();
        for &value in values {
            mean.add(value, 1.0);
        }
        mean.value()
    }

    #[test]
    fn weights_count_samples() {
        let mut loss = Mean::default();
        loss.add(1.0, 3.0);
        loss.add(5.0, 1.0);
        assert_eq!(loss.value(), Some(2.0));
        assert_eq!(loss.weight(), 4.0);
    }

    #[test]
    fn a_mean_of_nothing_is_none() {
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn the_order_of_the_terms_does_not_matter() {
        // A plain sum of these is 0 in the first order and 2 in the second.
        assert_eq!(mean(&[1.0, 1e100, 1.0, -1e100]), Some(0.5));
        assert_eq!(mean(&[1e100, -1e100, 1.0, 1.0]), Some(0.5));
    }

    #[test]
    fn what_is_not_finite_shows_in_the_mean() {
        assert!(mean(&[1.0, f64::NAN]).is_some_and(f64::is_nan));
        assert_eq!(mean(&[1.0, f64::INFINITY, 1.0]), Some(f64::INFINITY));
    }
}
