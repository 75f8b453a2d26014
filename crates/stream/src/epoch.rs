//! [`Epoch`]: one pass over a split, whose batches come out in order, whichever workers made them.

use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde::{Deserialize, Serialize};

use crate::assembly::{Assembly, Outcome, Task};
use crate::batch::Batch;
use crate::error::StreamError;
use crate::fault::Fault;
use crate::loader::{Depth, Loader};
use crate::meter::StallReport;
use crate::pool::Pool;
use crate::recipe::Recipe;
use crate::sampler::{Draw, Shard};
use crate::worker::work;

/// How often a consumer that waits looks whether anything moves.
const LOOK: Duration = Duration::from_secs(1);

/// A place in a stream: all batches before it have been delivered. It is the whole state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cursor {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The next batch among those that the stream delivers in this epoch, counted from 0.
    pub batch: usize,
}

/// The batches of one epoch, in order.
///
/// No more batches are under way or waiting than the loader's `prefetch`, so memory is bounded however slow the consumer
/// is. After an error the epoch is over. Dropping it early stops its threads and waits for them.
#[derive(Debug)]
pub struct Epoch {
    assembly: Arc<Assembly>,
    plan: EpochPlan,
    /// The next batch to ask the workers for, among those to be delivered.
    requested: usize,
    delivered: usize,
    /// Batches that are done, in the order of their turns from `delivered` on, around a ring.
    done: Vec<Option<Result<Batch, StreamError>>>,
    /// `None` once the epoch is over; the workers end then.
    channels: Option<(Sender<Task>, Receiver<Outcome>)>,
    workers: Vec<JoinHandle<()>>,
    depth: Arc<Depth>,
    patience: Duration,
    waited: Duration,
    faults: Vec<Fault>,
}

/// How the samples of an epoch are divided into batches, and which of these are delivered; the same in every epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    /// Samples of an epoch, over all shards.
    pub samples: usize,
    pub batch_size: usize,
    pub drop_last: bool,
    pub shard: Shard,
}

impl Batching {
    /// How many batches are delivered.
    pub fn batches(&self) -> usize {
        let Shard { index, count } = self.shard;
        if self.drop_last {
            self.samples / self.batch_size / count
        } else {
            self.samples.div_ceil(self.batch_size).saturating_sub(index).div_ceil(count)
        }
    }

    /// How many samples the delivered batches have.
    pub fn delivered_samples(&self) -> usize {
        (0..self.batches()).map(|place| self.batch(place).1.len()).sum()
    }

    /// The batch that is delivered as number `place`: its number over all shards, and which samples it has.
    pub fn batch(&self, place: usize) -> (usize, Range<usize>) {
        let index = place * self.shard.count + self.shard.index;
        let start = index * self.batch_size;
        (index, start..self.samples.min(start + self.batch_size))
    }
}

/// The samples of an epoch.
#[derive(Debug)]
pub(crate) struct EpochPlan {
    pub number: u64,
    pub draws: Vec<Draw>,
    pub batching: Batching,
}

impl Epoch {
    pub(crate) fn start(
        recipe: Arc<Recipe>,
        pool: Arc<Pool>,
        depth: Arc<Depth>,
        plan: EpochPlan,
        first: usize,
        loader: &Loader,
    ) -> Self {
        let (batches, batch_size) = (plan.batching.batches(), plan.batching.batch_size);
        let frames = depth.get().clamp(1, (batches - first).max(1));
        let (task_sender, task_receiver) = bounded(frames * batch_size);
        let (outcome_sender, outcome_receiver) = bounded(frames);
        let workers = if first < batches { loader.workers().min(frames * batch_size) } else { 0 };
        let assembly = Arc::new(Assembly::new(recipe, plan.number, pool, frames, workers, outcome_sender));
        let workers = (0..workers)
            .map(|number| {
                let (assembly, tasks) = (Arc::clone(&assembly), task_receiver.clone());
                thread::spawn(move || work(&assembly, number, &tasks))
            })
            .collect();
        let mut epoch = Self {
            assembly,
            plan,
            requested: first,
            delivered: first,
            done: (0..frames).map(|_| None).collect(),
            channels: Some((task_sender, outcome_receiver)),
            workers,
            depth,
            patience: loader.patience,
            waited: Duration::ZERO,
            faults: Vec::new(),
        };
        (0..frames).for_each(|_| epoch.request_next());
        epoch
    }

    /// How many batches the epoch has, from its beginning.
    pub fn batch_count(&self) -> usize {
        self.plan.batching.batches()
    }

    /// How many samples the epoch has, from its beginning.
    pub fn sample_count(&self) -> usize {
        self.plan.batching.delivered_samples()
    }

    /// Where the stream stands: behind the last delivered batch.
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.plan.number, batch: self.delivered }
    }

    /// Images that could not be used so far, in order; those of a policy that goes on.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How the time was spent so far.
    pub fn stalls(&self) -> StallReport {
        self.assembly.meter.report(self.assembly.started().elapsed(), self.waited)
    }

    /// How many bytes were read from the source so far.
    pub fn bytes_read(&self) -> u64 {
        self.assembly.meter.bytes()
    }

    /// Asks for one more batch. There is room for it: no more than the channel's capacity are ever under way.
    fn request_next(&mut self) {
        if let (Some((tasks, _)), true) = (&self.channels, self.requested < self.plan.batching.batches()) {
            let (index, samples) = self.plan.batching.batch(self.requested);
            // Sending fails where all workers have ended, and receiving reports that.
            self.assembly.begin(self.requested, index, &self.plan.draws[samples], |task| {
                let _ = tasks.send(task);
            });
            self.requested += 1;
        }
    }

    /// The outcome of the next batch in order, once a worker has it.
    fn receive(&mut self) -> Option<Result<Batch, StreamError>> {
        let (_, outcomes) = self.channels.as_ref()?;
        let started = Instant::now();
        let mut moved = (started, self.assembly.progress());
        let frames = self.done.len();
        while self.done[self.delivered % frames].is_none() {
            match outcomes.recv_timeout(LOOK.min(self.patience)) {
                Ok((place, outcome)) => self.done[place % frames] = Some(outcome),
                Err(RecvTimeoutError::Timeout) => {
                    let progress = self.assembly.progress();
                    if progress != moved.1 {
                        moved = (Instant::now(), progress);
                    } else if moved.0.elapsed() >= self.patience {
                        return Some(Err(self.stalled(moved.0.elapsed())));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let (delivered, total) = (self.delivered, self.plan.batching.batches());
                    return Some(Err(StreamError::WorkersEnded { delivered, total }));
                }
            }
        }
        self.waited += started.elapsed();
        self.done[self.delivered % frames].take()
    }

    /// Nothing has moved for `waited`: which sample holds the stream up.
    fn stalled(&self, waited: Duration) -> StreamError {
        let seconds = waited.as_secs();
        match self.assembly.sightings().first() {
            Some(sighting) => {
                let path = self.assembly.recipe.images.path(sighting.position).to_owned();
                StreamError::Stalled { path, stage: sighting.stage, seconds }
            }
            None => StreamError::WorkersEnded { delivered: self.delivered, total: self.plan.batching.batches() },
        }
    }

    /// Ends the workers. One that hangs in the system cannot be ended, and is left alone.
    fn stop(&mut self, wait: bool) {
        if self.channels.take().is_some() {
            self.depth.learn(&self.stalls());
        }
        self.assembly.stop();
        for worker in self.workers.drain(..) {
            if wait || worker.is_finished() {
                // A worker's panic at an image has become an error already; there is nothing more to learn from it.
                let _ = worker.join();
            }
        }
    }
}

impl Iterator for Epoch {
    type Item = Result<Batch, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.delivered >= self.plan.batching.batches() {
                self.stop(true);
            }
            let outcome = self.receive()?;
            match &outcome {
                Ok(batch) => {
                    self.delivered += 1;
                    self.faults.extend_from_slice(&batch.faults);
                    self.request_next();
                    if batch.is_empty() {
                        continue;
                    }
                }
                Err(error) => self.stop(!matches!(error, StreamError::Stalled { .. })),
            }
            return Some(outcome);
        }
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.stop(true);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shards_together_deliver_every_batch_once(samples in 0usize..60, batch_size in 1usize..9, count in 1usize..6) {
            let whole = Batching { samples, batch_size, drop_last: false, shard: Shard::WHOLE };
            let mut seen = vec![0; whole.batches()];
            for index in 0..count {
                let shard = Batching { shard: Shard { index, count }, ..whole };
                for place in 0..shard.batches() {
                    let (batch, samples) = shard.batch(place);
                    seen[batch] += 1;
                    prop_assert_eq!(samples, whole.batch(batch).1);
                }
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
            prop_assert_eq!(whole.delivered_samples(), samples);
        }

        #[test]
        fn without_the_last_ones_all_shards_have_equally_many_whole_batches(
            samples in 0usize..60,
            batch_size in 1usize..9,
            count in 1usize..6,
        ) {
            for index in 0..count {
                let shard = Batching { samples, batch_size, drop_last: true, shard: Shard { index, count } };
                prop_assert_eq!(shard.batches(), samples / batch_size / count);
                prop_assert!((0..shard.batches()).all(|place| shard.batch(place).1.len() == batch_size));
            }
        }
    }
}
