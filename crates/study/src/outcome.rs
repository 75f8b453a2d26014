//! [`Outcome`]: the numbers that sum a trial up, and [`outcomes`], which finds them in its epochs.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use aumenta_metrics::Measure;
use aumenta_runs::{EpochRecord, best_epoch};
use serde::{Deserialize, Serialize};

/// A number that sums a trial up, by its name in configurations and records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Validation accuracy of the best epoch, by what decided on it. Chosen as the best of several, it is a little too good.
    BestValidation,
    /// Validation accuracy of the last epoch.
    FinalValidation,
    /// The mean validation accuracy of the last ten epochs, or of all where there are fewer.
    LateValidation,
    /// The measure that decided on the best epoch, there, where it is neither accuracy nor loss.
    BestMonitored,
    /// Training accuracy of the last epoch, under its augmentation and dropout.
    FinalTrain,
    /// Training accuracy minus validation accuracy at the best epoch.
    GapAtBest,
    /// Training accuracy minus validation accuracy at the last epoch.
    FinalGap,
    /// The area between the curves of training and validation accuracy, by the trapezoid rule: accuracy times epochs.
    AreaBetween,
    /// The lowest validation loss.
    LowestLoss,
    /// The epoch of the lowest validation loss, after which it turns; missing where that is the last one.
    TurnEpoch,
    /// The first epoch whose validation accuracy reaches what was asked for; missing where none does.
    EpochsToReach,
    /// Training images a second of training, over all epochs.
    ImagesPerSecond,
    /// Wall time of all epochs, in seconds.
    Seconds,
}

impl Outcome {
    /// All outcomes, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::BestValidation,
        Self::FinalValidation,
        Self::LateValidation,
        Self::BestMonitored,
        Self::FinalTrain,
        Self::GapAtBest,
        Self::FinalGap,
        Self::AreaBetween,
        Self::LowestLoss,
        Self::TurnEpoch,
        Self::EpochsToReach,
        Self::ImagesPerSecond,
        Self::Seconds,
    ];

    /// The name that records have for it, such as `final-gap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BestValidation => "best-validation",
            Self::FinalValidation => "final-validation",
            Self::LateValidation => "late-validation",
            Self::BestMonitored => "best-monitored",
            Self::FinalTrain => "final-train",
            Self::GapAtBest => "gap-at-best",
            Self::FinalGap => "final-gap",
            Self::AreaBetween => "area-between",
            Self::LowestLoss => "lowest-loss",
            Self::TurnEpoch => "turn-epoch",
            Self::EpochsToReach => "epochs-to-reach",
            Self::ImagesPerSecond => "images-per-second",
            Self::Seconds => "seconds",
        }
    }

    /// Its name, in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::BestValidation => "best validation accuracy",
            Self::FinalValidation => "final validation accuracy",
            Self::LateValidation => "validation accuracy over the last ten epochs",
            Self::BestMonitored => "monitored measure at its best",
            Self::FinalTrain => "final training accuracy",
            Self::GapAtBest => "gap at the best epoch",
            Self::FinalGap => "final gap",
            Self::AreaBetween => "area between the curves",
            Self::LowestLoss => "lowest validation loss",
            Self::TurnEpoch => "epoch where the validation loss turns",
            Self::EpochsToReach => "epochs to reach the accuracy asked for",
            Self::ImagesPerSecond => "images a second",
            Self::Seconds => "seconds",
        }
    }

    /// What it can be: accuracies lie between 0 and 1, their gaps between -1 and 1, losses, epochs and times are not negative.
    ///
    /// ```
    /// use aumenta_study::Outcome;
    ///
    /// assert_eq!(Outcome::FinalGap.range(), (-1.0, 1.0));
    /// ```
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::BestValidation | Self::FinalValidation | Self::LateValidation | Self::FinalTrain => (0.0, 1.0),
            Self::GapAtBest | Self::FinalGap => (-1.0, 1.0),
            Self::LowestLoss | Self::TurnEpoch | Self::EpochsToReach | Self::ImagesPerSecond | Self::Seconds => {
                (0.0, f64::INFINITY)
            }
            Self::BestMonitored | Self::AreaBetween => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// What the difference of two of it can be.
    pub fn difference_range(self) -> (f64, f64) {
        let (low, high) = self.range();
        (low - high, high - low)
    }

    /// How many digits behind the point it is shown with.
    pub fn digits(self) -> usize {
        match self {
            Self::TurnEpoch | Self::EpochsToReach => 1,
            Self::ImagesPerSecond | Self::Seconds => 0,
            Self::AreaBetween => 2,
            _ => 3,
        }
    }
}

/// What a trial's epochs come to; what is not defined for them is not there, and neither is what is not finite.
///
/// `monitor` decides on the best epoch, and `reach` is the validation accuracy that [`Outcome::EpochsToReach`] asks for.
pub fn outcomes(epochs: &[EpochRecord], monitor: Measure, reach: Option<f64>) -> BTreeMap<Outcome, f64> {
    let (Some(last), Some(best)) = (epochs.last(), best_epoch(epochs, monitor)) else { return BTreeMap::new() };
    let late = &epochs[epochs.len().saturating_sub(10)..];
    let lowest = lowest_loss(epochs);
    let found = [
        (Outcome::BestValidation, Some(best.validation.accuracy)),
        (Outcome::FinalValidation, Some(last.validation.accuracy)),
        (Outcome::LateValidation, Some(mean(late.iter().map(|epoch| epoch.validation.accuracy)))),
        (Outcome::BestMonitored, best.monitored),
        (Outcome::FinalTrain, Some(last.train.accuracy)),
        (Outcome::GapAtBest, Some(best.gap())),
        (Outcome::FinalGap, Some(last.gap())),
        (Outcome::AreaBetween, Some(area_between(epochs))),
        (Outcome::LowestLoss, lowest.map(|epoch| epoch.validation.loss)),
        (Outcome::TurnEpoch, lowest.filter(|lowest| lowest.epoch < last.epoch).map(|lowest| lowest.epoch as f64)),
        (Outcome::EpochsToReach, reach.and_then(|reach| epochs_to_reach(epochs, reach))),
        (Outcome::ImagesPerSecond, Some(images_per_second(epochs))),
        (Outcome::Seconds, Some(epochs.iter().map(|epoch| epoch.seconds).sum())),
    ];
    let defined = found.into_iter().filter_map(|(outcome, value)| Some((outcome, value?)));
    defined.filter(|(_, value)| value.is_finite()).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn area_between(epochs: &[EpochRecord]) -> f64 {
    epochs.windows(2).map(|pair| f64::midpoint(pair[0].gap(), pair[1].gap())).sum()
}

/// The first epoch of the lowest finite validation loss.
fn lowest_loss(epochs: &[EpochRecord]) -> Option<&EpochRecord> {
    let loss = |epoch: &EpochRecord| epoch.validation.loss;
    let finite = epochs.iter().filter(|epoch| loss(epoch).is_finite());
    finite.min_by(|a, b| loss(a).partial_cmp(&loss(b)).unwrap_or(Ordering::Equal))
}

fn epochs_to_reach(epochs: &[EpochRecord], reach: f64) -> Option<f64> {
    epochs.iter().find(|epoch| epoch.validation.accuracy >= reach).map(|epoch| epoch.epoch as f64)
}

fn images_per_second(epochs: &[EpochRecord]) -> f64 {
    let images: f64 = epochs.iter().map(|epoch| epoch.train.images as f64).sum();
    let seconds: f64 = epochs.iter().map(|epoch| epoch.train.images as f64 / epoch.images_per_second).sum();
    images / seconds
}

#[cfg(test)]
pub(crate) mod tests {
    use aumenta_runs::{LoaderShares, Scores};

    use super::*;

    /// An epoch of 2,000 training and 1,000 validation images; the losses follow the accuracies.
    pub(crate) fn epoch(epoch: usize, train: f64, validation: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            train: Scores { loss: 1.0 - train, accuracy: train, images: 2000 },
            validation: Scores { loss: 1.0 - validation, accuracy: validation, images: 1000 },
            monitored: None,
            learning_rate: 1e-3,
            images_per_second: 500.0,
            seconds: 5.0,
            data_wait_share: 0.0,
            loader: LoaderShares::default(),
            skipped: 0,
            replaced: 0,
            skipped_batches: 0,
        }
    }

    pub(crate) fn epochs(accuracies: &[(f64, f64)]) -> Vec<EpochRecord> {
        (1..).zip(accuracies).map(|(number, (train, validation))| epoch(number, *train, *validation)).collect()
    }

    #[track_caller]
    fn check(accuracies: &[(f64, f64)], outcome: Outcome, expected: Option<f64>) {
        let found = outcomes(&epochs(accuracies), Measure::Accuracy, Some(0.75)).get(&outcome).copied();
        assert_eq!(found, expected, "{outcome:?}");
    }

    const RISING_AND_FALLING: [(f64, f64); 4] = [(0.5, 0.5), (0.75, 0.625), (0.875, 0.75), (1.0, 0.625)];

    #[test]
    fn names_are_those_of_records_and_in_order() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
        assert!(Outcome::ALL.is_sorted());
    }

    #[test]
    fn the_best_epoch_and_the_last_one_are_told_apart() {
        check(&RISING_AND_FALLING, Outcome::BestValidation, Some(0.75));
        check(&RISING_AND_FALLING, Outcome::FinalValidation, Some(0.625));
        check(&RISING_AND_FALLING, Outcome::GapAtBest, Some(0.125));
        check(&RISING_AND_FALLING, Outcome::FinalGap, Some(0.375));
        check(&RISING_AND_FALLING, Outcome::FinalTrain, Some(1.0));
    }

    #[test]
    fn the_late_accuracy_is_the_mean_of_ten_epochs_or_of_all() {
        check(&RISING_AND_FALLING, Outcome::LateValidation, Some(0.625));
        let mut long = vec![(0.5, 0.0); 5];
        long.extend([(0.5, 0.5); 10]);
        check(&long, Outcome::LateValidation, Some(0.5));
    }

    #[test]
    fn the_loss_turns_after_its_lowest_epoch_if_it_turns() {
        check(&RISING_AND_FALLING, Outcome::TurnEpoch, Some(3.0));
        check(&RISING_AND_FALLING[..3], Outcome::TurnEpoch, None);
        check(&RISING_AND_FALLING, Outcome::LowestLoss, Some(0.25));
    }

    #[test]
    fn the_area_is_that_of_trapezoids() {
        check(&RISING_AND_FALLING, Outcome::AreaBetween, Some(0.0625 + 0.125 + 0.25));
        check(&RISING_AND_FALLING[..1], Outcome::AreaBetween, Some(0.0));
    }

    #[test]
    fn an_accuracy_is_reached_for_the_first_time_or_never() {
        check(&RISING_AND_FALLING, Outcome::EpochsToReach, Some(3.0));
        check(&RISING_AND_FALLING[..2], Outcome::EpochsToReach, None);
    }

    #[test]
    fn speed_and_time_are_those_of_all_epochs() {
        check(&RISING_AND_FALLING, Outcome::ImagesPerSecond, Some(500.0));
        check(&RISING_AND_FALLING, Outcome::Seconds, Some(20.0));
    }

    #[test]
    fn what_is_not_finite_is_not_there() {
        check(&[(0.5, f64::NAN)], Outcome::FinalValidation, None);
        check(&[(0.5, f64::NAN)], Outcome::LowestLoss, None);
        check(&[], Outcome::FinalTrain, None);
    }
}
