//! [`MixConfig`]: mixing as a user writes it.

use serde::{Deserialize, Serialize};

use super::Mixing;
use crate::AugmentError;

/// Which pictures of a training batch are mixed with which others. Without an alpha nothing is.
///
/// ```
/// use aumenta_augment::MixConfig;
///
/// let config: MixConfig = toml::from_str("mixup-alpha = 0.2\ncutmix-alpha = 1.0\noff-epoch = 25")?;
/// assert_eq!((config.probability, config.cutmix_share), (1.0, 0.5));
/// assert!(config.build().is_ok());
/// assert!(toml::from_str::<MixConfig>("alpha = 0.2").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct MixConfig {
    /// The share of pictures that are mixed, from 0 to 1; 1 where it is left out.
    pub probability: f64,
    /// Mixup with shares from Beta(alpha, alpha); from 0.001 to 100. The paper's is 0.2 for `ImageNet`, 1 for CIFAR-10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup_alpha: Option<f64>,
    /// Cutmix with areas from Beta(alpha, alpha); from 0.001 to 100. The paper's is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutmix_alpha: Option<f64>,
    /// Where there are both, cutmix's share of the mixed pictures, from 0 to 1; a half where it is left out.
    pub cutmix_share: f64,
    /// The first epoch without mixes, counted from 1; every epoch has them where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_epoch: Option<u64>,
}

impl Default for MixConfig {
    fn default() -> Self {
        Self { probability: 1.0, mixup_alpha: None, cutmix_alpha: None, cutmix_share: 0.5, off_epoch: None }
    }
}

impl MixConfig {
    /// What draws the mixes; `None` where there is nothing to draw.
    ///
    /// # Errors
    /// Where a setting is outside of its range; the first such setting is named.
    pub fn build(&self) -> Result<Option<Mixing>, AugmentError> {
        let Self { probability, mixup_alpha, cutmix_alpha, cutmix_share, off_epoch } = *self;
        let share =
            |field: &'static str, value: f64| check(field, value, (0.0..=1.0).contains(&value), "a share from 0 to 1");
        share("probability", probability)?;
        share("cutmix-share", cutmix_share)?;
        for (field, alpha) in [("mixup-alpha", mixup_alpha), ("cutmix-alpha", cutmix_alpha)] {
            if let Some(alpha) = alpha {
                check(field, alpha, (0.001..=100.0).contains(&alpha), "a number from 0.001 to 100")?;
            }
        }
        if let Some(epoch) = off_epoch {
            check("off-epoch", epoch as f64, epoch > 0, "an epoch, counted from 1")?;
        }
        let mixes = probability > 0.0 && (mixup_alpha.is_some() || cutmix_alpha.is_some());
        let off_epoch = off_epoch.map(|epoch| epoch - 1);
        Ok(mixes.then_some(Mixing { probability, mixup_alpha, cutmix_alpha, cutmix_share, off_epoch }))
    }
}

fn check(field: &'static str, value: f64, holds: bool, expected: &'static str) -> Result<(), AugmentError> {
    if holds { Ok(()) } else { Err(AugmentError::OutOfRange { field, value, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_alpha_or_a_probability_nothing_is_mixed() {
        for text in ["", "probability = 0.5", "probability = 0\nmixup-alpha = 1", "off-epoch = 4"] {
            assert_eq!(toml::from_str::<MixConfig>(text).unwrap().build(), Ok(None), "{text}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        for (text, field) in [
            ("probability = 1.5", "probability"),
            ("probability = nan", "probability"),
            ("cutmix-share = -0.1", "cutmix-share"),
            ("mixup-alpha = 0", "mixup-alpha"),
            ("mixup-alpha = nan", "mixup-alpha"),
            ("cutmix-alpha = -1", "cutmix-alpha"),
            ("cutmix-alpha = inf", "cutmix-alpha"),
            ("off-epoch = 0", "off-epoch"),
        ] {
            let error = toml::from_str::<MixConfig>(text).unwrap().build().unwrap_err();
            assert!(error.to_string().starts_with(&format!("{field} is ")), "{text}: {error}");
        }
    }

    #[test]
    fn the_resolved_configuration_reads_back() {
        let config = MixConfig { cutmix_alpha: Some(1.0), off_epoch: Some(9), ..MixConfig::default() };
        assert_eq!(toml::from_str::<MixConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }
}
