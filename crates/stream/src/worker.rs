//! What one worker thread does: whole batches, image by image.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aumenta_augment::{Canvas, Mix, Mixing, Pipeline, Plan, Scratch};
use aumenta_dataset::{Dataset, ReadBuffer, Record, Split};
use aumenta_imgproc::{Decoder, FloatFormat, Image, Layout, Limits, Size, Slot, View};
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
    /// What makes training differ from evaluation.
    pub(crate) training: Option<Training>,
}

/// What is drawn in training.
#[derive(Debug)]
pub(crate) struct Training {
    pub(crate) augment: Pipeline,
    pub(crate) mix: Option<Mixing>,
    pub(crate) seed: Seed,
}

impl Recipe {
    pub(crate) fn records(&self) -> &[Record] {
        self.dataset.records(self.split)
    }

    /// What epoch `epoch` does to the image of `record`: a function of the seed, the epoch and the record alone.
    pub(crate) fn plan(&self, epoch: u64, record: &Record) -> Plan {
        let source = Size { width: record.width as usize, height: record.height as usize };
        let canvas = Canvas { source, output: self.preprocessing.size() };
        match &self.training {
            Some(Training { augment, seed, .. }) => {
                augment.draw(canvas, &mut seed.rng("augment", epoch, u64::from(record.id)))
            }
            None => Plan::identity(),
        }
    }

    /// What is mixed into the `count` images of batch `batch` of epoch `epoch`: a function of these and the seed alone.
    pub(crate) fn mixes(&self, epoch: u64, batch: usize, count: usize) -> Vec<Option<Mix>> {
        match &self.training {
            Some(Training { mix: Some(mixing), seed, .. }) => {
                mixing.draw(count, self.preprocessing.size(), epoch, &mut seed.rng("mix", epoch, batch as u64))
            }
            _ => vec![None; count],
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
pub(crate) struct Buffers {
    encoded: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
    scratch: Scratch,
    unmixed: Vec<f32>,
    spare: Vec<f32>,
}

impl Buffers {
    fn batch(&mut self, recipe: &Recipe, task: &Task) -> Result<Batch, StreamError> {
        let (count, len) = (task.positions.len(), recipe.preprocessing.len());
        let mut batch = Batch {
            pixels: vec![0.0; count * len],
            classes: Vec::with_capacity(count),
            ids: Vec::with_capacity(count),
            plans: Vec::with_capacity(count),
            mixes: recipe.mixes(task.epoch, task.index, count),
        };
        let format = recipe.preprocessing.format();
        for (position, values) in task.positions.iter().zip(batch.pixels.chunks_exact_mut(len)) {
            let record = &recipe.records()[*position];
            let plan = self.sample(recipe, record, task.epoch, &format, values)?;
            recipe.preprocessing.normalization.finish(values, &mut self.spare);
            batch.classes.push(record.class);
            batch.ids.push(record.id);
            batch.plans.push(plan);
        }
        if batch.is_mixed() {
            self.mix(recipe, &mut batch);
        }
        Ok(batch)
    }

    /// Carries out the mixes of a batch.
    fn mix(&mut self, recipe: &Recipe, batch: &mut Batch) {
        let (size, len) = (recipe.preprocessing.size(), recipe.preprocessing.len());
        // A partner gives its pixels as they were before anything was mixed into them.
        self.unmixed.clone_from(&batch.pixels);
        for (mix, own) in batch.mixes.iter().zip(batch.pixels.chunks_exact_mut(len)) {
            if let Some(mix) = mix {
                mix.apply(own, &self.unmixed[mix.partner * len..][..len], size, Layout::Hwc);
            }
        }
    }

    /// Fills `values` with what epoch `epoch` makes of the image of `record`, in the form `format`; its plan.
    pub(crate) fn sample(
        &mut self,
        recipe: &Recipe,
        record: &Record,
        epoch: u64,
        format: &FloatFormat,
        values: &mut [f32],
    ) -> Result<Plan, StreamError> {
        // A panic in a transform or a decoder must not end in a batch that never comes. The buffers are overwritten by
        // the next image, so it does not matter in what state a panic leaves them.
        let guarded = catch_unwind(AssertUnwindSafe(|| {
            let plan = recipe.plan(epoch, record);
            self.decode(recipe, record)?;
            let slot = Slot::Floats { values, format };
            plan.apply_to_slot(&self.decoded, recipe.preprocessing.size(), &mut self.scratch, slot);
            Ok(plan)
        }));
        guarded.unwrap_or_else(|panic| {
            Err(StreamError::Panic { path: record.path.clone(), message: panic_message(&*panic) })
        })
    }

    fn decode(&mut self, recipe: &Recipe, record: &Record) -> Result<(), StreamError> {
        let path = || record.path.clone();
        recipe
            .dataset
            .read(record, &mut self.encoded)
            .map_err(|source| StreamError::Read { path: path(), source: Box::new(source) })?;
        self.decoder
            .decode(self.encoded.bytes(), &Limits::default(), &View::FULL, &mut self.decoded)
            .map_err(|source| StreamError::Decode { path: path(), source })
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_string())
}
