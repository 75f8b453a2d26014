//! `aumenta train`: one run, from its beginning or from where it was interrupted.

mod features;
mod resume;
mod setup;

use std::path::PathBuf;

use anyhow::Result;
use aumenta_augment::{AugmentConfig, NormalizationConfig};
use aumenta_metrics::Measure;
use aumenta_models::ModelConfig;
use aumenta_nn::{DeviceChoice, Precision, ScheduleConfig};
use aumenta_stream::{CacheMode, OnError};
use aumenta_train::{ClassWeights, EarlyStopping, OnNan};
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::config::{Config, DEFAULT_EPOCHS};
use crate::fine_tuning::{BatchNorm, Recipe};
use crate::ranks::Ranks;
pub use features::{Made, check as check_features, made};
pub use resume::{WITHOUT_EFFECT, depends_on_length};
pub use setup::{Setup, Talk, preprocessing, rehearse, train, train_config};

/// Train a network, or go on with a run. Flags override the configuration file.
///
/// Ctrl-C ends a training after the step under way, with a checkpoint to go on from.
#[derive(clap::Args, Default)]
pub struct Args {
    /// A TOML file with any of: data, run, seed, weights, features, views, epochs, steps, batch-size, accumulate, ema-decay, on-nan,
    /// tensorboard, device, precision, workers, prefetch, cache, cache-memory-mib, cache-folder, on-error; tables: sampling, model, preprocessing,
    /// optimizer, schedule, fine-tuning, loss, validation, early-stopping, checkpoints, augment, mix.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The folder of a run to go on with, from its last checkpoint, to the same end as if it had not been interrupted. The
    /// run's own configuration holds.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "run"])]
    pub resume: Option<PathBuf>,
    /// Go on with a run although its settings or data have changed.
    #[arg(long, requires = "resume")]
    pub force: bool,
    /// Say nothing but warnings and errors.
    #[arg(long)]
    pub quiet: bool,
    /// Print an event a line as JSON: each step, checkpoint, measurement and epoch.
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub settings: Settings,
}

/// Where a run is, and which of the processes that train it together this one is.
#[derive(clap::Args, Default)]
pub struct Place {
    /// The folder of the run, which must not exist yet or be empty.
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// Train in several processes, each with a GPU of its own, of which this is the one with this number, counted from 0. All are
    /// given the same settings. Experimental; the program must have been built with NCCL.
    #[arg(long, requires_all = ["ranks", "rendezvous"])]
    pub rank: Option<usize>,
    /// How many processes there are.
    #[arg(long, requires = "rank")]
    pub ranks: Option<usize>,
    /// The file through which they find each other, which must not be there yet, on a disk that all see.
    #[arg(long, value_name = "FILE", requires = "rank")]
    pub rendezvous: Option<PathBuf>,
}

/// The flags that override a configuration.
#[derive(clap::Args, Default)]
pub struct Settings {
    /// The manifest, or the folder of it.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The model: `mnist-convnet`, `cats-dogs-convnet`, `resnet-small`, `efficientnet-lite0`, `mobilenet-v2`, `resnet18`,
    /// `vgg16`, or the path of a model file (`.toml`).
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<String>,
    /// A file of weights to begin with, such as one that `aumenta weights import` wrote. A head for other classes is left out.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Settings that go together, in place of the file's; other flags still override them.
    #[arg(long, value_enum)]
    pub recipe: Option<Recipe>,
    /// Leave the layers before this one as they are: a layer, a block such as `blocks.6`, or `head` for the whole base.
    #[arg(long, value_name = "LAYER")]
    pub freeze_until: Option<String>,
    /// From this epoch on, counted from 1, train the frozen layers too, from the weights that there are and with an optimizer
    /// that begins anew.
    #[arg(long, value_name = "EPOCH")]
    pub unfreeze_at_epoch: Option<u64>,
    /// The layers before this one stay as they are even then.
    #[arg(long, value_name = "LAYER")]
    pub unfreeze_from: Option<String>,
    /// The learning rate from then on.
    #[arg(long, allow_negative_numbers = true, value_name = "RATE")]
    pub unfrozen_rate: Option<f32>,
    /// What the learning rate of the base is multiplied by.
    #[arg(long, allow_negative_numbers = true, value_name = "FACTOR")]
    pub base_rate: Option<f32>,
    /// What it is multiplied by besides, once for each block further from the head.
    #[arg(long, allow_negative_numbers = true, value_name = "FACTOR")]
    pub depth_decay: Option<f32>,
    /// The file of what the frozen layers make of the images, which takes their place; it is computed where there is none yet.
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Draw so many views of each training image in all, and compute once what the frozen layers make of them; they take turns
    /// from epoch to epoch.
    #[arg(long, value_name = "COUNT")]
    pub views: Option<u32>,
    /// What the batch normalizations of the base do in training [default: `evaluate` with --freeze-until, `train` without].
    #[arg(long, value_enum)]
    pub batch_norm: Option<BatchNorm>,
    /// The input's side in pixels, for a model that can take several.
    #[arg(long)]
    pub image_size: Option<usize>,
    /// The dropout rate, for a model that has dropout.
    #[arg(long, allow_negative_numbers = true)]
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
    /// Optimizer steps, instead of epochs.
    #[arg(long, conflicts_with = "epochs")]
    pub steps: Option<u64>,
    /// Images a batch.
    #[arg(long)]
    pub batch_size: Option<usize>,
    /// Batches that one optimizer step takes together.
    #[arg(long)]
    pub accumulate: Option<usize>,
    /// The optimizer's step size.
    #[arg(long, allow_negative_numbers = true)]
    pub learning_rate: Option<f32>,
    /// How the learning rate changes: `constant`, `cosine` or `one-cycle` with their default settings; others in the file.
    #[arg(long, value_parser = schedule)]
    pub schedule: Option<ScheduleConfig>,
    /// The share of what is right that all classes get alike.
    #[arg(long, allow_negative_numbers = true)]
    pub label_smoothing: Option<f32>,
    /// What images count after their class: `none`, or `balanced`, every class as much as any other.
    #[arg(long, value_parser = named::<ClassWeights>)]
    pub class_weights: Option<ClassWeights>,
    /// The decay of the weights' average, which is then what is measured and kept.
    #[arg(long, allow_negative_numbers = true)]
    pub ema_decay: Option<f32>,
    /// End after so many measurements of the validation split in a row that bring no improvement.
    #[arg(long, value_name = "MEASUREMENTS")]
    pub early_stopping: Option<u64>,
    /// What decides on the best network and on early stopping: a measure of the validation split, such as `accuracy`, `loss`,
    /// `f1-macro`, `auroc`, `average-precision`, `brier` or `ece` [default: accuracy].
    #[arg(long, value_parser = named::<Measure>)]
    pub monitor: Option<Measure>,
    /// Measure the validation split after every so many steps too, not only after each epoch.
    #[arg(long, value_name = "STEPS")]
    pub validate_every: Option<u64>,
    /// Write a checkpoint to go on from after every so many steps too, not only after each epoch.
    #[arg(long, value_name = "STEPS")]
    pub checkpoint_every: Option<u64>,
    /// What becomes of a batch whose loss or gradient is not finite: `stop` or `skip`.
    #[arg(long, value_parser = named::<OnNan>)]
    pub on_nan: Option<OnNan>,
    /// Write event files for TensorBoard into the run's folder.
    #[arg(long)]
    pub tensorboard: bool,
    /// Where the network computes: `auto` (the first NVIDIA GPU that can be used, else the CPU), `cpu`, or `cuda:N` [default:
    /// auto].
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// How exactly training steps are computed: `f32`, or on a GPU also `tf32` or `bf16`. What is measured is computed in f32
    /// [default: f32].
    #[arg(long, value_parser = named::<Precision>)]
    pub precision: Option<Precision>,
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

/// A schedule by its name, with its default settings.
fn schedule(name: &str) -> Result<ScheduleConfig, toml::de::Error> {
    ScheduleConfig::deserialize(toml::Table::from_iter([("name".to_string(), name.into())]))
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
        let talk = match (self.quiet, self.json) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Json,
            (false, false) => Talk::Progress,
        };
        if let Some(run) = &self.resume {
            let (folder, config) = resume::open(run)?;
            return setup::resume(&self.place.over(self.settings.over(config)?)?, &folder, self.force, talk);
        }
        let config = Config::of(self.config.as_deref())?;
        train(&self.place.over(self.settings.over(config)?)?, talk)
    }
}

impl Place {
    /// The configuration of the run there.
    fn over(self, mut config: Config) -> Result<Config> {
        config.run = self.run.or(config.run);
        if let (Some(rank), Some(ranks), Some(rendezvous)) = (self.rank, self.ranks, self.rendezvous) {
            let ranks = Ranks::new(rank, ranks, rendezvous)?;
            config.run = config.run.map(|run| ranks.folder(&run));
            config.ranks = Some(ranks);
        }
        Ok(config)
    }
}

impl Settings {
    /// The configuration with the given flags in place of its values.
    pub fn over(self, mut config: Config) -> Result<Config> {
        if let Some(recipe) = self.recipe {
            config = recipe.over(config, self.learning_rate);
        }
        let fine_tuning = &mut config.fine_tuning;
        fine_tuning.freeze_until = self.freeze_until.or(fine_tuning.freeze_until.take());
        fine_tuning.unfreeze_at_epoch = self.unfreeze_at_epoch.or(fine_tuning.unfreeze_at_epoch);
        fine_tuning.unfreeze_from = self.unfreeze_from.or(fine_tuning.unfreeze_from.take());
        fine_tuning.unfrozen_rate = self.unfrozen_rate.or(fine_tuning.unfrozen_rate);
        fine_tuning.base_rate = self.base_rate.or(fine_tuning.base_rate);
        fine_tuning.depth_decay = self.depth_decay.or(fine_tuning.depth_decay);
        fine_tuning.batch_norm = self.batch_norm.or(fine_tuning.batch_norm);
        config.data = self.data.or(config.data);
        config.weights = self.weights.or(config.weights);
        config.features = self.features.or(config.features);
        config.views = self.views.or(config.views);
        config.device = self.device.unwrap_or(config.device);
        config.precision = self.precision.unwrap_or(config.precision);
        config.workers = self.workers.or(config.workers);
        config.prefetch = self.prefetch.or(config.prefetch);
        config.cache = self.cache.unwrap_or(config.cache);
        config.cache_folder = self.cache_folder.or(config.cache_folder);
        config.on_error = self.on_error.unwrap_or(config.on_error);
        config.seed = self.seed.unwrap_or(config.seed);
        if self.epochs.is_some() || self.steps.is_some() {
            (config.epochs, config.steps) = (self.epochs, self.steps);
        }
        if config.steps.is_none() {
            // The run's folder says what holds, also where it was nobody's choice.
            config.epochs = config.epochs.or(Some(DEFAULT_EPOCHS));
        }
        config.accumulate = self.accumulate.unwrap_or(config.accumulate);
        config.schedule = self.schedule.unwrap_or(config.schedule);
        config.loss.label_smoothing = self.label_smoothing.unwrap_or(config.loss.label_smoothing);
        config.loss.class_weights = self.class_weights.unwrap_or(config.loss.class_weights);
        config.ema_decay = self.ema_decay.or(config.ema_decay);
        if let Some(patience) = self.early_stopping {
            config.early_stopping = Some(EarlyStopping { patience, ..config.early_stopping.unwrap_or_default() });
        }
        config.validation.monitor = self.monitor.unwrap_or(config.validation.monitor);
        config.validation.every_steps = self.validate_every.or(config.validation.every_steps);
        config.checkpoints.every_steps = self.checkpoint_every.or(config.checkpoints.every_steps);
        config.on_nan = self.on_nan.unwrap_or(config.on_nan);
        config.tensorboard |= self.tensorboard;
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
