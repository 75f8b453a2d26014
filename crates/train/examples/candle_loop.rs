//! A training loop in plain Candle over a stream: a linear classifier on drawn cats and dogs.
//!
//!     cargo run --release --example candle_loop -p aumenta-train

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare};
use aumenta_seed::Seed;
use aumenta_stream::{Color, Preprocessing, TrainConfig, TrainStream};
use candle_core::{DType, Device, Tensor, Var};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let zip = folder.path().join("cats-and-dogs.zip");
    aumenta_drawn::write_zip(&zip, 210, 96, Seed::new(7))?;
    let amounts = Amounts::Counts { train: 200, val: 5, test: Some(5) };
    prepare(&zip, &PrepareConfig::new(amounts), &|_, _| {})?.write(&folder.path().join("manifest.json"))?;

    let preprocessing = Preprocessing::new(24, 24, Color::Gray);
    let config = TrainConfig {
        augment: AugmentConfig { horizontal_flip: true, ..AugmentConfig::default() }.build()?,
        ..TrainConfig::new(preprocessing.clone(), 20, Seed::new(7))
    };
    let stream = TrainStream::new(Arc::new(Dataset::open(folder.path(), None)?), config)?;

    let device = Device::Cpu;
    let weights = Var::zeros((preprocessing.len(), 1), DType::F32, &device)?;
    let bias = Var::zeros((1, 1), DType::F32, &device)?;
    for epoch in 0..10 {
        let mut losses = 0.0;
        for batch in stream.epoch(epoch) {
            let batch = batch?;
            let images = Tensor::from_slice(batch.floats(), &batch.dimensions(), &device)?.flatten_from(1)?;
            let targets = Tensor::new(batch.classes.as_slice(), &device)?.to_dtype(DType::F32)?.unsqueeze(1)?;
            let logits = images.matmul(&weights)?.broadcast_add(&bias)?;
            // Cross-entropy of a sigmoid: log(1 + exp(z)) - y z.
            let loss = ((logits.exp()? + 1.0)?.log()? - (&targets * &logits)?)?.mean_all()?;
            losses += loss.to_scalar::<f32>()?;
            let gradients = loss.backward()?;
            for variable in [&weights, &bias] {
                if let Some(gradient) = gradients.get(variable) {
                    variable.set(&(variable.as_tensor() - (gradient * 0.02)?)?)?;
                }
            }
        }
        println!("epoch {epoch}: loss {:.4}", losses / stream.batch_count() as f32);
    }
    Ok(())
}
