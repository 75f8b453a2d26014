//! Progress on standard error: bars on a terminal, one line an epoch elsewhere.

use std::io::IsTerminal as _;

use aumenta_runs::{EpochRecord, LoaderShares};
use aumenta_train::{Observer, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts `what`; invisible where standard error is no terminal.
pub fn counting(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} ETA {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_message(what.to_string()).with_style(style)
}

/// Shows how a training or an evaluation goes.
pub struct TrainingBar {
    bar: ProgressBar,
    epochs: usize,
}

impl TrainingBar {
    /// A bar for a training of so many epochs; 0 for an evaluation.
    pub fn new(epochs: usize) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {msg} ETA {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, epochs }
    }

    fn show(&self, pass: &str, progress: &Progress) {
        let prefix = if self.epochs == 0 {
            pass.to_string()
        } else {
            format!("epoch {}/{} {pass}", progress.epoch, self.epochs)
        };
        if self.bar.prefix() != prefix {
            self.bar.set_length(progress.total);
            self.bar.reset_eta();
            self.bar.set_prefix(prefix);
        }
        let Progress { images_per_second, loss, accuracy, .. } = progress;
        self.bar.set_message(format!("{images_per_second:.0} images/s loss {loss:.4} accuracy {accuracy:.4}"));
        self.bar.set_position(progress.images);
    }
}

impl Observer for TrainingBar {
    fn trained(&mut self, progress: &Progress) {
        self.show("train", progress);
    }

    fn measured(&mut self, progress: &Progress) {
        self.show("measure", progress);
    }

    fn epoch_ended(&mut self, record: &EpochRecord) {
        let EpochRecord { epoch, train, validation, images_per_second, seconds, .. } = record;
        let line = format!(
            "epoch {epoch:>3}/{}  train loss {:.4} accuracy {:.4}  validation loss {:.4} accuracy {:.4}  gap {:+.4}  \
             {images_per_second:.0} images/s  {seconds:.1} s  {}{}",
            self.epochs,
            train.loss,
            train.accuracy,
            validation.loss,
            validation.accuracy,
            record.gap(),
            waited(record),
            faults(record),
        );
        if std::io::stderr().is_terminal() {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
        if *epoch == self.epochs {
            self.bar.finish_and_clear();
        }
    }
}

/// How long the training waited for batches and, where that is more than next to nothing, what kept them.
fn waited(record: &EpochRecord) -> String {
    let share = 100.0 * record.data_wait_share;
    let LoaderShares { read, decode, augment, collate, .. } = record.loader;
    let stages = [("reading", read), ("decoding", decode), ("augmenting", augment), ("collating", collate)];
    let slowest = stages.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    match slowest {
        Some((stage, _)) if share >= 1.0 => format!("waited {share:.0} % ({stage})"),
        _ => format!("waited {share:.0} %"),
    }
}

/// How many images could not be used, if any.
fn faults(record: &EpochRecord) -> String {
    let count = |count: u64, what: &str| if count == 0 { String::new() } else { format!("  {count} {what}") };
    count(record.skipped, "skipped") + &count(record.replaced, "replaced")
}

impl Drop for TrainingBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
