//! Measuring a network on a split.

use std::time::Instant;

use aumenta_metrics::{ConfusionMatrix, Mean, predicted_class};
use aumenta_models::Model;
use aumenta_nn::{Loss, NnError};
use aumenta_runs::Evaluation;
use aumenta_stream::{EvalStream, Fault};
use candle_core::{Device, Tensor};

use crate::error::TrainError;
use crate::observer::{Observer, Progress};
use crate::tensors::from_batch;

/// The loss, accuracy and confusion matrix of `model` over all images of `stream`, without dropout.
///
/// # Errors
/// [`TrainError::Stream`] where an image cannot be used and the stream does not go on without it, [`TrainError::Network`] where the images do not fit the model.
pub fn evaluate(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Evaluation, TrainError> {
    Ok(measure(model, classes, stream, device, 0, observer)?.0)
}

/// As [`evaluate`], in epoch `epoch` of a training; also the images that could not be used.
pub(crate) fn measure(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    device: &Device,
    epoch: usize,
    observer: &mut dyn Observer,
) -> Result<(Evaluation, Vec<Fault>), TrainError> {
    let mut tally = Tally::new(epoch, classes, stream.image_count());
    let mut pass = stream.pass();
    for batch in pass.by_ref() {
        let batch = batch?;
        let (images, targets) = from_batch(&batch, classes, device)?;
        let logits = model.predict(&images)?;
        let losses = Loss::for_outputs(logits.dims()[1]).of_each(&logits, &targets)?;
        tally.add(&batch.classes, &logits, &losses)?;
        observer.measured(&tally.progress());
    }
    Ok((Evaluation::new(stream.split().name(), tally.loss(), tally.confusion), pass.faults().to_vec()))
}

/// Losses and predictions, summed up batch by batch.
pub(crate) struct Tally {
    epoch: usize,
    total: usize,
    started: Instant,
    loss: Mean,
    pub(crate) confusion: ConfusionMatrix,
}

impl Tally {
    pub(crate) fn new(epoch: usize, classes: usize, total: usize) -> Self {
        Self { epoch, total, started: Instant::now(), loss: Mean::default(), confusion: ConfusionMatrix::new(classes) }
    }

    /// Adds a batch: its true classes, its logits `[n, outputs]` and its losses `[n]`.
    pub(crate) fn add(&mut self, truth: &[u32], logits: &Tensor, losses: &Tensor) -> Result<(), NnError> {
        for loss in losses.to_vec1::<f32>()? {
            self.loss.add(f64::from(loss), 1.0);
        }
        for (truth, row) in truth.iter().zip(logits.to_vec2::<f32>()?) {
            self.confusion.record(*truth as usize, predicted_class(&row));
        }
        Ok(())
    }

    pub(crate) fn loss(&self) -> f64 {
        self.loss.value().unwrap_or(f64::NAN)
    }

    pub(crate) fn progress(&self) -> Progress {
        let images = self.confusion.total();
        Progress {
            epoch: self.epoch,
            images,
            total: self.total as u64,
            loss: self.loss(),
            accuracy: self.confusion.accuracy().unwrap_or(f64::NAN),
            images_per_second: images as f64 / self.started.elapsed().as_secs_f64(),
        }
    }
}
