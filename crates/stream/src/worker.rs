//! What one worker thread does: whole batches, image by image.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aumenta_augment::{Canvas, Pipeline, Plan, Scratch};
use aumenta_dataset::{Dataset, Record, Split};
use aumenta_imgproc::{Image, Limits, Size, Slot, decode_into};
use aumenta_seed::Seed;
use crossbeam_channel::{Receiver, Sender};

use crate::batch::Batch;
use crate::error::StreamError;
use crate::preprocessing::Preprocessing;

/// What all workers of a stream share.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) split: Split,
    pub(crate) preprocessing: Preprocessing,
    pub(crate) augment: Option<(Pipeline, Seed)>,
}

impl Recipe {
    pub(crate) fn records(&self) -> &[Record] {
        self.dataset.records(self.split)
    }

    /// What epoch `epoch` does to the image of `record`: a function of the seed, the epoch and the record alone.
    pub(crate) fn plan(&self, epoch: u64, record: &Record) -> Plan {
        let source = Size { width: record.width as usize, height: record.height as usize };
        let canvas = Canvas { source, output: self.preprocessing.size() };
        match &self.augment {
            Some((pipeline, seed)) => pipeline.draw(canvas, &mut seed.rng("augment", epoch, u64::from(record.id))),
            None => Plan::identity(),
        }
    }
}

/// The samples of one batch, as positions in the split.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) index: usize,
    pub(crate) epoch: u64,
    pub(crate) positions: Vec<usize>,
}

/// The outcome of a [`Task`].
pub(crate) type Outcome = (usize, Result<Batch, StreamError>);

/// Works off tasks until there are no more, or nobody wants the outcomes.
pub(crate) fn work(recipe: &Recipe, tasks: &Receiver<Task>, outcomes: &Sender<Outcome>) {
    let mut buffers = Buffers::default();
    for task in tasks {
        let outcome = buffers.batch(recipe, &task);
        if outcomes.send((task.index, outcome)).is_err() {
            return;
        }
    }
}

/// What one thread reuses from image to image.
#[derive(Default)]
struct Buffers {
    encoded: Vec<u8>,
    decoded: Image,
    scratch: Scratch,
    rgb: Vec<u8>,
}

impl Buffers {
    fn batch(&mut self, recipe: &Recipe, task: &Task) -> Result<Batch, StreamError> {
        let (count, len) = (task.positions.len(), recipe.preprocessing.len());
        let mut batch = Batch {
            pixels: vec![0.0; count * len],
            classes: Vec::with_capacity(count),
            ids: Vec::with_capacity(count),
            plans: Vec::with_capacity(count),
        };
        for (position, slot) in task.positions.iter().zip(batch.pixels.chunks_exact_mut(len)) {
            let record = &recipe.records()[*position];
            // A panic in a transform or a decoder must not end in a batch that never comes. The buffers are overwritten
            // by the next image, so it does not matter in what state a panic leaves them.
            let guarded = catch_unwind(AssertUnwindSafe(|| self.sample(recipe, record, task.epoch, slot)));
            let plan = guarded.unwrap_or_else(|panic| {
                Err(StreamError::Panic { path: record.path.clone(), message: panic_message(&*panic) })
            })?;
            batch.classes.push(record.class);
            batch.ids.push(record.id);
            batch.plans.push(plan);
        }
        Ok(batch)
    }

    fn sample(&mut self, recipe: &Recipe, record: &Record, epoch: u64, slot: &mut [f32]) -> Result<Plan, StreamError> {
        let plan = recipe.plan(epoch, record);
        let path = || record.path.clone();
        recipe
            .dataset
            .read(record, &mut self.encoded)
            .map_err(|source| StreamError::Read { path: path(), source: Box::new(source) })?;
        decode_into(&self.encoded, &Limits::default(), &mut self.decoded)
            .map_err(|source| StreamError::Decode { path: path(), source })?;
        let size = recipe.preprocessing.size();
        self.rgb.resize(size.width * size.height * 3, 0);
        plan.apply_to_slot(&self.decoded, size, &mut self.scratch, Slot::Bytes(&mut self.rgb));
        recipe.preprocessing.write(&self.rgb, slot);
        Ok(plan)
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_string())
}
