//! From a network's outputs to class numbers, and the share of them that is right.

/// The class that a row of logits predicts.
///
/// One logit is the log-odds of class 1: above 0 it is class 1, else class 0. More logits are one a class: the largest
/// wins, the first of equals. A NaN never wins against a number; a row without numbers predicts class 0.
///
/// ```
/// use aumenta_metrics::predicted_class;
///
/// assert_eq!(predicted_class(&[0.3]), 1);
/// assert_eq!(predicted_class(&[0.0]), 0);
/// assert_eq!(predicted_class(&[1.0, 4.0, 4.0]), 1);
/// ```
pub fn predicted_class(logits: &[f32]) -> usize {
    if let [log_odds] = logits {
        return usize::from(*log_odds > 0.0);
    }
    let mut best = (0, f32::NAN);
    for (class, &logit) in logits.iter().enumerate() {
        if logit > best.1 || (best.1.is_nan() && !logit.is_nan()) {
            best = (class, logit);
        }
    }
    best.0
}

/// Appends the probabilities that a row of logits means: one logit is the log-odds of class 1 against class 0, several are
/// the softmax's. Computed in f64, so that large logits neither overflow nor lose the small probabilities.
///
/// ```
/// use aumenta_metrics::push_probabilities;
///
/// let mut probabilities = Vec::new();
/// push_probabilities(&[0.0], &mut probabilities);
/// push_probabilities(&[1000.0, 1000.0], &mut probabilities);
/// assert_eq!(probabilities, [0.5, 0.5, 0.5, 0.5]);
/// ```
pub fn push_probabilities(logits: &[f32], probabilities: &mut Vec<f32>) {
    if let [log_odds] = logits {
        let of_class = |log_odds: f64| (1.0 / (1.0 + (-log_odds).exp())) as f32;
        probabilities.extend([of_class(-f64::from(*log_odds)), of_class(f64::from(*log_odds))]);
        return;
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let power = |logit: &f32| (f64::from(*logit) - f64::from(largest)).exp();
    let sum: f64 = logits.iter().map(power).sum();
    probabilities.extend(logits.iter().map(|logit| (power(logit) / sum) as f32));
}

/// The share of samples whose predicted class is the true one, from 0 to 1; `None` where there are no samples.
///
/// ```
/// use aumenta_metrics::accuracy;
///
/// assert_eq!(accuracy(&[0, 1, 2, 2], &[0, 1, 1, 2]), Some(0.75));
/// assert_eq!(accuracy(&[], &[]), None);
/// ```
///
/// # Panics
/// Where the slices differ in length.
pub fn accuracy(truth: &[usize], predicted: &[usize]) -> Option<f64> {
    assert_eq!(truth.len(), predicted.len(), "each true class needs one predicted class");
    let correct = truth.iter().zip(predicted).filter(|(truth, predicted)| truth == predicted).count();
    (!truth.is_empty()).then(|| correct as f64 / truth.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(logits: &[f32], class: usize) {
        assert_eq!(predicted_class(logits), class, "{logits:?}");
    }

    #[test]
    fn one_logit_is_split_at_zero() {
        check(&[0.1], 1);
        check(&[0.0], 0);
        check(&[-0.1], 0);
        check(&[f32::NAN], 0);
    }

    #[test]
    fn the_largest_of_several_logits_wins_and_the_first_of_equals() {
        check(&[-3.0, -1.0, -2.0], 1);
        check(&[5.0, 5.0], 0);
        check(&[1.0, 2.0, f32::INFINITY], 2);
    }

    #[test]
    fn nan_never_wins_against_a_number() {
        check(&[f32::NAN, -5.0, f32::NAN, -4.0], 3);
        check(&[f32::NAN, f32::NEG_INFINITY], 1);
        check(&[f32::NAN, f32::NAN], 0);
        check(&[], 0);
    }

    #[test]
    fn accuracy_counts_agreement() {
        assert_eq!(accuracy(&[1, 1, 0], &[1, 0, 1]), Some(1.0 / 3.0));
        assert_eq!(accuracy(&[], &[]), None);
    }

    #[track_caller]
    fn check_probabilities(logits: &[f32], expected: &[f32]) {
        let mut probabilities = Vec::new();
        push_probabilities(logits, &mut probabilities);
        assert_eq!(probabilities.len(), expected.len());
        for (got, expected) in probabilities.iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-7 * expected, "{probabilities:?} for {logits:?}");
        }
    }

    #[test]
    fn one_logit_is_the_log_odds_of_class_one() {
        check_probabilities(&[0.0], &[0.5, 0.5]);
        check_probabilities(&[3_f32.ln()], &[0.25, 0.75]);
        check_probabilities(&[-50.0], &[1.0, 1.928_749_9e-22]);
        check_probabilities(&[1000.0], &[0.0, 1.0]);
    }

    #[test]
    fn several_logits_are_a_softmax_that_does_not_overflow() {
        check_probabilities(&[0.0, 0.0, 0.0, 0.0], &[0.25; 4]);
        check_probabilities(&[2_f32.ln(), 0.0], &[2.0 / 3.0, 1.0 / 3.0]);
        check_probabilities(&[1000.0, 1000.0, -1000.0], &[0.5, 0.5, 0.0]);
    }
}
