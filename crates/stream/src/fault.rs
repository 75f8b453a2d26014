//! [`OnError`]: what becomes of an image that cannot be used; [`Fault`]: the record of one.

use serde::{Deserialize, Serialize};

/// What a stream does where an image cannot be read or decoded, a panic of its decoder included. A panic anywhere else is a
/// defect of this program and ends it in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The epoch ends with an error that names the image.
    #[default]
    Fail,
    /// The image is left out, so that its batch is smaller, and counted. A batch without any image left is passed over.
    Skip,
    /// Another image of its class, drawn by the seed, takes its place, and it is counted. Not in evaluation, where it would
    /// measure something else.
    Replace,
}

/// An image that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Its record in the manifest.
    pub id: u32,
    /// Its path within the source.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The record that took its place; `None` where it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<u32>,
}
