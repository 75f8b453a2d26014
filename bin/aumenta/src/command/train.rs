//! `aumenta train`: one run.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use aumenta_augment::{AugmentConfig, NormalizationConfig};
use aumenta_dataset::{Dataset, Split};
use aumenta_models::{Architecture, ModelConfig};
use aumenta_runs::{ManifestRef, RunFolder, RunInfo};
use aumenta_seed::Seed;
use aumenta_stream::{
    CacheMode, Color, EvalConfig, EvalStream, Loader, OnError, Preprocessing, TrainConfig, TrainStream,
};
use aumenta_train::{Checkpoint, Fit, fit};
use candle_core::Device;
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::config::{Config, manifest_path, relative_to};
use crate::failure::BadUse;
use crate::progress::TrainingBar;

/// Train a network. Flags override the configuration file.
#[derive(clap::Args, Default)]
pub struct Args {
    /// A TOML file with any of: data, run, seed, epochs, batch-size, workers, prefetch, cache, cache-memory-mib,
    /// cache-folder, on-error; tables: sampling, model, preprocessing, optimizer, augment, mix.
    #[arg(long)]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
}

/// The flags that override a configuration.
#[derive(clap::Args, Default)]
pub struct Settings {
    /// The manifest, or the folder of it.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The folder of the run, which must not exist yet or be empty.
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// The model: `mnist-convnet`, `cats-dogs-convnet`, `efficientnet-lite0`, `resnet-small`, or the path of a model file
    /// (`.toml`).
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<String>,
    /// The input's side in pixels, for a model that can take several.
    #[arg(long)]
    pub image_size: Option<usize>,
    /// The dropout rate, for a model that has dropout.
    #[arg(long)]
    pub dropout: Option<f32>,
    /// What is drawn for each training image: nothing, or the book's rotation, shifts, shear, zoom and flip.
    #[arg(long, value_enum)]
    pub augment: Option<AugmentPreset>,
    /// How values become those that the network takes: `imagenet`, or as the file says it, such as
    /// `{ samplewise = { center = true, std = true } }`.
    #[arg(long, value_parser = normalization)]
    pub normalization: Option<NormalizationConfig>,
    /// Chooses initial weights, order, augmentation and dropout.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Passes over the training split.
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Images a step.
    #[arg(long)]
    pub batch_size: Option<usize>,
    /// The optimizer's step size.
    #[arg(long)]
    pub learning_rate: Option<f32>,
    /// Threads that prepare batches; they do not change the result [default: the number of cores].
    #[arg(long)]
    pub workers: Option<usize>,
    /// Batches that are prepared ahead, at most; they do not change the result [default: chosen from the workers and from
    /// how the training goes].
    #[arg(long)]
    pub prefetch: Option<usize>,
    /// Where decoded pixels are kept from epoch to epoch, which does not change the result: `auto` (in a quarter of the free
    /// memory), `off`, `ram` (in half of it) or `disk` [default: auto].
    #[arg(long, value_parser = named::<CacheMode>)]
    pub cache: Option<CacheMode>,
    /// The folder of a cache on the disk [default: `pixel-cache` beside the manifest].
    #[arg(long)]
    pub cache_folder: Option<PathBuf>,
    /// What becomes of a training image that cannot be read or decoded: `fail`, `skip` or `replace` (by another of its
    /// class) [default: fail].
    #[arg(long, value_parser = named::<OnError>)]
    pub on_error: Option<OnError>,
}

/// A value by its name in a file.
pub fn named<T: DeserializeOwned>(name: &str) -> Result<T, ValueError> {
    T::deserialize(name.into_deserializer())
}

/// A normalization in the words of a file, where a name may stand without quotes.
fn normalization(text: &str) -> Result<NormalizationConfig, toml::de::Error> {
    let is_name = text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if is_name {
        NormalizationConfig::deserialize(text.into_deserializer())
    } else {
        NormalizationConfig::deserialize(toml::de::ValueDeserializer::parse(text)?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AugmentPreset {
    None,
    Book,
}

impl AugmentPreset {
    pub fn config(self) -> AugmentConfig {
        match self {
            Self::None => AugmentConfig::default(),
            Self::Book => AugmentConfig::book(),
        }
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        train(&self.settings.over(config)?)
    }
}

impl Settings {
    /// The configuration with the given flags in place of its values.
    pub fn over(self, mut config: Config) -> Result<Config> {
        config.data = self.data.or(config.data);
        config.run = self.run.or(config.run);
        config.workers = self.workers.or(config.workers);
        config.prefetch = self.prefetch.or(config.prefetch);
        config.cache = self.cache.unwrap_or(config.cache);
        config.cache_folder = self.cache_folder.or(config.cache_folder);
        config.on_error = self.on_error.unwrap_or(config.on_error);
        config.seed = self.seed.unwrap_or(config.seed);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.augment = self.augment.map_or(config.augment, |preset| preset.config().into());
        config.preprocessing.normalization = self.normalization.or(config.preprocessing.normalization);
        if let Some(name) = self.model {
            // The file's settings of the same model stay.
            let settings = config.model.filter(|model| model.name() == name);
            config.model = Some(settings.map_or_else(|| ModelConfig::open(&name), Ok)?);
        }
        if let Some(model) = config.model {
            config.model = Some(model.with(self.image_size, self.dropout)?);
        }
        if let Some(rate) = self.learning_rate {
            config.optimizer = config.optimizer.with_learning_rate(rate);
        }
        Ok(config)
    }
}

/// Trains as configured.
pub fn train(config: &Config) -> Result<()> {
    tracing::debug!(?config, "resolved configuration");
    let (chosen, run) = (config.model()?, config.run()?);
    if config.epochs == 0 {
        return Err(BadUse::message("`epochs` must be at least 1".to_string()));
    }
    config.optimizer.check().map_err(BadUse::from_error)?;
    let normalization = config.normalization()?;
    let dataset = Arc::new(Dataset::open(config.data()?, None)?);
    let model = chosen.clone().for_classes(dataset.manifest().classes.len());
    let architecture = model.architecture()?;
    let (loader, on_error) = (config.loader(&dataset)?, config.on_error);
    let preprocessing = preprocessing(&architecture)?.normalized(&normalization, &dataset, on_error, &loader)?;
    let seed = Seed::new(config.seed);
    let train = train_config(config, preprocessing.clone(), loader.clone())?;
    let train = TrainStream::new(Arc::clone(&dataset), train)?;
    let eval = EvalConfig {
        on_error: if on_error == OnError::Replace { OnError::Skip } else { on_error },
        loader,
        ..EvalConfig::new(preprocessing.clone(), config.batch_size)
    };
    let validation = EvalStream::new(Arc::clone(&dataset), Split::Val, &eval)?;

    let checkpoint = Checkpoint {
        format: Checkpoint::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_string(),
        model,
        preprocessing,
        classes: dataset.manifest().classes.clone(),
        manifest_hash: dataset.manifest().hash(),
        epoch: 0,
    };
    checkpoint.check_classes()?;
    let device = Device::Cpu;
    let mut network = architecture.build(seed, &device)?;
    let folder = create_run(config, &architecture, &checkpoint, run)?;
    let settings = Fit {
        train: &train,
        validation: &validation,
        optimizer: config.optimizer.clone(),
        epochs: config.epochs,
        device: &device,
    };
    eprintln!(
        "training {} ({} parameters) on {} images, validating on {}; run folder {}",
        architecture.name(),
        network.parameters().element_count(),
        train.image_count(),
        validation.image_count(),
        run.display()
    );
    fit(&mut *network, &settings, &checkpoint, &folder, &mut TrainingBar::new(config.epochs))?;
    Ok(())
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

fn create_run(
    config: &Config,
    architecture: &Architecture,
    checkpoint: &Checkpoint,
    run: &std::path::Path,
) -> Result<RunFolder> {
    let manifest = manifest_path(config.data()?);
    let info = RunInfo {
        format: RunInfo::FORMAT,
        model: architecture.name().to_string(),
        classes: checkpoint.classes.clone(),
        manifest: ManifestRef { path: relative_to(&manifest, run)?, hash: checkpoint.manifest_hash.clone() },
        parameters: architecture.summary().parameters() as u64,
        version: checkpoint.version.clone(),
        seed: config.seed,
    };
    Ok(RunFolder::create(run, &info, &config.to_toml(run)?)?)
}

#[cfg(test)]
mod tests {
    use aumenta_augment::Centering;

    use super::*;

    #[test]
    fn a_normalization_is_a_name_or_a_table_as_in_a_file() {
        assert_eq!(normalization("imagenet").unwrap(), NormalizationConfig::Imagenet);
        assert_eq!(normalization("\"imagenet\"").unwrap(), NormalizationConfig::Imagenet);
        let samplewise = NormalizationConfig::Samplewise(Centering { center: true, std: false });
        assert_eq!(normalization("{ samplewise = { center = true } }").unwrap(), samplewise);
        for text in ["", "cifar", "{ zca = { eps = 1 } }", "{ zca"] {
            assert!(normalization(text).is_err(), "{text}");
        }
    }
}
