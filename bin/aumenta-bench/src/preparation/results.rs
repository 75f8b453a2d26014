//! What was measured of preparation, as data: `--json` writes it, and the report is made from nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::hashes::HashesResults;
use super::near::NearResults;
use super::settings::Settings;
use crate::machine::Machine;

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
    /// What the photographs were found in; empty where all pictures are drawn.
    pub photographs: Vec<String>,
    /// The part `near`.
    pub near: Option<NearResults>,
    /// The part `hashes`.
    pub hashes: Option<HashesResults>,
}

impl Results {
    /// Why something was not measured, with its name.
    pub fn refusals(&self) -> Vec<(String, String)> {
        let near = self.near.iter().flat_map(|near| &near.rows).map(|row| (row.contender.name(), &row.outcome));
        let hashes = self.hashes.iter().map(|hashes| ("hashes", &hashes.outcome));
        let all = near.chain(hashes);
        all.filter_map(|(name, outcome)| Some((name.to_string(), outcome.refusal()?))).collect()
    }
}
