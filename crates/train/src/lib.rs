//! Fitting a network to a stream, measuring it, and keeping it: the loop that ties streams, models and runs together.
//!
//! [`fit`] trains epoch by epoch, measures the validation split after each, appends the epoch to the run's folder and
//! saves a [`Checkpoint`]; [`evaluate`] measures a split in one pass, from the [`Predictions`] for its images. Both tell an
//! [`Observer`] how far they are and print nothing. [`predict`] says of images without classes what they may be. Batches
//! become tensors in one place, which is the only crossing from host to device.
//!
//! On the CPU the same configuration and seed end with the same weights, byte for byte, for any number of threads.

mod checkpoint;
mod error;
mod evaluate;
mod fit;
mod observer;
mod predict;
mod predictions;
mod tensors;

pub use checkpoint::Checkpoint;
pub use error::TrainError;
pub use evaluate::{Measured, evaluate};
pub use fit::{Fit, fit};
pub use observer::{Observer, Progress};
pub use predict::predict;
pub use predictions::Predictions;
