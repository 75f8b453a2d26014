//! [`Figures`]: what the runs of a contender took.

use serde::Serialize;

use crate::statistics::{median, range};

/// What the runs of a contender took.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// The seconds of each run.
    pub rounds: Vec<f64>,
    /// The most memory in any run, in KiB.
    pub peak_kib: u64,
    /// The sizes of all files that the last run left behind, in bytes.
    pub written_bytes: u64,
}

impl Figures {
    /// The median seconds.
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// The fastest and the slowest run.
    pub fn range(&self) -> (f64, f64) {
        range(&self.rounds)
    }

    /// The peak in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }

    /// What was written, in millions of bytes.
    pub fn written_megabytes(&self) -> f64 {
        self.written_bytes as f64 / 1e6
    }
}
