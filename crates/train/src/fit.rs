//! The training loop.

use std::time::{Duration, Instant};

use aumenta_models::Model;
use aumenta_nn::{Loss, Mode, NnError, OptimizerConfig, RmsProp};
use aumenta_runs::{Checkpoint as Kept, EpochRecord, RunFolder, Scores, best_epoch};
use aumenta_stream::{Batch, EvalStream, TrainStream};
use candle_core::{Device, Tensor};

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::evaluate::{Tally, measure};
use crate::observer::Observer;
use crate::tensors::from_batch;

/// What [`fit`] works with.
#[derive(Debug)]
pub struct Fit<'a> {
    /// The network, whose weights change.
    pub model: &'a dyn Model,
    /// What it is trained on.
    pub train: &'a TrainStream,
    /// What it is measured on after each epoch.
    pub validation: &'a EvalStream,
    /// How it is trained.
    pub optimizer: OptimizerConfig,
    /// Passes over the training split.
    pub epochs: usize,
    /// Where tensors live.
    pub device: &'a Device,
}

/// Trains a network and records each epoch in `run`, with a checkpoint of the last and of the best epoch. `checkpoint`
/// says what the weights belong to; its epoch is filled in.
///
/// Training loss and accuracy are those of the batches as they were trained on, like Keras': augmented, under dropout,
/// while the weights change. The best epoch is that of [`best_epoch`].
///
/// # Errors
/// [`TrainError::Classes`] where the model and the data differ in classes, before anything is done;
/// [`TrainError::LossNotFinite`] where the loss becomes NaN or infinite; [`TrainError::Stream`],
/// [`TrainError::Network`] and [`TrainError::Run`] as they come up.
pub fn fit(
    settings: &Fit<'_>,
    checkpoint: &Checkpoint,
    run: &RunFolder,
    observer: &mut dyn Observer,
) -> Result<Vec<EpochRecord>, TrainError> {
    checkpoint.check_classes()?;
    let OptimizerConfig::Rmsprop(optimizer) = settings.optimizer;
    let mut optimizer = RmsProp::new(optimizer, settings.model.parameters())?;
    let mut records = Vec::with_capacity(settings.epochs);
    for epoch in 1..=settings.epochs {
        let record = fit_epoch(settings, checkpoint.classes.len(), epoch, &mut optimizer, observer)?;
        records.push(record);
        // The weights come first: an epoch in the log always has its checkpoint.
        let checkpoint = Checkpoint { epoch, ..checkpoint.clone() };
        checkpoint.save(settings.model.parameters(), &run.weights_path(Kept::Last))?;
        if best_epoch(&records).is_some_and(|best| best.epoch == epoch) {
            checkpoint.save(settings.model.parameters(), &run.weights_path(Kept::Best))?;
        }
        run.append_epoch(&record)?;
        observer.epoch_ended(&record);
    }
    Ok(records)
}

fn fit_epoch(
    settings: &Fit<'_>,
    classes: usize,
    epoch: usize,
    optimizer: &mut RmsProp,
    observer: &mut dyn Observer,
) -> Result<EpochRecord, TrainError> {
    let started = Instant::now();
    let (train, waited) = train_epoch(settings, classes, epoch, optimizer, observer)?;
    let trained = started.elapsed();
    let validation = measure(settings.model, classes, settings.validation, settings.device, epoch, observer)?;
    Ok(EpochRecord {
        epoch,
        train,
        validation: Scores { loss: validation.loss, accuracy: validation.accuracy, images: validation.images },
        learning_rate: f64::from(optimizer.config().learning_rate),
        images_per_second: train.images as f64 / trained.as_secs_f64(),
        seconds: started.elapsed().as_secs_f64(),
        data_wait_share: waited.as_secs_f64() / trained.as_secs_f64(),
        skipped: 0,
    })
}

/// One pass over the training split: its scores, and how long the loop waited for data.
fn train_epoch(
    settings: &Fit<'_>,
    classes: usize,
    epoch: usize,
    optimizer: &mut RmsProp,
    observer: &mut dyn Observer,
) -> Result<(Scores, Duration), TrainError> {
    let mut tally = Tally::new(epoch, classes, settings.train.image_count());
    let mut stream = settings.train.epoch(epoch as u64 - 1);
    let steps_before = (epoch - 1) * stream.batch_count();
    for (index, batch) in stream.by_ref().enumerate() {
        let batch = batch?;
        let (truth, ids) = (batch.classes.clone(), batch.ids.clone());
        let step = (steps_before + index) as u64;
        let (logits, losses) = train_step(settings, batch, step, optimizer)?;
        tally.add(&truth, &logits, &losses)?;
        if !tally.loss().is_finite() {
            let (loss, learning_rate) = (tally.loss(), optimizer.config().learning_rate);
            return Err(TrainError::LossNotFinite { loss, epoch, batch: index + 1, ids, learning_rate });
        }
        observer.trained(&tally.progress());
    }
    let accuracy = tally.confusion.accuracy().unwrap_or(f64::NAN);
    let scores = Scores { loss: tally.loss(), accuracy, images: tally.confusion.total() };
    Ok((scores, stream.waited()))
}

/// Moves the weights once; the batch's logits `[n, outputs]` and losses `[n]`.
fn train_step(
    settings: &Fit<'_>,
    batch: Batch,
    step: u64,
    optimizer: &mut RmsProp,
) -> Result<(Tensor, Tensor), NnError> {
    let (images, targets) = from_batch(batch, settings.train.preprocessing(), settings.device)?;
    let logits = settings.model.forward(&images, Mode::Train { step })?;
    let losses = Loss::for_outputs(logits.dims()[1]).of_each(&logits, &targets)?;
    let gradients = losses.mean_all()?.backward()?;
    optimizer.step(settings.model.parameters(), &gradients)?;
    Ok((logits, losses))
}
