//! Aumenta as a contender on the GPU: its training from a stream, and its training step on one batch.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Dataset, Split};
use aumenta_metrics::Measure;
use aumenta_models::{Model, ModelConfig};
use aumenta_nn::{Loss, Optimizer, OptimizerConfig, RmsPropConfig};
use aumenta_runs::{EpochRecord, ManifestRef, RunFolder, RunInfo};
use aumenta_seed::Seed;
use aumenta_stream::{
    Cache, CacheConfig, CacheMode, Color, EvalConfig, EvalStream, Loader, Preprocessing, TrainConfig, TrainStream,
};
use aumenta_train::{Checkpoint, Fit, FitConfig, Length, Observer, batch_layout, fit};
use candle_core::{Device, Tensor};
use rand::RngExt as _;

use super::memory::Watch;
use super::protocol::{Trained, Turn};
use super::workload::Workload;
use crate::streaming::ours::fill;

const SEED: Seed = Seed::new(7);

/// More epochs than anyone asks for.
const EPOCHS: usize = 1_000_000;

/// Steps between two looks at the clock: a GPU is only asked to begin them, and the look waits until it has ended them.
const STEPS_BETWEEN_LOOKS: u64 = 10;

/// Hears what a turn brought, nothing before the first one, and says what the next is; `None` at the end.
pub type Turns<'a> = dyn FnMut(Option<Trained>) -> Result<Option<Turn>> + 'a;

/// A contender on its device, ready for turns.
pub trait Contender {
    /// How many trainable numbers the network has.
    fn parameters(&self) -> usize;

    /// Trains turn by turn until there are no more.
    ///
    /// # Errors
    /// Where the training cannot go on, and what `turns` says.
    fn train(&mut self, turns: &mut Turns<'_>) -> Result<()>;
}

/// A training as `aumenta train` runs it, on photographs whose pixels lie in memory.
pub struct Streamed {
    workload: Workload,
    device: Device,
    model: Box<dyn Model>,
    dataset: Arc<Dataset>,
    train: TrainStream,
    validation: EvalStream,
    folder: tempfile::TempDir,
    watch: Watch,
}

/// A network with one batch on its device.
pub struct Resident {
    batch: usize,
    device: Device,
    model: Box<dyn Model>,
    optimizer: Optimizer,
    images: Tensor,
    classes: Tensor,
    step: u64,
    watch: Watch,
}

impl Streamed {
    /// The training of `workload` on the photographs of `manifest`, whose cache is filled here.
    ///
    /// # Errors
    /// Where the photographs cannot be read, their pixels do not fit into memory, or the device has no room for the network.
    pub fn open(workload: Workload, manifest: &Path, threads: usize, device: Device) -> Result<Self> {
        let watch = Watch::start(&device)?;
        let dataset = Arc::new(Dataset::open(manifest, None)?);
        let cache = CacheConfig { mode: CacheMode::Ram, ..CacheConfig::default() };
        let cache = Cache::open(&cache, &dataset)?.map(Arc::new);
        let loader = Loader { cache: cache.clone(), ..Loader::with_workers(threads) };
        let side = workload.network.side();
        let preprocessing = Preprocessing::new(side, side, Color::Rgb);
        let layout = batch_layout(&preprocessing, &device);
        let config = TrainConfig {
            augment: AugmentConfig::book().build()?,
            loader: loader.clone(),
            // Another batch size at the end of each epoch would have its kernels chosen anew.
            drop_last: true,
            layout,
            ..TrainConfig::new(preprocessing.clone(), workload.batch, SEED)
        };
        let train = TrainStream::new(Arc::clone(&dataset), config)?;
        ensure!(train.batch_count() > 0, "there are fewer photographs than the {} of a batch", workload.batch);
        if let Some(cache) = cache {
            fill(&cache, &train)?;
        }
        let config = EvalConfig { layout, loader, ..EvalConfig::new(preprocessing, workload.batch) };
        let validation = EvalStream::new(Arc::clone(&dataset), Split::Val, &config)?;
        let model = network(workload, &device)?;
        let folder = tempfile::tempdir()?;
        Ok(Self { workload, device, model, dataset, train, validation, folder, watch })
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let manifest = self.dataset.manifest();
        Ok(Checkpoint {
            format: Checkpoint::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_string(),
            model: self.workload.network.model()?,
            preprocessing: self.train.preprocessing().clone(),
            classes: manifest.classes.clone(),
            manifest_hash: manifest.hash(),
            epoch: 0,
        })
    }

    /// The folder where the training leaves its records.
    fn run(&self, model: &ModelConfig) -> Result<RunFolder> {
        let manifest = self.dataset.manifest();
        let info = RunInfo {
            format: RunInfo::FORMAT,
            model: model.name().to_string(),
            classes: manifest.classes.clone(),
            manifest: ManifestRef { path: "manifest.json".into(), hash: manifest.hash() },
            parameters: self.parameters() as u64,
            version: env!("CARGO_PKG_VERSION").to_string(),
            seed: SEED.value(),
            monitor: Measure::Accuracy,
        };
        Ok(RunFolder::create(self.folder.path().join("run"), &info, "")?)
    }
}

impl Contender for Streamed {
    fn parameters(&self) -> usize {
        self.model.parameters().element_count()
    }

    fn train(&mut self, turns: &mut Turns<'_>) -> Result<()> {
        let Some(turn) = turns(None)? else { return Ok(()) };
        let checkpoint = self.checkpoint()?;
        let run = self.run(&checkpoint.model)?;
        let interrupt = AtomicBool::new(false);
        let setup = Fit {
            train: &self.train,
            validation: &self.validation,
            features: None,
            config: FitConfig {
                precision: self.workload.precision,
                ..FitConfig::new(rmsprop(), Length::Epochs(EPOCHS))
            },
            config_text: "",
            device: &self.device,
            exchange: None,
            interrupt: &interrupt,
        };
        let mut epochs =
            Epochs { turns, turn, trained: NOTHING, watch: &mut self.watch, interrupt: &interrupt, failure: Ok(()) };
        fit(&mut *self.model, &setup, &checkpoint, &run, None, &mut epochs)?;
        epochs.failure
    }
}

const NOTHING: Trained = Trained { images: 0, seconds: 0.0, waiting_seconds: 0.0, peak_bytes: 0 };

/// Counts epochs until a turn is over, and holds the training while others have theirs.
struct Epochs<'a, 'b> {
    turns: &'a mut Turns<'b>,
    turn: Turn,
    trained: Trained,
    watch: &'a mut Watch,
    /// Ends the training.
    interrupt: &'a AtomicBool,
    /// Of what asks for turns.
    failure: Result<()>,
}

impl Observer for Epochs<'_, '_> {
    fn epoch_ended(&mut self, record: &EpochRecord) {
        let seconds = record.train.images as f64 / record.images_per_second;
        self.trained.images += record.train.images;
        self.trained.seconds += seconds;
        self.trained.waiting_seconds += record.data_wait_share * seconds;
        if self.trained.seconds < Duration::from_millis(self.turn.milliseconds).as_secs_f64() {
            return;
        }
        self.trained.peak_bytes = self.watch.end();
        match (self.turns)(Some(std::mem::replace(&mut self.trained, NOTHING))) {
            Ok(Some(turn)) => self.turn = turn,
            Ok(None) => self.interrupt.store(true, Ordering::Relaxed),
            Err(error) => {
                self.failure = Err(error);
                self.interrupt.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Resident {
    /// The network of `workload` with a batch of random images.
    ///
    /// # Errors
    /// Where the device has no room.
    pub fn build(workload: Workload, device: Device) -> Result<Self> {
        let watch = Watch::start(&device)?;
        let mut model = network(workload, &device)?;
        model.set_precision(workload.precision)?;
        let optimizer = Optimizer::new(rmsprop(), model.parameters())?;
        let (batch, side) = (workload.batch, workload.network.side());
        let mut rng = SEED.rng("bench", 0, 0);
        let pixels: Vec<f32> = (0..batch * side * side * 3).map(|_| rng.random()).collect();
        let images = Tensor::from_vec(pixels, (batch, side, side, 3), &device)?;
        let classes = Tensor::new((0..batch as u32).map(|image| image % 2).collect::<Vec<_>>(), &device)?;
        Ok(Self { batch, device, model, optimizer, images, classes, step: 0, watch })
    }

    fn step(&mut self) -> Result<()> {
        let classes = &self.classes;
        let mut loss = |logits: &Tensor| Loss::for_outputs(logits.dims()[1]).of_each(logits, classes);
        let parameters = self.model.parameters().clone();
        let step = self.model.gradients(&self.images, self.step, &mut loss)?;
        self.optimizer.step(&parameters, &step.gradients)?;
        self.step += 1;
        Ok(())
    }

    fn turn(&mut self, turn: Turn) -> Result<Trained> {
        let (before, started) = (self.step, Instant::now());
        let duration = Duration::from_millis(turn.milliseconds);
        loop {
            for _ in 0..STEPS_BETWEEN_LOOKS {
                self.step()?;
            }
            self.device.synchronize()?;
            if started.elapsed() >= duration {
                break;
            }
        }
        Ok(Trained {
            images: (self.step - before) * self.batch as u64,
            seconds: started.elapsed().as_secs_f64(),
            waiting_seconds: 0.0,
            peak_bytes: self.watch.end(),
        })
    }
}

impl Contender for Resident {
    fn parameters(&self) -> usize {
        self.model.parameters().element_count()
    }

    fn train(&mut self, turns: &mut Turns<'_>) -> Result<()> {
        let mut next = turns(None)?;
        while let Some(turn) = next {
            let trained = self.turn(turn)?;
            next = turns(Some(trained))?;
        }
        Ok(())
    }
}

/// The network of `workload` on `device`.
fn network(workload: Workload, device: &Device) -> Result<Box<dyn Model>> {
    Ok(workload.network.model()?.architecture()?.build(SEED, device)?)
}

/// The optimizer of all contenders.
fn rmsprop() -> OptimizerConfig {
    OptimizerConfig::Rmsprop(RmsPropConfig { learning_rate: 1e-4, ..RmsPropConfig::default() })
}

#[cfg(test)]
mod tests {
    use aumenta_nn::Precision;

    use super::*;
    use crate::gpu::pictures;
    use crate::gpu::workload::Trained as Network;
    use crate::streaming::photographs::Origin;

    const WORKLOAD: Workload = Workload { network: Network::CatsDogs, batch: 8, precision: Precision::F32 };

    /// What `contender` trains in two turns that are over as soon as they can be.
    fn two_turns(contender: &mut dyn Contender) -> Vec<Trained> {
        assert_eq!(contender.parameters(), Network::CatsDogs.network().parameters());
        let mut trained = Vec::new();
        let mut turns = |last: Option<Trained>| {
            trained.extend(last);
            Ok((trained.len() < 2).then_some(Turn { milliseconds: 0 }))
        };
        contender.train(&mut turns).unwrap();
        trained
    }

    #[test]
    fn a_turn_of_the_training_is_a_whole_epoch_of_whole_batches() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = pictures::write(folder.path(), &Origin::Drawn, 10, 3).unwrap();
        let mut streamed = Streamed::open(WORKLOAD, &manifest, 2, Device::Cpu).unwrap();
        let trained = two_turns(&mut streamed);
        // Of 30 photographs 6 are for validation and 6 for the test, and 18 make two batches.
        assert_eq!(trained.iter().map(|turn| turn.images).collect::<Vec<_>>(), [16, 16]);
        for turn in trained {
            assert!(turn.seconds > 0.0 && (0.0..=turn.seconds).contains(&turn.waiting_seconds), "{turn:?}");
        }
    }

    #[test]
    fn a_resident_batch_waits_for_nothing() {
        let workload = Workload { batch: 1, ..WORKLOAD };
        let trained = two_turns(&mut Resident::build(workload, Device::Cpu).unwrap());
        assert_eq!(trained.iter().map(|turn| turn.images).collect::<Vec<_>>(), [10, 10]);
        assert!(trained.iter().all(|turn| turn.waiting_seconds == 0.0));
    }

    #[test]
    fn fewer_photographs_than_a_batch_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = pictures::write(folder.path(), &Origin::Drawn, 10, 1).unwrap();
        let error = Streamed::open(WORKLOAD, &manifest, 1, Device::Cpu).err().unwrap().to_string();
        assert_eq!(error, "there are fewer photographs than the 8 of a batch");
    }
}
