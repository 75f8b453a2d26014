//! The part `hashes`: an index of very many hashes, and one search for each of them.

use anyhow::Result;
use serde::Serialize;

use super::figures::Figures;
use super::hash_search::HashSearch;
use super::measure::{Entry, measure};
use super::place::Place;
use crate::outcome::Outcome;
use crate::statistics::median;

/// What came of the part.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HashesResults {
    /// What the process took.
    pub outcome: Outcome<Figures>,
    /// What it did, in each run.
    pub searches: Vec<HashSearch>,
}

impl HashesResults {
    /// The median seconds of an index and of all searches in it.
    pub fn seconds(&self) -> (f64, f64) {
        let median_of =
            |seconds: fn(&HashSearch) -> f64| median(&self.searches.iter().map(seconds).collect::<Vec<_>>());
        (median_of(|search| search.build_seconds), median_of(|search| search.search_seconds))
    }
}

/// Measures the search among `hashes` hashes in a process that does nothing else. `talk` hears how it goes.
///
/// # Errors
/// Where the process says something else than it should.
pub fn measure_hashes(place: &Place, hashes: usize, rounds: usize, talk: &dyn Fn(&str)) -> Result<HashesResults> {
    let entry = Entry::new("hashes", rounds, |_| {
        let mut command = Place::preparer("hashes");
        command.arg(hashes.to_string());
        vec![command]
    });
    let measured = measure(&[entry], &place.files, talk).remove(0);
    let searches = measured.outputs.iter().map(|output| serde_json::from_str(output)).collect::<Result<_, _>>()?;
    Ok(HashesResults { outcome: measured.outcome, searches })
}
