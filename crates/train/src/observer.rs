//! How training and evaluation tell how far they are.

use aumenta_runs::EpochRecord;

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

/// Listens to training and evaluation, such as a progress bar. All methods do nothing by default.
pub trait Observer {
    /// A training batch is done.
    fn trained(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// A batch of a split that is measured, not trained on, is done.
    fn measured(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// An epoch is done, measured, and recorded in the run's folder.
    fn epoch_ended(&mut self, record: &EpochRecord) {
        let _ = record;
    }
}

/// Listens to nothing.
impl Observer for () {}
