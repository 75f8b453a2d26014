//! What one worker thread does: sample after sample, each into its slot of a batch.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aumenta_augment::{Canvas, Plan, Scratch, Source};
use aumenta_dataset::{ReadBuffer, Record};
use aumenta_imgproc::{Decoder, Image, ImageRef, Size, Slot, View, probe};
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
        let (id, path) = (recipe.images.id(failed.position), recipe.images.path(failed.position).to_owned());
        let mut fault = Fault { id, path, reason: error.reason(), replaced_by: None };
        if recipe.on_error == OnError::Skip {
            // Who predicts images without records tells of them.
            if recipe.images.record(failed.position).is_some() {
                tracing::warn!("skipped `{}`: {}", fault.path, fault.reason);
            }
            return Ok(Contents::Skipped(fault));
        }
        for attempt in 0..SUBSTITUTES {
            let Some(other) = recipe.substitute(epoch, failed, attempt) else { break };
            sample.draw = other;
            if self.make(recipe, sample, steps).is_ok() {
                tracing::warn!("replaced `{}`: {}", fault.path, fault.reason);
                fault.replaced_by = Some(recipe.images.id(other.position));
                return Ok(contents(recipe, other, Some(fault)));
            }
        }
        Err(StreamError::NoSubstitute { path: fault.path, source: Box::new(error) })
    }

    /// Fills a sample's slot and writes its plan; a panic becomes an error.
    pub fn make(&mut self, recipe: &Recipe, sample: &mut Sample, steps: &mut Steps<'_>) -> Result<(), StreamError> {
        // A panic in a transform or a decoder must not end in a batch that never comes. The buffers are overwritten by
        // the next image, so it does not matter in what state a panic leaves them.
        let guarded = catch_unwind(AssertUnwindSafe(|| self.draw_decode_and_render(recipe, sample, steps)));
        guarded.unwrap_or_else(|panic| {
            let path = recipe.images.path(sample.draw.position).to_owned();
            let (stage, message) = (steps.stage(), panic_message(&*panic));
            Err(StreamError::Panic { path, stage, message })
        })
    }

    fn draw_decode_and_render(
        &mut self,
        recipe: &Recipe,
        sample: &mut Sample,
        steps: &mut Steps<'_>,
    ) -> Result<(), StreamError> {
        match recipe.images.record(sample.draw.position) {
            Some(record) => self.render_record(recipe, record, sample, steps),
            None => self.render_unlabeled(recipe, sample, steps),
        }
    }

    /// An image whose size the manifest knows: its plan is drawn before it is read, or found in the cache.
    fn render_record(
        &mut self,
        recipe: &Recipe,
        record: &Record,
        sample: &mut Sample,
        steps: &mut Steps<'_>,
    ) -> Result<(), StreamError> {
        let full = full_size(record);
        let view = draw_plan(recipe, full, sample);
        steps.step(Stage::Augment, Stage::Read);
        if let Some(image) = recipe.cache.as_ref().and_then(|cache| cache.get(record, view.scale)) {
            steps.step(Stage::Read, Stage::Augment);
            self.renderer.render(recipe, Source::new(image, full, view.scale), sample);
            return Ok(());
        }
        self.read(recipe, sample.draw.position, steps)?;
        // A cache keeps whole images, for whatever will be drawn next.
        let view = View { window: view.window.filter(|_| recipe.cache.is_none()), ..view };
        self.decode(recipe, sample.draw.position, full, view)?;
        if let Some(cache) = &recipe.cache {
            cache.put(record, view.scale, &self.decoded);
        }
        steps.step(Stage::Decode, Stage::Augment);
        self.renderer.render(recipe, Source::new(ImageRef::from(&self.decoded), full, view.scale), sample);
        Ok(())
    }

    /// An image of which nothing is known: its header tells its size once it is read, and then its plan is drawn.
    fn render_unlabeled(
        &mut self,
        recipe: &Recipe,
        sample: &mut Sample,
        steps: &mut Steps<'_>,
    ) -> Result<(), StreamError> {
        let position = sample.draw.position;
        steps.step(Stage::Augment, Stage::Read);
        self.read(recipe, position, steps)?;
        let full = probe(self.encoded.bytes(), &recipe.limits)
            .map_err(|source| StreamError::Decode { path: recipe.images.path(position).to_owned(), source })?
            .size;
        let view = draw_plan(recipe, full, sample);
        self.decode(recipe, position, full, view)?;
        steps.step(Stage::Decode, Stage::Augment);
        self.renderer.render(recipe, Source::new(ImageRef::from(&self.decoded), full, view.scale), sample);
        Ok(())
    }

    /// Fills `encoded` with an image's file.
    fn read(&mut self, recipe: &Recipe, position: usize, steps: &mut Steps<'_>) -> Result<(), StreamError> {
        recipe.images.read(position, &mut self.encoded).map_err(|source| StreamError::Read {
            path: recipe.images.path(position).to_owned(),
            source: Box::new(source),
        })?;
        steps.read(self.encoded.bytes().len());
        steps.step(Stage::Read, Stage::Decode);
        Ok(())
    }

    /// Fills `decoded` with what `view` shows of the file in `encoded`, whose image is of the size `full`.
    fn decode(&mut self, recipe: &Recipe, position: usize, full: Size, view: View) -> Result<(), StreamError> {
        let path = || recipe.images.path(position).to_owned();
        self.decoder
            .decode(self.encoded.bytes(), &recipe.limits, &view, &mut self.decoded)
            .map_err(|source| StreamError::Decode { path: path(), source })?;
        let (expected, got) = (view.scale.of(full), self.decoded.size());
        if expected == got { Ok(()) } else { Err(StreamError::Size { path: path(), expected, got }) }
    }
}

/// Draws a sample's plan for an image of the size `full`; which part of it the plan needs, and how finely.
fn draw_plan(recipe: &Recipe, full: Size, sample: &mut Sample) -> View {
    let canvas = Canvas { source: full, output: sample.shape.size };
    let id = recipe.images.id(sample.draw.position);
    recipe.draw_plan(sample.epoch, id, sample.draw.view, canvas, &mut sample.plan);
    sample.plan.view(canvas)
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
    let class = recipe.images.record(draw.position).map(|record| record.class);
    Contents::Image { id: recipe.images.id(draw.position), class, view: draw.view, fault }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_string())
}
