//! Measuring a network on a split.

use std::time::Instant;

use aumenta_models::Model;
use aumenta_nn::{Loss, NnError};
use aumenta_runs::Evaluation;
use aumenta_stream::{EvalStream, Fault};
use candle_core::Device;

use crate::error::TrainError;
use crate::observer::Observer;
use crate::predictions::{Predictions, push_probabilities};
use crate::tally::Tally;
use crate::tensors::from_batch;

/// What [`evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// All measures.
    pub evaluation: Evaluation,
    /// What was said of each image.
    pub predictions: Predictions,
    /// The images that could not be used.
    pub faults: Vec<Fault>,
}

/// Measures `model` in one pass over all images of `stream`, without dropout.
///
/// # Errors
/// [`TrainError::Stream`] where an image cannot be used and the stream does not go on without it, [`TrainError::Network`]
/// where the images do not fit the model or a logit is not finite.
pub fn evaluate(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Measured, TrainError> {
    measure(model, classes, stream, device, 0, observer)
}

/// As [`evaluate`], in epoch `epoch` of a training.
pub(crate) fn measure(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    device: &Device,
    epoch: usize,
    observer: &mut dyn Observer,
) -> Result<Measured, TrainError> {
    let (started, mut tally) = (Instant::now(), Tally::new(classes));
    let mut predictions = Predictions::with_capacity(classes, stream.image_count());
    let mut pass = stream.pass();
    for batch in pass.by_ref() {
        let batch = batch?;
        let (images, targets) = from_batch(&batch, classes, device)?;
        let logits = model.predict(&images)?;
        let losses = Loss::for_outputs(logits.dims()[1]).of_each(&logits, &targets)?;
        let losses: Vec<f32> = losses.to_vec1().map_err(NnError::from)?;
        tally.add(&batch.classes, &logits, &losses)?;
        predictions.ids.extend_from_slice(&batch.ids);
        predictions.truth.extend(batch.classes.iter().map(|class| *class as usize));
        predictions.losses.extend(losses);
        for row in logits.to_vec2::<f32>().map_err(NnError::from)? {
            push_probabilities(&row, &mut predictions.probabilities);
        }
        observer.measured(&tally.progress(epoch, stream.image_count(), started.elapsed().as_secs_f64()));
    }
    let faults = pass.faults().to_vec();
    let evaluation = Evaluation {
        skipped: faults.len() as u64,
        ..Evaluation::of(stream.split().name(), &predictions.scored(), &predictions.losses)
    };
    Ok(Measured { evaluation, predictions, faults })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aumenta_dataset::{Amounts, Dataset, PrepareConfig, Split, prepare};
    use aumenta_metrics::Measure;
    use aumenta_models::ModelConfig;
    use aumenta_seed::Seed;
    use aumenta_stream::{Color, EvalConfig, Preprocessing};

    use super::*;

    #[test]
    fn every_image_is_predicted_once_and_its_loss_is_that_of_its_probability() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("drawn.zip");
        aumenta_drawn::write_zip(&zip, 6, 48, Seed::new(7)).unwrap();
        let config = PrepareConfig::new(Amounts::Counts { train: 1, val: 1, test: Some(4) });
        prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.path().join("manifest.json")).unwrap();
        let dataset = Arc::new(Dataset::open(folder.path(), None).unwrap());
        let config = EvalConfig::new(Preprocessing::new(46, 46, Color::Rgb), 3);
        let stream = EvalStream::new(Arc::clone(&dataset), Split::Test, &config).unwrap();
        let model = ModelConfig::CatsDogsConvnet { image_size: 46, dropout: 0.0 };
        let model = model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();

        let Measured { evaluation, predictions, faults } =
            evaluate(&*model, 2, &stream, &Device::Cpu, &mut ()).unwrap();
        let records = dataset.records(Split::Test);
        assert_eq!(predictions.ids, records.iter().map(|record| record.id).collect::<Vec<_>>());
        assert!(predictions.truth.iter().zip(records).all(|(truth, record)| *truth == record.class as usize));
        for index in 0..predictions.len() {
            let loss = -predictions.row(index)[predictions.truth[index]].ln();
            assert!((predictions.losses[index] - loss).abs() < 1e-6, "{predictions:?}");
        }
        assert_eq!((evaluation.images, evaluation.skipped, faults), (8, 0, Vec::new()));
        assert_eq!(evaluation.confusion, predictions.scored().confusion());
        let losses = predictions.losses.iter().map(|loss| f64::from(*loss));
        let loss = evaluation.value(Measure::Loss).unwrap();
        assert!((loss - losses.sum::<f64>() / 8.0).abs() < 1e-12);
    }
}
