//! [`EpochRecord`]: what is remembered of one epoch, and what follows from a list of them.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::nullable;

/// One epoch of a run: one line of `epochs.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EpochRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Measured on the training batches as they were trained on: augmented, with dropout, the weights changing from
    /// batch to batch. It therefore tends to lie below what the finished network scores on the plain training images.
    pub train: Scores,
    /// Measured on the validation images at the end of the epoch, without augmentation and dropout.
    pub validation: Scores,
    /// The learning rate of the epoch's last step.
    #[serde(with = "nullable")]
    pub learning_rate: f64,
    /// Training images a second of wall time, the validation pass left out.
    #[serde(with = "nullable")]
    pub images_per_second: f64,
    /// Wall time of the whole epoch with its validation pass, in seconds.
    #[serde(with = "nullable")]
    pub seconds: f64,
    /// The share of the training time, from 0 to 1, in which the loop waited for the next batch.
    #[serde(with = "nullable")]
    pub data_wait_share: f64,
    /// What the threads that prepared the training batches did meanwhile.
    #[serde(default)]
    pub loader: LoaderShares,
    /// Images, in training and validation, that could not be used and were left out; the run's faults name them.
    #[serde(default)]
    pub skipped: u64,
    /// Training images that could not be used and were replaced by others; the run's faults name them.
    #[serde(default)]
    pub replaced: u64,
    /// Training batches that moved no weight because their loss or a gradient was not finite.
    #[serde(default)]
    pub skipped_batches: u64,
}

/// A measurement between two ends of epochs: one line of `validations.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ValidationRecord {
    /// The epoch, counted from 1, that was under way.
    pub epoch: usize,
    /// Optimizer steps taken so far, over all epochs.
    pub step: u64,
    /// As in [`EpochRecord::validation`].
    pub validation: Scores,
}

/// The shares of the loader threads' time, from 0 to 1, that each stage took; they sum to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoaderShares {
    /// Reading files or cached pixels.
    pub read: f64,
    /// From files to pixels.
    pub decode: f64,
    /// From pixels to batches.
    pub augment: f64,
    /// Putting batches together and mixing them.
    pub collate: f64,
    /// Waiting because the training was slower.
    pub channel: f64,
}

/// An image that could not be used: one line of `faults.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FaultRecord {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The split: `train` or `val`.
    pub split: String,
    /// Its record in the manifest.
    pub id: u32,
    /// Its path within the source.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The record that took its place; `None` where it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<u32>,
}

/// Loss and accuracy over a number of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scores {
    /// The mean loss of an image; NaN where it is not finite.
    #[serde(with = "nullable")]
    pub loss: f64,
    /// The share of images predicted right, from 0 to 1.
    #[serde(with = "nullable")]
    pub accuracy: f64,
    /// How many images were measured.
    pub images: u64,
}

impl EpochRecord {
    /// The names of [`to_csv`](Self::to_csv)'s columns.
    pub(crate) const CSV_HEADER: &str = "epoch,train-loss,train-accuracy,validation-loss,validation-accuracy,gap,\
                                         learning-rate,images-per-second,seconds,data-wait-share,skipped,replaced,\
                                         skipped-batches";

    /// The record as a row of numbers. A number that is not finite is an empty cell.
    pub(crate) fn to_csv(self) -> String {
        let cell = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let Self { epoch, train, validation, .. } = self;
        let measured = [train.loss, train.accuracy, validation.loss, validation.accuracy, self.gap()];
        let measured = measured.into_iter().chain([self.learning_rate, self.images_per_second, self.seconds]);
        let measured: Vec<String> = measured.chain([self.data_wait_share]).map(cell).collect();
        let (skipped, replaced, skipped_batches) = (self.skipped, self.replaced, self.skipped_batches);
        format!("{epoch},{},{skipped},{replaced},{skipped_batches}", measured.join(","))
    }

    /// Training accuracy minus validation accuracy: large and growing where a network over-fits.
    pub fn gap(&self) -> f64 {
        self.train.accuracy - self.validation.accuracy
    }
}

/// Which measure of the validation split decides what is best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    /// The highest accuracy; of equals the one with the lower loss.
    #[default]
    Accuracy,
    /// The lowest loss.
    Loss,
}

impl Monitor {
    /// The measure.
    pub fn value(self, scores: &Scores) -> f64 {
        match self {
            Self::Accuracy => scores.accuracy,
            Self::Loss => scores.loss,
        }
    }

    /// 1 where more is better, -1 where less is.
    pub fn sign(self) -> f64 {
        match self {
            Self::Accuracy => 1.0,
            Self::Loss => -1.0,
        }
    }

    /// Less where `a` is better than `b`. NaN counts as the worst of all.
    pub fn compare(self, a: &Scores, b: &Scores) -> Ordering {
        let lower_first =
            |a: f64, b: f64| a.is_nan().cmp(&b.is_nan()).then_with(|| a.partial_cmp(&b).unwrap_or(Ordering::Equal));
        let better = |scores| -self.sign() * self.value(scores);
        lower_first(better(a), better(b)).then_with(|| lower_first(a.loss, b.loss))
    }
}

/// The best epoch by `monitor`; of equals the first. `None` where there is no epoch.
pub fn best_epoch(epochs: &[EpochRecord], monitor: Monitor) -> Option<&EpochRecord> {
    // `min_by` keeps the first of equals.
    epochs.iter().min_by(|a, b| monitor.compare(&a.validation, &b.validation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(epoch: usize, accuracy: f64, loss: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            train: Scores { loss: 0.25, accuracy: 0.75, images: 8 },
            validation: Scores { loss, accuracy, images: 4 },
            learning_rate: 1e-3,
            images_per_second: 12.5,
            seconds: 2.0,
            data_wait_share: 0.5,
            loader: LoaderShares { decode: 0.25, channel: 0.75, ..LoaderShares::default() },
            skipped: 2,
            replaced: 0,
            skipped_batches: 1,
        }
    }

    #[track_caller]
    fn check_best(monitor: Monitor, validation: &[(f64, f64)], expected: Option<usize>) {
        let epochs: Vec<_> =
            (1..).zip(validation).map(|(epoch, &(accuracy, loss))| record(epoch, accuracy, loss)).collect();
        assert_eq!(best_epoch(&epochs, monitor).map(|best| best.epoch), expected);
    }

    #[test]
    fn the_best_epoch_has_the_highest_validation_accuracy() {
        check_best(Monitor::Accuracy, &[(0.5, 0.1), (0.75, 0.9), (0.6, 0.2)], Some(2));
        check_best(Monitor::Accuracy, &[], None);
    }

    #[test]
    fn the_loss_decides_where_it_is_monitored() {
        check_best(Monitor::Loss, &[(0.5, 0.1), (0.75, 0.9), (0.6, f64::NAN)], Some(1));
    }

    #[test]
    fn equal_accuracies_are_told_apart_by_loss_and_then_by_time() {
        check_best(Monitor::Accuracy, &[(0.5, 0.4), (0.5, 0.3), (0.5, 0.3)], Some(2));
    }

    #[test]
    fn nan_is_never_the_best_of_several() {
        check_best(Monitor::Accuracy, &[(0.5, f64::NAN), (0.5, 9.0)], Some(2));
        check_best(Monitor::Accuracy, &[(f64::NAN, 0.1), (0.1, f64::NAN)], Some(2));
        check_best(Monitor::Accuracy, &[(f64::NAN, f64::NAN)], Some(1));
    }

    #[test]
    fn the_gap_is_training_minus_validation_accuracy() {
        assert_eq!(record(1, 0.5, 0.1).gap(), 0.25);
    }

    #[test]
    fn a_record_is_one_json_line_with_kebab_case_names() {
        let json = serde_json::to_string(&record(3, 0.5, 0.75)).unwrap();
        assert_eq!(
            json,
            r#"{"epoch":3,"train":{"loss":0.25,"accuracy":0.75,"images":8},"validation":{"loss":0.75,"accuracy":0.5,"images":4},"learning-rate":0.001,"images-per-second":12.5,"seconds":2.0,"data-wait-share":0.5,"loader":{"read":0.0,"decode":0.25,"augment":0.0,"collate":0.0,"channel":0.75},"skipped":2,"replaced":0,"skipped-batches":1}"#
        );
        assert_eq!(serde_json::from_str::<EpochRecord>(&json).unwrap(), record(3, 0.5, 0.75));
    }

    #[test]
    fn a_row_has_a_cell_a_column_and_none_for_what_is_not_finite() {
        assert_eq!(EpochRecord::CSV_HEADER.split(',').count(), 13);
        let row = record(3, 0.5, f64::NAN).to_csv();
        assert_eq!(row, "3,0.25,0.75,,0.5,0.25,0.001,12.5,2,0.5,2,0,1");
    }

    #[test]
    fn a_loss_survives_to_its_last_bit() {
        for loss in [0.1 + 0.2, 1.0 / 3.0, 5e-324, 2.0_f64.ln()] {
            let json = serde_json::to_string(&record(1, 0.5, loss)).unwrap();
            assert_eq!(
                serde_json::from_str::<EpochRecord>(&json).unwrap().validation.loss.to_bits(),
                f64::to_bits(loss)
            );
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_is_null_and_comes_back_as_nan() {
        for loss in [f64::NAN, f64::INFINITY] {
            let json = serde_json::to_string(&record(1, 0.5, loss)).unwrap();
            assert!(json.contains(r#""loss":null"#), "{json}");
            assert!(serde_json::from_str::<EpochRecord>(&json).unwrap().validation.loss.is_nan());
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_refused() {
        let json = serde_json::to_string(&record(1, 0.5, 0.5)).unwrap();
        let unknown = json.replace(r#""epoch":1"#, r#""epoch":1,"note":"x""#);
        assert!(serde_json::from_str::<EpochRecord>(&unknown).unwrap_err().to_string().contains("note"));
        let missing = json.replace(r#""learning-rate":0.001,"#, "");
        assert!(serde_json::from_str::<EpochRecord>(&missing).unwrap_err().to_string().contains("learning-rate"));
    }
}
