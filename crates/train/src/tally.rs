//! Losses and predictions of an epoch's training images, summed up batch by batch.

use aumenta_metrics::{ConfusionMatrix, Mean, predicted_class};
use aumenta_nn::NnError;
use aumenta_runs::Scores;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

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

    /// Adds a batch: its true classes, its logits `[n, outputs]` and its losses.
    pub fn add(&mut self, truth: &[u32], logits: &Tensor, losses: &[f32]) -> Result<(), NnError> {
        for loss in losses {
            self.loss.add(f64::from(*loss), 1.0);
        }
        for (truth, row) in truth.iter().zip(logits.to_vec2::<f32>()?) {
            self.confusion.record(*truth as usize, predicted_class(&row));
        }
        Ok(())
    }

    /// The mean loss and accuracy so far; NaN before the first image.
    pub fn scores(&self) -> Scores {
        Scores {
            loss: self.loss.value().unwrap_or(f64::NAN),
            accuracy: self.confusion.accuracy().unwrap_or(f64::NAN),
            images: self.confusion.total(),
        }
    }
}
