//! The training loop.

use std::time::Instant;

use aumenta_dataset::Split;
use aumenta_metrics::Measure;
use aumenta_models::Model;
use aumenta_nn::{Loss, NnError, Optimizer, OptimizerConfig};
use aumenta_runs::{EpochRecord, FaultRecord, Kept, LoaderShares, RunFolder, Scores, best_epoch};
use aumenta_stream::{EvalStream, Fault, StallReport, TrainStream};
use candle_core::{Device, Tensor};

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::evaluate::{Measured, Tally, measure};
use crate::observer::Observer;
use crate::tensors::from_batch;

/// What [`fit`] works with.
#[derive(Debug)]
pub struct Fit<'a> {
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

/// Trains `model` and records each epoch in `run`, with a checkpoint of the last and of the best epoch. `checkpoint`
/// says what the weights belong to; its epoch is filled in.
///
/// Training loss and accuracy are those of the batches as they were trained on, like Keras': augmented, under dropout,
/// while the weights change. Where images are mixed, the loss is that to the shares of both classes, and accuracy counts
/// against the class with the larger share. The best epoch is that of [`best_epoch`].
///
/// # Errors
/// [`TrainError::Classes`] where the model and the data differ in classes, before anything is done;
/// [`TrainError::LossNotFinite`] where the loss becomes NaN or infinite; [`TrainError::Stream`],
/// [`TrainError::Network`] and [`TrainError::Run`] as they come up.
pub fn fit(
    model: &mut dyn Model,
    settings: &Fit<'_>,
    checkpoint: &Checkpoint,
    run: &RunFolder,
    observer: &mut dyn Observer,
) -> Result<Vec<EpochRecord>, TrainError> {
    checkpoint.check_classes()?;
    let mut optimizer = Optimizer::new(settings.optimizer.clone(), model.parameters())?;
    let mut records = Vec::with_capacity(settings.epochs);
    for epoch in 1..=settings.epochs {
        let (record, faults) = fit_epoch(model, settings, checkpoint.classes.len(), epoch, &mut optimizer, observer)?;
        records.push(record);
        // The weights come first: an epoch in the log always has its checkpoint.
        let checkpoint = Checkpoint { epoch, ..checkpoint.clone() };
        checkpoint.save(model.parameters(), &run.weights_path(Kept::Last))?;
        if best_epoch(&records).is_some_and(|best| best.epoch == epoch) {
            checkpoint.save(model.parameters(), &run.weights_path(Kept::Best))?;
        }
        run.append_faults(&faults)?;
        run.append_epoch(&record)?;
        observer.epoch_ended(&record);
    }
    Ok(records)
}

fn fit_epoch(
    model: &mut dyn Model,
    settings: &Fit<'_>,
    classes: usize,
    epoch: usize,
    optimizer: &mut Optimizer,
    observer: &mut dyn Observer,
) -> Result<(EpochRecord, Vec<FaultRecord>), TrainError> {
    let started = Instant::now();
    let Trained { scores: train, stalls, faults } = train_epoch(model, settings, classes, epoch, optimizer, observer)?;
    let trained = started.elapsed();
    let Measured { evaluation: validation, faults: of_validation, .. } =
        measure(model, classes, settings.validation, settings.device, epoch, observer)?;
    let value = |measure| validation.value(measure).unwrap_or(f64::NAN);
    let faults: Vec<FaultRecord> = to_records(epoch, Split::Train, faults)
        .chain(to_records(epoch, settings.validation.split(), of_validation))
        .collect();
    let replaced = faults.iter().filter(|fault| fault.replaced_by.is_some()).count();
    let record = EpochRecord {
        epoch,
        train,
        validation: Scores {
            loss: value(Measure::Loss),
            accuracy: value(Measure::Accuracy),
            images: validation.images,
        },
        learning_rate: f64::from(optimizer.learning_rate()),
        images_per_second: train.images as f64 / trained.as_secs_f64(),
        seconds: started.elapsed().as_secs_f64(),
        data_wait_share: stalls.share(),
        loader: to_shares(&stalls),
        skipped: (faults.len() - replaced) as u64,
        replaced: replaced as u64,
    };
    Ok((record, faults))
}

/// How the threads of a stream spent their time.
fn to_shares(stalls: &StallReport) -> LoaderShares {
    let [read, decode, augment, collate, channel] = stalls.stage_shares();
    LoaderShares { read, decode, augment, collate, channel }
}

fn to_records(epoch: usize, split: Split, faults: Vec<Fault>) -> impl Iterator<Item = FaultRecord> {
    faults.into_iter().map(move |Fault { id, path, reason, replaced_by }| FaultRecord {
        epoch,
        split: split.name().to_string(),
        id,
        path,
        reason,
        replaced_by,
    })
}

/// What one pass over the training split gives.
struct Trained {
    scores: Scores,
    stalls: StallReport,
    faults: Vec<Fault>,
}

/// One pass over the training split.
fn train_epoch(
    model: &mut dyn Model,
    settings: &Fit<'_>,
    classes: usize,
    epoch: usize,
    optimizer: &mut Optimizer,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let mut tally = Tally::new(epoch, classes, settings.train.image_count());
    let parameters = model.parameters().clone();
    let mut stream = settings.train.epoch(epoch as u64 - 1);
    let steps_before = (epoch - 1) * stream.batch_count();
    for batch in stream.by_ref() {
        let batch = batch?;
        let step = (steps_before + batch.index) as u64;
        let learning_rate = optimizer.learning_rate();
        let diverged = |loss| TrainError::LossNotFinite {
            loss,
            epoch,
            batch: batch.index + 1,
            ids: batch.ids.clone(),
            learning_rate,
        };
        let (images, targets) = from_batch(&batch, classes, settings.device)?;
        let mut loss = |logits: &Tensor| Loss::for_outputs(logits.dims()[1]).of_each(logits, &targets);
        let result = match model.gradients(&images, step, &mut loss) {
            Err(NnError::LogitNotFinite { .. }) => return Err(diverged(f64::NAN)),
            result => result?,
        };
        tally.add(&batch.larger_classes(), &result.output, &result.losses)?;
        if !tally.loss().is_finite() {
            return Err(diverged(tally.loss()));
        }
        optimizer.step(&parameters, &result.gradients)?;
        observer.trained(&tally.progress());
    }
    let accuracy = tally.confusion.accuracy().unwrap_or(f64::NAN);
    let scores = Scores { loss: tally.loss(), accuracy, images: tally.confusion.total() };
    Ok(Trained { scores, stalls: stream.stalls(), faults: stream.faults().to_vec() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use aumenta_augment::MixConfig;
    use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare};
    use aumenta_models::ModelConfig;
    use aumenta_nn::RmsPropConfig;
    use aumenta_runs::{ManifestRef, RunInfo};
    use aumenta_seed::Seed;
    use aumenta_stream::{Color, EvalConfig, Preprocessing, TrainConfig};

    use super::*;
    use crate::evaluate::evaluate;

    /// Trains on six drawn images of each class in `folder`.
    fn trained(
        folder: &Path,
        mix: MixConfig,
        learning_rate: f32,
        epochs: usize,
    ) -> Result<(RunFolder, Vec<EpochRecord>), TrainError> {
        let zip = folder.join("drawn.zip");
        aumenta_drawn::write_zip(&zip, 10, 48, Seed::new(7)).unwrap();
        let amounts = Amounts::Counts { train: 6, val: 3, test: Some(1) };
        let manifest = prepare(&zip, &PrepareConfig::new(amounts), &|_, _| {}).unwrap();
        manifest.write(&folder.join("manifest.json")).unwrap();
        let dataset = Arc::new(Dataset::open(folder, None).unwrap());
        let seed = Seed::new(7);
        let train = TrainConfig { mix: mix.build().unwrap(), ..TrainConfig::new(PREPROCESSING, 4, seed) };
        let checkpoint = Checkpoint {
            format: Checkpoint::FORMAT,
            version: String::new(),
            model: ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.0 },
            preprocessing: PREPROCESSING,
            classes: manifest.classes.clone(),
            manifest_hash: manifest.hash(),
            epoch: 0,
        };
        let info = RunInfo {
            format: RunInfo::FORMAT,
            model: checkpoint.model.name().to_string(),
            classes: manifest.classes.clone(),
            manifest: ManifestRef { path: "manifest.json".into(), hash: manifest.hash() },
            parameters: 0,
            version: String::new(),
            seed: 7,
        };
        let run = RunFolder::create(folder.join("run"), &info, "").unwrap();
        let mut model = checkpoint.model.architecture().unwrap().build(seed, &Device::Cpu).unwrap();
        let settings = Fit {
            train: &TrainStream::new(Arc::clone(&dataset), train).unwrap(),
            validation: &validation(&dataset),
            optimizer: OptimizerConfig::Rmsprop(RmsPropConfig { learning_rate, ..RmsPropConfig::default() }),
            epochs,
            device: &Device::Cpu,
        };
        let records = fit(&mut *model, &settings, &checkpoint, &run, &mut ())?;
        Ok((run, records))
    }

    const PREPROCESSING: Preprocessing = Preprocessing::new(46, 46, Color::Rgb);

    fn validation(dataset: &Arc<Dataset>) -> EvalStream {
        EvalStream::new(Arc::clone(dataset), Split::Val, &EvalConfig::new(PREPROCESSING, 4)).unwrap()
    }

    #[test]
    fn the_best_checkpoint_is_that_of_the_best_epoch_and_the_last_that_of_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let (run, records) = trained(folder.path(), MixConfig::default(), 1e-3, 6).unwrap();
        assert_eq!(run.read_epochs().unwrap(), records);
        let best = best_epoch(&records).unwrap();
        let dataset = Arc::new(Dataset::open(folder.path(), None).unwrap());
        for (kept, record) in [(Kept::Best, best), (Kept::Last, &records[5])] {
            let (checkpoint, model) = Checkpoint::load(&run.weights_path(kept), &Device::Cpu).unwrap();
            assert_eq!(checkpoint.epoch, record.epoch);
            let measured = evaluate(&*model, 2, &validation(&dataset), &Device::Cpu, &mut ()).unwrap().evaluation;
            assert_eq!(measured.value(Measure::Loss), Some(record.validation.loss));
            assert_eq!(measured.value(Measure::Accuracy), Some(record.validation.accuracy));
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_the_training_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let error = trained(folder.path(), MixConfig::default(), 1e30, 2).unwrap_err();
        assert!(matches!(error, TrainError::LossNotFinite { epoch: 1, .. }), "{error}");
    }

    #[test]
    fn a_mixed_epoch_has_the_loss_to_both_classes() {
        let loss = |mix: MixConfig| {
            let folder = tempfile::tempdir().unwrap();
            trained(folder.path(), mix, 1e-9, 1).unwrap().1[0].train.loss
        };
        let mixup = MixConfig { mixup_alpha: Some(1.0), ..MixConfig::default() };
        let (plain, mixed) = (loss(MixConfig::default()), loss(mixup));
        // With weights that hardly move, both losses are those of the initial network, near log 2.
        assert_ne!(plain, mixed);
        assert!((plain - mixed).abs() < 0.1, "{plain} and {mixed}");
        assert_eq!(plain, loss(MixConfig { off_epoch: Some(1), ..mixup }));
    }
}
