//! The training loop.

use std::cell::RefCell;
use std::sync::atomic::AtomicBool;

use aumenta_metrics::Measure;
use aumenta_models::Model;
use aumenta_nn::{OptimizerConfig, Precision, ScheduleConfig};
use aumenta_runs::{EpochRecord, RunFolder};
use aumenta_stream::{EvalStream, TrainStream};
use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::error::TrainError;
use crate::exchange::Exchange;
use crate::features::Features;
use crate::freezing::Freezing;
use crate::monitor::EarlyStopping;
use crate::objective::LossConfig;
use crate::observer::Observer;
use crate::snapshot::Snapshot;
use crate::training::Training;

/// What [`fit`] works with.
#[derive(Debug)]
pub struct Fit<'a> {
    /// What it is trained on.
    pub train: &'a TrainStream,
    /// What it is measured on.
    pub validation: &'a EvalStream,
    /// What the frozen layers make of both, in place of their images, until some of these layers are unfrozen.
    pub features: Option<&'a Features>,
    /// How it is trained.
    pub config: FitConfig,
    /// The configuration of the run as text, which snapshots keep.
    pub config_text: &'a str,
    /// Where tensors live. The streams deliver bytes or f32 NHWC; [`batch_layout`](crate::batch_layout) says which to choose.
    pub device: &'a Device,
    /// What the gradients of other processes come through, where several train together.
    pub exchange: Option<&'a RefCell<Box<dyn Exchange>>>,
    /// Set from outside, it ends the training after the step under way, with a snapshot.
    pub interrupt: &'a AtomicBool,
}

/// How a network is trained.
#[derive(Clone, Debug)]
pub struct FitConfig {
    /// How the weights move.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes from step to step.
    pub schedule: ScheduleConfig,
    /// When the training is over.
    pub length: Length,
    /// How exactly training steps are computed. The validation split is measured in f32, as it is later.
    pub precision: Precision,
    /// Batches that one optimizer step takes together, at least 1. Batch normalization and dropout still see one at a time.
    pub accumulate: usize,
    /// Which layers stay as they are.
    pub freezing: Freezing,
    /// What is minimized.
    pub loss: LossConfig,
    /// The decay of the weights' average, in `[0, 1)`. With it, the average is what is measured and kept.
    pub ema_decay: Option<f32>,
    /// When the validation split is measured, and what decides on the best measurement.
    pub validation: ValidationConfig,
    /// When a training that no longer improves ends; never by default.
    pub early_stopping: Option<EarlyStopping>,
    /// What is kept to go on from.
    pub checkpoints: CheckpointsConfig,
    /// What becomes of a batch whose loss or gradient is not finite.
    pub on_nan: OnNan,
}

impl FitConfig {
    /// So many epochs of an optimizer at a constant rate, and nothing else.
    pub fn new(optimizer: OptimizerConfig, length: Length) -> Self {
        Self {
            optimizer,
            schedule: ScheduleConfig::default(),
            length,
            precision: Precision::default(),
            accumulate: 1,
            freezing: Freezing::default(),
            loss: LossConfig::default(),
            ema_decay: None,
            validation: ValidationConfig::default(),
            early_stopping: None,
            checkpoints: CheckpointsConfig::default(),
            on_nan: OnNan::default(),
        }
    }

    /// Whether the optimizer takes a step after `delivered` of the `batches` batches of an epoch; the last ones make a step
    /// however few they are.
    pub(crate) fn ends_step(&self, delivered: usize, batches: usize) -> bool {
        delivered.is_multiple_of(self.accumulate) || delivered == batches
    }

    /// Whether all settings lie in their ranges, for data of `classes` classes.
    ///
    /// # Errors
    /// [`TrainError::Setting`] and [`TrainError::Network`], naming the setting and its range.
    pub fn check(&self, classes: usize) -> Result<(), TrainError> {
        self.optimizer.check()?;
        self.schedule.check()?;
        self.loss.check(classes)?;
        self.freezing.check(self.length.epochs())?;
        let length = match self.length {
            Length::Epochs(epochs) => ("epochs", epochs as u64),
            Length::Steps(steps) => ("steps", steps),
        };
        let counts = [
            length,
            ("accumulate", self.accumulate as u64),
            ("validation.every-steps", self.validation.every_steps.unwrap_or(1)),
            ("checkpoints.every-steps", self.checkpoints.every_steps.unwrap_or(1)),
            ("checkpoints.keep", self.checkpoints.keep as u64),
            ("early-stopping.patience", self.early_stopping.map_or(1, |stopping| stopping.patience)),
        ];
        if let Some((setting, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(TrainError::Setting { setting, reason: "must be at least 1".to_string() });
        }
        let min_delta = self.early_stopping.map_or(0.0, |stopping| stopping.min_delta);
        if !(min_delta >= 0.0 && min_delta.is_finite()) {
            let reason = format!("must be at least 0, got {min_delta}");
            return Err(TrainError::Setting { setting: "early-stopping.min-delta", reason });
        }
        Ok(())
    }
}

/// When a training is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// After so many passes over the training split.
    Epochs(usize),
    /// After so many optimizer steps, within an epoch or not; what was done of the last epoch is measured and recorded as
    /// one.
    Steps(u64),
}

impl Length {
    /// The epochs, where that is what is counted.
    fn epochs(self) -> Option<usize> {
        match self {
            Self::Epochs(epochs) => Some(epochs),
            Self::Steps(_) => None,
        }
    }
}

/// When the validation split is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ValidationConfig {
    /// After every so many optimizer steps too; at the end of each epoch in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<u64>,
    /// What decides on the best measurement, for the best network and for early stopping. Default accuracy.
    pub monitor: Measure,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self { every_steps: None, monitor: Measure::Accuracy }
    }
}

/// What is kept to go on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CheckpointsConfig {
    /// After how many optimizer steps a snapshot is written; at the end of each epoch in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<u64>,
    /// How many of the latest snapshots are kept, at least 1. Default 2, so that there is one before a damaged one.
    pub keep: usize,
}

impl Default for CheckpointsConfig {
    fn default() -> Self {
        Self { every_steps: None, keep: 2 }
    }
}

/// What becomes of a batch whose loss or gradient is NaN or infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnNan {
    /// The training ends with an error that names the place.
    #[default]
    Stop,
    /// The batch moves no weight, and the training goes on. It ends where a parameter is not finite, or after
    /// [`OnNan::MOST_IN_A_ROW`] such batches in a row.
    Skip,
}

impl OnNan {
    /// After so many batches in a row that moved no weight, none will.
    pub const MOST_IN_A_ROW: u64 = 50;
}

/// What [`fit`] has done.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// All epochs that ended, with those before the training was taken up again.
    pub epochs: Vec<EpochRecord>,
    /// Why it ended.
    pub end: End,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs or steps are done.
    Finished,
    /// Early stopping waited for long enough.
    Stopped,
    /// It was told to; a snapshot of this step is there to go on from.
    Interrupted {
        /// Optimizer steps taken.
        step: u64,
    },
}

/// Trains `model`, from the beginning or from a snapshot, and records each epoch in `run`: its scores, the network of the
/// last epoch and of the best measurement, and snapshots to go on from. `checkpoint` says what the weights belong to; its
/// epoch is filled in.
///
/// Training loss and accuracy are those of the batches as they were trained on, like Keras': augmented, under dropout, with
/// smoothed labels and class weights, while the weights change. Where images are mixed, the loss is that to the shares of
/// both classes, and accuracy counts against the class with the larger share.
///
/// On the CPU, a training that was interrupted at any moment and taken up again ends with the same weights, to the last
/// byte, as one that never was.
///
/// # Errors
/// [`TrainError::Classes`] where the model and the data differ in classes, and [`TrainError::Setting`] where a setting is
/// out of its range, before anything is done; [`TrainError::Diverged`] where the loss or a gradient is not finite;
/// [`TrainError::FrozenMoved`] where a tensor that is frozen has changed;
/// [`TrainError::Stream`], [`TrainError::Network`], [`TrainError::Run`] and [`TrainError::Snapshot`] as they come up.
pub fn fit(
    model: &mut dyn Model,
    fit: &Fit<'_>,
    checkpoint: &Checkpoint,
    run: &RunFolder,
    from: Option<Snapshot>,
    observer: &mut dyn Observer,
) -> Result<Fitted, TrainError> {
    checkpoint.check_classes()?;
    fit.config.check(checkpoint.classes.len())?;
    Training::new(model, fit, checkpoint, run, from)?.run(observer)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aumenta_augment::MixConfig;
    use aumenta_models::ModelConfig;
    use aumenta_nn::{AdamConfig, OneCycleConfig, PlateauConfig};
    use aumenta_runs::{Kept, best_epoch};
    use aumenta_seed::Seed;
    use aumenta_stream::{OnError, TrainConfig};

    use super::*;
    use crate::error::NotFinite;
    use crate::evaluate::evaluate;
    use crate::objective::ClassWeights;
    use crate::tensors::Crossing;
    use crate::test_place::{PREPROCESSING, Place, SEED, bytes, epochs, rmsprop, timeless};

    #[test]
    fn the_best_network_is_that_of_the_best_epoch_and_the_last_that_of_the_last() {
        let place = Place::new();
        let (run, fitted) = place.trained(epochs(6)).unwrap();
        assert_eq!(fitted.end, End::Finished);
        assert_eq!(run.read_epochs().unwrap(), fitted.epochs);
        let best = best_epoch(&fitted.epochs, Measure::Accuracy).unwrap();
        for (kept, record) in [(Kept::Best, best), (Kept::Last, &fitted.epochs[5])] {
            let (checkpoint, model) = Checkpoint::load(&run.weights_path(kept), &Device::Cpu).unwrap();
            assert_eq!(checkpoint.epoch, record.epoch);
            let measured = evaluate(&*model, 2, &place.validation(), &Device::Cpu, &mut ()).unwrap().evaluation;
            assert_eq!(measured.value(Measure::Loss), Some(record.validation.loss));
            assert_eq!(measured.value(Measure::Accuracy), Some(record.validation.accuracy));
        }
    }

    /// Interrupts a training after every step of `stops`; it must end as the one that never was.
    #[track_caller]
    fn check_resumed(config: &FitConfig, stops: &[u64]) {
        let place = Place { mix: MixConfig { mixup_alpha: Some(0.4), ..MixConfig::default() }, ..Place::new() };
        let (whole, fitted) = place.trained(config.clone()).unwrap();
        let run = place.new_run("resumed");
        for stop in stops {
            let part = place.train(&run, config.clone(), Some(*stop)).unwrap();
            assert_eq!(part.end, End::Interrupted { step: *stop });
        }
        let resumed = place.train(&run, config.clone(), None).unwrap();
        assert_eq!((timeless(&resumed.epochs), resumed.end), (timeless(&fitted.epochs), fitted.end));
        assert_eq!(run.read_epochs().unwrap(), resumed.epochs);
        assert_eq!(run.read_validations().unwrap(), whole.read_validations().unwrap());
        for kept in [Kept::Best, Kept::Last] {
            assert!(bytes(&run, kept) == bytes(&whole, kept), "{kept:?} differs");
        }
        let (a, b) = (Snapshot::latest(&run).unwrap().snapshot, Snapshot::latest(&whole).unwrap().snapshot);
        assert_eq!((a.weights, a.average), (b.weights, b.average));
        assert_eq!((a.state.optimizer, a.state.plateau), (b.state.optimizer, b.state.plateau));
    }

    #[test]
    fn a_training_interrupted_at_any_step_ends_with_the_same_bytes() {
        check_resumed(&epochs(3), &[1, 3, 4, 8]);
    }

    #[test]
    fn schedules_averages_and_accumulation_survive_an_interruption() {
        let adam = OptimizerConfig::Adam(AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() });
        let config = FitConfig {
            schedule: ScheduleConfig::OneCycle(OneCycleConfig::default()),
            accumulate: 2,
            ema_decay: Some(0.9),
            loss: LossConfig { label_smoothing: 0.1, class_weights: ClassWeights::Each(vec![1.0, 0.5]) },
            validation: ValidationConfig { every_steps: Some(3), monitor: Measure::Loss },
            ..FitConfig::new(adam, Length::Steps(7))
        };
        check_resumed(&config, &[2, 3, 5]);
        let plateau = PlateauConfig { patience: 1, min_delta: 1.0, ..PlateauConfig::default() };
        let config = FitConfig {
            schedule: ScheduleConfig::ReduceOnPlateau(plateau),
            early_stopping: Some(EarlyStopping { patience: 2, min_delta: 1.0, restore_best: true }),
            ..epochs(20)
        };
        check_resumed(&config, &[4, 7]);
    }

    #[test]
    fn a_kill_before_a_line_was_written_or_after_leaves_the_same_log() {
        let place = Place::new();
        let run = place.new_run("run");
        place.train(&run, epochs(2), None).unwrap();
        let whole = run.read_epochs().unwrap();
        run.rewind(1, u64::MAX).unwrap();
        // The snapshot of the second epoch was written, its line was not.
        let again = place.train(&run, epochs(2), None).unwrap();
        assert_eq!((run.read_epochs().unwrap(), again.epochs), (whole.clone(), whole));
    }

    #[test]
    fn more_epochs_go_on_where_the_training_ended() {
        let place = Place::new();
        let (whole, _) = place.trained(epochs(3)).unwrap();
        let run = place.new_run("extended");
        place.train(&run, epochs(1), None).unwrap();
        place.train(&run, epochs(3), None).unwrap();
        assert!(bytes(&run, Kept::Last) == bytes(&whole, Kept::Last));
    }

    #[test]
    fn steps_that_end_within_an_epoch_are_measured_and_go_on_there() {
        let place = Place::new();
        let steps = |steps| FitConfig::new(rmsprop(1e-3), Length::Steps(steps));
        let (whole, fitted) = place.trained(steps(5)).unwrap();
        assert_eq!(fitted.epochs.iter().map(|record| record.train.images).collect::<Vec<_>>(), [12, 8]);
        let run = place.new_run("extended");
        place.train(&run, steps(4), None).unwrap();
        assert_eq!(run.read_epochs().unwrap().len(), 2);
        let extended = place.train(&run, steps(5), None).unwrap();
        assert_eq!(timeless(&extended.epochs), timeless(&fitted.epochs));
        assert!(bytes(&run, Kept::Last) == bytes(&whole, Kept::Last));
    }

    #[test]
    fn accumulated_batches_make_the_step_of_one_large_batch() {
        // Without dropout masks, which differ by batch, two batches of 4 are one of 8 but for rounding.
        let weights = |batch_size, accumulate| {
            let place = Place::new();
            let seed = Seed::new(7);
            let checkpoint = Checkpoint {
                model: ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.0 },
                ..place.checkpoint()
            };
            let mut model = checkpoint.model.architecture().unwrap().build(seed, &Device::Cpu).unwrap();
            let train = TrainConfig::new(PREPROCESSING, batch_size, seed);
            let sgd = OptimizerConfig::Sgd(aumenta_nn::SgdConfig { learning_rate: 0.1, ..Default::default() });
            let settings = Fit {
                train: &TrainStream::new(Arc::clone(&place.dataset), train).unwrap(),
                validation: &place.validation(),
                features: None,
                config: FitConfig { accumulate, ..FitConfig::new(sgd, Length::Epochs(1)) },
                config_text: "",
                device: &Device::Cpu,
                exchange: None,
                interrupt: &AtomicBool::new(false),
            };
            fit(&mut *model, &settings, &checkpoint, &place.new_run("run"), None, &mut ()).unwrap();
            model.parameters().tensors().unwrap()
        };
        for (large, parts) in weights(8, 1).iter().zip(weights(4, 2)) {
            for (a, b) in large.values.iter().zip(&parts.values) {
                assert!((a - b).abs() < 1e-5, "{}: {a} and {b}", large.name);
            }
        }
    }

    #[test]
    fn an_epoch_ends_behind_a_last_batch_that_is_empty() {
        let place = Place::new();
        let skipping = || {
            let config = TrainConfig { on_error: OnError::Skip, ..TrainConfig::new(PREPROCESSING, 11, SEED) };
            TrainStream::new(Arc::clone(&place.dataset), config).unwrap()
        };
        let train = skipping();
        let last = train.listings(0).pop().unwrap();
        assert_eq!(last.ids.len(), 1, "12 images in batches of 11");
        place.spoil(last.ids[0]);
        for crossing in [Crossing::to(&Device::Cpu).unwrap(), Crossing::ahead_of_cpu()] {
            let (mut model, checkpoint, run) = (place.model(), place.checkpoint(), place.new_run("run"));
            let settings = Fit {
                train: &train,
                validation: &place.validation(),
                features: None,
                config: epochs(2),
                config_text: "",
                device: &Device::Cpu,
                exchange: None,
                interrupt: &AtomicBool::new(false),
            };
            let mut training = Training::new(&mut *model, &settings, &checkpoint, &run, None).unwrap();
            training.crossing = crossing;
            let fitted = training.run(&mut ()).unwrap();
            let images: Vec<u64> = fitted.epochs.iter().map(|record| record.train.images).collect();
            let skipped: Vec<u64> = fitted.epochs.iter().map(|record| record.skipped).collect();
            assert_eq!((images, skipped), (vec![11, 11], vec![1, 1]));
            fs_err::remove_dir_all(run.path()).unwrap();
        }
    }

    #[test]
    fn a_precision_that_the_device_does_not_have_is_refused_before_anything_is_done() {
        let place = Place::new();
        let run = place.new_run("run");
        let error = place.train(&run, FitConfig { precision: Precision::Bf16, ..epochs(1) }, None).unwrap_err();
        assert_eq!(error.to_string(), "the CPU has no kernels for bf16: networks there compute in f32");
        assert!(run.snapshot_steps().unwrap().is_empty());
    }

    #[test]
    fn early_stopping_ends_with_the_best_weights() {
        let place = Place::new();
        let stopping = EarlyStopping { patience: 2, min_delta: 1.0, restore_best: true };
        let config = FitConfig { early_stopping: Some(stopping), ..epochs(20) };
        let (run, fitted) = place.trained(config.clone()).unwrap();
        assert_eq!((fitted.epochs.len(), fitted.end), (3, End::Stopped));
        // Taken up again, it is over at once.
        assert_eq!(place.train(&run, config, None).unwrap(), fitted);
    }

    #[test]
    fn any_measure_of_the_validation_split_can_decide() {
        let config = |monitor| FitConfig { validation: ValidationConfig { every_steps: None, monitor }, ..epochs(4) };
        let place = Place::new();
        let (run, fitted) = place.trained(config(Measure::Brier)).unwrap();
        let best = best_epoch(&fitted.epochs, Measure::Brier).unwrap();
        assert!(fitted.epochs.iter().all(|record| record.monitored >= best.monitored), "{:?}", fitted.epochs);
        let (checkpoint, _) = Checkpoint::load(&run.weights_path(Kept::Best), &Device::Cpu).unwrap();
        assert_eq!(checkpoint.epoch, best.epoch);
        let error = Place::new().trained(config(Measure::Top3Accuracy)).unwrap_err().to_string();
        assert_eq!(error, "`validation.monitor` is `top-3-accuracy`, which is not defined for the validation split");
    }

    #[test]
    fn only_the_latest_snapshots_are_kept() {
        let place = Place::new();
        let checkpoints = CheckpointsConfig { every_steps: Some(2), keep: 3 };
        let (run, _) = place.trained(FitConfig { checkpoints, ..epochs(3) }).unwrap();
        assert_eq!(run.snapshot_steps().unwrap(), [9, 8, 6]);
    }

    #[test]
    fn a_damaged_snapshot_is_passed_over_by_name() {
        let place = Place::new();
        let (run, _) = place.trained(epochs(3)).unwrap();
        let [last, before] = *run.snapshot_steps().unwrap() else { panic!("two are kept") };
        let paths = run.snapshot_paths(last);
        for path in [&paths.tensors, &paths.state] {
            let whole = fs_err::read(path).unwrap();
            for at in (0..whole.len()).step_by(whole.len() / 7) {
                let mut flipped = whole.clone();
                flipped[at] ^= 4;
                fs_err::write(path, flipped).unwrap();
                let found = Snapshot::latest(&run).unwrap();
                assert_eq!((found.snapshot.step(), found.passed_over.len()), (before, 1), "bit at {at}");
                assert!(found.passed_over[0].to_string().contains(&format!("{last:08}.json")));
            }
            fs_err::write(path, &whole[..whole.len() / 2]).unwrap();
            assert_eq!(Snapshot::latest(&run).unwrap().snapshot.step(), before);
            fs_err::write(path, whole).unwrap();
        }
        assert_eq!(Snapshot::latest(&run).unwrap().snapshot.step(), last);
    }

    #[test]
    fn a_snapshot_of_a_later_format_is_no_damage_to_be_passed_over() {
        let place = Place::new();
        let (run, _) = place.trained(epochs(2)).unwrap();
        let mut newer = Snapshot::latest(&run).unwrap().snapshot;
        newer.state.format = Snapshot::FORMAT + 1;
        newer.save(&run, 2).unwrap();
        let error = Snapshot::latest(&run).unwrap_err();
        let TrainError::Snapshot { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().starts_with("it has format 2, and this version reads format 1"), "{source}");
    }

    #[test]
    fn a_loss_that_is_not_finite_ends_the_training_with_its_place() {
        let error = Place::new().trained(FitConfig::new(rmsprop(1e30), Length::Epochs(2))).unwrap_err();
        let TrainError::Diverged(divergence) = error else { panic!("{error}") };
        assert_eq!((divergence.epoch, divergence.learning_rate), (1, 1e30));
        assert!(matches!(divergence.what, NotFinite::Output(_) | NotFinite::Gradient(_)), "{divergence}");
        assert_eq!(divergence.ids.len(), 4);
    }

    #[test]
    fn batches_that_are_not_finite_can_be_skipped_until_nothing_is_finite() {
        let config = FitConfig { on_nan: OnNan::Skip, ..FitConfig::new(rmsprop(1e30), Length::Epochs(2)) };
        let error = Place::new().trained(config).unwrap_err();
        let TrainError::Diverged(divergence) = error else { panic!("{error}") };
        // The first step has moved the weights far; the other two batches were skipped.
        assert_eq!((divergence.what, divergence.epoch), (NotFinite::Validation, 1));
        assert_eq!((divergence.batch, divergence.step), (3, 1));
    }

    #[test]
    fn a_mixed_epoch_has_the_loss_to_both_classes() {
        let loss = |mix: MixConfig| {
            let place = Place { mix, ..Place::new() };
            let (_, fitted) = place.trained(FitConfig::new(rmsprop(1e-9), Length::Epochs(1))).unwrap();
            fitted.epochs[0].train.loss
        };
        let mixup = MixConfig { mixup_alpha: Some(1.0), ..MixConfig::default() };
        let (plain, mixed) = (loss(MixConfig::default()), loss(mixup));
        // With weights that hardly move, both losses are those of the initial network, near log 2.
        assert_ne!(plain, mixed);
        assert!((plain - mixed).abs() < 0.1, "{plain} and {mixed}");
        assert_eq!(plain, loss(MixConfig { off_epoch: Some(1), ..mixup }));
    }

    #[track_caller]
    fn check_refused(config: &FitConfig, message: &str) {
        assert_eq!(config.check(2).unwrap_err().to_string(), message);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        check_refused(&epochs(0), "`epochs` must be at least 1");
        check_refused(&FitConfig { accumulate: 0, ..epochs(1) }, "`accumulate` must be at least 1");
        let checkpoints = CheckpointsConfig { keep: 0, ..CheckpointsConfig::default() };
        check_refused(&FitConfig { checkpoints, ..epochs(1) }, "`checkpoints.keep` must be at least 1");
        let stopping = EarlyStopping { min_delta: f64::NAN, ..EarlyStopping::default() };
        let early_stopping = Some(stopping);
        check_refused(
            &FitConfig { early_stopping, ..epochs(1) },
            "`early-stopping.min-delta` must be at least 0, got NaN",
        );
    }
}
