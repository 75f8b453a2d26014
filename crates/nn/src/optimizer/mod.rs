//! Optimizers: one step over all parameters from their gradients.

mod rmsprop;

pub use rmsprop::{RmsProp, RmsPropConfig};
