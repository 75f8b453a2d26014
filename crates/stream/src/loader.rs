//! [`Loader`]: how batches are made. Nothing here changes what is in them.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use aumenta_imgproc::Limits;

use crate::cache::Cache;
use crate::error::StreamError;

/// More threads than this are a mistake, not a wish.
const MAX_WORKERS: usize = 1024;

/// More batches than this are a mistake, not a wish.
const MAX_PREFETCH: usize = 1024;

/// How batches are made: threads, memory and patience.
#[derive(Clone, Debug)]
pub struct Loader {
    /// Threads that prepare batches; by default as many as there are cores.
    pub workers: Option<usize>,
    /// Batches that are under way or wait to be taken, at most; by default 3, and one more for every 8 workers. Their memory
    /// is that of this many batches.
    pub prefetch: Option<usize>,
    /// Where decoded pixels are kept; `None` for nowhere. Streams over the same data set can share one.
    pub cache: Option<Arc<Cache>>,
    /// What an image may ask for.
    pub limits: Limits,
    /// How long nothing may move before the epoch ends with an error that names the image that holds it up.
    pub patience: Duration,
}

impl Default for Loader {
    fn default() -> Self {
        Self { workers: None, prefetch: None, cache: None, limits: Limits::default(), patience: Duration::from_mins(2) }
    }
}

impl Loader {
    /// The default with this number of workers.
    pub fn with_workers(workers: usize) -> Self {
        Self { workers: Some(workers), ..Self::default() }
    }

    /// The number of threads.
    pub fn workers(&self) -> usize {
        self.workers.unwrap_or_else(|| available_parallelism().map_or(1, usize::from))
    }

    /// The number of batches under way or waiting: the next one, one that is being filled, and one for the workers that
    /// have nothing left to do there; more where there are many of them.
    pub fn prefetch(&self) -> usize {
        self.prefetch.unwrap_or_else(|| 3 + self.workers() / 8)
    }

    pub(crate) fn check(&self) -> Result<(), StreamError> {
        let counts = [("workers", self.workers(), MAX_WORKERS), ("prefetch", self.prefetch(), MAX_PREFETCH)];
        for (field, got, limit) in counts {
            match got {
                0 => return Err(StreamError::Zero { field }),
                got if got > limit => return Err(StreamError::TooMany { field, got, limit }),
                _ => {}
            }
        }
        Ok(())
    }
}
