//! [`Preset`]: the studies that are built in, and what is other where they train on drawn data.

use std::path::Path;

use anyhow::{Context as _, Result};
use aumenta_dataset::Manifest;
use aumenta_seed::Seed;
use aumenta_study::{ArmConfig, Base, StudyConfig, set};
use clap::ValueEnum;
use serde::Deserialize;
use toml::Value;

use crate::failure::BadUse;

/// Side of the drawings in pixels, and what they follow from.
pub const DRAWN_SIDE: usize = 96;
pub const DRAWN_SEED: Seed = Seed::new(7);

/// A study that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// Plain, dropout, augmentation, and both; with --weights also features of a base, the base frozen, and fine-tuned.
    Lecture,
    /// Five rates of dropout.
    DropoutSweep,
    /// Training splits of five sizes, with and without augmentation.
    DataSize,
    /// Four shares of wrong labels, with and without dropout.
    LabelNoise,
    /// Each of the book's transforms alone, and all but each.
    AugmentationAblation,
}

/// A network whose base has learned before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pretrained {
    EfficientnetLite0,
    MobilenetV2,
    Resnet18,
    Vgg16,
}

/// The arms of `presets/transfer.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arms {
    arms: Vec<ArmConfig>,
}

impl Pretrained {
    /// The first of its last blocks, which are fine-tuned.
    fn last_blocks(self) -> &'static str {
        match self {
            Self::EfficientnetLite0 => "blocks.5",
            Self::MobilenetV2 => "features.15",
            Self::Resnet18 => "layer4",
            Self::Vgg16 => "features.24",
        }
    }

    /// The arms that begin with its `weights`.
    fn arms(self, weights: &Path) -> Result<Vec<ArmConfig>> {
        let Arms { mut arms } = toml::from_str(include_str!("presets/transfer.toml"))?;
        for arm in &mut arms {
            let model = self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string());
            set(&mut arm.set, &("model.name".to_string(), model.into()))?;
            set(&mut arm.set, &("weights".to_string(), weights.display().to_string().into()))?;
            let tuning = arm.set.get_mut("fine-tuning").and_then(Value::as_table_mut);
            if let Some(tuning) = tuning.filter(|tuning| tuning.contains_key("unfreeze-at-epoch")) {
                tuning.insert("unfreeze-from".to_string(), self.last_blocks().into());
            }
        }
        Ok(arms)
    }
}

impl Preset {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
    }

    /// The study; of drawn data with a smaller input, a larger step and milder transforms, which the drawings need.
    pub fn study(self, drawn: bool) -> Result<StudyConfig> {
        let mut config: StudyConfig =
            toml::from_str(self.text()).with_context(|| format!("the preset `{}` is no study", self.name()))?;
        if let (true, Base::Settings(base)) = (drawn, &mut config.base) {
            config.references = None;
            for (key, value) in [
                ("model.image-size", 64.into()),
                ("optimizer.learning-rate", 5e-4.into()),
                ("augment.strength", 0.5.into()),
            ] {
                set(base, &(key.to_string(), value))?;
            }
        }
        Ok(config)
    }

    /// Adds the arms that begin with `weights` of `base`.
    pub fn add_transfer(self, config: &mut StudyConfig, base: Pretrained, weights: &Path) -> Result<()> {
        if self != Self::Lecture {
            let name = self.name();
            return Err(BadUse::message(format!("--weights adds arms to the preset `lecture`, not to `{name}`")));
        }
        config.arms.extend(base.arms(weights)?);
        Ok(())
    }

    /// Sets what depends on the data: the sizes of training splits.
    pub fn fit(self, config: &mut StudyConfig, manifest: &Manifest) {
        if self == Self::DataSize {
            let all = manifest.train.len();
            let sizes = [16, 8, 4, 2, 1].map(|part| (all / part).max(manifest.classes.len()) as i64);
            let mut sizes: Vec<Value> = sizes.map(Value::from).to_vec();
            sizes.dedup();
            config.grid.insert("train-images".to_string(), Value::Array(sizes));
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Lecture => include_str!("presets/lecture.toml"),
            Self::DropoutSweep => include_str!("presets/dropout-sweep.toml"),
            Self::DataSize => include_str!("presets/data-size.toml"),
            Self::LabelNoise => include_str!("presets/label-noise.toml"),
            Self::AugmentationAblation => include_str!("presets/augmentation-ablation.toml"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::ArmPlan;
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_arm_of_every_preset_can_be_trained() {
        for preset in Preset::value_variants() {
            for drawn in [false, true] {
                let config = preset.study(drawn).unwrap();
                config.check().unwrap();
                let Base::Settings(base) = &config.base else { panic!("{preset:?} has no base") };
                for arm in config.arms().unwrap() {
                    let plan = ArmPlan::new(base, Path::new(""), &arm).unwrap();
                    plan.config.augment.build().unwrap();
                    assert_eq!(plan.epochs().unwrap(), Some(30));
                }
            }
        }
    }

    #[test]
    fn weights_add_three_arms_that_can_be_trained() {
        for base in Pretrained::value_variants() {
            let mut config = Preset::Lecture.study(false).unwrap();
            Preset::Lecture.add_transfer(&mut config, *base, Path::new("w.safetensors")).unwrap();
            let Base::Settings(settings) = &config.base else { panic!("the preset has no base") };
            let arms = config.arms().unwrap();
            assert_eq!(arms.len(), 7);
            for arm in &arms[4..] {
                let Config { model, fine_tuning, weights, .. } =
                    ArmPlan::new(settings, Path::new(""), arm).unwrap().config;
                let architecture = model.unwrap().for_classes(2).architecture().unwrap();
                assert!(fine_tuning.freezing(&architecture).unwrap().layers > 0, "{base:?}");
                assert_eq!(weights.unwrap(), Path::new("w.safetensors"));
            }
        }
        let mut config = Preset::DataSize.study(false).unwrap();
        assert!(Preset::DataSize.add_transfer(&mut config, Pretrained::Vgg16, Path::new("w")).is_err());
    }

    #[test]
    fn an_ablation_compares_each_transform_alone_with_none_and_all_but_it_with_all() {
        let arms = Preset::AugmentationAblation.study(false).unwrap().arms().unwrap();
        let against = |name: &str| arms.iter().find(|arm| arm.name == name).and_then(|arm| arm.against);
        assert_eq!((against("zoom alone"), against("all but zoom"), against("all")), (Some(0), Some(6), Some(0)));
    }
}
