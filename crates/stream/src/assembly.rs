//! [`Assembly`]: batches under way, whose slots any worker fills, until the last one puts the batch together.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aumenta_augment::Plan;
use crossbeam_channel::Sender;

use crate::batch::Batch;
use crate::error::StreamError;
use crate::fault::Fault;
use crate::memory::Memory;
use crate::meter::Meter;
use crate::pool::Pool;
use crate::recipe::Recipe;
use crate::sampler::Draw;
use crate::watchdog::{Sighting, Steps, Watch};
use crate::worker::Sample;

/// One sample to be made into one slot.
#[derive(Debug)]
pub(crate) struct Task {
    pub frame: usize,
    pub slot: usize,
    pub sample: Sample,
}

/// A slot that its worker is done with.
#[derive(Debug)]
pub(crate) struct Made {
    pub memory: Memory,
    pub plan: Plan,
    pub contents: Result<Contents, StreamError>,
}

/// What there is in a slot.
#[derive(Debug)]
pub(crate) enum Contents {
    /// An image, with its class where it is known, perhaps in place of another one.
    Image { id: u32, class: Option<u32>, view: u32, fault: Option<Fault> },
    /// Nothing.
    Skipped(Fault),
}

/// A batch, or why there is none, with its place in the order of delivery.
pub(crate) type Outcome = (usize, Result<Batch, StreamError>);

/// What the workers of one epoch share.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub recipe: Arc<Recipe>,
    pub epoch: u64,
    pub pool: Arc<Pool>,
    pub meter: Meter,
    /// The batches under way: batch number `n` of those to be delivered is in frame `n` modulo their number.
    frames: Vec<Mutex<Frame>>,
    outcomes: Sender<Outcome>,
    watches: Vec<Watch>,
    started: Instant,
    /// Samples done so far.
    progress: AtomicU64,
    stopped: AtomicBool,
}

/// A batch under way.
#[derive(Debug, Default)]
struct Frame {
    /// Its place in the order of delivery.
    place: usize,
    batch: Batch,
    remaining: usize,
    slots: Vec<Option<Made>>,
    /// Memory behind the last slot.
    rest: Memory,
}

impl Assembly {
    pub fn new(
        recipe: Arc<Recipe>,
        epoch: u64,
        pool: Arc<Pool>,
        frames: usize,
        workers: usize,
        outcomes: Sender<Outcome>,
    ) -> Self {
        Self {
            recipe,
            epoch,
            pool,
            meter: Meter::default(),
            frames: (0..frames).map(|_| Mutex::default()).collect(),
            outcomes,
            watches: (0..workers).map(|_| Watch::default()).collect(),
            started: Instant::now(),
            progress: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// The tasks of batch `index`, which is delivered as number `place`.
    pub fn begin(&self, place: usize, index: usize, draws: &[Draw], mut send: impl FnMut(Task)) {
        let frame_index = place % self.frames.len();
        let shape = self.recipe.shape(self.epoch, index);
        let mut frame = self.frame(frame_index);
        let mut batch = self.pool.batch(draws.len() * shape.bytes());
        (batch.index, batch.shape) = (index, shape);
        let mut memory = mem::take(&mut batch.memory);
        let mut plans = mem::take(&mut batch.plans);
        for (slot, &draw) in draws.iter().enumerate() {
            let (memory, plan) = (memory.split_front(shape.bytes()), plans.pop().unwrap_or_default());
            send(Task { frame: frame_index, slot, sample: Sample { epoch: self.epoch, draw, shape, memory, plan } });
        }
        plans.clear();
        batch.plans = plans;
        frame.place = place;
        frame.batch = batch;
        frame.remaining = draws.len();
        frame.slots.clear();
        frame.slots.resize_with(draws.len(), || None);
        frame.rest = memory;
    }

    /// Puts a slot that is done into its batch; the last one completes it. `unmixed` is a buffer of any content.
    pub fn put(&self, frame: usize, slot: usize, made: Made, unmixed: &mut Vec<f32>) {
        self.progress.fetch_add(1, Ordering::Relaxed);
        let mut frame = self.frame(frame);
        frame.slots[slot] = Some(made);
        frame.remaining -= 1;
        if frame.remaining == 0 {
            let outcome = frame.complete(&self.recipe, self.epoch, unmixed);
            // There is room for each batch that is under way; sending fails where nobody waits for it any more.
            let _ = self.outcomes.send((frame.place, outcome));
        }
    }

    fn frame(&self, index: usize) -> MutexGuard<'_, Frame> {
        self.frames[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows worker `number` through its samples.
    pub fn steps(&self, number: usize) -> Steps<'_> {
        Steps::new(&self.meter, &self.watches[number], self.started)
    }

    /// What the workers are doing right now, the longest at it first.
    pub fn sightings(&self) -> Vec<Sighting> {
        let mut sightings: Vec<Sighting> = self.watches.iter().filter_map(Watch::look).collect();
        sightings.sort_by_key(|sighting| sighting.since);
        sightings
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    /// How many samples are done.
    pub fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Nobody wants more batches.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Frame {
    /// The batch of all slots in order: without those that were skipped, mixed; or the first slot's error.
    fn complete(&mut self, recipe: &Recipe, epoch: u64, unmixed: &mut Vec<f32>) -> Result<Batch, StreamError> {
        let mut batch = mem::take(&mut self.batch);
        let bytes = batch.shape.bytes();
        let mut memory = Memory::default();
        let mut error = None;
        for (slot, made) in self.slots.drain(..).flatten().enumerate() {
            memory.join(made.memory);
            match made.contents {
                Ok(Contents::Image { id, class, view, fault }) => {
                    // What follows a skipped slot moves up.
                    if batch.len() < slot {
                        memory.bytes_mut().copy_within(slot * bytes..(slot + 1) * bytes, batch.len() * bytes);
                    }
                    batch.ids.push(id);
                    batch.classes.extend(class);
                    batch.views.push(view);
                    batch.plans.push(made.plan);
                    batch.faults.extend(fault);
                }
                Ok(Contents::Skipped(fault)) => batch.faults.push(fault),
                Err(of_slot) => error = error.or(Some(of_slot)),
            }
        }
        memory.join(mem::take(&mut self.rest));
        batch.memory = memory;
        if let Some(error) = error {
            return Err(error);
        }
        let count = batch.len();
        recipe.draw_mixes(epoch, batch.index, count, &mut batch.mixes);
        if batch.is_mixed() {
            mix(&mut batch, unmixed);
        }
        Ok(batch)
    }
}

/// Carries out the mixes of a batch.
fn mix(batch: &mut Batch, unmixed: &mut Vec<f32>) {
    let (len, size) = (batch.shape.len(), batch.shape.size);
    let layout = batch.shape.layout.order();
    // A partner gives its pixels as they were before anything was mixed into them.
    unmixed.clear();
    unmixed.extend_from_slice(batch.floats());
    for (mix, own) in batch.mixes.iter().zip(batch.memory.floats_mut().chunks_exact_mut(len)) {
        if let Some(mix) = mix {
            mix.apply(own, &unmixed[mix.partner * len..][..len], size, layout);
        }
    }
}
