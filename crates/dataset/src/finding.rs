//! [`Finding`]: an image that is left out, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An image that cannot or should not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Finding {
    /// Its path within the source.
    pub path: String,
    /// Why it is left out.
    pub cause: Cause,
}

/// Why an image is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// It cannot be read or decoded.
    Faulty {
        /// What was met.
        reason: String,
    },
    /// It has, byte for byte, the content of an image of the test set that the source brings along.
    InTestSet {
        /// The path of that image.
        of: String,
    },
    /// It has the content of an image of another class, so one of the two labels is wrong; both are left out.
    Conflict {
        /// The path of the other image.
        of: String,
    },
}

impl Finding {
    /// Whether this is a fault to repair, not just a copy that must not be trained on.
    pub fn is_fault(&self) -> bool {
        !matches!(self.cause, Cause::InTestSet { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.cause {
            Cause::Faulty { reason } => f.write_str(reason),
            Cause::InTestSet { of } => write!(f, "has the same content as {of} of the test set"),
            Cause::Conflict { of } => write!(f, "has the same content as {of}, which is of another class"),
        }
    }
}
