//! [`ExplainError`]: why something cannot be shown.

use aumenta_nn::NnError;

/// Why something cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// A text holds no grid of numbers.
    #[error("line {line}: {reason}")]
    Grid {
        /// From 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Windows do not fit a grid.
    #[error("{0}")]
    Windows(String),
    /// A setting is out of its range.
    #[error("{name} is {value}, expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// The network has no such layer, or one whose output is no picture.
    #[error("there is no layer `{name}` whose output is a picture: there are {known}")]
    Layer {
        /// The name asked for.
        name: String,
        /// All such layers.
        known: String,
    },
    /// No layer of the network has an output with more than one place.
    #[error("no layer of the network makes a picture, so that there is no place to point at")]
    NoPictures,
    /// The network has no such class.
    #[error("there is no class {class}: the network tells {classes} apart")]
    Class {
        /// The number asked for.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// The network cannot take the image.
    #[error("the network cannot be looked into")]
    Network(#[from] NnError),
}

impl From<candle_core::Error> for ExplainError {
    fn from(error: candle_core::Error) -> Self {
        Self::Network(error.into())
    }
}
