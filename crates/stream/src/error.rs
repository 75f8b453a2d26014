//! What can go wrong in a stream.

use aumenta_augment::AugmentError;
use aumenta_dataset::{DatasetError, Split};
use aumenta_imgproc::DecodeError;

/// An error of a stream; those of one image name it.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A setting that no stream can have.
    #[error("`{field}` must be at least 1")]
    Zero {
        /// The setting's name.
        field: &'static str,
    },
    /// More threads than a machine has use for.
    #[error("`workers` must be at most {limit}, got {workers}")]
    TooManyWorkers {
        /// The number asked for.
        workers: usize,
        /// The largest number.
        limit: usize,
    },
    /// A split without images.
    #[error("the {split} split of the data set has no images")]
    EmptySplit {
        /// The split.
        split: Split,
    },
    /// The normalization cannot be, or not with these images.
    #[error("`normalization` cannot be as it is configured")]
    Normalization(#[from] AugmentError),
    /// An image cannot be read from its source.
    #[error("cannot read `{path}`")]
    Read {
        /// The image's path within the source.
        path: String,
        /// Why.
        #[source]
        source: Box<DatasetError>,
    },
    /// An image cannot be decoded.
    #[error("cannot decode `{path}`; prepare the data set again to leave it out")]
    Decode {
        /// The image's path within the source.
        path: String,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// A worker panicked, which is a defect of this program.
    #[error("a worker panicked at `{path}`: {message}; this is a defect, please report it with the image")]
    Panic {
        /// The image's path within the source.
        path: String,
        /// The panic's message.
        message: String,
    },
    /// All workers ended before the epoch did, which is a defect of this program.
    #[error("the workers ended after {delivered} of {total} batches; this is a defect, please report it")]
    WorkersEnded {
        /// Batches delivered.
        delivered: usize,
        /// Batches of the epoch.
        total: usize,
    },
}
