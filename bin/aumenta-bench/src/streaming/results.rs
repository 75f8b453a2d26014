//! What was measured of streaming, as data: `--json` writes it, and the report is made from nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contender::Contender;
use super::photographs::Facts;
use super::workload::Workload;
use crate::machine::Machine;
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
    /// What the photographs were found in; `None` where they are drawn.
    pub origin: Option<String>,
    /// The photographs, by the name of their folder.
    pub photographs: BTreeMap<String, Facts>,
    /// The rows, grouped by workload, the contenders of each in order.
    pub rows: Vec<Row>,
}

/// How a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Threads or processes of each contender that make batches.
    pub threads: usize,
    /// Rounds that count.
    pub rounds: usize,
    /// How long a turn lasts at least, in milliseconds.
    pub turn_milliseconds: u64,
    /// Batches of each turn that are looked at first and do not count.
    pub inspected_batches: usize,
    /// Batches of each turn that are then taken and do not count.
    pub drained_batches: usize,
}

/// A contender at a workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The workload.
    pub workload: Workload,
    /// The contender.
    pub contender: Contender,
    /// What came of it.
    pub outcome: Outcome<Figures>,
}

/// The figures of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// The images a second of each round.
    pub rounds: Vec<f64>,
    /// The sum of the most memory that each of its processes had resident, in KiB.
    pub peak_kib: u64,
    /// The most memory that its processes had resident after a turn, shared pages once, in KiB.
    pub shared_once_kib: u64,
    /// The mean of the values of each round's inspected batches; empty where no batches are made.
    pub means: Vec<f64>,
}

impl Row {
    /// The figures, where there are some.
    pub fn figures(&self) -> Option<&Figures> {
        self.outcome.figures()
    }
}

impl Figures {
    /// The median images a second.
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// The slowest and the fastest round.
    pub fn range(&self) -> (f64, f64) {
        range(&self.rounds)
    }

    /// The mean over all inspected batches, where there are some.
    pub fn mean(&self) -> Option<f64> {
        (!self.means.is_empty()).then(|| self.means.iter().sum::<f64>() / self.means.len() as f64)
    }
}
