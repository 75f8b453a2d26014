//! [`RunInfo`]: what was trained on what.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::record::Monitor;

/// What was trained on what: the content of `run.json`, written once as the run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunInfo {
    /// The format of the run's folder: [`RunInfo::FORMAT`] when written.
    pub format: u32,
    /// The architecture's name.
    pub model: String,
    /// The classes' names, in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The data that was trained on.
    pub manifest: ManifestRef,
    /// The number of trained parameters.
    pub parameters: u64,
    /// The version of the software that began the run.
    pub version: String,
    /// The seed from which all randomness of the run follows.
    pub seed: u64,
    /// What decided on the best network.
    #[serde(default)]
    pub monitor: Monitor,
}

/// A data manifest, by place and by content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ManifestRef {
    /// Where it was read.
    pub path: PathBuf,
    /// The hash of its content, in hexadecimal.
    pub hash: String,
}

impl RunInfo {
    /// The format of a run's folder that this version writes and reads.
    pub const FORMAT: u32 = 1;
}

/// The one field that every format of `run.json` has.
#[derive(Deserialize)]
pub(crate) struct FormatField {
    pub(crate) format: u32,
}
