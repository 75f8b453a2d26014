//! [`Measure`]: the measures by name; [`Measures`]: all of them at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::average::Average;
use crate::calibration::Calibration;
use crate::proper::{brier_score, log_loss};
use crate::ranking::Ranking;
use crate::score::Score;
use crate::scored::{Scored, top_k_accuracy};

/// A measure of a classifier, by the name that records and configurations have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The mean loss of a sample as the network computes it from its logits; in nats, from 0. Mean ± z standard errors.
    Loss,
    /// [`log_loss`] of the probabilities; in nats, from 0. Mean ± z standard errors.
    LogLoss,
    /// The share of samples predicted right, from 0 to 1. Wilson's interval.
    Accuracy,
    /// [`top_k_accuracy`] with `k = 3`, where there are more than three classes. Wilson's interval.
    #[serde(rename = "top-3-accuracy")]
    Top3Accuracy,
    /// [`top_k_accuracy`] with `k = 5`, where there are more than five classes. Wilson's interval.
    #[serde(rename = "top-5-accuracy")]
    Top5Accuracy,
    /// The mean precision of all classes that occur. No interval.
    PrecisionMacro,
    /// The mean precision of all classes, weighted by their samples. No interval.
    PrecisionWeighted,
    /// The mean recall of all classes that occur, also called balanced accuracy. No interval. (Weighted by samples, recall is
    /// accuracy.)
    RecallMacro,
    /// The mean F1 of all classes that occur. An interval by the delta method.
    F1Macro,
    /// The mean F1 of all classes, weighted by their samples. No interval.
    F1Weighted,
    /// The area under the ROC curve: for two classes that of class 1, with [`auroc_interval`](crate::auroc_interval); for
    /// more the mean of each class against the rest, over classes that have samples of both kinds, without an interval.
    Auroc,
    /// As [`Measure::Auroc`] for more than two classes, weighted by the samples of each class. No interval.
    AurocWeighted,
    /// Average precision: for two classes that of class 1; for more the mean of each class against the rest, over classes
    /// that have samples. No interval.
    AveragePrecision,
    /// [`brier_score`], from 0 to 1 for two classes and to 2 for more. Mean ± z standard errors.
    Brier,
    /// [`Calibration::expected_error`] with 15 bins, from 0 to 1. No interval.
    Ece,
}

impl Measure {
    /// All measures, in the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::Loss,
        Self::LogLoss,
        Self::Accuracy,
        Self::Top3Accuracy,
        Self::Top5Accuracy,
        Self::PrecisionMacro,
        Self::PrecisionWeighted,
        Self::RecallMacro,
        Self::F1Macro,
        Self::F1Weighted,
        Self::Auroc,
        Self::AurocWeighted,
        Self::AveragePrecision,
        Self::Brier,
        Self::Ece,
    ];

    /// The name in records and configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::LogLoss => "log-loss",
            Self::Accuracy => "accuracy",
            Self::Top3Accuracy => "top-3-accuracy",
            Self::Top5Accuracy => "top-5-accuracy",
            Self::PrecisionMacro => "precision-macro",
            Self::PrecisionWeighted => "precision-weighted",
            Self::RecallMacro => "recall-macro",
            Self::F1Macro => "f1-macro",
            Self::F1Weighted => "f1-weighted",
            Self::Auroc => "auroc",
            Self::AurocWeighted => "auroc-weighted",
            Self::AveragePrecision => "average-precision",
            Self::Brier => "brier",
            Self::Ece => "ece",
        }
    }

    /// Whether a larger value is a better one.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Self::Loss | Self::LogLoss | Self::Brier | Self::Ece)
    }
}

/// The measures of a classifier on some samples. A measure that is not defined for them is not there.
///
/// It is stored as an object by name, `{"accuracy": {"value": 0.9, "interval": [0.8, 0.95]}, "ece": {"value": 0.1}}`.
///
/// ```
/// use aumenta_metrics::{Measure, Measures, Scored};
///
/// let scored = Scored::new(2, &[0, 1, 1], &[0.9, 0.1, 0.2, 0.8, 0.6, 0.4]);
/// let measures = Measures::of(&scored, &[0.1, 0.2, 0.9]);
/// assert_eq!(measures.value(Measure::Accuracy), Some(2.0 / 3.0));
/// assert_eq!(measures.value(Measure::Auroc), Some(1.0));
/// assert_eq!(measures.value(Measure::Top3Accuracy), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measures(BTreeMap<Measure, Score>);

impl Measures {
    /// All measures that are defined for `scored` and the losses of its samples, in their order.
    ///
    /// Where there are no samples, none is; where a probability is not finite, only those that need no probabilities are,
    /// and where a loss is not finite, all but the loss.
    ///
    /// # Panics
    /// Where there is not one loss a sample.
    pub fn of(scored: &Scored<'_>, losses: &[f32]) -> Self {
        assert_eq!(scored.len(), losses.len(), "each sample needs a loss");
        let matrix = scored.confusion();
        let mean_over_classes =
            |average, score: fn(&crate::ClassScores) -> Option<f64>| matrix.average(average, score).map(Score::plain);
        let top = |k| (scored.classes() > k).then(|| top_k_accuracy(scored, k))?;
        let ranked = Ranked::of(scored);
        let scores = [
            (Measure::Loss, Score::mean(losses.iter().map(|loss| f64::from(*loss)))),
            (Measure::LogLoss, log_loss(scored)),
            (Measure::Accuracy, Score::share(matrix.correct(), matrix.total())),
            (Measure::Top3Accuracy, top(3)),
            (Measure::Top5Accuracy, top(5)),
            (Measure::PrecisionMacro, mean_over_classes(Average::Macro, |scores| scores.precision)),
            (Measure::PrecisionWeighted, mean_over_classes(Average::Weighted, |scores| scores.precision)),
            (Measure::RecallMacro, mean_over_classes(Average::Macro, |scores| scores.recall)),
            (Measure::F1Macro, matrix.macro_f1()),
            (Measure::F1Weighted, mean_over_classes(Average::Weighted, |scores| scores.f1)),
            (Measure::Auroc, ranked.auroc),
            (Measure::AurocWeighted, ranked.auroc_weighted),
            (Measure::AveragePrecision, ranked.average_precision),
            (Measure::Brier, brier_score(scored)),
            (Measure::Ece, Calibration::of(scored, Calibration::BINS).expected_error().map(Score::plain)),
        ];
        Self(scores.into_iter().filter_map(|(measure, score)| Some((measure, score?))).collect())
    }

    /// The value of a measure with its interval.
    pub fn score(&self, measure: Measure) -> Option<Score> {
        self.0.get(&measure).copied()
    }

    /// The value of a measure.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        self.score(measure).map(|score| score.value)
    }

    /// All measures that there are, in the order of [`Measure::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Measure, Score)> {
        self.0.iter().map(|(measure, score)| (*measure, *score))
    }
}

/// What follows from the order of probabilities.
#[derive(Default)]
struct Ranked {
    auroc: Option<Score>,
    auroc_weighted: Option<Score>,
    average_precision: Option<Score>,
}

impl Ranked {
    fn of(scored: &Scored<'_>) -> Self {
        if !scored.is_measurable() {
            return Self::default();
        }
        if scored.classes() == 2 {
            let ranking = Ranking::one_versus_rest(scored, 1);
            let average_precision = ranking.average_precision().map(Score::plain);
            return Self { auroc: ranking.auroc(), auroc_weighted: None, average_precision };
        }
        let (mut areas, mut precisions) = (Vec::new(), Vec::new());
        for ranking in (0..scored.classes()).map(|class| Ranking::one_versus_rest(scored, class)) {
            areas.extend(ranking.auroc().map(|area| (area.value, ranking.positives() as f64)));
            precisions.extend(ranking.average_precision());
        }
        let weights: f64 = areas.iter().map(|(_, weight)| weight).sum();
        let weighted = areas.iter().map(|(area, weight)| area * weight).sum::<f64>() / weights;
        Self {
            auroc: mean(areas.iter().map(|(area, _)| *area)),
            auroc_weighted: (!areas.is_empty()).then(|| Score::plain(weighted)),
            average_precision: mean(precisions.iter().copied()),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<Score> {
    let count = values.len();
    (count > 0).then(|| Score::plain(values.sum::<f64>() / count as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_records() {
        for measure in Measure::ALL {
            assert_eq!(serde_json::to_value(measure).unwrap(), measure.name());
        }
        assert!(Measure::ALL.is_sorted());
    }

    #[test]
    fn only_losses_and_errors_are_better_where_they_are_lower() {
        let lower: Vec<_> = Measure::ALL.into_iter().filter(|measure| !measure.higher_is_better()).collect();
        assert_eq!(lower, [Measure::Loss, Measure::LogLoss, Measure::Brier, Measure::Ece]);
    }

    #[test]
    fn measures_are_stored_by_name_and_read_back() {
        let measures = Measures::of(&Scored::new(2, &[0, 1], &[0.75, 0.25, 0.5, 0.5]), &[0.25, 0.75]);
        let json = serde_json::to_string(&measures).unwrap();
        assert!(json.starts_with(r#"{"loss":{"value":0.5,"interval":["#), "{json}");
        assert!(json.contains(r#""average-precision":{"value":1.0},"#), "{json}");
        assert_eq!(serde_json::from_str::<Measures>(&json).unwrap(), measures);
        assert!(serde_json::from_str::<Measures>(r#"{"aoroc":{"value":1.0}}"#).is_err());
    }

    #[test]
    fn nothing_is_measured_of_no_samples() {
        assert_eq!(Measures::of(&Scored::new(4, &[], &[]), &[]), Measures::default());
    }

    #[test]
    fn what_is_not_finite_leaves_out_what_needs_it() {
        let names = |probability, loss| {
            let measures = Measures::of(&Scored::new(2, &[0, 1], &[probability, 0.5, 0.25, 0.75]), &[0.5, loss]);
            measures.iter().map(|(measure, _)| measure.name()).collect::<Vec<_>>()
        };
        let of_predictions =
            ["accuracy", "precision-macro", "precision-weighted", "recall-macro", "f1-macro", "f1-weighted"];
        assert_eq!(names(f32::NAN, f32::INFINITY), of_predictions);
        assert_eq!(names(0.5, f32::NAN).len(), 11);
        assert_eq!(names(0.5, 0.5).len(), 12);
    }

    #[test]
    fn samples_of_one_class_alone_have_no_area_under_the_curve() {
        let of_two = Measures::of(&Scored::new(2, &[1, 1], &[0.5, 0.5, 0.25, 0.75]), &[0.5, 0.5]);
        assert_eq!((of_two.value(Measure::Auroc), of_two.value(Measure::AveragePrecision)), (None, Some(1.0)));
        let of_three = Measures::of(&Scored::new(3, &[1], &[0.0, 1.0, 0.0]), &[0.0]);
        assert_eq!((of_three.value(Measure::Auroc), of_three.value(Measure::AurocWeighted)), (None, None));
        assert_eq!(of_three.value(Measure::AveragePrecision), Some(1.0));
    }
}
