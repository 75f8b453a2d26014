//! [`Outcome`]: figures, or why there are none.

use serde::Serialize;

/// What came of measuring.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome<F> {
    /// Figures.
    Measured(F),
    /// None, and why.
    Refused(String),
}

impl<F> Outcome<F> {
    /// The figures, where there are some.
    pub fn figures(&self) -> Option<&F> {
        match self {
            Self::Measured(figures) => Some(figures),
            Self::Refused(_) => None,
        }
    }

    /// Why there are none, on one line.
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Measured(_) => None,
            Self::Refused(reason) => Some(reason.replace('\n', " ")),
        }
    }
}
