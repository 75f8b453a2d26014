//! Progress on standard error: bars on a terminal, one line an epoch elsewhere.

use std::io::IsTerminal as _;

use aumenta_report::count;
use aumenta_runs::{EpochRecord, LoaderShares, ValidationRecord};
use aumenta_train::{Length, Observer, PhaseRecord, Progress, StepProgress};
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
    /// Of a training.
    length: Option<Length>,
    /// What a pass outside training is.
    pass: &'static str,
}

impl TrainingBar {
    /// A bar for a training.
    pub fn new(length: Length) -> Self {
        Self::with(Some(length), "")
    }

    /// A bar for an evaluation.
    pub fn for_evaluation() -> Self {
        Self::with(None, "measure")
    }

    /// A bar for the features of images.
    pub fn for_features() -> Self {
        Self::with(None, "features")
    }

    fn with(length: Option<Length>, pass: &'static str) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {msg} ETA {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, length, pass }
    }

    fn show(&self, prefix: String, progress: &Progress, rest: &str) {
        if self.bar.prefix() != prefix {
            self.bar.set_length(progress.total);
            self.bar.reset_eta();
            self.bar.set_prefix(prefix);
        }
        let Progress { images_per_second, loss, accuracy, .. } = progress;
        let scores = if loss.is_nan() { String::new() } else { format!(" loss {loss:.4} accuracy {accuracy:.4}") };
        self.bar.set_message(format!("{images_per_second:.0} images/s{scores}{rest}"));
        self.bar.set_position(progress.images);
    }

    /// Which epoch of how many.
    fn epoch(&self, epoch: usize) -> String {
        match self.length {
            Some(Length::Epochs(epochs)) => format!("{epoch:>0$}/{epochs}", epochs.to_string().len()),
            Some(Length::Steps(_)) | None => epoch.to_string(),
        }
    }

    /// Prints a line above the bar, or as it is where there is no terminal.
    fn print(&self, line: &str) {
        if std::io::stderr().is_terminal() {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
    }
}

impl Observer for TrainingBar {
    fn phase_began(&mut self, phase: &PhaseRecord) {
        let PhaseRecord { epoch, trained, frozen_tensors, frozen, learning_rate, .. } = phase;
        if *frozen_tensors == 0 && *epoch == 1 {
            return;
        }
        let epoch = self.epoch(*epoch);
        let [trained, frozen] = [*trained, *frozen].map(|numbers| count(numbers as u64));
        self.print(&format!(
            "from epoch {epoch} on: training {trained} parameters at {learning_rate}; frozen: {frozen} numbers in \
             {frozen_tensors} tensors"
        ));
    }

    fn phase_ended(&mut self, phase: &PhaseRecord, epoch: usize) {
        let PhaseRecord { frozen_tensors, frozen_hash, .. } = phase;
        if *frozen_tensors > 0 {
            let hash = &frozen_hash[..16];
            self.print(&format!(
                "after epoch {epoch}: all {frozen_tensors} frozen tensors are unchanged (BLAKE3 {hash}...)"
            ));
        }
    }

    fn trained(&mut self, progress: &Progress, step: &StepProgress) {
        let of = match self.length {
            Some(Length::Steps(steps)) => format!("/{steps}"),
            Some(Length::Epochs(_)) | None => String::new(),
        };
        let prefix = format!("epoch {} train", self.epoch(progress.epoch));
        let rest = format!(" step {}{of} waited {:.0} %", step.step, 100.0 * step.data_wait_share);
        self.show(prefix, progress, &rest);
    }

    fn measured(&mut self, progress: &Progress) {
        let prefix = match self.length {
            Some(_) => format!("epoch {} measure", self.epoch(progress.epoch)),
            None => self.pass.to_string(),
        };
        self.show(prefix, progress, "");
    }

    fn validated(&mut self, record: &ValidationRecord) {
        let ValidationRecord { epoch, step, validation, monitored } = record;
        let (epoch, loss, accuracy) = (self.epoch(*epoch), validation.loss, validation.accuracy);
        let monitored = shown(*monitored);
        self.print(&format!("epoch {epoch}, step {step}  validation loss {loss:.4} accuracy {accuracy:.4}{monitored}"));
    }

    fn epoch_ended(&mut self, record: &EpochRecord) {
        let EpochRecord { epoch, train, validation, images_per_second, seconds, .. } = record;
        self.print(&format!(
            "epoch {}  train loss {:.4} accuracy {:.4}  validation loss {:.4} accuracy {:.4}{}  gap {:+.4}  \
             {images_per_second:.0} images/s  {seconds:.1} s  {}{}",
            self.epoch(*epoch),
            train.loss,
            train.accuracy,
            validation.loss,
            validation.accuracy,
            shown(record.monitored),
            record.gap(),
            waited(record),
            losses_of(record),
        ));
    }
}

/// The measure that decides on the best network, where it is none of those that are shown in any case.
fn shown(monitored: Option<f64>) -> String {
    monitored.map_or_else(String::new, |value| format!(" monitored {value:.4}"))
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

/// How many images and batches could not be used, if any.
fn losses_of(record: &EpochRecord) -> String {
    let count = |count: u64, what: &str| if count == 0 { String::new() } else { format!("  {count} {what}") };
    let batches = count(record.skipped_batches, "batches not finite");
    count(record.skipped, "skipped") + &count(record.replaced, "replaced") + &batches
}

impl Drop for TrainingBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
