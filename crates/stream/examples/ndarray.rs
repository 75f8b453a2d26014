//! Batches as arrays of `ndarray`, without a copy: logistic regression on drawn cats and dogs.
//!
//!     cargo run --release --example ndarray -p aumenta-stream

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use aumenta_dataset::{Amounts, Dataset, PrepareConfig, Split, prepare};
use aumenta_seed::Seed;
use aumenta_stream::{Batch, Color, EvalConfig, EvalStream, Preprocessing, TrainConfig, TrainStream};
use ndarray::{Array1, ArrayView2};

const PREPROCESSING: Preprocessing = Preprocessing::new(24, 24, Color::Gray);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let zip = folder.path().join("cats-and-dogs.zip");
    aumenta_drawn::write_zip(&zip, 300, 96, Seed::new(7))?;
    let amounts = Amounts::Counts { train: 200, val: 99, test: Some(1) };
    prepare(&zip, &PrepareConfig::new(amounts), &|_, _| {})?.write(&folder.path().join("manifest.json"))?;
    let dataset = Arc::new(Dataset::open(folder.path(), None)?);
    let train = TrainStream::new(Arc::clone(&dataset), TrainConfig::new(PREPROCESSING, 20, Seed::new(7)))?;
    let validation = EvalStream::new(dataset, Split::Val, &EvalConfig::new(PREPROCESSING, 50))?;

    let mut weights = Array1::<f32>::zeros(PREPROCESSING.len());
    let mut bias = 0.0;
    for epoch in 0..30 {
        for batch in train.epoch(epoch) {
            let batch = batch?;
            let images = rows(&batch)?;
            // The gradient of cross-entropy: probabilities less what is right.
            let targets = Array1::from_iter(batch.classes.iter().map(|class| *class as f32));
            let errors = probabilities(&images, &weights, bias) - targets;
            weights.scaled_add(-0.02 / batch.len() as f32, &images.t().dot(&errors));
            bias -= 0.02 * errors.mean().unwrap_or(0.0);
        }
    }
    let mut right = 0;
    for batch in validation.pass() {
        let batch = batch?;
        let probabilities = probabilities(&rows(&batch)?, &weights, bias);
        right += probabilities.iter().zip(&batch.classes).filter(|(p, class)| u32::from(**p > 0.5) == **class).count();
    }
    println!("{right} of {} validation images are told apart", validation.image_count());
    Ok(())
}

/// The images of a batch, one a row.
fn rows(batch: &Batch) -> Result<ArrayView2<'_, f32>, ndarray::ShapeError> {
    ArrayView2::from_shape((batch.len(), batch.shape.len()), batch.floats())
}

fn probabilities(images: &ArrayView2<'_, f32>, weights: &Array1<f32>, bias: f32) -> Array1<f32> {
    (images.dot(weights) + bias).mapv(|logit| 1.0 / (1.0 + (-logit).exp()))
}
