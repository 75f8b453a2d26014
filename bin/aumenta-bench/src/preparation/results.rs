//! What was measured of preparation, as data: `--json` writes it, and the report is made from nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::growth::GrowthResults;
use super::hashes::HashesResults;
use super::inspect::InspectResults;
use super::near::NearResults;
use super::settings::Settings;
use super::split::SplitResults;
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
    /// The part `split`.
    pub split: Option<SplitResults>,
    /// The part `inspect`.
    pub inspect: Option<InspectResults>,
    /// The part `near`.
    pub near: Option<NearResults>,
    /// The part `hashes`.
    pub hashes: Option<HashesResults>,
    /// The part `growth`.
    pub growth: Option<GrowthResults>,
}

impl Results {
    /// Why something was not measured, with its name.
    pub fn refusals(&self) -> Vec<(String, String)> {
        let split =
            self.split.iter().flat_map(|part| &part.rows).map(|row| ("split", row.contender.name(), &row.outcome));
        let inspect =
            self.inspect.iter().flat_map(|part| &part.rows).map(|row| ("inspect", row.contender.name(), &row.outcome));
        let near = self.near.iter().flat_map(|part| &part.rows).map(|row| ("near", row.contender.name(), &row.outcome));
        let hashes = self.hashes.iter().map(|part| ("hashes", "ours", &part.outcome));
        let growth =
            self.growth.iter().flat_map(|part| &part.rows).map(|row| ("growth", row.depth.name(), &row.outcome));
        let all = split.chain(inspect).chain(near).chain(hashes).chain(growth);
        all.filter_map(|(part, name, outcome)| Some((format!("{part}, {name}"), outcome.refusal()?))).collect()
    }
}
