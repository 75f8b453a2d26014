//! The confusion matrix, and precision, recall and F1 of each class.

use serde::{Deserialize, Serialize};

/// How often each class was predicted for each true class: rows are true classes, columns predicted ones.
///
/// It is stored as its rows, `[[50, 3], [7, 40]]`.
///
/// ```
/// use aumenta_metrics::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::from_pairs(2, &[0, 0, 0, 1, 1], &[0, 0, 1, 1, 1]);
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.accuracy(), Some(0.8));
///
/// let scores = matrix.class_scores(1);
/// assert_eq!(scores.precision, Some(2.0 / 3.0));
/// assert_eq!(scores.recall, Some(1.0));
/// assert_eq!(scores.f1, Some(0.8));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Vec<u64>>", try_from = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

/// Precision, recall and F1 of one class, each from 0 to 1, and `None` where it would divide by zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScores {
    /// The share of the samples predicted as this class that are of it; `None` where none was predicted.
    pub precision: Option<f64>,
    /// The share of the samples of this class that were predicted as it; `None` where there is none.
    pub recall: Option<f64>,
    /// The harmonic mean of the two, `2 * right / (predicted + support)`; `None` where the class occurs in neither.
    pub f1: Option<f64>,
    /// How many samples are of this class.
    pub support: u64,
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// The matrix of true and predicted classes, sample by sample.
    ///
    /// # Panics
    /// Where the slices differ in length or hold a class not below `classes`.
    pub fn from_pairs(classes: usize, truth: &[usize], predicted: &[usize]) -> Self {
        assert_eq!(truth.len(), predicted.len(), "each true class needs one predicted class");
        let mut matrix = Self::new(classes);
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            matrix.record(truth, predicted);
        }
        matrix
    }

    /// Counts one sample.
    ///
    /// # Panics
    /// Where a class is not below [`classes`](Self::classes).
    pub fn record(&mut self, truth: usize, predicted: usize) {
        let cell = self.cell(truth, predicted);
        self.counts[cell] += 1;
    }

    /// How many samples of class `truth` were predicted as `predicted`.
    ///
    /// # Panics
    /// Where a class is not below [`classes`](Self::classes).
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[self.cell(truth, predicted)]
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The rows, one a true class.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        (0..self.classes).map(|truth| &self.counts[truth * self.classes..(truth + 1) * self.classes])
    }

    /// The number of samples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of samples whose predicted class is the true one.
    pub fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// The share of samples predicted right; `None` where there are no samples.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.correct(), self.total())
    }

    /// Precision, recall and F1 of `class`.
    ///
    /// # Panics
    /// Where `class` is not below [`classes`](Self::classes).
    pub fn class_scores(&self, class: usize) -> ClassScores {
        let right = self.count(class, class);
        let support = (0..self.classes).map(|predicted| self.count(class, predicted)).sum();
        let predicted = (0..self.classes).map(|truth| self.count(truth, class)).sum();
        ClassScores {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, predicted + support),
            support,
        }
    }

    fn cell(&self, truth: usize, predicted: usize) -> usize {
        let classes = self.classes;
        assert!(
            truth < classes && predicted < classes,
            "({truth}, {predicted}) is outside a matrix of {classes} classes"
        );
        truth * classes + predicted
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl From<ConfusionMatrix> for Vec<Vec<u64>> {
    fn from(matrix: ConfusionMatrix) -> Self {
        matrix.rows().map(<[u64]>::to_vec).collect()
    }
}

/// A stored confusion matrix is not square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaggedMatrix {
    /// The number of rows.
    pub rows: usize,
    /// The length of the first row that differs from it.
    pub columns: usize,
}

impl std::fmt::Display for RaggedMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, columns } = self;
        write!(f, "a confusion matrix of {rows} rows needs {rows} counts in each, but one row has {columns}")
    }
}

impl std::error::Error for RaggedMatrix {}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = RaggedMatrix;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, RaggedMatrix> {
        let classes = rows.len();
        match rows.iter().find(|row| row.len() != classes) {
            Some(row) => Err(RaggedMatrix { rows: classes, columns: row.len() }),
            None => Ok(Self { classes, counts: rows.concat() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes: ten of class 0, five of class 1 and none of class 2, which is predicted twice.
    fn example() -> ConfusionMatrix {
        ConfusionMatrix::try_from(vec![vec![7, 1, 2], vec![2, 3, 0], vec![0, 0, 0]]).unwrap()
    }

    #[test]
    fn rows_are_true_classes() {
        let matrix = ConfusionMatrix::from_pairs(3, &[0, 0, 2], &[0, 1, 1]);
        let rows: Vec<Vec<u64>> = matrix.into();
        assert_eq!(rows, [[1, 1, 0], [0, 0, 0], [0, 1, 0]]);
    }

    #[test]
    fn totals_and_accuracy_follow_from_the_counts() {
        assert_eq!((example().total(), example().correct()), (15, 10));
        assert_eq!(example().accuracy(), Some(10.0 / 15.0));
        assert_eq!(ConfusionMatrix::new(2).accuracy(), None);
    }

    #[test]
    fn class_scores_follow_from_row_and_column() {
        let scores = example().class_scores(0);
        assert_eq!(scores.precision, Some(7.0 / 9.0));
        assert_eq!(scores.recall, Some(0.7));
        assert_eq!(scores.f1, Some(14.0 / 19.0));
        assert_eq!(scores.support, 10);
    }

    #[test]
    fn a_score_that_would_divide_by_zero_is_none() {
        let never_occurs = example().class_scores(2);
        assert_eq!((never_occurs.precision, never_occurs.recall, never_occurs.f1), (Some(0.0), None, Some(0.0)));
        let nothing = ConfusionMatrix::new(1).class_scores(0);
        assert_eq!((nothing.precision, nothing.recall, nothing.f1), (None, None, None));
    }

    #[test]
    fn a_ragged_matrix_is_refused() {
        let error = ConfusionMatrix::try_from(vec![vec![1, 2], vec![3]]).unwrap_err();
        assert_eq!(error.to_string(), "a confusion matrix of 2 rows needs 2 counts in each, but one row has 1");
    }

    #[test]
    #[should_panic(expected = "outside a matrix of 2 classes")]
    fn a_class_outside_the_matrix_panics_and_is_not_counted_elsewhere() {
        ConfusionMatrix::new(2).record(0, 2);
    }
}
