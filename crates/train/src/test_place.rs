//! A small data set and trainings on it, for the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aumenta_augment::{AugmentConfig, MixConfig};
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, Split, prepare};
use aumenta_metrics::Measure;
use aumenta_models::{Model, ModelConfig};
use aumenta_nn::{OptimizerConfig, RmsPropConfig};
use aumenta_runs::{EpochRecord, Kept, ManifestRef, RunFolder, RunInfo};
use aumenta_seed::Seed;
use aumenta_stream::{Color, EvalConfig, EvalStream, Layout, Preprocessing, TrainConfig, TrainStream};
use candle_core::Device;

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::features::Features;
use crate::fit::{Fit, FitConfig, Fitted, Length, fit};
use crate::observer::{Observer, Progress, StepProgress};
use crate::snapshot::Snapshot;
use crate::tensors::Crossing;
use crate::training::Training;

pub const PREPROCESSING: Preprocessing = Preprocessing::new(46, 46, Color::Rgb);

pub const SEED: Seed = Seed::new(7);

/// Six drawn images of each class to train on, three to measure, in a folder that also takes runs.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub dataset: Arc<Dataset>,
    pub augment: AugmentConfig,
    pub mix: MixConfig,
    pub features: Option<Features>,
    /// What its streams deliver.
    pub layout: Layout,
    /// How batches get to the network, where it is not as on the CPU.
    pub crossing: Option<Crossing>,
    /// Factors of the learning rate of each layer.
    pub rate_scales: Option<Vec<f32>>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("drawn.zip");
        aumenta_drawn::write_zip(&zip, 10, 48, Seed::new(7)).unwrap();
        let amounts = Amounts::Counts { train: 6, val: 3, test: Some(1) };
        let manifest = prepare(&zip, &PrepareConfig::new(amounts), &|_, _| {}).unwrap();
        manifest.write(&folder.path().join("manifest.json")).unwrap();
        let dataset = Arc::new(Dataset::open(folder.path(), None).unwrap());
        Self {
            folder,
            dataset,
            augment: AugmentConfig::default(),
            mix: MixConfig::default(),
            features: None,
            layout: Layout::default(),
            crossing: None,
            rate_scales: None,
        }
    }

    /// Overwrites the image of a record in the archive, whose manifest still means the old one.
    pub fn spoil(&self, id: u32) {
        let record = self.dataset.records(Split::Train).iter().find(|record| record.id == id).unwrap();
        let (zip, name) = (self.folder.path().join("drawn.zip"), record.path.as_bytes());
        let mut bytes = fs_err::read(&zip).unwrap();
        // The first place of its name is the header before the image's own bytes.
        let start = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len();
        bytes[start + 100..start + 200].fill(7);
        fs_err::write(&zip, bytes).unwrap();
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            format: Checkpoint::FORMAT,
            version: String::new(),
            model: ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.3 },
            preprocessing: PREPROCESSING,
            classes: self.dataset.manifest().classes.clone(),
            manifest_hash: self.dataset.manifest().hash(),
            epoch: 0,
        }
    }

    pub fn new_run(&self, name: &str) -> RunFolder {
        let checkpoint = self.checkpoint();
        let info = RunInfo {
            format: RunInfo::FORMAT,
            model: checkpoint.model.name().to_string(),
            classes: checkpoint.classes,
            manifest: ManifestRef { path: "manifest.json".into(), hash: checkpoint.manifest_hash },
            parameters: 0,
            version: String::new(),
            seed: 7,
            monitor: Measure::Accuracy,
        };
        RunFolder::create(self.folder.path().join(name), &info, "").unwrap()
    }

    pub fn validation(&self) -> EvalStream {
        let config = EvalConfig { layout: self.layout, ..EvalConfig::new(PREPROCESSING, 4) };
        EvalStream::new(Arc::clone(&self.dataset), Split::Val, &config).unwrap()
    }

    /// The network as a training begins with it.
    pub fn model(&self) -> Box<dyn Model> {
        let mut model = self.checkpoint().model.architecture().unwrap().build(SEED, &Device::Cpu).unwrap();
        if let Some(scales) = &self.rate_scales {
            model.scale_rates(scales).unwrap();
        }
        model
    }

    /// Trains in `run`, from its latest snapshot where it has one; stops after step `stop`.
    pub fn train(&self, run: &RunFolder, config: FitConfig, stop: Option<u64>) -> Result<Fitted, TrainError> {
        let interrupt = AtomicBool::new(false);
        self.fit(&mut *self.model(), run, config, &interrupt, &mut Stopper { stop, interrupt: &interrupt })
    }

    /// Trains `model` as [`Place::train`] does its own.
    pub fn fit(
        &self,
        model: &mut dyn Model,
        run: &RunFolder,
        config: FitConfig,
        interrupt: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> Result<Fitted, TrainError> {
        let (augment, mix) = (self.augment.build().unwrap(), self.mix.build().unwrap());
        let train = TrainConfig { augment, mix, layout: self.layout, ..TrainConfig::new(PREPROCESSING, 4, SEED) };
        let settings = Fit {
            train: &TrainStream::new(Arc::clone(&self.dataset), train).unwrap(),
            validation: &self.validation(),
            features: self.features.as_ref(),
            config,
            config_text: "",
            device: &Device::Cpu,
            exchange: None,
            interrupt,
        };
        let from = match run.snapshot_steps().unwrap() {
            steps if steps.is_empty() => None,
            _ => Some(Snapshot::latest(run).unwrap().snapshot),
        };
        let checkpoint = self.checkpoint();
        let Some(crossing) = &self.crossing else { return fit(model, &settings, &checkpoint, run, from, observer) };
        let mut training = Training::new(model, &settings, &checkpoint, run, from)?;
        training.crossing = crossing.clone();
        training.run(observer)
    }

    /// Trains in a new run to the end.
    pub fn trained(&self, config: FitConfig) -> Result<(RunFolder, Fitted), TrainError> {
        let run = self.new_run("run");
        let fitted = self.train(&run, config, None)?;
        Ok((run, fitted))
    }
}

/// Interrupts a training after a step.
struct Stopper<'a> {
    stop: Option<u64>,
    interrupt: &'a AtomicBool,
}

impl Observer for Stopper<'_> {
    fn trained(&mut self, _: &Progress, step: &StepProgress) {
        self.interrupt.store(self.stop == Some(step.step), Ordering::Relaxed);
    }
}

pub fn rmsprop(learning_rate: f32) -> OptimizerConfig {
    OptimizerConfig::Rmsprop(RmsPropConfig { learning_rate, ..RmsPropConfig::default() })
}

pub fn epochs(count: usize) -> FitConfig {
    FitConfig::new(rmsprop(1e-3), Length::Epochs(count))
}

pub fn bytes(run: &RunFolder, kept: Kept) -> Vec<u8> {
    fs_err::read(run.weights_path(kept)).unwrap()
}

/// The records without what depends on the clock.
pub fn timeless(epochs: &[EpochRecord]) -> Vec<EpochRecord> {
    let timeless = |record: &EpochRecord| EpochRecord {
        images_per_second: 0.0,
        seconds: 0.0,
        data_wait_share: 0.0,
        loader: aumenta_runs::LoaderShares::default(),
        ..*record
    };
    epochs.iter().map(timeless).collect()
}
