//! Fitting a network to a stream, measuring it, and keeping it: the loop that ties streams, models and runs together.
//!
//! [`fit`] trains epoch by epoch, measures the validation split after each, appends the epoch to the run's folder and
//! saves a [`Checkpoint`], the network with what it belongs to, and a [`Snapshot`], from which the training can be taken up
//! again after a kill. [`evaluate`] measures a split in one pass, from the [`Predictions`] for its images. Both tell an
//! [`Observer`] how far they are and print nothing. [`predict`] says of images without classes what they may be. Batches
//! become tensors in one place, which is the only crossing from host to device; on the way to a GPU they are copied in advance.
//!
//! On the CPU the same configuration and seed end with the same weights, byte for byte, for any number of threads, whether
//! the training was interrupted or not.

mod ahead;
mod checkpoint;
mod error;
mod evaluate;
mod exchange;
mod features;
mod feed;
mod fit;
mod freezing;
mod monitor;
mod objective;
mod observer;
mod pass;
mod predict;
mod predictions;
mod rate_search;
mod seal;
mod snapshot;
mod stepper;
mod tally;
mod tensors;
#[cfg(test)]
mod test_place;
mod training;

pub use checkpoint::Checkpoint;
pub use error::{Divergence, NotFinite, SnapshotFault, TrainError};
pub use evaluate::{Measured, evaluate};
pub use exchange::Exchange;
pub use features::{Features, FeaturesKey};
pub use fit::{CheckpointsConfig, End, Fit, FitConfig, Fitted, Length, OnNan, ValidationConfig, fit};
pub use freezing::{Freezing, PhaseRecord, Unfreezing};
pub use monitor::EarlyStopping;
pub use objective::{ClassWeights, LossConfig};
pub use observer::{Observer, Progress, StepProgress};
pub use predict::predict;
pub use predictions::Predictions;
pub use rate_search::{RatePoint, RateSearch, RateSearchConfig, SMOOTHING, search_rate};
pub use snapshot::{Found, Snapshot};
pub use tensors::batch_layout;
