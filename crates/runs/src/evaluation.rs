//! [`Evaluation`]: how a trained network did on one split.

use aumenta_metrics::{Calibration, ConfusionMatrix, Measure, Measures, Score, Scored};
use serde::{Deserialize, Serialize};

/// How a trained network did on one split: the content of `evaluation-SPLIT.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evaluation {
    /// [`Evaluation::FORMAT`] when written.
    pub format: u32,
    /// The split's name, such as `test`.
    pub split: String,
    /// How many images were measured.
    pub images: u64,
    /// How many images could not be used and were left out.
    pub skipped: u64,
    /// All measures that are defined for these images.
    pub measures: Measures,
    /// What was predicted for what, in the order of the run's classes.
    pub confusion: ConfusionMatrix,
    /// Whether the network was right as often as it was sure.
    pub calibration: Calibration,
}

impl Evaluation {
    /// The format that this version writes and reads. Format 1, without a number, had loss and accuracy alone.
    pub const FORMAT: u32 = 2;

    /// The evaluation that follows from probabilities of images whose classes are known, and from the loss of each.
    ///
    /// ```
    /// use aumenta_metrics::{Measure, Scored};
    /// use aumenta_runs::Evaluation;
    ///
    /// let scored = Scored::new(2, &[0, 1], &[0.8, 0.2, 0.6, 0.4]);
    /// let evaluation = Evaluation::of("test", &scored, &[0.22, 0.92]);
    /// assert_eq!((evaluation.images, evaluation.value(Measure::Accuracy)), (2, Some(0.5)));
    /// ```
    ///
    /// # Panics
    /// Where there is not one loss an image.
    pub fn of(split: impl Into<String>, scored: &Scored<'_>, losses: &[f32]) -> Self {
        Self {
            format: Self::FORMAT,
            split: split.into(),
            images: scored.len() as u64,
            skipped: 0,
            measures: Measures::of(scored, losses),
            confusion: scored.confusion(),
            calibration: Calibration::of(scored, Calibration::BINS),
        }
    }

    /// The value of a measure with its interval; `None` where it is not defined for these images.
    pub fn score(&self, measure: Measure) -> Option<Score> {
        self.measures.score(measure)
    }

    /// The value of a measure; `None` where it is not defined for these images.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        self.measures.value(measure)
    }
}

#[cfg(test)]
mod tests {
    use aumenta_metrics::{Z_95, wilson_interval};

    use super::*;

    #[test]
    fn counts_and_measures_follow_from_probabilities() {
        let truth: Vec<usize> = (0..100).map(|image| usize::from(image >= 50)).collect();
        let rows = (0..100).flat_map(|image| if (9..60).contains(&image) { [0.75, 0.25] } else { [0.25, 0.75] });
        let probabilities: Vec<f32> = rows.collect();
        let evaluation = Evaluation::of("test", &Scored::new(2, &truth, &probabilities), &[0.5; 100]);
        assert_eq!(Vec::from(evaluation.confusion.clone()), [[41, 9], [10, 40]]);
        let accuracy = evaluation.score(Measure::Accuracy).unwrap();
        assert_eq!((evaluation.images, accuracy.value), (100, 0.81));
        assert_eq!(accuracy.interval, Some(wilson_interval(81, 100, Z_95)));
        assert_eq!(evaluation.calibration.samples(), 100);
    }

    #[test]
    fn an_evaluation_of_no_images_knows_nothing() {
        let evaluation = Evaluation::of("test", &Scored::new(2, &[], &[]), &[]);
        assert_eq!((evaluation.images, evaluation.value(Measure::Accuracy)), (0, None));
        assert_eq!(evaluation.measures, Measures::default());
    }

    #[test]
    fn a_ragged_confusion_matrix_is_refused() {
        let json = serde_json::to_string(&Evaluation::of("test", &Scored::new(2, &[], &[]), &[])).unwrap();
        let ragged = json.replace("[[0,0],[0,0]]", "[[0,0],[0]]");
        assert_ne!(json, ragged);
        assert!(serde_json::from_str::<Evaluation>(&ragged).unwrap_err().to_string().contains("one row has 1"));
    }
}
