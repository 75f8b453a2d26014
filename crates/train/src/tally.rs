//! Losses and predictions of a pass over a split, summed up batch by batch.

use aumenta_metrics::{ConfusionMatrix, Mean, predicted_class};
use aumenta_runs::Scores;
use serde::{Deserialize, Serialize};

use crate::observer::Progress;

/// It can be saved, so that an interrupted epoch ends with the same sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Tally {
    loss: Mean,
    confusion: ConfusionMatrix,
}

impl Tally {
    pub fn new(classes: usize) -> Self {
        Self { loss: Mean::default(), confusion: ConfusionMatrix::new(classes) }
    }

    /// Adds a batch: its true classes, the logits of each image and its losses.
    pub fn add(&mut self, truth: &[u32], logits: &[Vec<f32>], losses: &[f32]) {
        for loss in losses {
            self.loss.add(f64::from(*loss), 1.0);
        }
        for (truth, row) in truth.iter().zip(logits) {
            self.confusion.record(*truth as usize, predicted_class(row));
        }
    }

    /// The mean loss and accuracy so far; NaN before the first image.
    pub fn scores(&self) -> Scores {
        Scores {
            loss: self.loss.value().unwrap_or(f64::NAN),
            accuracy: self.confusion.accuracy().unwrap_or(f64::NAN),
            images: self.confusion.total(),
        }
    }

    /// How far a pass over `total` images is, in epoch `epoch` and after so many seconds.
    pub fn progress(&self, epoch: usize, total: usize, seconds: f64) -> Progress {
        let Scores { loss, accuracy, images } = self.scores();
        Progress { epoch, images, total: total as u64, loss, accuracy, images_per_second: images as f64 / seconds }
    }
}
