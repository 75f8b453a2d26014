//! A training as event files for TensorBoard, in the run's folder.

use anyhow::Result;
use aumenta_runs::{EpochRecord, EventFile, RunFolder, ValidationRecord};
use aumenta_train::{Observer, Progress, StepProgress};

/// Writes scalars; what cannot be written ends the writing, with a warning, and not the training.
pub struct TensorBoard {
    file: Option<EventFile>,
    /// The last step that was told of.
    step: u64,
}

impl TensorBoard {
    /// A new event file in the run's folder.
    pub fn create(run: &RunFolder) -> Result<Self> {
        Ok(Self { file: Some(EventFile::create(&run.path().join("tensorboard"))?), step: 0 })
    }

    fn write(&mut self, step: u64, scalars: &[(&str, f64)]) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.scalars(step, scalars)
        {
            eprintln!("warning: {error}: no more events are written");
            self.file = None;
        }
    }
}

impl Observer for TensorBoard {
    fn trained(&mut self, progress: &Progress, step: &StepProgress) {
        // Of batches that make a step together, the last speaks.
        self.step = step.step;
        self.write(
            step.step,
            &[
                ("batch/loss", step.loss),
                ("batch/learning-rate", f64::from(step.learning_rate)),
                ("batch/images-per-second", progress.images_per_second),
                ("batch/data-wait-share", step.data_wait_share),
            ],
        );
    }

    fn validated(&mut self, record: &ValidationRecord) {
        let validation = record.validation;
        self.write(record.step, &[("validation/loss", validation.loss), ("validation/accuracy", validation.accuracy)]);
    }

    fn epoch_ended(&mut self, record: &EpochRecord) {
        let EpochRecord { train, validation, .. } = record;
        self.write(
            self.step,
            &[
                ("train/loss", train.loss),
                ("train/accuracy", train.accuracy),
                ("validation/loss", validation.loss),
                ("validation/accuracy", validation.accuracy),
                ("gap", record.gap()),
            ],
        );
    }
}
