//! A training as events on standard output, one a line as JSON, for other programs.

use std::path::Path;

use aumenta_runs::{EpochRecord, ValidationRecord};
use aumenta_train::{Observer, PhaseRecord, Progress, StepProgress};
use serde_json::{Value, json};

use crate::output::print;

/// Prints every event. A reader that went away is no error: the training goes on.
pub struct Events;

impl Events {
    fn print(event: &Value) {
        let _ = print(&format!("{event}\n"));
    }

    /// A record with its kind.
    fn print_record(kind: &str, record: impl serde::Serialize) {
        if let Ok(mut event) = serde_json::to_value(record) {
            event["event"] = kind.into();
            Self::print(&event);
        }
    }
}

impl Observer for Events {
    fn phase_began(&mut self, phase: &PhaseRecord) {
        Self::print_record("phase", phase);
    }

    fn phase_ended(&mut self, phase: &PhaseRecord, epoch: usize) {
        Self::print(&json!({
            "event": "phase-end",
            "epoch": epoch,
            "frozen-tensors": phase.frozen_tensors,
            "frozen-hash": phase.frozen_hash,
        }));
    }

    fn trained(&mut self, progress: &Progress, step: &StepProgress) {
        Self::print(&json!({
            "event": "batch",
            "epoch": progress.epoch,
            "step": step.step,
            "images": progress.images,
            "loss": step.loss,
            "learning-rate": step.learning_rate,
            "images-per-second": progress.images_per_second,
            "data-wait-share": step.data_wait_share,
        }));
    }

    fn validated(&mut self, record: &ValidationRecord) {
        Self::print_record("validation", record);
    }

    fn saved(&mut self, step: u64, path: &Path) {
        Self::print(&json!({ "event": "checkpoint", "step": step, "path": path }));
    }

    fn epoch_ended(&mut self, record: &EpochRecord) {
        Self::print_record("epoch", record);
    }
}
