//! What can go wrong in a stream.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use aumenta_augment::AugmentError;
use aumenta_dataset::{DatasetError, Split};
use aumenta_imgproc::{DecodeError, Size};

use crate::epoch::Cursor;
use crate::meter::Stage;

/// An error of a stream; those of one image name it.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A setting that no stream can have.
    #[error("`{field}` must be at least 1")]
    Zero {
        /// The setting's name.
        field: &'static str,
    },
    /// More than a machine has use for.
    #[error("`{field}` must be at most {limit}, got {got}")]
    TooMany {
        /// The setting's name.
        field: &'static str,
        /// The number asked for.
        got: usize,
        /// The largest number.
        limit: usize,
    },
    /// A split without images.
    #[error("the {split} split of the data set has no images")]
    EmptySplit {
        /// The split.
        split: Split,
    },
    /// The sampling cannot be, or not with these images.
    #[error("`sampling` cannot be as it is configured: {reason}")]
    Sampling {
        /// Why.
        reason: String,
    },
    /// A shard that there is not.
    #[error("shard {index} of {count} is none: shards are counted from 0")]
    Shard {
        /// Which shard.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A place that an epoch does not have.
    #[error(
        "{cursor:?} lies behind the {batches} batches of its epoch: the stream has other settings than when it stood there"
    )]
    Cursor {
        /// The place.
        cursor: Cursor,
        /// Batches of the epoch.
        batches: usize,
    },
    /// Settings that exclude each other.
    #[error("{one} and {other} exclude each other: {reason}")]
    Excluded {
        /// A setting.
        one: &'static str,
        /// Another one.
        other: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A cache on the disk without a folder.
    #[error("`cache = \"disk\"` needs `cache-folder`")]
    CacheFolder,
    /// The cache's files cannot be made, read or written.
    #[error("cannot use the cache in `{folder}`")]
    Cache {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
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
    #[error("cannot decode `{path}`")]
    Decode {
        /// The image's path within the source.
        path: String,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// An image has another size than its manifest says.
    #[error(
        "`{path}` is decoded to {}x{} pixels, where its manifest means {}x{}; prepare the data set again",
        got.width, got.height, expected.width, expected.height
    )]
    Size {
        /// The image's path within the source.
        path: String,
        /// The manifest's size at the scale of the decoding.
        expected: Size,
        /// The size that it has.
        got: Size,
    },
    /// An image cannot be used, and no other one can take its place.
    #[error("no image could take the place of `{path}`")]
    NoSubstitute {
        /// The image's path within the source.
        path: String,
        /// Why it cannot be used.
        #[source]
        source: Box<Self>,
    },
    /// A worker panicked, which is a defect of this program.
    #[error("a worker panicked at `{path}` ({}): {message}; this is a defect, please report it with the image", stage.name())]
    Panic {
        /// The image's path within the source.
        path: String,
        /// What was being done with it.
        stage: Stage,
        /// The panic's message.
        message: String,
    },
    /// Nothing moves.
    #[error("nothing has moved for {seconds} s: `{path}` is stuck at the stage `{}`", stage.name())]
    Stalled {
        /// The path of the image that has been under way for longest.
        path: String,
        /// What is being done with it.
        stage: Stage,
        /// For how long nothing has moved.
        seconds: u64,
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

impl StreamError {
    /// Whether the one who asked is to blame, and not a file, this program or the machine.
    pub fn is_bad_use(&self) -> bool {
        matches!(
            self,
            Self::Zero { .. }
                | Self::TooMany { .. }
                | Self::EmptySplit { .. }
                | Self::Sampling { .. }
                | Self::Shard { .. }
                | Self::Cursor { .. }
                | Self::Excluded { .. }
                | Self::Normalization(_)
                | Self::CacheFolder
        )
    }

    /// Whether a file is to blame, so that a stream can go on without it.
    pub(crate) fn is_of_the_file(&self) -> bool {
        match self {
            Self::Read { .. } | Self::Decode { .. } | Self::Size { .. } => true,
            Self::Panic { stage, .. } => matches!(stage, Stage::Read | Stage::Decode),
            _ => false,
        }
    }

    /// The innermost cause, in its own words.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            reason = error.to_string();
            cause = error.source();
        }
        reason
    }
}
