//! What `augment` and its contenders say to each other, over the same pipes as in [`crate::protocol`].
//!
//! A contender reads the photographs and greets with [`Ready`]. For each [`Turn`] it then runs one operation over all
//! pictures and answers with an [`Answer`]; an operation that fails does not end it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::operation::Operation;

/// A contender that waits for turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// The versions of what it runs on, by name.
    pub versions: BTreeMap<String, String>,
    /// What it can do.
    pub operations: Vec<Operation>,
}

/// Asks for passes of an operation over all pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The operation.
    pub operation: Operation,
    /// How many times over all pictures, at least 1.
    pub passes: usize,
}

/// What came of a [`Turn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// It was done.
    Timed(Timed),
    /// It cannot be done, and why.
    Refused(String),
}

/// A turn's time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Timed {
    /// The duration of all passes.
    pub seconds: f64,
    /// The mean of the last result's values, in levels from 0 to 255: libraries that disagree here do different things.
    pub mean_level: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Greeting;

    #[test]
    fn a_greeting_lists_operations_that_there_are() {
        let line = r#"{"ready":{"versions":{"opencv":"5.0.0"},"operations":["warp-bytes","clahe"]}}"#;
        let versions = BTreeMap::from([("opencv".to_string(), "5.0.0".to_string())]);
        let ready = Ready { versions, operations: vec![Operation::WarpBytes, Operation::Clahe] };
        assert_eq!(serde_json::from_str::<Greeting<Ready>>(line).unwrap(), Greeting::Ready(ready));
        assert!(serde_json::from_str::<Greeting<Ready>>(&line.replace("clahe", "blur")).is_err());
    }

    #[test]
    fn a_turn_names_its_operation_and_an_answer_its_seconds() {
        let turn = Turn { operation: Operation::BookPipeline, passes: 3 };
        assert_eq!(serde_json::to_string(&turn).unwrap(), r#"{"operation":"book-pipeline","passes":3}"#);
        let timed: Answer = serde_json::from_str(r#"{"timed":{"seconds":0.5,"mean-level":127.5}}"#).unwrap();
        assert_eq!(timed, Answer::Timed(Timed { seconds: 0.5, mean_level: 127.5 }));
    }
}
