//! [`Said`]: what a contender says at its end.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::fault_set::Found;
use super::pairs::FoundPair;

/// The characters of a misunderstood output that are shown.
const MOST_SHOWN: usize = 100;

/// What a contender says at its end, as JSON. `aumenta inspect` says much more, which is passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Said {
    /// The libraries it used, by name.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// How long it worked, without starting and loading, in seconds.
    #[serde(default)]
    pub work_seconds: Option<f64>,
    /// The pictures that it found to be alike.
    #[serde(default)]
    pub pairs: Vec<FoundPair>,
    /// What it found of single pictures.
    #[serde(default)]
    pub findings: Vec<Found>,
}

impl Said {
    /// Reads what a contender wrote to its standard output.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn read(output: &str) -> Result<Self> {
        // Libraries say things of their own before.
        let json = output.find('{').map_or(output, |start| &output[start..]);
        serde_json::from_str(json).with_context(|| {
            let start: String = output.trim_end().chars().take(MOST_SHOWN).collect();
            format!("it said `{start}`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_empty_and_what_is_unknown_is_passed_over() {
        let said = Said::read(r#"{"versions":{"unzip":"6.00"},"images":7}"#).unwrap();
        assert_eq!((said.versions["unzip"].as_str(), said.work_seconds, said.pairs), ("6.00", None, Vec::new()));
        let said = Said::read(r#"{"findings":[{"path":"a.jpg","cause":{"kind":"copy","of":"b.jpg","at":1}}]}"#);
        let findings = said.unwrap().findings;
        assert_eq!((findings[0].cause.of.as_deref(), findings[0].cause.kind.as_str()), (Some("b.jpg"), "copy"));
        assert_eq!(Said::read("nothing\n").unwrap_err().to_string(), "it said `nothing`");
    }
}
