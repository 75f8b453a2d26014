//! [`Ranking`]: how well scores set samples of a class before all others, whatever the threshold.

use crate::interval::Z_95;
use crate::score::Score;
use crate::scored::Scored;

/// Samples in the order of their scores, those of equal scores together.
///
/// ```
/// use aumenta_metrics::Ranking;
///
/// let ranking = Ranking::new([(0.9, true), (0.8, false), (0.8, true), (0.1, false)]);
/// assert_eq!(ranking.auroc().map(|score| score.value), Some(0.875));
/// assert_eq!(ranking.average_precision(), Some(0.5 * 1.0 + 0.5 * (2.0 / 3.0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// How many positive and how many negative samples there are of each score, the highest score first.
    ties: Vec<(u64, u64)>,
    positives: u64,
    negatives: u64,
}

impl Ranking {
    /// The ranking of samples by their scores; `true` marks the positive ones. Scores are numbers of any range.
    ///
    /// # Panics
    /// Where a score is NaN.
    pub fn new(samples: impl IntoIterator<Item = (f32, bool)>) -> Self {
        let mut samples: Vec<(f32, bool)> = samples.into_iter().collect();
        assert!(samples.iter().all(|(score, _)| !score.is_nan()), "a score that is NaN has no rank");
        samples.sort_by(|a, b| b.0.total_cmp(&a.0));
        let of_tie = |tie: &[(f32, bool)]| {
            let positives = tie.iter().filter(|(_, is_positive)| *is_positive).count();
            (positives as u64, (tie.len() - positives) as u64)
        };
        let ties: Vec<(u64, u64)> = samples.chunk_by(|a, b| a.0 == b.0).map(of_tie).collect();
        let (positives, negatives) = ties.iter().fold((0, 0), |sum, tie| (sum.0 + tie.0, sum.1 + tie.1));
        Self { ties, positives, negatives }
    }

    /// The ranking of samples by the probability of `class`, those of it being positive.
    ///
    /// # Panics
    /// Where there is no such class, or a probability is NaN.
    pub fn one_versus_rest(scored: &Scored<'_>, class: usize) -> Self {
        Self::new(scored.rows().map(|(truth, row)| (row[class], truth == class)))
    }

    /// The number of positive samples.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// The area under the ROC curve: how probably a positive sample scores higher than a negative one, a tie counting
    /// half; from 0 to 1, with [`auroc_interval`]. `None` where positives or negatives are missing.
    pub fn auroc(&self) -> Option<Score> {
        if self.positives == 0 || self.negatives == 0 {
            return None;
        }
        let mut below = self.negatives;
        // Halves of pairs, which are whole numbers.
        let mut halves: u128 = 0;
        for (positives, negatives) in &self.ties {
            below -= negatives;
            halves += u128::from(*positives) * u128::from(2 * below + negatives);
        }
        let pairs = u128::from(self.positives) * u128::from(self.negatives);
        let value = halves as f64 / (2 * pairs) as f64;
        Some(Score { value, interval: Some(auroc_interval(value, self.positives, self.negatives, Z_95)) })
    }

    /// Average precision: the sum over thresholds of the precision there times the recall that the threshold adds; from 0
    /// to 1. Without interpolation, and with all samples of one score taken in at once, as in scikit-learn. `None` where
    /// no sample is positive.
    pub fn average_precision(&self) -> Option<f64> {
        let (mut found, mut taken) = (0, 0);
        let mut sum = 0.0;
        for (positives, negatives) in &self.ties {
            found += positives;
            taken += positives + negatives;
            sum += *positives as f64 * (found as f64 / taken as f64);
        }
        (self.positives > 0).then(|| sum / self.positives as f64)
    }
}

/// A score interval of an area `value` under the ROC curve of `positives` and `negatives`, as `(low, high)` within 0 to 1.
///
/// It holds every area `a` with `|value - a| <= z sqrt(v(a))`, where `v(a) = a (1 - a) (1 + m (1 - a) / (2 - a) + m a /
/// (1 + a)) / (positives negatives)` and `m = (positives + negatives) / 2 - 1`. The variance is that of Hanley and McNeil
/// with both numbers of samples replaced by their mean. As Wilson's interval does for shares, it keeps a width at an area
/// of 0 or 1, where DeLong's has none, and so does not claim certainty from a few samples.
///
/// Sources: Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
/// 1982; Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2", 2006,
/// method 5.
///
/// # Panics
/// Where there are no positives or no negatives.
pub fn auroc_interval(value: f64, positives: u64, negatives: u64, z: f64) -> (f64, f64) {
    assert!(positives > 0 && negatives > 0, "an area under the ROC curve needs positives and negatives");
    let (p, n) = (positives as f64, negatives as f64);
    let m = f64::midpoint(p, n) - 1.0;
    let variance = |a: f64| a * (1.0 - a) * (1.0 + m * (1.0 - a) / (2.0 - a) + m * a / (1.0 + a)) / (p * n);
    let is_within = |a: f64| (value - a).abs() <= z * variance(a).sqrt();
    (boundary(value, 0.0, is_within), boundary(value, 1.0, is_within))
}

/// Where `is_within`, which holds at `inside`, ends on the way to `outside`.
fn boundary(mut inside: f64, mut outside: f64, is_within: impl Fn(f64) -> bool) -> f64 {
    // As many halvings as a float has bits end at its last one.
    for _ in 0..64 {
        let middle = f64::midpoint(inside, outside);
        *(if is_within(middle) { &mut inside } else { &mut outside }) = middle;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[(f32, bool)], auroc: Option<f64>, average_precision: Option<f64>) {
        let ranking = Ranking::new(samples.iter().copied());
        assert_eq!(ranking.auroc().map(|score| score.value), auroc);
        assert_eq!(ranking.average_precision(), average_precision);
    }

    #[test]
    fn rankings_by_hand() {
        check(&[(2.0, true), (1.0, false)], Some(1.0), Some(1.0));
        check(&[(1.0, true), (2.0, false)], Some(0.0), Some(0.5));
        check(&[(1.0, true), (1.0, false)], Some(0.5), Some(0.5));
        check(&[(0.0, true), (-0.0, false)], Some(0.5), Some(0.5));
    }

    #[test]
    fn one_kind_alone_has_no_area() {
        check(&[(1.0, true)], None, Some(1.0));
        check(&[(1.0, false)], None, None);
        check(&[], None, None);
    }

    #[test]
    fn the_interval_holds_the_area_and_keeps_a_width_at_its_ends() {
        for value in [0.0, 0.01, 0.5, 0.93, 1.0] {
            for (positives, negatives) in [(1, 1), (3, 200), (1000, 1000)] {
                let (low, high) = auroc_interval(value, positives, negatives, Z_95);
                assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{value}: {low} to {high}");
                assert!(high - low > 1e-4, "{value}: {low} to {high}");
            }
        }
    }

    #[test]
    fn the_interval_is_symmetric() {
        let (low, high) = auroc_interval(0.9, 12, 30, Z_95);
        let (mirrored_low, mirrored_high) = auroc_interval(0.1, 12, 30, Z_95);
        assert!((low - (1.0 - mirrored_high)).abs() < 1e-12 && (high - (1.0 - mirrored_low)).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "NaN has no rank")]
    fn a_score_that_is_nan_panics() {
        Ranking::new([(f32::NAN, true)]);
    }
}
