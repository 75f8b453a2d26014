//! `aumenta evaluate`: how a trained network does on a split.

mod averaged;
mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use aumenta_dataset::{Dataset, Split};
use aumenta_models::Model;
use aumenta_runs::{Kept, RunFolder};
use aumenta_stream::{EvalConfig, EvalStream, Fault, ImageConfig, Loader, OnError, Views};
use aumenta_train::{Checkpoint, Measured, batch_layout, evaluate};
use candle_core::Device;
use clap::ValueEnum;

use self::averaged::evaluate_views;
use crate::failure::BadUse;
use crate::inference::{InferenceArgs, Tta, views};
use crate::output::print;
use crate::progress::TrainingBar;

/// Measure a trained network on a split: all measures with their intervals, classes, confusion, calibration, top losses.
///
/// A folder gets a page that shows everything, and its parts: evaluation.html, confusion.svg, calibration.svg,
/// top-losses.png, classes.csv, predictions.csv and evaluation.json.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run.
    run: PathBuf,
    /// The split to measure.
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    split: SplitName,
    /// Another data set with the same classes: its manifest or the folder of it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder for the page and its parts; files of these names in it are replaced [default: `evaluation-SPLIT` in the
    /// run's folder; for another data set, the last checkpoint or with --tta none].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    inference: InferenceArgs,
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

impl Args {
    pub fn run(self) -> Result<()> {
        let run = RunFolder::open(&self.run)?;
        let measurement = Measurement {
            kept: self.inference.checkpoint.into(),
            data: self.data.as_deref(),
            split: self.split.into(),
            tta: &self.inference.tta,
            batch_size: self.inference.batch_size,
            workers: self.inference.workers,
            on_error: self.inference.on_error.into(),
            device: self.inference.device.open()?,
        };
        let outcome = measurement.of(&run)?;
        say_left_out(&outcome.measured);
        let mut report = files::report(&run, &outcome);
        let split = &outcome.measured.evaluation.split;
        let default_out = || measurement.is_of_the_run().then(|| run.path().join(format!("evaluation-{split}")));
        if let Some(out) = self.out.or_else(default_out) {
            files::write(&out, &mut report, &outcome)?;
            eprintln!("wrote {}", out.join(files::PAGE).display());
        }
        if self.json {
            print(&(serde_json::to_string_pretty(&outcome.measured.evaluation)? + "\n"))
        } else {
            print(&report.to_text())
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
    /// What is seen of each image besides itself.
    pub tta: &'a [Tta],
    pub batch_size: usize,
    pub workers: Option<usize>,
    pub on_error: OnError,
    pub device: Device,
}

/// What was measured, on what.
pub struct Outcome {
    pub checkpoint: Checkpoint,
    pub dataset: Arc<Dataset>,
    /// How many views of each image the network was asked about.
    pub views: u32,
    pub measured: Measured,
}

impl Measurement<'_> {
    /// Measures a run, with a progress bar, and keeps with it what speaks of its best checkpoint and its own data, as
    /// reports take it to.
    pub fn of(&self, run: &RunFolder) -> Result<Outcome> {
        let (checkpoint, model) = Checkpoint::load(&run.weights_path(self.kept), &self.device)?;
        let dataset = open_data(run, &checkpoint, self.data)?;
        let of_each = views(self.tta, run)?;
        let views = of_each.count();
        let measured = if self.tta.is_empty() {
            self.measured(&*model, &checkpoint, &dataset)?
        } else {
            let config = self.image_config(&checkpoint, of_each);
            evaluate_views(&*model, &dataset, self.split, config, &self.device)?
        };
        if self.is_of_the_run() {
            run.write_evaluation(&measured.evaluation)?;
        }
        Ok(Outcome { checkpoint, dataset, views, measured })
    }

    /// What is said of each image itself.
    fn measured(&self, model: &dyn Model, checkpoint: &Checkpoint, dataset: &Arc<Dataset>) -> Result<Measured> {
        let config = EvalConfig {
            on_error: self.on_error,
            layout: batch_layout(&checkpoint.preprocessing, &self.device),
            loader: self.loader(),
            ..EvalConfig::new(checkpoint.preprocessing.clone(), self.batch_size)
        };
        let stream = EvalStream::new(Arc::clone(dataset), self.split, &config)?;
        let (classes, mut bar) = (checkpoint.classes.len(), TrainingBar::for_evaluation());
        Ok(evaluate(model, classes, &stream, &self.device, &mut bar)?)
    }

    /// How views of images are prepared.
    fn image_config(&self, checkpoint: &Checkpoint, views: Views) -> ImageConfig {
        ImageConfig {
            views,
            layout: batch_layout(&checkpoint.preprocessing, &self.device),
            on_error: self.on_error,
            loader: self.loader(),
            ..ImageConfig::new(checkpoint.preprocessing.clone(), self.batch_size)
        }
    }

    fn loader(&self) -> Loader {
        Loader { workers: self.workers, ..Loader::default() }
    }

    /// Whether it speaks of the run's best checkpoint on the run's own data, as the images are.
    fn is_of_the_run(&self) -> bool {
        self.data.is_none() && self.kept == Kept::Best && self.tta.is_empty()
    }
}

/// Lists the images that could not be used.
fn say_left_out(measured: &Measured) {
    for Fault { path, reason, .. } in &measured.faults {
        eprintln!("left out `{path}`: {reason}");
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
