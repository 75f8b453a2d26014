//! [`ArmPlan`]: from an arm's settings to a training's configuration and what is changed of its data, checked before
//! anything runs.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use aumenta_augment::AugmentConfig;
use aumenta_dataset::Manifest;
use aumenta_seed::Seed;
use aumenta_study::{Arm, StudyConfig, flatten, nearest, set};
use aumenta_train::Length;
use serde::Deserialize;
use toml::{Table, Value};

use crate::command::train::{AugmentPreset, depends_on_length};
use crate::config::Config;
use crate::failure::{BadUse, unknown_name};

/// Settings that an arm may have besides those of a training.
const OWN: [&str; 4] = ["train-images", "label-noise", "preset", "strength"];

/// Settings of a training that are the study's own, and no arm's.
const THE_STUDYS: [&str; 3] = ["data", "run", "seed"];

/// How an arm trains, whatever the seed.
pub struct ArmPlan {
    /// The training's configuration, but for its seed, its run and the data that were changed for it.
    pub config: Config,
    pub data: DataPlan,
}

/// What is changed of the training split; validation and test never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DataPlan {
    /// The number of training images; all where it is not set.
    pub train_images: Option<usize>,
    /// The share of training images with a wrong label.
    pub label_noise: Option<f64>,
}

/// The parts of `[augment]` that are a study's own.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct AugmentPlan {
    preset: Option<String>,
    strength: Option<f64>,
}

impl ArmPlan {
    /// The plan of `arm`, whose base stands in `folder`.
    pub fn new(base: &Table, folder: &Path, arm: &Arm) -> Result<Self> {
        let name = &arm.name;
        let planned = Self::unnamed(base, folder, arm).map_err(|error| match unknown_key(&error) {
            Some(key) => error.context(format!("the arm `{name}` has `{key}`, which is no setting{}", own_near(&key))),
            None => error.context(format!("the arm `{name}` cannot be trained")),
        });
        planned.map_err(BadUse::wrap)
    }

    fn unnamed(base: &Table, folder: &Path, arm: &Arm) -> Result<Self> {
        let mut table = base.clone();
        for setting in &arm.settings {
            if let Some(key) = THE_STUDYS.iter().find(|key| **key == setting.0) {
                return Err(anyhow!(
                    "`{key}` is no arm's: it belongs to the whole study, so that arms can be compared"
                ));
            }
            set(&mut table, setting)?;
        }
        let data = DataPlan::deserialize(taken(&mut table, &OWN[..2]))?;
        if let Some(Value::Table(augment)) = table.get_mut("augment") {
            *augment = augmentation(augment)?;
        }
        let config = Config::from_toml(&toml::to_string(&table)?, folder)?;
        Ok(Self { config, data })
    }

    /// The epochs that it trains; `None` where it counts steps.
    pub fn epochs(&self) -> Result<Option<usize>> {
        Ok(match self.config.length()? {
            Length::Epochs(epochs) => Some(epochs),
            Length::Steps(_) => None,
        })
    }

    /// Checks all that can be checked without training on `manifest`.
    pub fn check(&self, arm: &Arm, study: &StudyConfig, manifest: &Manifest) -> Result<()> {
        let check = || -> Result<()> {
            let Self { config, data } = self;
            let classes = manifest.classes.len();
            let architecture = config.model()?.clone().for_classes(classes).architecture()?;
            config.fine_tuning.freezing(&architecture)?;
            config.fine_tuning.rate_scales(&architecture)?;
            config.fit()?.check(classes)?;
            config.augment.build()?;
            config.mix.build()?;
            config.normalization()?;
            data.apply(manifest, Seed::new(study.seeds[0]))?;
            if study.halving.is_some() && (self.epochs()?.is_none() || depends_on_length(config)) {
                return Err(anyhow!(
                    "halving needs trainings that are the same up to an epoch however long they will be: give `epochs` and a \
                     schedule that does not look at the end"
                ));
            }
            Ok(())
        };
        check().with_context(|| format!("the arm `{}` cannot be trained", arm.name)).map_err(BadUse::wrap)
    }
}

impl DataPlan {
    /// Whether nothing is changed.
    pub fn is_neutral(self) -> bool {
        self == Self::default()
    }

    /// The name of the data that it makes with `seed`.
    pub fn name(self, seed: u64) -> String {
        let images = self.train_images.map(|images| format!("images-{images}-"));
        let noise = self.label_noise.map(|noise| format!("noise-{noise}-"));
        format!("{}{}seed-{seed}", images.unwrap_or_default(), noise.unwrap_or_default())
    }

    /// The manifest with the changed training split, and the labels that are wrong in it.
    pub fn apply(self, manifest: &Manifest, seed: Seed) -> Result<(Manifest, Vec<aumenta_dataset::FlippedLabel>)> {
        let smaller = match self.train_images {
            Some(images) => manifest.with_train_images(images, seed)?,
            None => manifest.clone(),
        };
        Ok(match self.label_noise {
            Some(share) => smaller.with_label_noise(share, seed)?,
            None => (smaller, Vec::new()),
        })
    }
}

/// The entries of `table` with these keys, taken out of it.
fn taken(table: &mut Table, keys: &[&str]) -> Table {
    keys.iter().filter_map(|key| Some(((*key).to_string(), table.remove(*key)?))).collect()
}

/// `[augment]` with its preset spelled out, other settings over it, and its strength applied.
fn augmentation(written: &Table) -> Result<Table> {
    let mut settings = written.clone();
    let AugmentPlan { preset, strength } = AugmentPlan::deserialize(taken(&mut settings, &OWN[2..]))?;
    let mut table = match preset {
        Some(preset) => Table::try_from(preset_named(&preset)?)?,
        None => Table::new(),
    };
    for setting in flatten(&settings) {
        set(&mut table, &setting)?;
    }
    match strength {
        Some(strength) => Ok(Table::try_from(table.try_into::<AugmentConfig>()?.with_strength(strength)?)?),
        None => Ok(table),
    }
}

fn preset_named(name: &str) -> Result<AugmentConfig> {
    use clap::ValueEnum as _;
    let preset = AugmentPreset::from_str(name, false);
    let unknown = |_| anyhow!("there is no augmentation `{name}`: `augment.preset` is `none` or `book`");
    preset.map(AugmentPreset::config).map_err(unknown)
}

/// The setting that a configuration does not have.
fn unknown_key(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| unknown_name(&cause.to_string(), "field")).map(|(key, _)| key)
}

/// Those of a study's own settings that are near to `key`; of all others a training knows better.
fn own_near(key: &str) -> String {
    let near = nearest(key, OWN);
    if near.is_empty() { String::new() } else { format!("; is it `{}`?", near.join("` or `")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(base: &str, set: &str) -> Result<ArmPlan> {
        let base: Table = toml::from_str(base).unwrap();
        let settings = flatten(&toml::from_str(set).unwrap());
        let arm = Arm { name: "arm".to_string(), folder: "arm".to_string(), against: None, settings };
        ArmPlan::new(&base, Path::new(""), &arm)
    }

    #[track_caller]
    fn check_refused(set: &str, expected: &str) {
        let error = plan("[model]\nname = 'cats-dogs-convnet'", set).err().unwrap();
        let message = format!("{error:#}");
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn any_setting_of_a_training_can_be_an_arms() {
        let set = "batch-size = 7\nmodel.dropout = 0.25\noptimizer.name = 'sgd'\noptimizer.learning-rate = 0.5\n\
                   loss.label-smoothing = 0.1";
        let config =
            plan("[model]\nname = 'cats-dogs-convnet'\n[optimizer]\nname = 'rmsprop'\nrho = 0.8", set).unwrap().config;
        assert_eq!((config.batch_size, config.loss.label_smoothing), (7, 0.1));
        assert_eq!(config.optimizer.learning_rate(), 0.5);
    }

    #[test]
    fn an_unknown_setting_is_refused_with_those_of_a_study_that_are_near() {
        check_refused("model.droput = 0.5", "the arm `arm` has `droput`, which is no setting: ");
        check_refused("train-image = 5", "has `train-image`, which is no setting; is it `train-images`?");
        check_refused("augment.rotation-degree = 5", "unknown field `rotation-degree`, expected");
        check_refused("zzz = 2", "has `zzz`, which is no setting: ");
        check_refused("augment.preset = 'wild'", "`augment.preset` is `none` or `book`");
        check_refused("train-images = 'all'", "the arm `arm` cannot be trained");
        check_refused("data = 'other'", "`data` is no arm's");
        check_refused("augment.strength = -1", "a strength of -1");
    }

    #[test]
    fn the_data_are_changed_as_the_arm_says() {
        let planned = plan("train-images = 100", "label-noise = 0.2").unwrap();
        assert_eq!(planned.data, DataPlan { train_images: Some(100), label_noise: Some(0.2) });
        assert_eq!(planned.data.name(3), "images-100-noise-0.2-seed-3");
    }

    #[test]
    fn a_preset_is_spelled_out_below_the_settings_and_made_weaker() {
        let planned =
            plan("[augment]\nzoom = 0.5\nstrength = 0.5", "augment.preset = 'book'\naugment.shear-degrees = 4")
                .unwrap();
        let expected = AugmentConfig { shear_degrees: 4.0, ..AugmentConfig::book() }.with_strength(0.5).unwrap();
        assert_eq!(planned.config.augment, expected.into());
        let none = plan("[augment]\nzoom = 0.5", "augment.preset = 'none'").unwrap().config;
        assert!(none.augment.is_neutral());
    }
}
