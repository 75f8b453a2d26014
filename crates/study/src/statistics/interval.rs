//! [`Spread`]: mean, standard deviation and 95% interval of one number over seeds.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::bootstrap::bca;
use super::{ALPHA, are_alike, mean, standard_deviation};

/// One number over seeds.
///
/// ```
/// use aumenta_study::{IntervalMethod, Spread};
///
/// let spread = Spread::of(&[0.72, 0.74, 0.73]).ok_or("there are values")?;
/// let interval = spread.interval.ok_or("there are several")?;
/// assert_eq!(format!("{:.3} [{:.3}, {:.3}]", spread.mean, interval.low, interval.high), "0.730 [0.705, 0.755]");
/// assert_eq!(interval.method, IntervalMethod::T);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spread {
    /// How many values there are.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with `n - 1`; of one value there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
    /// The 95% interval of the mean; of one value there is none, and none of equal ones, from which no error can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The lowest value.
    pub lowest: f64,
    /// The highest value.
    pub highest: f64,
}

/// The 95% confidence interval of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How it was found.
    pub method: IntervalMethod,
}

/// How an interval was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Student's t: `mean ± t(0.975, n - 1) s / sqrt(n)`, of fewer than ten values. It takes their distribution for normal,
    /// which so few cannot contradict; a bootstrap of three values knows ten resamples, and its interval is far too narrow.
    T,
    /// The bootstrap, bias-corrected and accelerated (Efron, "Better bootstrap confidence intervals", 1987), of ten values
    /// and more: it takes no distribution for granted.
    Bca,
}

/// From so many values on, the bootstrap is used.
const BOOTSTRAP_FROM: usize = 10;

impl Spread {
    /// The spread of `values`, all finite; `None` of no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let fold = |start: f64, choose: fn(f64, f64) -> f64| values.iter().copied().fold(start, choose);
        (!values.is_empty()).then(|| Self {
            count: values.len(),
            mean: mean(values),
            standard_deviation: standard_deviation(values),
            interval: Interval::of_mean(values),
            lowest: fold(f64::INFINITY, f64::min),
            highest: fold(f64::NEG_INFINITY, f64::max),
        })
    }

    /// The same, its interval ending where the values can go no further: see [`Interval::within`].
    #[must_use]
    pub fn within(self, range: (f64, f64)) -> Self {
        Self { interval: self.interval.map(|interval| interval.within(range)), ..self }
    }
}

impl Interval {
    /// The interval of the mean of `values`; `None` of fewer than two, and of equal ones.
    pub fn of_mean(values: &[f64]) -> Option<Self> {
        if values.len() < 2 || are_alike(values) {
            return None;
        }
        if values.len() < BOOTSTRAP_FROM {
            return Self::t(values);
        }
        let (low, high) = bca(values);
        Some(Self { low, high, method: IntervalMethod::Bca })
    }

    /// The part of it that lies in `range`, from its lower to its upper end, which all values do.
    ///
    /// A t interval knows nothing of the bounds of accuracies, and that of few values near 1 goes beyond. What is cut off
    /// cannot be the mean, so the interval holds it as often as before. An interval on the logit scale would stay within by
    /// itself, but has no place for the values 0 and 1, and a network that over-fits has a training accuracy of 1.
    ///
    /// ```
    /// use aumenta_study::Interval;
    ///
    /// let interval = Interval::of_mean(&[0.9, 0.95, 1.0]).ok_or("there are several")?;
    /// assert_eq!(format!("{:.3}", interval.high), "1.074");
    /// assert_eq!(interval.within((0.0, 1.0)).high, 1.0);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn within(self, (lowest, highest): (f64, f64)) -> Self {
        Self { low: self.low.max(lowest), high: self.high.min(highest), ..self }
    }

    fn t(values: &[f64]) -> Option<Self> {
        let (center, n) = (mean(values), values.len() as f64);
        let half_width = t_quantile(1.0 - ALPHA / 2.0, n - 1.0) * standard_deviation(values)? / n.sqrt();
        Some(Self { low: center - half_width, high: center + half_width, method: IntervalMethod::T })
    }
}

/// The two-sided p of Student's t with `freedom` degrees of freedom.
pub(super) fn t_p(t: f64, freedom: f64) -> f64 {
    // Parameters that are positive and finite are all that the distribution asks for.
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| 2.0 * student.cdf(-t.abs()))
}

fn t_quantile(share: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |student| student.inverse_cdf(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_interval_and_no_value_has_no_spread() {
        let spread = Spread::of(&[0.5]).unwrap();
        assert_eq!((spread.count, spread.mean, spread.standard_deviation, spread.interval), (1, 0.5, None, None));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn equal_values_tell_no_error() {
        for count in [3, 12] {
            assert_eq!(Spread::of(&vec![0.25; count]).unwrap().interval, None);
        }
    }

    #[test]
    fn few_values_have_a_t_interval_and_many_a_bootstrap() {
        let method = |count: usize| {
            let values: Vec<f64> = (0..count).map(|value| value as f64).collect();
            Interval::of_mean(&values).unwrap().method
        };
        assert_eq!((method(9), method(10)), (IntervalMethod::T, IntervalMethod::Bca));
    }

    #[test]
    fn lowest_and_highest_are_those_of_the_values() {
        let spread = Spread::of(&[0.5, 0.25, 0.75]).unwrap();
        assert_eq!((spread.lowest, spread.highest), (0.25, 0.75));
    }
}
