//! What was measured, as data: `--json` writes it, and the report is made from nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::contender::Contender;
use crate::machine::Machine;
use crate::network::Network;
use crate::outcome::Outcome;
use crate::statistics::{median, range};

/// One run of the program.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Results {
    /// The command line.
    pub command: String,
    /// Where it ran.
    pub machine: Machine,
    /// The compiler and the libraries, by name.
    pub versions: BTreeMap<String, String>,
    /// How it was measured.
    pub settings: Settings,
    /// The rows, grouped by network and batch.
    pub rows: Vec<Row>,
}

/// How a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Threads of each contender.
    pub threads: usize,
    /// Rounds that count.
    pub rounds: usize,
    /// Steps a contender takes in a round.
    pub steps: usize,
    /// Steps that a contender takes before the rounds, which do not count.
    pub warm_up: usize,
    /// The pause before each contender's turn, in milliseconds.
    pub pause: u64,
}

/// A contender on a network with a batch size.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The contender.
    pub contender: Contender,
    /// The network.
    pub network: Network,
    /// Images a step.
    pub batch: usize,
    /// What came of it.
    pub outcome: Outcome<Figures>,
}

/// The figures of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// The median milliseconds a step of each round.
    pub rounds: Vec<f64>,
    /// The most memory that the process had resident at once, in KiB.
    pub peak_kib: u64,
    /// The memory that it had after loading its libraries and before building anything, in KiB.
    pub baseline_kib: u64,
}

impl Row {
    /// The figures, where there are some.
    pub fn figures(&self) -> Option<&Figures> {
        self.outcome.figures()
    }
}

impl Figures {
    /// The median milliseconds a step.
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// The fastest and the slowest round.
    pub fn range(&self) -> (f64, f64) {
        range(&self.rounds)
    }

    /// The whole process's peak in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }

    /// The peak above the baseline in MiB: what the network, its batch and its training took.
    pub fn net_mib(&self) -> f64 {
        self.peak_kib.saturating_sub(self.baseline_kib) as f64 / 1024.0
    }
}
