//! [`Loader`]: how batches are made. Nothing here changes what is in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use aumenta_imgproc::Limits;

use crate::cache::Cache;
use crate::error::StreamError;
use crate::meter::{Stage, StallReport};

/// More threads than this are a mistake, not a wish.
const MAX_WORKERS: usize = 1024;

/// More batches than this are a mistake, not a wish.
const MAX_PREFETCH: usize = 1024;

/// How batches are made: threads, memory and patience.
#[derive(Clone, Debug)]
pub struct Loader {
    /// Threads that prepare batches; by default as many as there are cores.
    pub workers: Option<usize>,
    /// Batches that are under way or wait to be taken, at most; their memory is that of this many batches. By default 3 and
    /// one more for every 8 workers, and more, up to 16, after an epoch in which the consumer waited for batches while
    /// workers waited for room.
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

/// How many batches are ahead of a stream's consumer: what the user says or, where nothing is said, what the epochs so far
/// have shown.
#[derive(Debug)]
pub(crate) struct Depth {
    ahead: AtomicUsize,
    is_fixed: bool,
}

impl Depth {
    /// The most batches ahead that nobody has asked for.
    const MOST: usize = 16;

    pub fn of(loader: &Loader) -> Self {
        Self { ahead: AtomicUsize::new(loader.prefetch()), is_fixed: loader.prefetch.is_some() }
    }

    pub fn get(&self) -> usize {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Learns from an epoch. A consumer that takes batches by fits and starts has waited although the workers were not busy
    /// all the time; with more batches ahead, they would not have had to stop.
    pub fn learn(&self, report: &StallReport) {
        let ahead = self.get();
        let could_help = report.share() > 0.02 && report.stage_shares()[Stage::Channel as usize] > 0.1;
        if could_help && !self.is_fixed && ahead < Self::MOST {
            self.ahead.store((ahead + 1 + ahead / 2).min(Self::MOST), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_batches_are_ahead_where_both_sides_waited_for_each_other() {
        let report =
            |waited, channel| StallReport { elapsed: 1.0, waited, stages: [0.0, 1.0 - channel, 0.0, 0.0, channel] };
        let depth = Depth::of(&Loader::with_workers(2));
        for (waited, channel, expected) in
            [(0.5, 0.05, 3), (0.01, 0.9, 3), (0.1, 0.5, 5), (0.1, 0.5, 8), (0.1, 0.5, 13)]
        {
            depth.learn(&report(waited, channel));
            assert_eq!(depth.get(), expected);
        }
        (0..9).for_each(|_| depth.learn(&report(0.5, 0.5)));
        assert_eq!(depth.get(), 16);
        let fixed = Depth::of(&Loader { prefetch: Some(2), ..Loader::default() });
        fixed.learn(&report(0.5, 0.5));
        assert_eq!(fixed.get(), 2);
    }
}
