//! [`Watch`]: what each worker is doing right now, for a consumer that waits too long.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

use crate::meter::{Lap, Meter, Stage};

/// What one worker is doing.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The position of its sample plus 1; 0 where it has none.
    sample: AtomicU64,
    stage: AtomicU8,
    /// Milliseconds from the epoch's start to when it began.
    since: AtomicU64,
}

/// What a worker is doing, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sighting {
    pub position: usize,
    pub stage: Stage,
    pub since: u64,
}

impl Watch {
    /// What it is doing, if anything.
    pub fn look(&self) -> Option<Sighting> {
        let position = self.sample.load(Ordering::Relaxed).checked_sub(1)?;
        let stage = Stage::ALL[usize::from(self.stage.load(Ordering::Relaxed))];
        Some(Sighting { position: position as usize, stage, since: self.since.load(Ordering::Relaxed) })
    }
}

/// Follows one worker through the stages of its samples, on the meter and on its watch.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    lap: Lap<'a>,
    watch: &'a Watch,
    started: Instant,
}

impl<'a> Steps<'a> {
    pub fn new(meter: &'a Meter, watch: &'a Watch, started: Instant) -> Self {
        Self { lap: Lap::start(meter), watch, started }
    }

    /// The wait for a sample is over: the one at `position` has come.
    pub fn begin(&mut self, position: usize) {
        self.lap.end(Stage::Channel);
        self.watch.stage.store(Stage::Augment as u8, Ordering::Relaxed);
        self.watch.since.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.watch.sample.store(position as u64 + 1, Ordering::Relaxed);
    }

    /// From now on the sample is in `next`; what passed since the last step was `last`.
    pub fn step(&mut self, last: Stage, next: Stage) {
        self.lap.end(last);
        self.watch.stage.store(next as u8, Ordering::Relaxed);
    }

    /// The sample is done, and what passed since the last step was `last`.
    pub fn finish(&mut self, last: Stage) {
        self.lap.end(last);
        self.watch.sample.store(0, Ordering::Relaxed);
    }

    /// The stage that the sample is in.
    pub fn stage(&self) -> Stage {
        Stage::ALL[usize::from(self.watch.stage.load(Ordering::Relaxed))]
    }

    /// Bytes that were read from the source.
    pub fn read(&self, bytes: usize) {
        self.lap.meter().add_bytes(bytes as u64);
    }
}
