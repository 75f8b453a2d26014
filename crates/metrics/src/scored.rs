//! [`Scored`]: what a classifier said of samples whose classes are known.

use crate::confusion::ConfusionMatrix;
use crate::prediction::predicted_class;
use crate::score::Score;

/// The probabilities that a classifier gives to samples whose classes are known; every measure follows from them.
///
/// The predicted class of a sample is that of the largest probability, the first of equals.
///
/// ```
/// use aumenta_metrics::{Scored, brier_score, top_k_accuracy};
///
/// let probabilities = [0.7, 0.2, 0.1, 0.3, 0.3, 0.4];
/// let scored = Scored::new(3, &[0, 1], &probabilities);
/// assert_eq!(scored.predicted().collect::<Vec<_>>(), [0, 2]);
/// assert_eq!(top_k_accuracy(&scored, 1).map(|score| score.value), Some(0.5));
/// assert_eq!(top_k_accuracy(&scored, 2).map(|score| score.value), Some(0.5));
/// assert!(brier_score(&scored).is_some_and(|score| (score.value - 0.44).abs() < 1e-7));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    classes: usize,
    truth: &'a [usize],
    probabilities: &'a [f32],
}

impl<'a> Scored<'a> {
    /// Samples of the classes `truth`, with their `probabilities` row by row, `[samples, classes]`. Each row sums to 1.
    ///
    /// # Panics
    /// Where there are fewer than two classes, a row is not complete, or a class is not below `classes`.
    pub fn new(classes: usize, truth: &'a [usize], probabilities: &'a [f32]) -> Self {
        assert!(classes >= 2, "a classifier has two classes at least, not {classes}");
        assert_eq!(truth.len() * classes, probabilities.len(), "each sample needs a probability of each class");
        assert!(truth.iter().all(|class| *class < classes), "a true class is not below {classes}");
        Self { classes, truth, probabilities }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// The true class of each sample with its probabilities.
    pub fn rows(&self) -> impl Iterator<Item = (usize, &'a [f32])> + Clone {
        self.truth.iter().copied().zip(self.probabilities.chunks_exact(self.classes))
    }

    /// The predicted class of each sample.
    pub fn predicted(&self) -> impl Iterator<Item = usize> {
        self.rows().map(|(_, row)| predicted_class(row))
    }

    /// What was predicted for what.
    pub fn confusion(&self) -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(self.classes);
        for (truth, row) in self.rows() {
            matrix.record(truth, predicted_class(row));
        }
        matrix
    }

    /// Whether there are samples and every probability is a finite number, which all measures of probabilities need.
    pub fn is_measurable(&self) -> bool {
        !self.is_empty() && self.probabilities.iter().all(|probability| probability.is_finite())
    }
}

/// The share of samples whose true class is among the `k` most probable ones, with its Wilson interval.
///
/// Of classes that are equally probable the first ones come first, so the top 1 is the predicted class. With `k` of the
/// number of classes or more, every sample is right. `None` where there are no samples or a probability is not finite.
pub fn top_k_accuracy(scored: &Scored<'_>, k: usize) -> Option<Score> {
    let is_right = |(truth, row): &(usize, &[f32])| {
        let own = row[*truth];
        let before = |(class, other): (usize, &f32)| *other > own || (*other == own && class < *truth);
        row.iter().enumerate().filter(|each| before(*each)).count() < k
    };
    let right = scored.is_measurable().then(|| scored.rows().filter(is_right).count())?;
    Score::share(right as u64, scored.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_top(truth: usize, row: &[f32], rank: usize) {
        let truth = [truth];
        let scored = Scored::new(row.len(), &truth, row);
        for k in 0..=row.len() + 1 {
            let expected = if k > rank { 1.0 } else { 0.0 };
            assert_eq!(top_k_accuracy(&scored, k).map(|score| score.value), Some(expected), "k = {k}");
        }
    }

    #[test]
    fn a_class_is_among_the_top_k_by_its_rank_and_the_first_of_equals_comes_first() {
        check_top(1, &[0.2, 0.5, 0.3], 0);
        check_top(0, &[0.2, 0.5, 0.3], 2);
        check_top(1, &[0.5, 0.5], 1);
        check_top(0, &[0.5, 0.5], 0);
    }

    #[test]
    fn predictions_and_the_confusion_matrix_follow_from_the_largest_probability() {
        let scored = Scored::new(2, &[0, 1, 1], &[0.5, 0.5, 0.4, 0.6, 0.9, 0.1]);
        assert_eq!(scored.predicted().collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(scored.confusion(), ConfusionMatrix::from_pairs(2, &[0, 1, 1], &[0, 1, 0]));
    }

    #[test]
    fn nothing_is_measured_of_no_samples_or_of_nan() {
        assert_eq!(top_k_accuracy(&Scored::new(3, &[], &[]), 1), None);
        assert_eq!(top_k_accuracy(&Scored::new(2, &[0], &[f32::NAN, 0.5]), 1), None);
    }

    #[test]
    #[should_panic(expected = "a probability of each class")]
    fn a_row_that_is_not_complete_panics() {
        let _ = Scored::new(3, &[0], &[0.5, 0.5]);
    }

    #[test]
    #[should_panic(expected = "not below 2")]
    fn a_class_that_there_is_not_panics() {
        let _ = Scored::new(2, &[2], &[0.5, 0.5]);
    }
}
