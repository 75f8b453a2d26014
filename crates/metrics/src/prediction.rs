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
}
