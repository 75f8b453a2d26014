//! [`RunSummary`]: one run among those that a report compares, and the table that compares them.

use aumenta_runs::{EpochRecord, Evaluation, RunFolder, RunInfo, RunsError, best_epoch};

use crate::number::{decimal, duration, rate};
use crate::table::{Alignment, Table};

/// One run among those that a report compares.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// One or two words that read well in "the … run": `plain`, `augmented`.
    pub name: String,
    /// What was done to it, in a phrase: `augmentation as in the book, dropout 0.5`.
    pub description: String,
    /// What was trained on what.
    pub info: RunInfo,
    /// All epochs, oldest first.
    pub epochs: Vec<EpochRecord>,
    /// How the run's best checkpoint did on images that no decision was made on, where that was measured.
    pub evaluation: Option<Evaluation>,
}

impl RunSummary {
    /// The summary of a run's folder, with its evaluation on `split`.
    ///
    /// # Errors
    /// [`RunsError`] where a record cannot be read.
    pub fn read(
        name: impl Into<String>,
        description: impl Into<String>,
        run: &RunFolder,
        split: &str,
    ) -> Result<Self, RunsError> {
        Ok(Self {
            name: name.into(),
            description: description.into(),
            info: run.read_info()?,
            epochs: run.read_epochs()?,
            evaluation: run.read_evaluation(split)?,
        })
    }

    /// Training images a second of training, over all epochs.
    fn images_per_second(&self) -> f64 {
        let images: f64 = self.epochs.iter().map(|epoch| epoch.train.images as f64).sum();
        let seconds: f64 = self.epochs.iter().map(|epoch| epoch.train.images as f64 / epoch.images_per_second).sum();
        images / seconds
    }

    /// Wall time of all epochs, in seconds.
    fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }
}

/// A row a run: its best and last accuracies, the gap, the evaluation with its 95% interval, and its speed.
pub fn summary_table(runs: &[RunSummary]) -> Table {
    let split = runs.iter().find_map(|run| run.evaluation.as_ref()).map_or("test", |evaluation| &evaluation.split);
    let mut table = Table::new([
        ("run".to_owned(), Alignment::Left),
        ("best validation (epoch)".to_owned(), Alignment::Right),
        ("last train".to_owned(), Alignment::Right),
        ("last validation".to_owned(), Alignment::Right),
        ("last gap".to_owned(), Alignment::Right),
        (format!("{split} (95% interval)"), Alignment::Right),
        ("images/s".to_owned(), Alignment::Right),
        ("time".to_owned(), Alignment::Right),
    ]);
    for run in runs {
        let dash = || decimal(f64::NAN, 3);
        let last =
            |measure: fn(&EpochRecord) -> f64| run.epochs.last().map_or_else(dash, |last| decimal(measure(last), 3));
        let best = best_epoch(&run.epochs, run.info.monitor);
        table.push([
            run.name.clone(),
            best.map_or_else(dash, |best| format!("{} ({})", decimal(best.validation.accuracy, 3), best.epoch)),
            last(|last| last.train.accuracy),
            last(|last| last.validation.accuracy),
            last(EpochRecord::gap),
            run.evaluation.as_ref().map_or_else(dash, |evaluation| with_interval(evaluation, split)),
            rate(run.images_per_second()),
            duration(run.seconds()),
        ]);
    }
    table
}

/// The accuracy and its interval, with the split's name where that is not the column's.
fn with_interval(evaluation: &Evaluation, column: &str) -> String {
    let (low, high) = evaluation.interval;
    let split = if evaluation.split == column { String::new() } else { format!("{}: ", evaluation.split) };
    format!("{split}{} ({} to {})", decimal(evaluation.accuracy, 3), decimal(low, 3), decimal(high, 3))
}

#[cfg(test)]
pub(crate) mod tests {
    use aumenta_metrics::ConfusionMatrix;
    use aumenta_runs::{LoaderShares, ManifestRef, Scores};

    use super::*;

    /// A run of two classes on 2000 training and 1000 validation images, an epoch for each pair of accuracies
    /// (training, validation); the losses are chosen to follow the accuracies.
    pub(crate) fn run(name: &str, accuracies: &[(f64, f64)]) -> RunSummary {
        let record = |(epoch, &(train, validation)): (usize, &(f64, f64))| EpochRecord {
            epoch,
            train: Scores { loss: 1.0 - train, accuracy: train, images: 2000 },
            validation: Scores { loss: 1.0 - validation, accuracy: validation, images: 1000 },
            learning_rate: 1e-3,
            images_per_second: 1000.0,
            seconds: 2.5,
            data_wait_share: 0.0,
            loader: LoaderShares::default(),
            skipped: 0,
            replaced: 0,
            skipped_batches: 0,
        };
        RunSummary {
            name: name.to_owned(),
            description: String::new(),
            info: RunInfo {
                format: RunInfo::FORMAT,
                model: "small-convnet".to_owned(),
                classes: vec!["cat".to_owned(), "dog".to_owned()],
                manifest: ManifestRef { path: "manifest.json".into(), hash: "9f2c41".to_owned() },
                parameters: 3_453_121,
                version: "0.1.0".to_owned(),
                seed: 7,
                monitor: Monitor::default(),
            },
            epochs: (1..).zip(accuracies).map(record).collect(),
            evaluation: None,
        }
    }

    /// An evaluation on 1000 test images.
    pub(crate) fn evaluation(correct: u64) -> Evaluation {
        let half = correct / 2;
        let rows = vec![vec![half, 500 - half], vec![500 - (correct - half), correct - half]];
        Evaluation::new("test", 0.5, ConfusionMatrix::try_from(rows).unwrap())
    }

    #[test]
    fn each_run_has_a_row_of_what_its_records_say() {
        let mut plain = run("plain", &[(0.7, 0.72), (0.95, 0.81), (0.99, 0.8)]);
        plain.evaluation = Some(evaluation(790));
        let text = summary_table(&[plain, run("empty", &[])]).to_markdown();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| plain | 0.810 (2) | 0.990 | 0.800 | 0.190 | 0.790 (0.764 to 0.814) | 1,000 | 8 s |",
                "| empty | – | – | – | – | – | – | 0 s |",
            ]
        );
    }

    #[test]
    fn another_split_than_the_columns_is_named() {
        let mut first = run("first", &[(0.7, 0.7)]);
        first.evaluation = Some(evaluation(700));
        let mut second = first.clone();
        second.evaluation = Some(Evaluation { split: "holdout".to_owned(), ..evaluation(700) });
        let text = summary_table(&[first, second]).to_text();
        assert!(text.contains("holdout: 0.700"), "{text}");
    }
}
