//! The configuration of a training: flags over the file over defaults, resolved once and saved with the run.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use aumenta_augment::{Augmentation, MixConfig, NormalizationConfig};
use aumenta_models::ModelConfig;
use aumenta_nn::OptimizerConfig;
use serde::{Deserialize, Serialize};

use crate::failure::BadUse;

/// A training's configuration, as a TOML file holds it. Paths in a file are relative to the file's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The manifest, or the folder that holds `manifest.json`.
    pub data: Option<PathBuf>,
    /// The folder of the run, which must not exist yet or be empty.
    pub run: Option<PathBuf>,
    /// Chooses initial weights, order, augmentation and dropout.
    pub seed: u64,
    /// Passes over the training split.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Threads that prepare batches; the number of cores where it is not set. It does not change the result.
    pub workers: Option<usize>,
    /// The network.
    pub model: Option<ModelConfig>,
    /// What every image goes through, in training and in evaluation.
    pub preprocessing: PreprocessingConfig,
    /// How the weights move.
    pub optimizer: OptimizerConfig,
    /// What is drawn for each training image; nothing by default.
    pub augment: Augmentation,
    /// Which training images are then mixed with others of their batch; none by default.
    pub mix: MixConfig,
}

/// What every image goes through besides its resize to the model's input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PreprocessingConfig {
    /// How values become those that the network takes; where it is left out, as the augmentation's dialect says, or divided
    /// by 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalization: Option<NormalizationConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            run: None,
            seed: 7,
            epochs: 10,
            batch_size: 20,
            workers: None,
            model: None,
            preprocessing: PreprocessingConfig::default(),
            optimizer: OptimizerConfig::default(),
            augment: Augmentation::default(),
            mix: MixConfig::default(),
        }
    }
}

impl Config {
    /// Reads a file; its paths become relative to the working directory.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path).map_err(BadUse::from_error)?;
        let mut config: Self = toml::from_str(&text)
            .with_context(|| format!("`{}` is no valid configuration", path.display()))
            .map_err(BadUse::wrap)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in [&mut config.data, &mut config.run].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    /// The configuration as TOML, with paths relative to `folder`, where it will be saved.
    pub fn to_toml(&self, folder: &Path) -> Result<String> {
        let mut config = self.clone();
        for path in [&mut config.data, &mut config.run].into_iter().flatten() {
            *path = relative_to(path, folder)?;
        }
        Ok(toml::to_string(&config)?)
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

    /// How values become those that the network takes.
    pub fn normalization(&self) -> Result<NormalizationConfig> {
        self.augment.normalization(self.preprocessing.normalization.as_ref()).map_err(BadUse::from_error)
    }

    /// Threads that prepare batches.
    pub fn workers(&self) -> usize {
        workers(self.workers)
    }
}

/// The number of worker threads: the one asked for, or the number of cores.
pub fn workers(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| available_parallelism().map_or(1, usize::from))
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
    use aumenta_augment::AugmentConfig;
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
        ] {
            let path = folder.path().join("config.toml");
            fs_err::write(&path, text).unwrap();
            let message = format!("{:#}", Config::read(&path).unwrap_err());
            assert!(message.contains(reason), "{message}");
            assert!(message.contains("config.toml"), "{message}");
            assert!(message.contains("line"), "{message}");
        }
    }

    #[test]
    fn a_missing_setting_names_its_key_and_flag() {
        let message = Config::default().data().unwrap_err().to_string();
        assert_eq!(message, "the configuration has no `data`: set it in the file or give --data");
    }
}
