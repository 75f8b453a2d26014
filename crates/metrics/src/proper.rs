//! Proper scoring rules, which honest probabilities make smallest: log loss and the Brier score.

use crate::score::Score;
use crate::scored::Scored;

/// The mean of `-ln p` over samples, `p` being the probability of the true class, with `mean ± z s / sqrt(n)`; in nats,
/// from 0.
///
/// Probabilities below 2⁻⁵² count as 2⁻⁵², as in scikit-learn, so that one certain error does not make it infinite. `None`
/// where there are no samples or a probability is not finite.
///
/// ```
/// use aumenta_metrics::{Scored, log_loss};
///
/// let scored = Scored::new(2, &[0, 1], &[0.5, 0.5, 0.0, 1.0]);
/// assert_eq!(log_loss(&scored).map(|score| score.value), Some(2_f64.ln() / 2.0));
/// ```
pub fn log_loss(scored: &Scored<'_>) -> Option<Score> {
    let loss = |(truth, row): (usize, &[f32])| -f64::from(row[truth]).max(f64::EPSILON).ln();
    scored.is_measurable().then(|| Score::mean(scored.rows().map(loss)))?
}

/// The mean squared distance of the probabilities from the truth, with `mean ± z s / sqrt(n)`.
///
/// For more than two classes a sample's is the sum over classes of `(p - y)²`, from 0 to 2, where `y` is 1 for the true
/// class and 0 for others. For two classes it is `(p₁ - y₁)²`, half of that sum, from 0 to 1. So does scikit-learn. `None`
/// where there are no samples or a probability is not finite.
///
/// Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
pub fn brier_score(scored: &Scored<'_>) -> Option<Score> {
    let scale = if scored.classes() == 2 { 0.5 } else { 1.0 };
    let distance = |(truth, row): (usize, &[f32])| {
        let of_class = |(class, p): (usize, &f32)| (f64::from(*p) - if class == truth { 1.0 } else { 0.0 }).powi(2);
        scale * row.iter().enumerate().map(of_class).sum::<f64>()
    };
    scored.is_measurable().then(|| Score::mean(scored.rows().map(distance)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_error_has_a_bounded_log_loss() {
        let scored = Scored::new(2, &[0], &[0.0, 1.0]);
        assert_eq!(log_loss(&scored), Some(Score::plain(52.0 * 2_f64.ln())));
    }

    #[test]
    fn the_brier_score_of_two_classes_is_that_of_one_of_them() {
        let scored = Scored::new(2, &[0, 1], &[0.75, 0.25, 0.5, 0.5]);
        assert_eq!(brier_score(&scored).map(|score| score.value), Some(0.15625));
    }

    #[test]
    fn the_brier_score_of_more_classes_is_the_sum_over_all() {
        let scored = Scored::new(3, &[0], &[0.5, 0.25, 0.25]);
        assert_eq!(brier_score(&scored), Some(Score::plain(0.375)));
        assert_eq!(brier_score(&Scored::new(3, &[0], &[0.0, 1.0, 0.0])), Some(Score::plain(2.0)));
    }

    #[test]
    fn nothing_is_measured_of_no_samples_or_of_nan() {
        for scored in [Scored::new(2, &[], &[]), Scored::new(2, &[0], &[0.5, f32::NAN])] {
            assert_eq!((log_loss(&scored), brier_score(&scored)), (None, None));
        }
    }
}
