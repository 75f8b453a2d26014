//! `aumenta train`: one run.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use aumenta_augment::{AugmentConfig, NormalizationConfig};
use aumenta_dataset::{Dataset, MANIFEST_FILE, Split};
use aumenta_models::{Architecture, ModelConfig};
use aumenta_runs::{ManifestRef, RunFolder, RunInfo};
use aumenta_seed::Seed;
use aumenta_stream::{Color, EvalConfig, EvalStream, Preprocessing, TrainConfig, TrainStream};
use aumenta_train::{Checkpoint, Fit, fit};
use candle_core::Device;
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::config::{Config, relative_to};
use crate::failure::BadUse;
use crate::progress::TrainingBar;

/// Train a network. Flags override the configuration file.
#[derive(clap::Args, Default)]
pub struct Args {
    /// A TOML file with any of: data, run, seed, epochs, batch-size, workers; tables: model, preprocessing, optimizer,
    /// augment, mix.
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
    /// The model: `mnist-convnet`, `cats-dogs-convnet` or `efficientnet-lite0`.
    #[arg(long)]
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
        config.seed = self.seed.unwrap_or(config.seed);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.augment = self.augment.map_or(config.augment, |preset| preset.config().into());
        config.preprocessing.normalization = self.normalization.or(config.preprocessing.normalization);
        if let Some(name) = self.model {
            // The file's settings of the same model stay.
            let settings = config.model.filter(|model| model.name() == name);
            config.model = Some(settings.map_or_else(|| ModelConfig::named(&name), Ok)?);
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
    let workers = config.workers();
    let preprocessing = preprocessing(&architecture)?.normalized(&normalization, &dataset, workers)?;
    let seed = Seed::new(config.seed);
    let train = TrainStream::new(
        Arc::clone(&dataset),
        TrainConfig {
            preprocessing: preprocessing.clone(),
            batch_size: config.batch_size,
            workers,
            seed,
            augment: config.augment.build().map_err(BadUse::from_error)?,
            mix: config.mix.build().map_err(BadUse::from_error)?,
        },
    )?;
    let eval = EvalConfig { preprocessing: preprocessing.clone(), batch_size: config.batch_size, workers };
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
    let data = config.data()?;
    let manifest = if data.is_dir() { data.join(MANIFEST_FILE) } else { data.to_path_buf() };
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
