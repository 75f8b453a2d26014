//! Which optimizer, and its settings.

use serde::{Deserialize, Serialize};

use super::adam::{self, AdamConfig};
use super::adamw::AdamWConfig;
use super::group::ParameterGroup;
use super::rmsprop::RmsPropConfig;
use super::sgd::SgdConfig;
use crate::error::NnError;
use crate::setting;

/// Which optimizer, and its settings, as the `[optimizer]` table of a configuration holds them.
///
/// Every optimizer also has these settings:
///
/// - `weight-decay`: L2 regularization. [`AdamWConfig`] decays the parameters themselves (decoupled); the others add
///   `weight_decay * p` to the gradient (coupled), as PyTorch's setting of this name does. It is the gradient of
///   `weight_decay / 2 * p^2`, so Keras' `L2(c)` corresponds to `weight-decay = 2 * c`; Keras' own `weight_decay` is
///   decoupled in every optimizer.
/// - `decayed`: whether weight decay applies to `all` parameters or to `weights` alone, see [`Decayed`].
/// - `l1`: L1 regularization, which adds `l1 * sign(p)` to the gradient in every optimizer, as Keras' `L1(l1)` does.
/// - `clip-norm`: the largest allowed [global norm](crate::Gradients::global_norm). Larger gradients are all multiplied
///   by `clip_norm / (norm + 1e-6)`, as by PyTorch's `clip_grad_norm_` (Pascanu, Mikolov and Bengio 2013, section 3.2),
///   before weight decay and L1 are added. Frozen parameters do not count.
/// - `groups`: parameters that are stepped otherwise, see [`ParameterGroup`].
///
/// Besides, every optimizer adds the gradient of a parameter's own [`Penalty`](crate::Penalty).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, with or without momentum.
    Sgd(SgdConfig),
    /// `RMSprop`, the default.
    Rmsprop(RmsPropConfig),
    /// Adam.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay.
    AdamW(AdamWConfig),
}

/// Whose formula an optimizer follows where the libraries differ.
///
/// They differ in where epsilon is added and in whether a momentum buffer holds gradients, to be multiplied by the
/// learning rate at each step (PyTorch), or steps, which keep the learning rate of the time when they were made (Keras).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerVariant {
    /// PyTorch 2.
    #[default]
    Pytorch,
    /// Keras 3.
    Keras,
}

impl OptimizerVariant {
    /// The learning rate in two factors: of what enters a momentum buffer, and of what leaves it.
    pub(super) fn split(self, learning_rate: f32) -> [f32; 2] {
        match self {
            Self::Pytorch => [1.0, learning_rate],
            Self::Keras => [learning_rate, 1.0],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pytorch => "pytorch",
            Self::Keras => "keras",
        }
    }
}

/// Which parameters weight decay applies to, where no group says otherwise. L1 and the penalties of layers are not meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decayed {
    /// All.
    #[default]
    All,
    /// Windows and matrices: those of more than one dimension, and so neither biases nor the scales and shifts of
    /// normalizations, whose size does not make a network less smooth; timm's rule.
    Weights,
}

impl Decayed {
    /// Whether it applies to a parameter of so many dimensions.
    pub(super) fn covers(self, dimensions: usize) -> bool {
        match self {
            Self::All => true,
            Self::Weights => dimensions > 1,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Rmsprop(RmsPropConfig::default())
    }
}

/// The settings that every optimizer has.
pub(super) struct Common<'a> {
    pub learning_rate: f32,
    pub variant: OptimizerVariant,
    pub weight_decay: f32,
    pub decayed: Decayed,
    pub l1: f32,
    pub clip_norm: Option<f32>,
    pub groups: &'a [ParameterGroup],
}

macro_rules! for_each_optimizer {
    ($config:expr, $settings:ident => $result:expr) => {
        match $config {
            OptimizerConfig::Sgd($settings) => $result,
            OptimizerConfig::Rmsprop($settings) => $result,
            OptimizerConfig::Adam($settings) => $result,
            OptimizerConfig::AdamW($settings) => $result,
        }
    };
}

impl OptimizerConfig {
    /// The step size.
    pub fn learning_rate(&self) -> f32 {
        for_each_optimizer!(self, settings => settings.learning_rate)
    }

    /// The same optimizer with another step size.
    #[must_use]
    pub fn with_learning_rate(mut self, learning_rate: f32) -> Self {
        for_each_optimizer!(&mut self, settings => settings.learning_rate = learning_rate);
        self
    }

    /// Whether all settings lie in their ranges.
    ///
    /// # Errors
    /// [`NnError::Setting`], naming the setting and its range.
    pub fn check(&self) -> Result<(), NnError> {
        let common = self.common();
        setting::above_zero("learning-rate", common.learning_rate)?;
        for_each_optimizer!(self, settings => settings.check())?;
        setting::at_least_zero("weight-decay", common.weight_decay)?;
        setting::at_least_zero("l1", common.l1)?;
        common.clip_norm.map_or(Ok(()), |norm| setting::above_zero("clip-norm", norm))?;
        common.groups.iter().try_for_each(ParameterGroup::check)
    }

    pub(super) fn common(&self) -> Common<'_> {
        for_each_optimizer!(self, settings => Common {
            learning_rate: settings.learning_rate,
            variant: settings.variant,
            weight_decay: settings.weight_decay,
            decayed: settings.decayed,
            l1: settings.l1,
            clip_norm: settings.clip_norm,
            groups: &settings.groups,
        })
    }

    /// What is remembered of each element of a parameter, in the order in which the rule takes it.
    pub(crate) fn slots(&self) -> Vec<&'static str> {
        match self {
            Self::Sgd(settings) => settings.slots(),
            Self::Rmsprop(settings) => settings.slots(),
            Self::Adam(_) | Self::AdamW(_) => adam::SLOTS.to_vec(),
        }
    }

    /// The optimizer's name in configurations.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "sgd",
            Self::Rmsprop(_) => "rmsprop",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_refused(config: &OptimizerConfig, message: &str) {
        assert_eq!(config.check().unwrap_err().to_string(), message);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = RmsPropConfig::default();
        OptimizerConfig::default().check().unwrap();
        for (config, message) in [
            (RmsPropConfig { learning_rate: 0.0, ..good.clone() }, "`learning-rate` must be above 0, got 0"),
            (RmsPropConfig { learning_rate: f32::NAN, ..good.clone() }, "`learning-rate` must be above 0, got NaN"),
            (RmsPropConfig { rho: 1.0, ..good.clone() }, "`rho` must be at least 0 and below 1, got 1"),
            (RmsPropConfig { epsilon: -1.0, ..good.clone() }, "`epsilon` must be above 0, got -1"),
            (RmsPropConfig { weight_decay: -0.5, ..good.clone() }, "`weight-decay` must be at least 0, got -0.5"),
            (RmsPropConfig { l1: f32::INFINITY, ..good.clone() }, "`l1` must be at least 0, got inf"),
            (RmsPropConfig { clip_norm: Some(0.0), ..good.clone() }, "`clip-norm` must be above 0, got 0"),
        ] {
            assert_refused(&OptimizerConfig::Rmsprop(config), message);
        }
        let momentum = "`momentum` must be at least 0 and below 1, got 1";
        assert_refused(&OptimizerConfig::Rmsprop(RmsPropConfig { momentum: 1.0, ..good }), momentum);
        assert_refused(&OptimizerConfig::Sgd(SgdConfig { momentum: 1.0, ..SgdConfig::default() }), momentum);
        let nesterov = SgdConfig { nesterov: true, ..SgdConfig::default() };
        assert_refused(&OptimizerConfig::Sgd(nesterov), "`momentum` must be above 0 with `nesterov`, got 0");
        let beta1 = AdamConfig { beta1: 1.0, ..AdamConfig::default() };
        assert_refused(&OptimizerConfig::Adam(beta1), "`beta1` must be at least 0 and below 1, got 1");
        let beta2 = AdamWConfig { beta2: -0.1, ..AdamWConfig::default() };
        assert_refused(&OptimizerConfig::AdamW(beta2), "`beta2` must be at least 0 and below 1, got -0.1");
        let group = ParameterGroup { learning_rate_scale: 0.0, ..ParameterGroup::new("*") };
        let grouped = OptimizerConfig::Adam(AdamConfig { groups: vec![group], ..AdamConfig::default() });
        assert_refused(&grouped, "`learning-rate-scale` must be above 0 (or the group `frozen`), got 0");
    }

    fn parse(text: &str) -> serde_json::Result<OptimizerConfig> {
        serde_json::from_str(text)
    }

    #[test]
    fn every_optimizer_has_its_name_and_defaults() {
        for (name, config) in [
            ("sgd", OptimizerConfig::Sgd(SgdConfig::default())),
            ("rmsprop", OptimizerConfig::default()),
            ("adam", OptimizerConfig::Adam(AdamConfig::default())),
            ("adamw", OptimizerConfig::AdamW(AdamWConfig::default())),
        ] {
            assert_eq!(parse(&format!(r#"{{"name": "{name}"}}"#)).unwrap(), config);
            assert_eq!(config.name(), name);
            assert_eq!(parse(&serde_json::to_string(&config).unwrap()).unwrap(), config);
            config.check().unwrap();
        }
    }

    #[test]
    fn groups_and_variants_are_read_and_unknown_keys_refused() {
        let text = r#"{"name": "sgd", "momentum": 0.9, "variant": "keras", "clip-norm": 1,
            "groups": [{"names": "*.bias", "weight-decay": 0}, {"names": "features.*", "frozen": true}]}"#;
        let OptimizerConfig::Sgd(config) = parse(text).unwrap() else { panic!("not SGD") };
        assert_eq!(config.variant, OptimizerVariant::Keras);
        assert_eq!(config.clip_norm, Some(1.0));
        let bias = ParameterGroup { weight_decay: Some(0.0), ..ParameterGroup::new("*.bias") };
        assert_eq!(config.groups, [bias, ParameterGroup { frozen: true, ..ParameterGroup::new("features.*") }]);
        for (text, unknown) in [
            (r#"{"name": "adam", "rho": 0.9}"#, "unknown field `rho`"),
            (r#"{"name": "sgd", "groups": [{"names": "*", "lr": 1}]}"#, "unknown field `lr`"),
            (r#"{"name": "adagrad"}"#, "unknown variant `adagrad`"),
            (r#"{"name": "sgd", "groups": [{}]}"#, "missing field `names`"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(unknown), "{error}");
        }
    }
}
