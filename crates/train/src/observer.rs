//! How training and evaluation tell how far they are.

use std::path::Path;

use aumenta_runs::{EpochRecord, ValidationRecord};

use crate::freezing::PhaseRecord;

/// How far a pass over a split is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1; 0 outside training.
    pub epoch: usize,
    /// Images done in this pass.
    pub images: u64,
    /// Images of the whole pass.
    pub total: u64,
    /// The mean loss of those done.
    pub loss: f64,
    /// The share of those done that were predicted right.
    pub accuracy: f64,
    /// Images a second so far.
    pub images_per_second: f64,
}

/// What training tells of a batch besides how far the pass is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepProgress {
    /// Optimizer steps taken, over all epochs.
    pub step: u64,
    /// The mean loss of the batch; NaN where it moved no weight because it was not finite.
    pub loss: f64,
    /// The learning rate that it was trained at.
    pub learning_rate: f32,
    /// The share of the pass's time, from 0 to 1, in which the training waited for batches.
    pub data_wait_share: f64,
}

/// Listens to training and evaluation, such as a progress bar. All methods do nothing by default.
pub trait Observer {
    /// A phase begins: which tensors stay as they are until the next one, and how many numbers are trained.
    fn phase_began(&mut self, phase: &PhaseRecord) {
        let _ = phase;
    }

    /// A phase is over after epoch `epoch`, counted from 1. All tensors that were to stay as they are have the hashes that they
    /// had.
    fn phase_ended(&mut self, phase: &PhaseRecord, epoch: usize) {
        let _ = (phase, epoch);
    }

    /// A training batch is done.
    fn trained(&mut self, progress: &Progress, step: &StepProgress) {
        let _ = (progress, step);
    }

    /// A batch of a split that is measured, not trained on, is done.
    fn measured(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// The validation split was measured within an epoch, and that is recorded in the run's folder.
    fn validated(&mut self, record: &ValidationRecord) {
        let _ = record;
    }

    /// A snapshot after step `step` lies in the run's folder, with its state at `path`.
    fn saved(&mut self, step: u64, path: &Path) {
        let _ = (step, path);
    }

    /// An epoch is done, measured, and recorded in the run's folder.
    fn epoch_ended(&mut self, record: &EpochRecord) {
        let _ = record;
    }
}

/// Listens to nothing.
impl Observer for () {}
