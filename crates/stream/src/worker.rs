//! What one worker thread does: sample after sample, each into its slot of a batch.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aumenta_augment::{Plan, Scratch, Source};
use aumenta_dataset::{ReadBuffer, Record};
use aumenta_imgproc::{Decoder, Image, ImageRef, Slot, View};
use crossbeam_channel::Receiver;

use crate::assembly::{Assembly, Contents, Made, Task};
use crate::error::StreamError;
use crate::fault::{Fault, OnError};
use crate::layout::{Layout, Shape};
use crate::memory::Memory;
use crate::meter::Stage;
use crate::recipe::{Recipe, full_size};
use crate::sampler::Draw;
use crate::watchdog::Steps;

/// How often another image is tried for one that cannot be used.
const SUBSTITUTES: u32 = 8;

/// Works off tasks until there are no more, or the epoch is stopped.
pub(crate) fn work(assembly: &Assembly, number: usize, tasks: &Receiver<Task>) {
    let mut worker = assembly.pool.worker();
    let mut steps = assembly.steps(number);
    for Task { frame, slot, mut sample } in tasks {
        if assembly.is_stopped() {
            break;
        }
        steps.begin(sample.draw.position);
        let contents = worker.fill(&assembly.recipe, &mut sample, &mut steps);
        steps.step(Stage::Augment, Stage::Collate);
        let Sample { memory, plan, .. } = sample;
        assembly.put(frame, slot, Made { memory, plan, contents }, &mut worker.unmixed);
        steps.finish(Stage::Collate);
    }
    assembly.pool.put_worker(worker);
}

/// One sample of an epoch, to be made.
#[derive(Debug)]
pub(crate) struct Sample {
    pub epoch: u64,
    pub draw: Draw,
    pub shape: Shape,
    /// Its slot.
    pub memory: Memory,
    /// Its plan; before, one to be written over.
    pub plan: Plan,
}

/// What one thread reuses from image to image.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    encoded: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
    renderer: Renderer,
    /// A batch's values before its mixes.
    unmixed: Vec<f32>,
}

/// What carrying out plans reuses.
#[derive(Debug, Default)]
struct Renderer {
    scratch: Scratch,
    spare: Vec<f32>,
}

impl Worker {
    /// Makes a sample or, where its image cannot be used, what the recipe wants in its place.
    fn fill(&mut self, recipe: &Recipe, sample: &mut Sample, steps: &mut Steps<'_>) -> Result<Contents, StreamError> {
        let error = match self.make(recipe, sample, steps) {
            Ok(()) => return Ok(contents(recipe, sample.draw, None)),
            Err(error) if recipe.on_error == OnError::Fail || !error.is_of_the_file() => return Err(error),
            Err(error) => error,
        };
        let (epoch, failed) = (sample.epoch, sample.draw);
        let record = &recipe.records()[failed.position];
        let mut fault = Fault { id: record.id, path: record.path.clone(), reason: error.reason(), replaced_by: None };
        if recipe.on_error == OnError::Skip {
            tracing::warn!("skipped `{}`: {}", fault.path, fault.reason);
            return Ok(Contents::Skipped(fault));
        }
        for attempt in 0..SUBSTITUTES {
            let Some(other) = recipe.substitute(epoch, failed, attempt) else { break };
            sample.draw = other;
            if self.make(recipe, sample, steps).is_ok() {
                tracing::warn!("replaced `{}`: {}", fault.path, fault.reason);
                fault.replaced_by = Some(recipe.records()[other.position].id);
                return Ok(contents(recipe, other, Some(fault)));
            }
        }
        Err(StreamError::NoSubstitute { path: fault.path, source: Box::new(error) })
    }

    /// Fills a sample's slot and writes its plan; a panic becomes an error.
    pub fn make(&mut self, recipe: &Recipe, sample: &mut Sample, steps: &mut Steps<'_>) -> Result<(), StreamError> {
        let record = &recipe.records()[sample.draw.position];
        // A panic in a transform or a decoder must not end in a batch that never comes. The buffers are overwritten by
        // the next image, so it does not matter in what state a panic leaves them.
        let guarded = catch_unwind(AssertUnwindSafe(|| self.draw_decode_and_render(recipe, record, sample, steps)));
        guarded.unwrap_or_else(|panic| {
            let (path, stage, message) = (record.path.clone(), steps.stage(), panic_message(&*panic));
            Err(StreamError::Panic { path, stage, message })
        })
    }

    fn draw_decode_and_render(
        &mut self,
        recipe: &Recipe,
        record: &Record,
        sample: &mut Sample,
        steps: &mut Steps<'_>,
    ) -> Result<(), StreamError> {
        let size = sample.shape.size;
        recipe.draw_plan(sample.epoch, record, sample.draw.view, size, &mut sample.plan);
        let view = sample.plan.view(Recipe::canvas(record, size));
        steps.step(Stage::Augment, Stage::Read);
        let source = |image| Source::new(image, full_size(record), view.scale);
        if let Some(image) = recipe.cache.as_ref().and_then(|cache| cache.get(record, view.scale)) {
            steps.step(Stage::Read, Stage::Augment);
            self.renderer.render(recipe, source(image), sample);
        } else {
            self.decode(recipe, record, view, steps)?;
            self.renderer.render(recipe, source(ImageRef::from(&self.decoded)), sample);
        }
        Ok(())
    }

    /// Fills `decoded` with what `view` shows of a record's image.
    fn decode(
        &mut self,
        recipe: &Recipe,
        record: &Record,
        view: View,
        steps: &mut Steps<'_>,
    ) -> Result<(), StreamError> {
        let path = || record.path.clone();
        recipe
            .dataset
            .read(record, &mut self.encoded)
            .map_err(|source| StreamError::Read { path: path(), source: Box::new(source) })?;
        steps.read(self.encoded.bytes().len());
        steps.step(Stage::Read, Stage::Decode);
        // A cache keeps whole images, for whatever will be drawn next.
        let view = View { window: view.window.filter(|_| recipe.cache.is_none()), ..view };
        self.decoder
            .decode(self.encoded.bytes(), &recipe.limits, &view, &mut self.decoded)
            .map_err(|source| StreamError::Decode { path: path(), source })?;
        let (expected, got) = (view.scale.of(full_size(record)), self.decoded.size());
        if expected != got {
            return Err(StreamError::Size { path: path(), expected, got });
        }
        if let Some(cache) = &recipe.cache {
            cache.put(record, view.scale, &self.decoded);
        }
        steps.step(Stage::Decode, Stage::Augment);
        Ok(())
    }
}

impl Renderer {
    /// Carries out a sample's plan into its slot.
    fn render(&mut self, recipe: &Recipe, source: Source<'_>, sample: &mut Sample) {
        let Sample { shape, memory, plan, .. } = sample;
        match shape.layout {
            Layout::U8Nhwc => {
                let slot = Slot::Bytes { bytes: memory.bytes_mut(), channels: shape.channels };
                plan.apply_to_slot(source, shape.size, &mut self.scratch, slot);
            }
            Layout::F32Nhwc | Layout::F32Nchw => {
                let normalization = &recipe.preprocessing.normalization;
                let format = normalization.format(shape.channels, shape.layout.order());
                let slot = Slot::Floats { values: memory.floats_mut(), format: &format };
                plan.apply_to_slot(source, shape.size, &mut self.scratch, slot);
                normalization.finish(memory.floats_mut(), &mut self.spare);
            }
        }
    }
}

fn contents(recipe: &Recipe, draw: Draw, fault: Option<Fault>) -> Contents {
    let record = &recipe.records()[draw.position];
    Contents::Image { id: record.id, class: record.class, view: draw.view, fault }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_string())
}
