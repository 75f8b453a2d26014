//! [`evaluate_views`]: measuring what a network says of several views of each image, on the mean.

use std::sync::Arc;

use anyhow::Result;
use aumenta_dataset::{Dataset, Split};
use aumenta_models::Model;
use aumenta_runs::Evaluation;
use aumenta_stream::{ImageConfig, ImageStream};
use aumenta_train::{Measured, Predictions, predict};
use candle_core::Device;

use crate::progress::counting;

/// Measures `model` on a split as [`evaluate`](aumenta_train::evaluate) does, but for its probabilities, which are means over the
/// views of `config`. A loss is that of the mean, `-ln p` of the true class, with `p` at least 2⁻⁵².
pub fn evaluate_views(
    model: &dyn Model,
    dataset: &Arc<Dataset>,
    split: Split,
    config: ImageConfig,
    device: &Device,
) -> Result<Measured> {
    let stream = ImageStream::of_split(Arc::clone(dataset), split, config)?;
    let mut predictions = Predictions {
        classes: dataset.manifest().classes.len(),
        ids: Vec::new(),
        truth: Vec::new(),
        probabilities: Vec::new(),
        losses: Vec::new(),
    };
    let bar = counting("measuring");
    bar.set_length(stream.image_count() as u64);
    // Images come in the order of their records, and one that cannot be used not at all.
    let mut records = dataset.records(split).iter();
    let faults = predict(model, &stream, device, |path, probabilities| -> Result<()> {
        bar.inc(1);
        let Some(record) = records.by_ref().find(|record| record.path == path) else { return Ok(()) };
        let class = record.class as usize;
        predictions.ids.push(record.id);
        predictions.truth.push(class);
        predictions.losses.push(-probabilities[class].max(LEAST).ln());
        predictions.probabilities.extend_from_slice(probabilities);
        Ok(())
    })?;
    bar.finish_and_clear();
    let of_split = Evaluation::of(split.name(), &predictions.scored(), &predictions.losses);
    let evaluation = Evaluation { skipped: faults.len() as u64, ..of_split };
    Ok(Measured { evaluation, predictions, faults })
}

/// The least probability that a loss is taken of, as in the log loss: an impossible class would cost everything.
const LEAST: f32 = f64::EPSILON as f32;
