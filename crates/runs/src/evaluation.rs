//! [`Evaluation`]: how a trained network did on one split.

use aumenta_metrics::{ConfusionMatrix, Z_95, wilson_interval};
use serde::{Deserialize, Serialize};

use crate::nullable;

/// How a trained network did on one split: the content of `evaluation-SPLIT.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evaluation {
    /// The split's name, such as `test`.
    pub split: String,
    /// How many images were measured.
    pub images: u64,
    /// The mean loss of an image; NaN where it is not finite.
    #[serde(with = "nullable")]
    pub loss: f64,
    /// The share of images predicted right, from 0 to 1; NaN where there were no images.
    #[serde(with = "nullable")]
    pub accuracy: f64,
    /// The 95% Wilson interval of the accuracy, low and high.
    pub interval: (f64, f64),
    /// What was predicted for what, in the order of the run's classes.
    pub confusion: ConfusionMatrix,
}

impl Evaluation {
    /// The evaluation that follows from a confusion matrix and the mean loss of an image.
    ///
    /// ```
    /// use aumenta_metrics::ConfusionMatrix;
    /// use aumenta_runs::Evaluation;
    ///
    /// let confusion = ConfusionMatrix::from_pairs(2, &[0, 0, 1, 1], &[0, 1, 1, 1]);
    /// let evaluation = Evaluation::new("test", 0.5, confusion);
    /// assert_eq!((evaluation.images, evaluation.accuracy), (4, 0.75));
    /// ```
    pub fn new(split: impl Into<String>, loss: f64, confusion: ConfusionMatrix) -> Self {
        Self {
            split: split.into(),
            images: confusion.total(),
            loss,
            accuracy: confusion.accuracy().unwrap_or(f64::NAN),
            interval: wilson_interval(confusion.correct(), confusion.total(), Z_95),
            confusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_accuracy_and_interval_follow_from_the_confusion_matrix() {
        let confusion = ConfusionMatrix::try_from(vec![vec![41, 9], vec![10, 40]]).unwrap();
        let evaluation = Evaluation::new("test", 0.5, confusion);
        assert_eq!((evaluation.images, evaluation.accuracy), (100, 0.81));
        assert_eq!(evaluation.interval, wilson_interval(81, 100, Z_95));
    }

    #[test]
    fn an_evaluation_of_no_images_knows_nothing() {
        let evaluation = Evaluation::new("test", f64::NAN, ConfusionMatrix::new(2));
        assert!(evaluation.accuracy.is_nan());
        assert_eq!((evaluation.images, evaluation.interval), (0, (0.0, 1.0)));
    }

    #[test]
    fn a_ragged_confusion_matrix_is_refused() {
        let evaluation = Evaluation::new("test", 0.5, ConfusionMatrix::new(2));
        let json = serde_json::to_string(&evaluation).unwrap();
        let ragged = json.replace("[[0,0],[0,0]]", "[[0,0],[0]]");
        assert_ne!(json, ragged);
        assert!(serde_json::from_str::<Evaluation>(&ragged).unwrap_err().to_string().contains("one row has 1"));
    }
}
