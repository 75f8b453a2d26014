//! Several that listen to one training.

use std::path::Path;

use aumenta_runs::{EpochRecord, ValidationRecord};
use aumenta_train::{Observer, PhaseRecord, Progress, StepProgress};

/// Tells each of them everything, in order.
#[derive(Default)]
pub struct Observers(Vec<Box<dyn Observer>>);

impl Observers {
    /// Adds one that listens.
    pub fn push(&mut self, observer: impl Observer + 'static) {
        self.0.push(Box::new(observer));
    }
}

impl Observer for Observers {
    fn phase_began(&mut self, phase: &PhaseRecord) {
        self.0.iter_mut().for_each(|observer| observer.phase_began(phase));
    }

    fn phase_ended(&mut self, phase: &PhaseRecord, epoch: usize) {
        self.0.iter_mut().for_each(|observer| observer.phase_ended(phase, epoch));
    }

    fn trained(&mut self, progress: &Progress, step: &StepProgress) {
        self.0.iter_mut().for_each(|observer| observer.trained(progress, step));
    }

    fn measured(&mut self, progress: &Progress) {
        self.0.iter_mut().for_each(|observer| observer.measured(progress));
    }

    fn validated(&mut self, record: &ValidationRecord) {
        self.0.iter_mut().for_each(|observer| observer.validated(record));
    }

    fn saved(&mut self, step: u64, path: &Path) {
        self.0.iter_mut().for_each(|observer| observer.saved(step, path));
    }

    fn epoch_ended(&mut self, record: &EpochRecord) {
        self.0.iter_mut().for_each(|observer| observer.epoch_ended(record));
    }
}
