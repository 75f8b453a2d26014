//! One pass over a split: batches come out in order, whichever worker made them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::batch::Batch;
use crate::error::StreamError;
use crate::worker::{Outcome, Recipe, Task, work};

/// The batches of one epoch, in order.
///
/// At most two batches a worker are under way or waiting, so memory is bounded however slow the consumer is. After an
/// error the epoch is over. Dropping it early stops its threads and waits for them.
#[derive(Debug)]
pub struct Epoch {
    number: u64,
    batches: Vec<Vec<usize>>,
    /// How many batches the workers were asked for.
    requested: usize,
    delivered: usize,
    /// Batches that came before their turn.
    early: BTreeMap<usize, Result<Batch, StreamError>>,
    /// `None` once the epoch is over; the workers end then.
    channels: Option<(Sender<Task>, Receiver<Outcome>)>,
    workers: Vec<JoinHandle<()>>,
    waited: Duration,
}

impl Epoch {
    pub(crate) fn start(recipe: &Arc<Recipe>, number: u64, order: &[usize], batch_size: usize, workers: usize) -> Self {
        let batches: Vec<Vec<usize>> = order.chunks(batch_size).map(<[usize]>::to_vec).collect();
        let window = (2 * workers).min(batches.len());
        let (task_sender, task_receiver) = bounded(window);
        let (outcome_sender, outcome_receiver) = bounded(window);
        let workers = (0..workers.min(batches.len()))
            .map(|_| {
                let (recipe, tasks, outcomes) = (Arc::clone(recipe), task_receiver.clone(), outcome_sender.clone());
                thread::spawn(move || work(&recipe, &tasks, &outcomes))
            })
            .collect();
        let mut epoch = Self {
            number,
            batches,
            requested: 0,
            delivered: 0,
            early: BTreeMap::new(),
            channels: Some((task_sender, outcome_receiver)),
            workers,
            waited: Duration::ZERO,
        };
        (0..window).for_each(|_| epoch.request_next());
        epoch
    }

    /// How many batches the epoch has.
    pub fn batch_count(&self) -> usize {
        self.batches.len()
    }

    /// How long the consumer has waited for batches so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Asks for one more batch. There is room for it: no more than the channel's capacity are ever under way.
    fn request_next(&mut self) {
        if let (Some((tasks, _)), Some(positions)) = (&self.channels, self.batches.get_mut(self.requested)) {
            let task = Task { index: self.requested, epoch: self.number, positions: std::mem::take(positions) };
            // Sending fails where all workers have ended, and receiving reports that.
            let _ = tasks.send(task);
            self.requested += 1;
        }
    }

    /// The outcome of the next batch in order, once a worker has it.
    fn receive(&mut self) -> Option<Result<Batch, StreamError>> {
        let (_, outcomes) = self.channels.as_ref()?;
        let started = Instant::now();
        while !self.early.contains_key(&self.delivered) {
            let Ok((index, outcome)) = outcomes.recv() else {
                let (delivered, total) = (self.delivered, self.batches.len());
                return Some(Err(StreamError::WorkersEnded { delivered, total }));
            };
            self.early.insert(index, outcome);
        }
        self.waited += started.elapsed();
        self.early.remove(&self.delivered)
    }

    fn stop(&mut self) {
        self.channels = None;
        for worker in self.workers.drain(..) {
            // A worker's panic at an image has become an error already; there is nothing more to learn from it.
            let _ = worker.join();
        }
    }
}

impl Iterator for Epoch {
    type Item = Result<Batch, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.delivered == self.batches.len() {
            self.stop();
        }
        let outcome = self.receive()?;
        match outcome {
            Ok(_) => {
                self.delivered += 1;
                self.request_next();
            }
            Err(_) => self.stop(),
        }
        Some(outcome)
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.stop();
    }
}
