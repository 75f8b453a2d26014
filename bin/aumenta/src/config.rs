//! The configuration of a training: flags over the file over defaults, resolved once and saved with the run.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use aumenta_augment::{AugmentConfig, Augmentation, KerasConfig, MixConfig, NormalizationConfig};
use aumenta_dataset::{Dataset, MANIFEST_FILE};
use aumenta_models::{ModelChoice, ModelConfig, ModelError, Pretrained};
use aumenta_nn::{DeviceChoice, OptimizerConfig, Precision, ScheduleConfig};
use aumenta_stream::{Cache, CacheConfig, CacheMode, Loader, OnError, Sampling};
use aumenta_train::{
    CheckpointsConfig, EarlyStopping, FitConfig, Freezing, Length, LossConfig, OnNan, ValidationConfig,
};
use serde::{Deserialize, Serialize};

use crate::command::weights;
use crate::failure::BadUse;
use crate::fine_tuning::FineTuning;
use crate::ranks::Ranks;

/// Passes over the training split where neither these nor steps are set.
pub const DEFAULT_EPOCHS: usize = 10;

/// A training's configuration, as a TOML file holds it. Paths in a file are relative to the file's folder.
///
/// `A` is what `[augment]` is read as: the project's own settings or those of a dialect. `M` is what `[model]` is read as: a
/// model, or the name of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config<A = Augmentation, M = ModelConfig> {
    /// The manifest, or the folder that holds `manifest.json`.
    pub data: Option<PathBuf>,
    /// The folder of the run, which must not exist yet or be empty.
    pub run: Option<PathBuf>,
    /// Chooses initial weights, order, augmentation and dropout.
    pub seed: u64,
    /// Passes over the training split; 10 where neither this nor `steps` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Optimizer steps, instead of epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Images a batch.
    pub batch_size: usize,
    /// Batches that one optimizer step takes together.
    pub accumulate: usize,
    /// The decay of the weights' average, which is then what is measured and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f32>,
    /// What becomes of a batch whose loss or gradient is not finite.
    pub on_nan: OnNan,
    /// Whether the run's folder also gets event files for TensorBoard. It does not change the result.
    pub tensorboard: bool,
    /// Where the network computes. It changes no more of the result than how sums are rounded.
    #[serde(skip_serializing_if = "is_default")]
    pub device: DeviceChoice,
    /// Which of several processes that train together this one is; a matter of each call.
    #[serde(skip)]
    pub ranks: Option<Ranks>,
    /// How exactly training steps are computed; all but `f32` needs a GPU.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// Threads that prepare batches; the number of cores where it is not set. It does not change the result.
    pub workers: Option<usize>,
    /// Batches that are prepared ahead, at most; chosen from the workers and from how the training goes where it is not
    /// set. It does not change the result.
    pub prefetch: Option<usize>,
    /// Where decoded pixels are kept from epoch to epoch. It does not change the result.
    pub cache: CacheMode,
    /// The most memory for decoded pixels in MiB, instead of a share of what is free.
    pub cache_memory_mib: Option<u64>,
    /// The folder of a cache on the disk; `pixel-cache` beside the manifest where it is not set.
    pub cache_folder: Option<PathBuf>,
    /// What becomes of a training image that cannot be read or decoded. In validation it is left out where this is not
    /// `fail`.
    pub on_error: OnError,
    /// Which images an epoch draws.
    pub sampling: Sampling,
    /// The network.
    pub model: Option<M>,
    /// A file of weights to begin with, such as one that `aumenta weights import` wrote; drawn from the seed where it is left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// The file of what the frozen layers make of the images, which takes their place; it is computed where there is none yet.
    /// It does not change the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<PathBuf>,
    /// How many views of each training image the augmentation draws in all, which take turns from epoch to epoch: what the
    /// frozen layers make of them is computed once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u32>,
    /// What every image goes through, in training and in evaluation.
    pub preprocessing: PreprocessingConfig,
    /// How the weights move.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes from step to step.
    pub schedule: ScheduleConfig,
    /// Which layers stay as they are, and how much more slowly the base learns than the head.
    pub fine_tuning: FineTuning,
    /// What is minimized.
    pub loss: LossConfig,
    /// When the validation split is measured, and what decides on the best measurement.
    pub validation: ValidationConfig,
    /// When a training that no longer improves ends; never where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// What is kept to go on from.
    pub checkpoints: CheckpointsConfig,
    /// What is drawn for each training image; nothing by default.
    pub augment: A,
    /// Which training images are then mixed with others of their batch; none by default.
    pub mix: MixConfig,
}

/// What every image goes through besides its resize to the model's input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PreprocessingConfig {
    /// How values become those that the network takes; where it is left out, as the augmentation's dialect says, as the
    /// weights take them that a training begins with, or divided by 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalization: Option<NormalizationConfig>,
}

impl<A: Default, M> Default for Config<A, M> {
    fn default() -> Self {
        Self {
            data: None,
            run: None,
            seed: 7,
            epochs: None,
            steps: None,
            batch_size: 20,
            accumulate: 1,
            ema_decay: None,
            on_nan: OnNan::default(),
            tensorboard: false,
            device: DeviceChoice::default(),
            ranks: None,
            precision: Precision::default(),
            workers: None,
            prefetch: None,
            cache: CacheMode::default(),
            cache_memory_mib: None,
            cache_folder: None,
            on_error: OnError::default(),
            sampling: Sampling::default(),
            model: None,
            weights: None,
            features: None,
            views: None,
            preprocessing: PreprocessingConfig::default(),
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            fine_tuning: FineTuning::default(),
            loss: LossConfig::default(),
            validation: ValidationConfig::default(),
            early_stopping: None,
            checkpoints: CheckpointsConfig::default(),
            augment: A::default(),
            mix: MixConfig::default(),
        }
    }
}

impl Config {
    /// The configuration of a file, where one is given, and the default otherwise.
    pub fn of(path: Option<&Path>) -> Result<Self> {
        path.map_or_else(|| Ok(Self::default()), Self::read)
    }

    /// Reads a file; its paths become relative to the working directory.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path).map_err(BadUse::from_error)?;
        Self::from_toml(&text, path.parent().unwrap_or(Path::new("")))
            .with_context(|| format!("`{}` is no valid configuration", path.display()))
            .map_err(BadUse::wrap)
    }

    /// Reads the text of a file in `folder`; its paths become relative to the working directory.
    pub fn from_toml(text: &str, folder: &Path) -> Result<Self> {
        let mut config = Self::parse(text, folder)?;
        for path in config.paths_mut() {
            *path = below(folder, path);
        }
        Ok(config)
    }

    /// Reads the text of a file in `folder`: once to see which settings `[augment]` may have, then as a configuration with
    /// those.
    fn parse(text: &str, folder: &Path) -> Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        let augment = table.get("augment").and_then(toml::Value::as_table);
        let has_dialect = augment.is_some_and(|settings| settings.contains_key("dialect"));
        let read = if has_dialect {
            toml::from_str::<Config<KerasConfig, ModelChoice>>(text).map(|config| config.resolved(folder))
        } else {
            toml::from_str::<Config<AugmentConfig, ModelChoice>>(text).map(|config| config.resolved(folder))
        };
        let resolved = read.map_err(|error| {
            let mut keys = augment.into_iter().flat_map(|settings| settings.keys());
            let unknown = keys.find(|key| error.message().starts_with(&format!("unknown field `{key}`")));
            let advice = match (has_dialect, unknown) {
                (true, Some(key)) if key.contains('-') => "with a dialect, settings have that library's names",
                (false, Some(key)) if key.contains('_') => {
                    "for Keras' names, set dialect = \"keras-2.15\" or \"keras-2.0.8\""
                }
                _ => return error.into(),
            };
            anyhow!("{}; {advice}", error.to_string().trim_end())
        })?;
        Ok(resolved?)
    }

    /// The configuration as TOML, with paths relative to `folder`, where it will be saved.
    pub fn to_toml(&self, folder: &Path) -> Result<String> {
        let mut config = self.clone();
        for path in config.paths_mut() {
            *path = relative_to(path, folder)?;
        }
        Ok(toml::to_string(&config)?)
    }

    /// Checks that there is what a training cannot do without.
    pub fn check_complete(&self) -> Result<()> {
        let needed = [
            ("data", "--data", self.data.is_some()),
            ("model", "--model", self.model.is_some()),
            ("run", "--run", self.run.is_some()),
        ];
        let lacking: Vec<_> = needed.into_iter().filter(|(.., is_set)| !is_set).collect();
        match lacking[..] {
            [] => Ok(()),
            [(key, flag, _)] => Err(missing(key, flag)),
            _ => {
                let keys = lacking.iter().map(|(key, ..)| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let flags = lacking.iter().map(|(_, flag, _)| *flag).collect::<Vec<_>>().join(", ");
                Err(BadUse::message(format!(
                    "a training needs {keys}: set them in a file, which --config names, or give {flags}"
                )))
            }
        }
    }

    /// The manifest.
    pub fn data(&self) -> Result<&Path> {
        self.data.as_deref().ok_or_else(|| missing("data", "--data"))
    }

    /// The run's folder.
    pub fn run(&self) -> Result<&Path> {
        self.run.as_deref().ok_or_else(|| missing("run", "--run"))
    }

    /// The network.
    pub fn model(&self) -> Result<&ModelConfig> {
        self.model.as_ref().ok_or_else(|| missing("model", "--model"))
    }

    /// When the training is over.
    pub fn length(&self) -> Result<Length> {
        match (self.epochs, self.steps) {
            (Some(_), Some(_)) => Err(BadUse::message(
                "the configuration has both `epochs` and `steps`: a training ends after the one or the other"
                    .to_string(),
            )),
            (None, Some(steps)) => Ok(Length::Steps(steps)),
            (epochs, None) => Ok(Length::Epochs(epochs.unwrap_or(DEFAULT_EPOCHS))),
        }
    }

    /// How the network is trained, unchecked; which layers are frozen is not in it, since that depends on the network.
    pub fn fit(&self) -> Result<FitConfig> {
        Ok(FitConfig {
            optimizer: self.optimizer.clone(),
            schedule: self.schedule,
            length: self.length()?,
            precision: self.precision,
            accumulate: self.accumulate,
            freezing: Freezing::default(),
            loss: self.loss.clone(),
            ema_decay: self.ema_decay,
            validation: self.validation,
            early_stopping: self.early_stopping,
            checkpoints: self.checkpoints,
            on_nan: self.on_nan,
        })
    }

    /// How values become those that the network takes: as configured, else as the augmentation's dialect says, else as the
    /// weights that the training begins with take them.
    pub fn normalization(&self) -> Result<NormalizationConfig> {
        let of_weights = self.preprocessing.normalization.is_none().then(|| self.normalization_of_weights()).flatten();
        if let Some(Ok(normalization)) = of_weights.map(|of_weights| self.augment.normalization(Some(&of_weights))) {
            return Ok(normalization);
        }
        self.augment.normalization(self.preprocessing.normalization.as_ref()).map_err(BadUse::from_error)
    }

    /// What the weights take that the training begins with, where it is known.
    fn normalization_of_weights(&self) -> Option<NormalizationConfig> {
        let (_, model) = self.weights.as_ref().zip(self.model.as_ref())?;
        Pretrained::of(model.name()).map(weights::normalization)
    }

    /// How the batches of `dataset` are prepared.
    pub fn loader(&self, dataset: &Dataset) -> Result<Loader> {
        let folder = match &self.cache_folder {
            Some(folder) => folder.clone(),
            None => manifest_path(self.data()?).with_file_name("pixel-cache"),
        };
        let memory = self.cache_memory_mib.map(|mib| mib.saturating_mul(1 << 20));
        let cache = CacheConfig { mode: self.cache, memory, folder: Some(folder) };
        let cache = Cache::open(&cache, dataset)?.map(Arc::new);
        Ok(Loader { workers: self.workers, prefetch: self.prefetch, cache, ..Loader::default() })
    }

    /// All paths that there are.
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.data, &mut self.run, &mut self.cache_folder, &mut self.weights, &mut self.features]
            .into_iter()
            .flatten()
    }
}

/// Whether a setting is left as it is, so that a saved configuration need not say so.
fn is_default<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

/// The manifest's file, where a folder may stand for it.
pub fn manifest_path(data: &Path) -> PathBuf {
    if data.is_dir() { data.join(MANIFEST_FILE) } else { data.to_path_buf() }
}

impl<A: Into<Augmentation>> Config<A, ModelChoice> {
    /// The same, whatever `[augment]` was read as, with the model of a file below `folder` in place of its name.
    fn resolved(self, folder: &Path) -> Result<Config, ModelError> {
        Ok(Config {
            data: self.data,
            run: self.run,
            seed: self.seed,
            epochs: self.epochs,
            steps: self.steps,
            batch_size: self.batch_size,
            accumulate: self.accumulate,
            ema_decay: self.ema_decay,
            on_nan: self.on_nan,
            tensorboard: self.tensorboard,
            device: self.device,
            ranks: self.ranks,
            precision: self.precision,
            workers: self.workers,
            prefetch: self.prefetch,
            cache: self.cache,
            cache_memory_mib: self.cache_memory_mib,
            cache_folder: self.cache_folder,
            on_error: self.on_error,
            sampling: self.sampling,
            model: self.model.map(|model| model.resolved(folder)).transpose()?,
            weights: self.weights,
            features: self.features,
            views: self.views,
            preprocessing: self.preprocessing,
            optimizer: self.optimizer,
            schedule: self.schedule,
            fine_tuning: self.fine_tuning,
            loss: self.loss,
            validation: self.validation,
            early_stopping: self.early_stopping,
            checkpoints: self.checkpoints,
            augment: self.augment.into(),
            mix: self.mix,
        })
    }
}

/// `path` as seen from `folder`, which may not exist yet, so that the two can move together.
pub fn relative_to(path: &Path, folder: &Path) -> Result<PathBuf> {
    let (path, folder) = (resolved(path)?, resolved(folder)?);
    Ok(match pathdiff::diff_paths(&path, &folder) {
        Some(relative) if relative.as_os_str().is_empty() => PathBuf::from("."),
        Some(relative) => relative,
        None => path,
    })
}

/// `path`, which may be relative to `folder`, as seen from the working directory; without detours where both are relative.
pub fn below(folder: &Path, path: &Path) -> PathBuf {
    let joined = folder.join(path);
    let is_detour = joined.is_relative() && path.components().any(|part| part == Component::ParentDir);
    if is_detour { relative_to(&joined, Path::new(".")).unwrap_or(joined) } else { joined }
}

/// The absolute path without links and `..`, as far as it exists.
fn resolved(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    Ok(match existing {
        Some((ancestor, canonical)) => match path.strip_prefix(ancestor) {
            Ok(rest) if rest.as_os_str().is_empty() => canonical,
            Ok(rest) => canonical.join(rest),
            Err(_) => path,
        },
        None => path,
    })
}

fn missing(key: &str, flag: &str) -> anyhow::Error {
    BadUse::message(format!("the configuration has no `{key}`: set it in the file or give {flag}"))
}

#[cfg(test)]
mod tests {
    use aumenta_nn::{AdamWConfig, ParameterGroup};

    use super::*;

    #[test]
    fn a_saved_configuration_reads_back_from_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs/first");
        fs_err::create_dir_all(&run).unwrap();
        let groups = vec![ParameterGroup { weight_decay: Some(0.0), ..ParameterGroup::new("*.bias") }];
        let adamw = AdamWConfig { clip_norm: Some(1.0), groups, ..AdamWConfig::default() };
        let config = Config {
            data: Some(folder.path().join("split")),
            run: Some(run.clone()),
            optimizer: OptimizerConfig::AdamW(adamw),
            model: Some(ModelConfig::named("cats-dogs-convnet").unwrap()),
            augment: AugmentConfig::book().into(),
            preprocessing: PreprocessingConfig { normalization: Some(NormalizationConfig::Imagenet) },
            mix: MixConfig { mixup_alpha: Some(0.2), ..MixConfig::default() },
            ..Config::default()
        };
        let text = config.to_toml(&run).unwrap();
        assert!(text.contains("data = \"../../split\""), "{text}");
        fs_err::write(run.join("config.toml"), &text).unwrap();
        let read = Config::read(&run.join("config.toml")).unwrap();
        assert_eq!(read.model, config.model);
        assert_eq!(read.optimizer, config.optimizer);
        assert_eq!(read.augment, config.augment);
        assert_eq!((read.mix, read.preprocessing), (config.mix, config.preprocessing));
        assert_eq!(read.data.unwrap(), run.join("../../split"));
    }

    #[test]
    fn a_model_file_becomes_part_of_the_saved_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let net =
            "input = [8, 8, 3]\n[[layers]]\ntype = \"flatten\"\n[[layers]]\ntype = \"dense\"\nunits = 1\nl2 = 0.5\n";
        fs_err::write(folder.path().join("net.toml"), net).unwrap();
        let path = folder.path().join("config.toml");
        fs_err::write(&path, "epochs = 3\n[model]\nfile = \"net.toml\"\n").unwrap();
        let config = Config::read(&path).unwrap();
        fs_err::remove_file(folder.path().join("net.toml")).unwrap();
        let error = Config::read(&path).unwrap_err();
        assert!(error.chain().any(|cause| cause.to_string().contains("net.toml")), "{error:?}");
        fs_err::write(&path, config.to_toml(folder.path()).unwrap()).unwrap();
        assert_eq!(Config::read(&path).unwrap().model, config.model);
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line_at_every_level() {
        let folder = tempfile::tempdir().unwrap();
        for (text, reason) in [
            ("epoch = 3", "unknown field `epoch`"),
            ("epochs = 3\n[augment]\nrotation = 40", "unknown field `rotation`"),
            ("[mix]\nalpha = 0.2", "unknown field `alpha`"),
            ("[preprocessing]\nrescale = 0.1", "unknown field `rescale`"),
            ("[preprocessing]\nnormalization = { zca = { eps = 0.1 } }", "unexpected keys in table: eps"),
            ("[optimizer]\nname = \"rmsprop\"\nlr = 0.1", "unknown field `lr`"),
            ("[model]\nname = \"mnist-convnet\"\ndropout = 0.5", "unknown field `dropout`"),
            ("[model]\nfile = \"net.toml\"\ndropout = 0.5", "unknown field `dropout`"),
        ] {
            let path = folder.path().join("config.toml");
            fs_err::write(&path, text).unwrap();
            let message = format!("{:#}", Config::read(&path).unwrap_err());
            assert!(message.contains(reason), "{message}");
            assert!(message.contains("config.toml"), "{message}");
            assert!(message.contains("line"), "{message}");
        }
    }

    #[track_caller]
    fn check_refused(augment: &str, line: &str, end: &str) {
        let text = format!("epochs = 3\n[augment]\n{augment}\n[optimizer]\nname = 'rmsprop'\nlearning-rate = 0.1");
        let message = Config::parse(&text, Path::new("")).unwrap_err().to_string();
        assert!(message.contains(line) && message.trim_end().ends_with(end), "{message}");
    }

    #[test]
    fn a_setting_of_an_augmentation_is_refused_at_its_own_line() {
        check_refused("fill = 'wrap'\nzoom = 'far'", "line 4", "or a range [low, high]");
        check_refused("dialect = 'keras-2.15'\ncval = 0\nshear_range = 'x'", "line 5", "expected f64");
        check_refused("cval = 0\ndialect = 'keras-3'", "line 4", "expected `keras-2.0.8` or `keras-2.15`");
        check_refused("dialect = 'keras-2.15'\npreprocessing_function = 'f'", "line 4", "holds no code");
        check_refused("dialect = 'keras-2.15'\nrotation = 20", "line 4", "`dtype`");
        check_refused("zoom = 0.1\nrotation = 20", "line 4", "`transforms`");
    }

    #[test]
    fn the_names_of_one_language_are_refused_in_the_other_with_advice() {
        let keras = "; for Keras' names, set dialect = \"keras-2.15\" or \"keras-2.0.8\"";
        check_refused("zoom = 0.1\nrotation_range = 20", "line 4", keras);
        let native = "; with a dialect, settings have that library's names";
        check_refused("dialect = 'keras-2.15'\nrotation-degrees = 20", "line 4", native);
    }

    #[test]
    fn what_is_no_number_is_out_of_range_by_name() {
        for (augment, field) in [
            ("rotation-degrees = nan", "rotation-degrees"),
            ("contrast = nan", "contrast"),
            ("dialect = 'keras-2.15'\nshear_range = nan", "shear_range"),
        ] {
            let config = Config::parse(&format!("[augment]\n{augment}"), Path::new("")).unwrap();
            let message = config.augment.build().unwrap_err().to_string();
            assert!(message.starts_with(&format!("{field} is NaN, expected")), "{message}");
        }
    }

    #[test]
    fn all_that_a_training_lacks_is_said_at_once() {
        let lacking =
            |text: &str| Config::parse(text, Path::new("")).unwrap().check_complete().unwrap_err().to_string();
        let needed = "a training needs `data`, `model`, `run`: set them in a file, which --config names, or give --data, \
                      --model, --run";
        assert_eq!(lacking(""), needed);
        let one = "the configuration has no `run`: set it in the file or give --run";
        assert_eq!(lacking("data = 'split'\n[model]\nname = 'resnet18'"), one);
    }

    #[test]
    fn a_training_ends_after_epochs_or_steps() {
        let length = |text: &str| Config::parse(text, Path::new("")).unwrap().length();
        assert_eq!(length("").unwrap(), Length::Epochs(10));
        assert_eq!(length("epochs = 3").unwrap(), Length::Epochs(3));
        assert_eq!(length("steps = 300").unwrap(), Length::Steps(300));
        let message = length("steps = 300\nepochs = 3").unwrap_err().to_string();
        assert!(message.starts_with("the configuration has both `epochs` and `steps`"), "{message}");
    }

    #[test]
    fn the_tables_of_a_training_are_read() {
        let text = "ema-decay = 0.99\non-nan = 'skip'\n[schedule]\nname = 'cosine'\nwarm-up-steps = 10\n\
                    [loss]\nlabel-smoothing = 0.1\nclass-weights = 'balanced'\n[validation]\nevery-steps = 50\n\
                    monitor = 'loss'\n[early-stopping]\npatience = 3\n[checkpoints]\nevery-steps = 20";
        let fit = Config::parse(text, Path::new("")).unwrap().fit().unwrap();
        assert_eq!((fit.ema_decay, fit.on_nan), (Some(0.99), OnNan::Skip));
        assert_eq!(fit.schedule, ScheduleConfig::Cosine { warm_up_steps: 10, final_fraction: 0.0 });
        assert_eq!(fit.early_stopping, Some(EarlyStopping { patience: 3, ..EarlyStopping::default() }));
        assert_eq!(fit.checkpoints, CheckpointsConfig { every_steps: Some(20), keep: 2 });
        assert_eq!(fit.validation.every_steps, Some(50));
        for text in
            ["[loss]\nsmoothing = 1", "[validation]\nevery = 1", "[early-stopping]\nwait = 1", "[checkpoints]\nn = 1"]
        {
            assert!(Config::parse(text, Path::new("")).unwrap_err().to_string().contains("unknown field"), "{text}");
        }
    }

    #[test]
    fn a_device_and_a_precision_are_written_down_where_they_were_chosen() {
        let written = |text: &str| Config::parse(text, Path::new("")).unwrap().to_toml(Path::new("")).unwrap();
        let neither = written("seed = 7");
        assert!(!neither.contains("device") && !neither.contains("precision"), "{neither}");
        let both = written("device = 'cuda'\nprecision = 'bf16'");
        assert!(both.contains("device = \"cuda:0\"\nprecision = \"bf16\""), "{both}");
        let message = Config::parse("device = 'gpu'", Path::new("")).unwrap_err().to_string();
        assert!(message.contains("`gpu` is no device: give `auto`, `cpu`, `cuda` or `cuda:N`"), "{message}");
    }

    #[test]
    fn weights_bring_their_normalization_unless_the_file_says_otherwise() {
        let normalization = |text: &str| {
            let text = format!("weights = 'w.safetensors'\n[model]\nname = 'resnet18'\n{text}");
            Config::parse(&text, Path::new("")).unwrap().normalization().unwrap()
        };
        let of_weights = weights::normalization(Pretrained::of("resnet18").unwrap());
        assert_eq!(normalization(""), of_weights);
        assert_eq!(normalization("[augment]\ndialect = 'keras-2.15'"), of_weights);
        let rescaled = NormalizationConfig::Rescale { factor: 0.5 };
        assert_eq!(normalization("[augment]\ndialect = 'keras-2.15'\nrescale = 0.5"), rescaled);
        assert_eq!(normalization("[preprocessing]\nnormalization = 'imagenet'"), NormalizationConfig::Imagenet);
        let without = Config::parse("[model]\nname = 'resnet18'", Path::new("")).unwrap();
        assert_eq!(without.normalization().unwrap(), NormalizationConfig::default());
    }

    #[test]
    fn a_missing_setting_names_its_key_and_flag() {
        let message = Config::default().data().unwrap_err().to_string();
        assert_eq!(message, "the configuration has no `data`: set it in the file or give --data");
    }
}
