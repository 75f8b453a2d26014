//! [`StallReport`]: how the time of a stream was spent, and what its consumer waited for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a worker does with an image, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading the file from its source, or its pixels from a cache.
    Read,
    /// From the file to pixels.
    Decode,
    /// From pixels to the slot of a batch.
    Augment,
    /// Putting a batch together and mixing it.
    Collate,
    /// Waiting for a place in the queue, because the consumer is slower.
    Channel,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 5] = [Self::Read, Self::Decode, Self::Augment, Self::Collate, Self::Channel];

    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Decode => "decode",
            Self::Augment => "augment",
            Self::Collate => "collate",
            Self::Channel => "channel",
        }
    }
}

/// How long each stage took, all workers together.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    nanoseconds: [AtomicU64; 5],
    /// Bytes read from the source.
    bytes: AtomicU64,
}

impl Meter {
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn add(&self, stage: Stage, time: Duration) {
        self.nanoseconds[stage as usize].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    fn seconds(&self) -> [f64; 5] {
        self.nanoseconds.each_ref().map(|time| time.load(Ordering::Relaxed) as f64 * 1e-9)
    }

    /// The report of a consumer that has been at it for `elapsed` and waited for `waited` of that.
    pub fn report(&self, elapsed: Duration, waited: Duration) -> StallReport {
        StallReport { elapsed: elapsed.as_secs_f64(), waited: waited.as_secs_f64(), stages: self.seconds() }
    }
}

/// Tells one worker's stages apart by the clock.
#[derive(Debug)]
pub(crate) struct Lap<'a> {
    meter: &'a Meter,
    last: Instant,
}

impl<'a> Lap<'a> {
    pub fn start(meter: &'a Meter) -> Self {
        Self { meter, last: Instant::now() }
    }

    pub fn meter(&self) -> &'a Meter {
        self.meter
    }

    /// What passed since the last call was `stage`.
    pub fn end(&mut self, stage: Stage) {
        let now = Instant::now();
        self.meter.add(stage, now - self.last);
        self.last = now;
    }
}

/// How the time of a stream was spent so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StallReport {
    /// Seconds since the stream's start.
    pub elapsed: f64,
    /// Seconds of these in which the consumer waited for a batch.
    pub waited: f64,
    /// Seconds of each of [`Stage::ALL`], all workers together.
    pub stages: [f64; 5],
}

impl StallReport {
    /// Nothing has happened.
    pub const ZERO: Self = Self { elapsed: 0.0, waited: 0.0, stages: [0.0; 5] };

    /// The share of time that the consumer waited, from 0 to 1: 0 is a stream that is always ahead.
    pub fn share(&self) -> f64 {
        if self.elapsed > 0.0 { self.waited / self.elapsed } else { 0.0 }
    }

    /// The share of each of [`Stage::ALL`] in the time that the workers were busy or blocked, from 0 to 1.
    pub fn stage_shares(&self) -> [f64; 5] {
        let total: f64 = self.stages.iter().sum();
        self.stages.map(|seconds| if total > 0.0 { seconds / total } else { 0.0 })
    }

    /// The stage that kept the workers busy for longest: what a consumer that waits has waited for. `None` before anything
    /// has happened.
    pub fn slowest(&self) -> Option<Stage> {
        let work =
            Stage::ALL.into_iter().filter(|stage| *stage != Stage::Channel && self.stages[*stage as usize] > 0.0);
        work.max_by(|a, b| self.stages[*a as usize].total_cmp(&self.stages[*b as usize]))
    }

    /// This and `other` together, one after the other.
    #[must_use]
    pub fn then(&self, other: &Self) -> Self {
        let stages = std::array::from_fn(|stage| self.stages[stage] + other.stages[stage]);
        Self { elapsed: self.elapsed + other.elapsed, waited: self.waited + other.waited, stages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_whole_and_the_slowest_stage_is_work() {
        let report = StallReport { elapsed: 4.0, waited: 1.0, stages: [0.5, 1.5, 1.0, 0.0, 7.0] };
        assert_eq!(report.share(), 0.25);
        assert_eq!(report.stage_shares(), [0.05, 0.15, 0.1, 0.0, 0.7]);
        assert_eq!(report.slowest(), Some(Stage::Decode));
        assert_eq!(report.then(&report).waited, 2.0);
        assert_eq!((StallReport::ZERO.share(), StallReport::ZERO.slowest()), (0.0, None));
    }

    #[test]
    fn laps_add_up() {
        let meter = Meter::default();
        let mut lap = Lap::start(&meter);
        std::thread::sleep(Duration::from_millis(3));
        lap.end(Stage::Decode);
        lap.end(Stage::Augment);
        let report = meter.report(Duration::from_secs(1), Duration::ZERO);
        assert!(report.stages[1] >= 0.003 && report.stages[2] < report.stages[1], "{report:?}");
    }
}
