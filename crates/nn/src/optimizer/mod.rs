//! Optimizers: one step over all parameters from their gradients.

mod rmsprop;

use crate::error::NnError;
use serde::{Deserialize, Serialize};

pub use rmsprop::{RmsProp, RmsPropConfig};

/// Which optimizer, and its settings, as the `[optimizer]` table of a configuration holds them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum OptimizerConfig {
    /// [`RmsProp`].
    Rmsprop(RmsPropConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Rmsprop(RmsPropConfig::default())
    }
}

impl OptimizerConfig {
    /// Whether all settings lie in their ranges.
    ///
    /// # Errors
    /// [`NnError::Setting`], naming the setting and its range.
    pub fn check(&self) -> Result<(), NnError> {
        let Self::Rmsprop(config) = self;
        config.check()
    }
}
