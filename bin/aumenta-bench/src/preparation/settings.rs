//! [`Settings`]: how a run of the program measures.

use serde::Serialize;

/// How a run of the program measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Runs of each contender.
    pub rounds: usize,
    /// Runs of those that take long.
    pub slow_rounds: usize,
}
