//! A training from its configuration to the run's folder: data, network and those who listen, put together.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use aumenta_augment::NormalizationConfig;
use aumenta_dataset::{Dataset, Split};
use aumenta_metrics::{Measure, Measures, Scored};
use aumenta_models::{Architecture, FoundWeights, Model, read_weights};
use aumenta_nn::{DeviceChoice, Optimizer, Precision, WeightAverage};
use aumenta_report::count;
use aumenta_runs::{EpochRecord, Kept, ManifestRef, RunFolder, RunInfo, best_epoch};
use aumenta_seed::Seed;
use aumenta_stream::{Color, EvalConfig, EvalStream, Layout, Loader, OnError, Preprocessing, TrainConfig, TrainStream};
use aumenta_train::{
    Checkpoint, End, Exchange, Features, Fit, FitConfig, Length, Snapshot, TrainError, batch_layout, fit,
};
use candle_core::Device;

use super::{features, resume};
use crate::command::weights;
use crate::config::{Config, manifest_path, relative_to};
use crate::device;
use crate::events::Events;
use crate::failure::BadUse;
use crate::interrupt::{self, Interrupted};
use crate::observers::Observers;
use crate::progress::TrainingBar;
use crate::tensorboard::TensorBoard;

/// What a training says while it goes on.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Talk {
    /// Progress on standard error.
    #[default]
    Progress,
    /// Nothing but warnings.
    Quiet,
    /// Events on standard output.
    Json,
}

/// Trains as configured, in a new run.
pub fn train(config: &Config, talk: Talk) -> Result<()> {
    tracing::debug!(?config, "resolved configuration");
    config.check_complete()?;
    let run = config.run()?;
    let setup = Setup::new(config)?;
    let mut model = setup.model()?;
    let features = features::existing(&setup, &mut *model)?;
    let folder = create_run(config, &setup, run)?;
    let features = features.map_or_else(|| features::of_training(&setup, &mut *model, run), |found| Ok(Some(found)))?;
    setup.train(&mut *model, features.as_ref(), &folder, None, talk)
}

/// Goes on with the run in `folder`, as configured now.
pub fn resume(config: &Config, folder: &RunFolder, force: bool, talk: Talk) -> Result<()> {
    let fit = config.fit()?;
    let snapshot = resume::latest_snapshot(folder)?;
    let dataset = Arc::new(Dataset::open(config.data()?, None)?);
    let snapshot = resume::checked(snapshot, config, folder, dataset.manifest(), force)?;
    let loader = config.loader(&dataset)?;
    // What was fitted for the preprocessing is the network's own.
    let network = Checkpoint { manifest_hash: dataset.manifest().hash(), ..snapshot.network().clone() };
    let setup = Setup::prepare(config, fit, dataset, network, loader)?;
    resume::remark_on_device(&snapshot, DeviceChoice::of(&setup.device))?;
    folder.replace_config(&config.to_toml(folder.path())?)?;
    let mut model = setup.model()?;
    model.parameters().set_tensors(snapshot.weights())?;
    // Once more layers are trained, nothing of the images stays as it is.
    let is_frozen = setup.fit.freezing.unfreezing.is_none_or(|then| snapshot.epoch() < then.epoch);
    let features = if is_frozen { features::of_training(&setup, &mut *model, folder.path())? } else { None };
    setup.train(&mut *model, features.as_ref(), folder, Some(snapshot), talk)
}

/// All that a training needs but the run's folder.
pub struct Setup<'a> {
    pub config: &'a Config,
    pub dataset: Arc<Dataset>,
    /// Where the network computes.
    pub device: Device,
    /// What the gradients of other processes come through.
    exchange: Option<RefCell<Box<dyn Exchange>>>,
    pub fit: FitConfig,
    pub network: Checkpoint,
    pub architecture: Architecture,
    /// What the learning rate of each layer is multiplied by.
    rate_scales: Vec<f32>,
    /// What a new training begins with in place of weights from the seed.
    weights: Option<FoundWeights>,
    pub train: TrainStream,
    /// How splits are measured.
    pub eval: EvalConfig,
    pub validation: EvalStream,
}

/// Puts together what a training as configured needs, and lets go of it: what would be refused is refused now. Nothing is fitted
/// to images, which may take long.
pub fn rehearse(config: &Config) -> Result<()> {
    let normalization = config.normalization()?;
    let architecture = config.model()?.architecture()?;
    let is_fitted = preprocessing(&architecture)?.is_fitted_by(&normalization)?;
    let unfitted = NormalizationConfig::Rescale { factor: 1.0 };
    Setup::normalized(config, if is_fitted { &unfitted } else { &normalization })?.model()?;
    Ok(())
}

impl<'a> Setup<'a> {
    /// A training as configured.
    pub fn new(config: &'a Config) -> Result<Self> {
        Self::normalized(config, &config.normalization()?)
    }

    /// A training as configured but for the normalization.
    fn normalized(config: &'a Config, normalization: &NormalizationConfig) -> Result<Self> {
        let (chosen, fit) = (config.model()?, config.fit()?);
        let dataset = Arc::new(Dataset::open(config.data()?, None)?);
        let model = chosen.clone().for_classes(dataset.manifest().classes.len());
        let architecture = model.architecture()?;
        let weights = config.weights.as_ref().map(|path| architecture.find_weights(read_weights(path)?)).transpose()?;
        let loader = config.loader(&dataset)?;
        let preprocessing =
            preprocessing(&architecture)?.normalized(normalization, &dataset, config.on_error, &loader)?;
        let network = Checkpoint {
            format: Checkpoint::FORMAT,
            version: env!("CARGO_PKG_VERSION").to_string(),
            model,
            preprocessing,
            classes: dataset.manifest().classes.clone(),
            manifest_hash: dataset.manifest().hash(),
            epoch: 0,
        };
        network.check_classes()?;
        Ok(Self { weights, ..Self::prepare(config, fit, dataset, network, loader)? })
    }

    fn prepare(
        config: &'a Config,
        fit: FitConfig,
        dataset: Arc<Dataset>,
        network: Checkpoint,
        loader: Loader,
    ) -> Result<Self> {
        let architecture = network.model.architecture()?;
        let fit = FitConfig { freezing: config.fine_tuning.freezing(&architecture)?, ..fit };
        fit.check(network.classes.len()).map_err(BadUse::from_error)?;
        check_monitor(fit.validation.monitor, &dataset)?;
        if features::is_wanted(config) {
            features::check(config, fit.freezing.layers)?;
        }
        let rate_scales = config.fine_tuning.rate_scales(&architecture)?;
        let (preprocessing, device) = (&network.preprocessing, device::open(config.device)?);
        let exchange = config.ranks.as_ref().map(|ranks| ranks.join(&device)).transpose()?;
        let layout = batch_layout(preprocessing, &device);
        let train = train_config(config, preprocessing.clone(), loader.clone())?;
        // Mixed values are no bytes.
        let train = TrainConfig { layout: if train.mix.is_some() { Layout::default() } else { layout }, ..train };
        // All of several processes have equally many batches, or some would wait for others that are done.
        let train = match &config.ranks {
            Some(ranks) => TrainConfig { shard: ranks.shard(), drop_last: true, ..train },
            None => train,
        };
        let eval = EvalConfig {
            on_error: if config.on_error == OnError::Replace { OnError::Skip } else { config.on_error },
            layout,
            loader,
            ..EvalConfig::new(preprocessing.clone(), config.batch_size)
        };
        Ok(Self {
            config,
            device,
            exchange,
            fit,
            architecture,
            rate_scales,
            weights: None,
            train: TrainStream::new(Arc::clone(&dataset), train)?,
            validation: EvalStream::new(Arc::clone(&dataset), Split::Val, &eval)?,
            eval,
            dataset,
            network,
        })
    }

    /// The network as a training begins with it.
    pub fn model(&self) -> Result<Box<dyn Model>> {
        let mut model = self.architecture.build(Seed::new(self.config.seed), &self.device)?;
        if let Some(weights) = &self.weights {
            weights.load(model.parameters())?;
        }
        model.scale_rates(&self.rate_scales)?;
        // What the device does not compute with is refused here, before there is a run. Features are f32 in any case.
        model.set_precision(self.fit.precision)?;
        model.set_precision(Precision::F32)?;
        self.check_optimizer(&mut *model)?;
        model.fix_statistics(self.config.fine_tuning.fixed_statistics(&self.architecture))?;
        Ok(model)
    }

    /// Checks what the optimizer and the weights' average are to do with the parameters that are trained first.
    fn check_optimizer(&self, model: &mut dyn Model) -> Result<()> {
        let FitConfig { optimizer, ema_decay, freezing, .. } = &self.fit;
        model.freeze(freezing.layers)?;
        Optimizer::new(optimizer.clone(), model.parameters())?;
        ema_decay.map(|decay| WeightAverage::new(decay, model.parameters())).transpose()?;
        Ok(model.freeze(0)?)
    }

    /// Trains to the end, from the beginning or a snapshot.
    fn train(
        self,
        model: &mut dyn Model,
        features: Option<&Features>,
        folder: &RunFolder,
        from: Option<Snapshot>,
        talk: Talk,
    ) -> Result<()> {
        let Self { config, device, exchange, fit: settings, network, architecture, weights, train, validation, .. } =
            self;
        let run = folder.path().display();
        // A snapshot says where it was trained, also where that was nobody's choice.
        let trained = Config { device: DeviceChoice::of(&device), ..config.clone() };
        let config_text = trained.to_toml(folder.path())?;
        if talk == Talk::Progress {
            let begun = from.as_ref().map_or_else(String::new, |from| going_on(from, settings.length));
            eprintln!(
                "training {} ({} parameters) on {} images, validating on {}; run folder {run}{begun}",
                architecture.name(),
                count(model.parameters().element_count() as u64),
                count(train.image_count() as u64),
                count(validation.image_count() as u64),
            );
            if let Some((path, found)) = config.weights.as_ref().zip(weights) {
                eprintln!("{}", weights::remark(path, &found));
            }
        }
        let mut observer = observers(talk, settings.length, config.tensorboard, folder)?;
        let fitting = Fit {
            train: &train,
            validation: &validation,
            features,
            config: settings,
            config_text: &config_text,
            device: &device,
            exchange: exchange.as_ref(),
            interrupt: interrupt::flag()?,
        };
        let fitted = fit(model, &fitting, &network, folder, from, &mut observer)?;
        drop(observer);
        if let End::Interrupted { step } = fitted.end {
            return Err(Interrupted { step, run: run.to_string() }.into());
        }
        if talk == Talk::Progress {
            if fitted.end == End::Stopped {
                eprintln!("stopped early: the validation split no longer improves");
            }
            eprint!("{}", verdict(&fitted.epochs, config.validation.monitor, folder));
        }
        Ok(())
    }
}

/// Checks that what decides on the best network is defined for the classes of the validation split, from one image of each.
fn check_monitor(monitor: Measure, dataset: &Dataset) -> Result<()> {
    let occurring: BTreeSet<usize> = dataset.records(Split::Val).iter().map(|record| record.class as usize).collect();
    let (truth, classes) = (Vec::from_iter(occurring), dataset.manifest().classes.len());
    let (even, losses) = (vec![1.0 / classes as f32; truth.len() * classes], vec![0.0; truth.len()]);
    if truth.is_empty() || Measures::of(&Scored::new(classes, &truth, &even), &losses).value(monitor).is_some() {
        return Ok(());
    }
    let reason = format!("is `{}`, which is not defined for the classes of the validation split", monitor.name());
    Err(TrainError::Setting { setting: "validation.monitor", reason }.into())
}

/// Where a training goes on from, unless nothing is left of it.
fn going_on(from: &Snapshot, length: Length) -> String {
    let (is_over, flag) = match length {
        Length::Epochs(epochs) => (from.epoch() > epochs as u64, "--epochs"),
        Length::Steps(steps) => (from.step() >= steps, "--steps"),
    };
    if is_over {
        return format!(", which is at its end: {flag} N would let it go on");
    }
    format!(", going on in epoch {} after step {}", from.epoch(), from.step())
}

/// Which epoch's network is the best, and where it is.
fn verdict(epochs: &[EpochRecord], monitor: Measure, folder: &RunFolder) -> String {
    best_epoch(epochs, monitor).map_or_else(String::new, |best| {
        let (value, path) = (best.merit(monitor).value, folder.weights_path(Kept::Best));
        format!("best: epoch {}, validation {} {value:.4}; {}\n", best.epoch, monitor.name(), path.display())
    })
}

/// Everyone who listens to a training.
fn observers(talk: Talk, length: Length, tensorboard: bool, folder: &RunFolder) -> Result<Observers> {
    let mut observers = Observers::default();
    match talk {
        Talk::Progress => observers.push(TrainingBar::new(length)),
        Talk::Quiet => {}
        Talk::Json => observers.push(Events),
    }
    if tensorboard {
        observers.push(TensorBoard::create(folder)?);
    }
    Ok(observers)
}

/// What the training stream of a configuration delivers, of images in the form `preprocessing`.
pub fn train_config(config: &Config, preprocessing: Preprocessing, loader: Loader) -> Result<TrainConfig> {
    Ok(TrainConfig {
        augment: config.augment.build().map_err(BadUse::from_error)?,
        mix: config.mix.build().map_err(BadUse::from_error)?,
        sampling: config.sampling.clone(),
        on_error: config.on_error,
        loader,
        ..TrainConfig::new(preprocessing, config.batch_size, Seed::new(config.seed))
    })
}

/// The form of images that an architecture takes.
pub fn preprocessing(architecture: &Architecture) -> Result<Preprocessing> {
    let [height, width, channels] = architecture.input();
    let color = Color::with_channels(channels);
    let color = color.ok_or_else(|| BadUse::message(format!("no color has {channels} channels")))?;
    Ok(Preprocessing::new(height, width, color))
}

fn create_run(config: &Config, setup: &Setup<'_>, run: &Path) -> Result<RunFolder> {
    let (network, manifest) = (&setup.network, manifest_path(config.data()?));
    let info = RunInfo {
        format: RunInfo::FORMAT,
        model: setup.architecture.name().to_string(),
        classes: network.classes.clone(),
        manifest: ManifestRef { path: relative_to(&manifest, run)?, hash: network.manifest_hash.clone() },
        parameters: setup.architecture.summary().parameters() as u64,
        version: network.version.clone(),
        seed: config.seed,
        monitor: config.validation.monitor,
    };
    Ok(RunFolder::create(run, &info, &config.to_toml(run)?)?)
}
