//! `aumenta evaluate`: how a trained network does on a split.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_dataset::{Dataset, Split};
use aumenta_report::{class_table, confusion_table};
use aumenta_runs::{Evaluation, Kept, RunFolder};
use aumenta_stream::{EvalConfig, EvalStream, Loader, OnError};
use aumenta_train::{Checkpoint, evaluate};
use candle_core::Device;
use clap::ValueEnum;

use crate::failure::BadUse;
use crate::output::print;
use crate::progress::TrainingBar;

/// Measure a trained network on a split: accuracy with its interval, scores by class, confusion.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run.
    run: PathBuf,
    /// The split to measure.
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    split: SplitName,
    /// Which of the run's checkpoints.
    #[arg(long, value_enum, default_value_t = CheckpointName::Best)]
    checkpoint: CheckpointName,
    /// Another data set with the same classes: its manifest or the folder of it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Images a batch.
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// Threads that read and decode [default: the number of cores].
    #[arg(long)]
    workers: Option<usize>,
    /// What becomes of an image that cannot be read or decoded.
    #[arg(long, value_enum, default_value_t = OnErrorName::Fail)]
    on_error: OnErrorName,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum SplitName {
    Train,
    Val,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Val => Self::Val,
            SplitName::Test => Self::Test,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CheckpointName {
    Best,
    Last,
}

impl From<CheckpointName> for Kept {
    fn from(name: CheckpointName) -> Self {
        match name {
            CheckpointName::Best => Self::Best,
            CheckpointName::Last => Self::Last,
        }
    }
}

/// Measuring has no substitutes: they would measure an image twice.
#[derive(Clone, Copy, ValueEnum)]
enum OnErrorName {
    Fail,
    Skip,
}

impl From<OnErrorName> for OnError {
    fn from(name: OnErrorName) -> Self {
        match name {
            OnErrorName::Fail => Self::Fail,
            OnErrorName::Skip => Self::Skip,
        }
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let run = RunFolder::open(&self.run)?;
        let measurement = Measurement {
            kept: self.checkpoint.into(),
            data: self.data.as_deref(),
            split: self.split.into(),
            batch_size: self.batch_size,
            workers: self.workers,
            on_error: self.on_error.into(),
        };
        let (checkpoint, evaluation) = measurement.of(&run)?;
        if self.json {
            print(&(serde_json::to_string_pretty(&evaluation)? + "\n"))
        } else {
            print(&to_text(&evaluation, &checkpoint))
        }
    }
}

/// What to measure of a run, and how.
pub struct Measurement<'a> {
    /// Which of its checkpoints.
    pub kept: Kept,
    /// Another data set than the run's own.
    pub data: Option<&'a Path>,
    pub split: Split,
    pub batch_size: usize,
    pub workers: Option<usize>,
    pub on_error: OnError,
}

impl Measurement<'_> {
    /// Measures a run, with a progress bar, and keeps with it what speaks of its best checkpoint and its own data, as
    /// reports take it to.
    pub fn of(&self, run: &RunFolder) -> Result<(Checkpoint, Evaluation)> {
        let (checkpoint, model) = Checkpoint::load(&run.weights_path(self.kept), &Device::Cpu)?;
        let dataset = open_data(run, &checkpoint, self.data)?;
        let loader = Loader { workers: self.workers, ..Loader::default() };
        let config = EvalConfig {
            on_error: self.on_error,
            loader,
            ..EvalConfig::new(checkpoint.preprocessing.clone(), self.batch_size)
        };
        let stream = EvalStream::new(dataset, self.split, &config)?;
        let classes = checkpoint.classes.len();
        let evaluation = evaluate(&*model, classes, &stream, &Device::Cpu, &mut TrainingBar::for_evaluation())?;
        if self.data.is_none() && self.kept == Kept::Best {
            run.write_evaluation(&evaluation)?;
        }
        Ok((checkpoint, evaluation))
    }
}

/// The data that the run was trained on, or another set with the same classes.
fn open_data(run: &RunFolder, checkpoint: &Checkpoint, other: Option<&Path>) -> Result<Arc<Dataset>> {
    let path = match other {
        Some(path) => path.to_path_buf(),
        None => run.path().join(run.read_info()?.manifest.path),
    };
    let dataset = Dataset::open(&path, None)
        .with_context(|| format!("cannot open the data set at `{}`; --data gives another place", path.display()))?;
    let manifest = dataset.manifest();
    if manifest.classes != checkpoint.classes {
        let (expected, got) = (checkpoint.classes.join(", "), manifest.classes.join(", "));
        return Err(BadUse::message(format!("the network tells {expected} apart, but the data has {got}")));
    }
    if other.is_none() && manifest.hash() != checkpoint.manifest_hash {
        return Err(BadUse::message(format!(
            "`{}` has changed since the training, so images may have moved between the splits: restore it, or give it \
             with --data to measure on it all the same",
            path.display()
        )));
    }
    Ok(Arc::new(dataset))
}

fn to_text(evaluation: &Evaluation, checkpoint: &Checkpoint) -> String {
    let (low, high) = evaluation.interval;
    format!(
        "{}: {} images, epoch {}\nloss      {:.4}\naccuracy  {:.4} (95 % interval {low:.4} to {high:.4})\n\n{}\n{}",
        evaluation.split,
        evaluation.images,
        checkpoint.epoch,
        evaluation.loss,
        evaluation.accuracy,
        class_table(evaluation, &checkpoint.classes).to_text(),
        confusion_table(evaluation, &checkpoint.classes).to_text(),
    )
}
