//! [`Score`]: the value of a measure, with its interval where it has one.

use serde::{Deserialize, Serialize};

use crate::interval::{Estimate, Z_95};
use crate::mean::Mean;

/// The value of a measure and, where one is known, its 95% confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Score {
    /// The measured value, which is finite.
    pub value: f64,
    /// The lower and the upper end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

impl Score {
    /// A value without an interval.
    pub fn plain(value: f64) -> Self {
        Self { value, interval: None }
    }

    /// The share of `part` in `whole` with its [`wilson_interval`](crate::wilson_interval); `None` where `whole` is 0.
    ///
    /// # Panics
    /// Where `part` exceeds `whole`.
    pub fn share(part: u64, whole: u64) -> Option<Self> {
        (whole > 0).then(|| Estimate::proportion(part, whole, Z_95).into())
    }

    /// The mean of `values` with the normal interval `mean ± z s / sqrt(n)`, where `s²` is the unbiased variance.
    ///
    /// `None` where there are no values or one is not finite. There is no interval where no two values differ: nothing is
    /// then known of their spread.
    ///
    /// ```
    /// use aumenta_metrics::Score;
    ///
    /// let loss = Score::mean([0.2, 0.4, 0.6]).ok_or("no values")?;
    /// let (low, high) = loss.interval.ok_or("no interval")?;
    /// assert_eq!(format!("{:.2} ({low:.2} to {high:.2})", loss.value), "0.40 (0.17 to 0.63)");
    /// assert_eq!(Score::mean([]), None);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn mean(values: impl IntoIterator<Item = f64, IntoIter: Clone>) -> Option<Self> {
        let values = values.into_iter();
        let mean = mean_of(values.clone());
        let (value, n) = (mean.value().filter(|value| value.is_finite())?, mean.weight());
        let spread = mean_of(values.map(|each| (each - value).powi(2))).value().filter(|spread| *spread > 0.0);
        // The mean of the squares is the biased variance.
        let interval = spread.map(|spread| {
            let half_width = Z_95 * (spread / (n - 1.0)).sqrt();
            (value - half_width, value + half_width)
        });
        Some(Self { value, interval })
    }
}

fn mean_of(values: impl Iterator<Item = f64>) -> Mean {
    let mut mean = Mean::default();
    values.for_each(|value| mean.add(value, 1.0));
    mean
}

impl From<Estimate> for Score {
    fn from(Estimate { value, low, high }: Estimate) -> Self {
        Self { value, interval: Some((low, high)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_by_hand() {
        // 1, 3: mean 2, unbiased variance 2, standard error 1.
        assert_eq!(Score::mean([1.0, 3.0]), Some(Score { value: 2.0, interval: Some((2.0 - Z_95, 2.0 + Z_95)) }));
    }

    #[test]
    fn a_mean_of_nothing_or_of_what_is_not_finite_is_none() {
        assert_eq!(Score::mean([]), None);
        assert_eq!(Score::mean([1.0, f64::NAN]), None);
        assert_eq!(Score::mean([1.0, f64::INFINITY]), None);
    }

    #[test]
    fn values_that_do_not_differ_have_no_interval() {
        assert_eq!(Score::mean([0.5]), Some(Score::plain(0.5)));
        assert_eq!(Score::mean([0.5, 0.5]), Some(Score::plain(0.5)));
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(Score::share(0, 0), None);
        assert_eq!(Score::share(1, 2).map(|score| score.value), Some(0.5));
    }
}
