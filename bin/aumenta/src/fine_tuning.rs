//! Which layers a training leaves as they are, and how much more slowly the base learns, in the words of a configuration.

use anyhow::Result;
use aumenta_models::Architecture;
use aumenta_nn::{AdamWConfig, Decayed, OneCycleConfig, OptimizerConfig, ScheduleConfig};
use aumenta_train::{Freezing, Unfreezing};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::failure::BadUse;

/// The `[fine-tuning]` table: how a network that has learned before goes on learning. By default all of it does, at one rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FineTuning {
    /// The layers before this one, or before this block, stay as they are; `head` stands for the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_until: Option<String>,
    /// The epoch, counted from 1, from which on fewer layers stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfreeze_at_epoch: Option<u64>,
    /// The layers before this one still do then; none where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfreeze_from: Option<String>,
    /// The learning rate from then on; as before where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfrozen_rate: Option<f32>,
    /// What the learning rate of the base is multiplied by; 1 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_rate: Option<f32>,
    /// What it is multiplied by besides, once for each block further from the head; 1 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth_decay: Option<f32>,
}

impl FineTuning {
    /// Which layers of `architecture` stay as they are.
    pub fn freezing(&self, architecture: &Architecture) -> Result<Freezing> {
        let before = |name: &Option<String>| name.as_deref().map_or(Ok(0), |name| architecture.layers_before(name));
        let layers = before(&self.freeze_until)?;
        if self.freeze_until.is_some() && layers == 0 {
            return Err(BadUse::message("`freeze-until` names the first layer, so that nothing stays as it is".into()));
        }
        let Some(epoch) = self.unfreeze_at_epoch else {
            let idle =
                [("unfreeze-from", self.unfreeze_from.is_some()), ("unfrozen-rate", self.unfrozen_rate.is_some())];
            return match idle.into_iter().find(|(_, is_set)| *is_set) {
                Some((key, _)) => Err(BadUse::message(format!("`{key}` has no effect without `unfreeze-at-epoch`"))),
                None => Ok(Freezing { layers, unfreezing: None }),
            };
        };
        if self.freeze_until.is_none() {
            return Err(BadUse::message("`unfreeze-at-epoch` has no effect without `freeze-until`".into()));
        }
        let unfreezing = Unfreezing { epoch, layers: before(&self.unfreeze_from)?, learning_rate: self.unfrozen_rate };
        Ok(Freezing { layers, unfreezing: Some(unfreezing) })
    }

    /// What the learning rate of each layer of `architecture` is multiplied by.
    pub fn rate_scales(&self, architecture: &Architecture) -> Result<Vec<f32>> {
        let [base_rate, depth_decay] =
            [("base-rate", self.base_rate), ("depth-decay", self.depth_decay)].map(|(key, value)| {
                match value.unwrap_or(1.0) {
                    value if value > 0.0 && value.is_finite() => Ok(value),
                    value => Err(BadUse::message(format!(
                        "`{key}` must be above 0, got {value}; for a base that stays as it is set `freeze-until`"
                    ))),
                }
            });
        Ok(architecture.rate_scales(base_rate?, depth_decay?))
    }
}

/// Settings that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Recipe {
    /// As fastai's method of this name: an epoch for the head alone, then all layers at half the rate, the base ten times and
    /// more slowly; `AdamW` at 0.002, one cycle of rates a phase.
    FineTune,
}

impl Recipe {
    /// The configuration with the recipe's settings, at another learning rate where one is given.
    pub fn over(self, config: Config, learning_rate: Option<f32>) -> Config {
        let Self::FineTune = self;
        let learning_rate = learning_rate.unwrap_or(2e-3);
        let adamw =
            AdamWConfig { learning_rate, weight_decay: 0.01, decayed: Decayed::Weights, ..AdamWConfig::default() };
        Config {
            optimizer: OptimizerConfig::AdamW(adamw),
            schedule: ScheduleConfig::OneCycle(OneCycleConfig::default()),
            fine_tuning: FineTuning {
                freeze_until: Some("head".to_string()),
                unfreeze_at_epoch: Some(2),
                unfreeze_from: None,
                unfrozen_rate: Some(learning_rate / 2.0),
                base_rate: Some(0.1),
                depth_decay: Some(0.9),
            },
            ..config
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_models::ModelConfig;

    use super::*;

    fn resnet18() -> Architecture {
        ModelConfig::named("resnet18").unwrap().architecture().unwrap()
    }

    fn read(text: &str) -> FineTuning {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn names_become_counts_of_layers() {
        let network = resnet18();
        let text = "freeze-until = 'head'\nunfreeze-at-epoch = 3\nunfreeze-from = 'layer4'\nunfrozen-rate = 1e-5";
        let freezing = read(text).freezing(&network).unwrap();
        assert_eq!(network.layers()[freezing.layers].name, "fc");
        let then = freezing.unfreezing.unwrap();
        assert_eq!((then.epoch, then.learning_rate), (3, Some(1e-5)));
        assert_eq!(network.layers()[then.layers].name, "layer4.0");
        assert_eq!(FineTuning::default().freezing(&network).unwrap(), Freezing::default());
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let message = read(text).freezing(&resnet18()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn settings_without_effect_are_refused() {
        check_refused("freeze-until = 'conv1'", "names the first layer");
        check_refused("unfreeze-from = 'layer4'", "`unfreeze-from` has no effect without `unfreeze-at-epoch`");
        check_refused("unfrozen-rate = 1.0", "`unfrozen-rate` has no effect");
        check_refused("unfreeze-at-epoch = 2", "no effect without `freeze-until`");
        check_refused("freeze-until = 'layer5'", "did you mean `layer");
    }

    #[test]
    fn a_rate_of_nothing_is_no_way_to_freeze() {
        let network = resnet18();
        let message = read("base-rate = 0.0").rate_scales(&network).unwrap_err().to_string();
        assert!(message.ends_with("for a base that stays as it is set `freeze-until`"), "{message}");
        let scales = read("base-rate = 0.1\ndepth-decay = 0.5").rate_scales(&network).unwrap();
        assert_eq!(scales.last(), Some(&1.0));
        assert!(scales[0] < 0.001, "{scales:?}");
        assert_eq!(FineTuning::default().rate_scales(&network).unwrap(), vec![1.0; network.layers().len()]);
    }
}
