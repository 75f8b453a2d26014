//! What the program and its contenders say to each other: one line of JSON each, over the contender's standard input and
//! output.
//!
//! A contender builds its network and its batch and writes a [`Greeting`]. For each [`Request`] it then takes steps and
//! writes [`Times`]. It ends when its input does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A contender's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Greeting<T = Ready> {
    /// It can be timed.
    Ready(T),
    /// It cannot, and why.
    Refused(String),
}

/// A contender that waits for requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ready {
    /// The versions of what it runs on, by name.
    pub versions: BTreeMap<String, String>,
    /// How many trainable numbers its network has.
    pub parameters: usize,
    /// The process's resident memory in KiB after it loaded its libraries and before it built anything.
    pub baseline_kib: u64,
}

/// Asks for `steps` steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// How many steps to take, at least 1.
    pub steps: usize,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The duration of each step.
    pub milliseconds: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_ready_or_says_why_not() {
        let line = r#"{"ready":{"versions":{"torch":"2.15.0"},"parameters":93322,"baseline-kib":210000}}"#;
        let versions = BTreeMap::from([("torch".to_string(), "2.15.0".to_string())]);
        let ready = Greeting::Ready(Ready { versions, parameters: 93_322, baseline_kib: 210_000 });
        assert_eq!(serde_json::from_str::<Greeting>(line).unwrap(), ready);
        assert_eq!(serde_json::to_string(&ready).unwrap(), line);

        let refused = serde_json::from_str::<Greeting>(r#"{"refused":"no such network"}"#).unwrap();
        assert_eq!(refused, Greeting::Refused("no such network".to_string()));
        assert!(serde_json::from_str::<Greeting>(r#"{"ready":{"parameters":1}}"#).is_err());
    }

    #[test]
    fn a_request_names_its_steps_and_an_answer_its_milliseconds() {
        assert_eq!(serde_json::to_string(&Request { steps: 5 }).unwrap(), r#"{"steps":5}"#);
        let times: Times = serde_json::from_str(r#"{"milliseconds":[20.5,21]}"#).unwrap();
        assert_eq!(times.milliseconds, [20.5, 21.0]);
    }
}
