//! What `gpu` and its contenders say to each other, over the same pipes as in [`crate::protocol`].
//!
//! A contender builds its network and greets with [`Ready`]. For each [`Turn`] it trains for a while and answers with an
//! [`Answer`]; between turns it leaves the GPU alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A contender that waits for turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// The versions of what it runs on, by name.
    pub versions: BTreeMap<String, String>,
    /// How many trainable numbers its network has.
    pub parameters: usize,
}

/// Asks for training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// How long it trains, at least.
    pub milliseconds: u64,
}

/// What came of a [`Turn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// It was done.
    Trained(Trained),
    /// It cannot be done, and why.
    Refused(String),
}

/// A turn's training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trained {
    /// How many images.
    pub images: u64,
    /// How long they took, until the GPU was done with the last of them.
    pub seconds: f64,
    /// How long of that the training loop waited for batches.
    pub waiting_seconds: f64,
    /// The most memory of the GPU that was taken at once from the start to the end of the first turn or later, in bytes.
    pub peak_bytes: u64,
}

impl Trained {
    /// Images a second.
    pub fn rate(&self) -> f64 {
        self.images as f64 / self.seconds
    }

    /// The share of the time in which the training loop waited for batches.
    pub fn waiting_share(&self) -> f64 {
        self.waiting_seconds / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_names_its_length_and_an_answer_its_images() {
        assert_eq!(serde_json::to_string(&Turn { milliseconds: 2000 }).unwrap(), r#"{"milliseconds":2000}"#);
        let line = r#"{"trained":{"images":4096,"seconds":2.0,"waiting-seconds":0.25,"peak-bytes":1048576}}"#;
        let Answer::Trained(trained) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        assert_eq!((trained.rate(), trained.waiting_share()), (2048.0, 0.125));
        assert_eq!(serde_json::to_string(&Answer::Trained(trained)).unwrap(), line);
        let refused: Answer = serde_json::from_str(r#"{"refused":"out of memory"}"#).unwrap();
        assert_eq!(refused, Answer::Refused("out of memory".to_string()));
    }
}
