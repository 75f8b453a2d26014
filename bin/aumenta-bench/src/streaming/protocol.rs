//! What `stream` and its contenders say to each other, over the same pipes as in [`crate::protocol`].
//!
//! A contender opens the photographs and greets with [`Ready`]. For each [`Turn`] it then takes batches from its stream, and
//! answers with an [`Answer`]. Between turns it takes none, so that its workers fill their queues and rest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::batch_facts::BatchFacts;

/// A contender that waits for turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// The versions of what it runs on, by name.
    pub versions: BTreeMap<String, String>,
}

/// Asks for batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Turn {
    /// How many batches are looked at first, at least 1. They do not count.
    pub inspected_batches: usize,
    /// How many batches are then taken that do not count either: they empty the queues that were filled since the turn before.
    pub drained_batches: usize,
    /// How long batches are then taken and counted, at least.
    pub milliseconds: u64,
}

/// What came of a [`Turn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// It was done.
    Streamed(Streamed),
    /// It cannot be done, and why.
    Refused(String),
}

/// A turn's images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Streamed {
    /// How many images were counted.
    pub images: usize,
    /// How long they took.
    pub seconds: f64,
    /// What the inspected batches hold; `None` where no batches are made.
    pub batches: Option<BatchFacts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_names_its_batches_and_an_answer_its_images() {
        let turn = Turn { inspected_batches: 4, drained_batches: 12, milliseconds: 3000 };
        let line = r#"{"inspected-batches":4,"drained-batches":12,"milliseconds":3000}"#;
        assert_eq!(serde_json::to_string(&turn).unwrap(), line);
        let line = r#"{"streamed":{"images":96,"seconds":0.5,"batches":{"shape":[32,150,150,3],"dtype":"float32",
            "least":0.0,"greatest":1.0,"mean":0.25}}}"#;
        let Answer::Streamed(streamed) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        assert_eq!((streamed.images, streamed.seconds), (96, 0.5));
        assert_eq!(streamed.batches.unwrap().shape, [32, 150, 150, 3]);
    }
}
