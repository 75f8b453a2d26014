//! [`Trial`]: one arm with one seed; [`TrialState`]: how far it has come.

use serde::{Deserialize, Serialize};

use crate::config::Arm;

/// One arm with one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its folder within that of the trials, `ARM/seed-N`, which also names it.
    pub name: String,
    /// The arm's index.
    pub arm: usize,
    /// The seed.
    pub seed: u64,
}

/// All trials: for each seed all arms, so that what a budget leaves undone are whole seeds, and pairs stay pairs.
pub fn trials(arms: &[Arm], seeds: &[u64]) -> Vec<Trial> {
    let trial = |(arm, folder): (usize, &String), seed: u64| Trial { name: format!("{folder}/seed-{seed}"), arm, seed };
    let folders = || arms.iter().map(|arm| &arm.folder).enumerate();
    seeds.iter().flat_map(|seed| folders().map(move |arm| trial(arm, *seed))).collect()
}

/// How far a trial has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrialState {
    /// What is to be done with it.
    pub status: Status,
    /// Epochs that it has trained.
    pub epochs: usize,
    /// How good its best measurement so far is, larger being better; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merit: Option<f64>,
}

/// What is to be done with a trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Status {
    /// It has not begun, or was interrupted, and goes on.
    #[default]
    Pending,
    /// A process trains it.
    Running,
    /// It has trained to its end, or has stopped itself early.
    Finished,
    /// It ended with an error, and does not go on.
    Failed {
        /// Why.
        cause: String,
    },
    /// Halving has ended it.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::study;

    #[test]
    fn a_seed_is_done_with_all_arms_before_the_next() {
        let arms = study("[[arms]]\nname = 'plain'\n[[arms]]\nname = 'both'").arms().unwrap();
        let names: Vec<String> = trials(&arms, &[7, 3]).into_iter().map(|trial| trial.name).collect();
        assert_eq!(names, ["plain/seed-7", "both/seed-7", "plain/seed-3", "both/seed-3"]);
    }

    #[test]
    fn a_state_is_stored_by_words() {
        let state = TrialState { status: Status::Failed { cause: "no memory".into() }, epochs: 3, merit: Some(0.5) };
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(json, r#"{"status":{"is":"failed","cause":"no memory"},"epochs":3,"merit":0.5}"#);
        assert_eq!(serde_json::from_str::<TrialState>(&json).unwrap(), state);
    }
}
