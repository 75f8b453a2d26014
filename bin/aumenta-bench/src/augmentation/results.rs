//! What was measured of augmentation, as data: `--json` writes it, and the report is made from nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::contender::Contender;
use super::operation::Operation;
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
    /// Contenders that did not start, and why.
    pub absent: BTreeMap<Contender, String>,
    /// The cells, grouped by operation, the contenders of each in order.
    pub cells: Vec<Cell>,
}

/// How a run measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Rounds that count.
    pub rounds: usize,
    /// Photographs in a pass.
    pub photographs: usize,
    /// How long a turn lasts at least, in milliseconds, in whole passes.
    pub turn_milliseconds: u64,
    /// The pause before each contender's turn, in milliseconds.
    pub pause_milliseconds: u64,
}

/// A contender at an operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cell {
    /// The operation.
    pub operation: Operation,
    /// The contender.
    pub contender: Contender,
    /// What came of it.
    pub outcome: Outcome<Figures>,
}

/// The figures of a cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Figures {
    /// The microseconds an image of each round.
    pub rounds: Vec<f64>,
    /// The mean of the last result's values, in levels from 0 to 255.
    pub mean_level: f64,
}

impl Cell {
    /// The figures, where there are some.
    pub fn figures(&self) -> Option<&Figures> {
        self.outcome.figures()
    }
}

impl Figures {
    /// The median microseconds an image.
    pub fn median(&self) -> f64 {
        median(&self.rounds)
    }
    /// The fastest and the slowest round.
    pub fn range(&self) -> (f64, f64) {
        range(&self.rounds)
    }
}
