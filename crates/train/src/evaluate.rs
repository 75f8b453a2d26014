//! Measuring a network on a split.

use std::time::Instant;

use aumenta_dataset::Split;
use aumenta_metrics::push_probabilities;
use aumenta_models::Model;
use aumenta_nn::{Loss, NnError};
use aumenta_runs::Evaluation;
use aumenta_stream::{EvalStream, Fault};
use candle_core::Device;

use crate::error::TrainError;
use crate::features::Rows;
use crate::feed::Images;
use crate::observer::Observer;
use crate::predictions::Predictions;
use crate::tally::Tally;
use crate::tensors::{Crossing, Examples, Input};

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
    measure(model, classes, stream, &Crossing::to(device)?, 0, observer)
}

/// As [`evaluate`], in epoch `epoch` of a training.
pub(crate) fn measure(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    crossing: &Crossing,
    epoch: usize,
    observer: &mut dyn Observer,
) -> Result<Measured, TrainError> {
    let mut measurement = Measurement::new(classes, stream.image_count(), epoch, observer);
    let mut images = Images::new(stream.pass(), stream.preprocessing(), classes, crossing)?;
    while let Some(examples) = images.next() {
        measurement.add(model, examples?)?;
    }
    Ok(measurement.measured(stream.split(), images.faults()))
}

/// As [`measure`], from what the frozen layers of `model` have made of the split's images, `rows`.
pub(crate) fn measure_rows(
    model: &dyn Model,
    classes: usize,
    stream: &EvalStream,
    rows: &Rows,
    device: &Device,
    epoch: usize,
    observer: &mut dyn Observer,
) -> Result<Measured, TrainError> {
    let mut measurement = Measurement::new(classes, stream.image_count(), epoch, observer);
    for listing in stream.listings() {
        let of_batch = rows.tensor(0, &listing.positions)?;
        measurement.add(model, Examples::of_rows(listing, &of_batch, classes, device)?)?;
    }
    Ok(measurement.measured(stream.split(), Vec::new()))
}

/// A pass over a split, summed up.
struct Measurement<'a> {
    started: Instant,
    tally: Tally,
    predictions: Predictions,
    images: usize,
    epoch: usize,
    observer: &'a mut dyn Observer,
}

impl<'a> Measurement<'a> {
    fn new(classes: usize, images: usize, epoch: usize, observer: &'a mut dyn Observer) -> Self {
        let predictions = Predictions::with_capacity(classes, images);
        Self { started: Instant::now(), tally: Tally::new(classes), predictions, images, epoch, observer }
    }

    fn add(&mut self, model: &dyn Model, examples: Examples) -> Result<(), TrainError> {
        let logits = match &examples.input {
            Input::Images(images) => model.predict(images)?,
            Input::Frozen(x) => model.predict_unfrozen(x)?,
        };
        let losses = Loss::for_outputs(logits.dims()[1]).of_each(&logits, &examples.targets)?;
        let losses: Vec<f32> = losses.to_vec1().map_err(NnError::from)?;
        let logits = logits.to_vec2().map_err(NnError::from)?;
        self.tally.add(&examples.classes, &logits, &losses);
        let predictions = &mut self.predictions;
        predictions.ids.extend(examples.ids);
        predictions.truth.extend(examples.classes.iter().map(|class| *class as usize));
        predictions.losses.extend(losses);
        for row in &logits {
            push_probabilities(row, &mut predictions.probabilities);
        }
        let seconds = self.started.elapsed().as_secs_f64();
        self.observer.measured(&self.tally.progress(self.epoch, self.images, seconds));
        Ok(())
    }

    fn measured(self, split: Split, faults: Vec<Fault>) -> Measured {
        let predictions = self.predictions;
        let evaluation = Evaluation {
            skipped: faults.len() as u64,
            ..Evaluation::of(split.name(), &predictions.scored(), &predictions.losses)
        };
        Measured { evaluation, predictions, faults }
    }
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
