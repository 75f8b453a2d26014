//! What was checked and measured on the GPU, as data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::card::Card;
use super::check::Compared;
use super::contender::Contender;
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
    /// The GPU.
    pub card: Card,
    /// The compiler and the libraries, by name.
    pub versions: BTreeMap<String, String>,
    /// How it was measured.
    pub settings: Settings,
    /// Each check by its name, with what came of it or why it could not be done.
    pub checks: Vec<(String, Outcome<Compared>)>,
    /// The rows, grouped by workload.
    pub rows: Vec<Row>,
}

/// How a run measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Threads that make batches.
    pub threads: usize,
    /// Rounds that count.
    pub rounds: usize,
    /// How long a turn lasts at least, in milliseconds.
    pub turn_milliseconds: u64,
    /// How many photographs there are.
    pub photographs: usize,
    /// How often each stands in the data set.
    pub copies: usize,
    /// What given photographs were found in; `None` where they are drawn.
    pub origin: Option<String>,
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
    /// The share of each round's time in which the training loop waited for batches.
    pub waiting: Vec<f64>,
    /// The most memory of the GPU that was taken at once, in bytes.
    pub peak_bytes: u64,
}

impl Results {
    /// How many checks failed or could not be done.
    pub fn failed_checks(&self) -> usize {
        self.checks.iter().filter(|(_, outcome)| !outcome.figures().is_some_and(Compared::is_met)).count()
    }
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

    /// The median share of time in which the training loop waited for batches.
    pub fn waiting(&self) -> f64 {
        median(&self.waiting)
    }

    /// How many times as fast as `other` it is: the median over the rounds, and the least and the greatest. Both took their
    /// turns in the same rounds, so that what slowed one slowed the other.
    pub fn ratio(&self, other: &Self) -> (f64, (f64, f64)) {
        let ratios: Vec<f64> = self.rounds.iter().zip(&other.rounds).map(|(own, others)| own / others).collect();
        (median(&ratios), range(&ratios))
    }
}
