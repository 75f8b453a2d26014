//! Batches from a zip archive, in a loop.
//!
//!     cargo run --example batches -p aumenta-stream

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare};
use aumenta_seed::Seed;
use aumenta_stream::{Color, Preprocessing, TrainConfig, TrainStream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A data set to stream from: here drawn cats and dogs, packed as Kaggle packs them.
    let folder = tempfile::tempdir()?;
    let zip = folder.path().join("cats-and-dogs.zip");
    aumenta_drawn::write_zip(&zip, 60, 96, Seed::new(7))?;
    let amounts = Amounts::Counts { train: 50, val: 5, test: Some(5) };
    prepare(&zip, &PrepareConfig::new(amounts), &|_, _| {})?.write(&folder.path().join("manifest.json"))?;
    let dataset = Arc::new(Dataset::open(folder.path(), None)?);

    let config = TrainConfig {
        augment: AugmentConfig::book().build()?,
        ..TrainConfig::new(Preprocessing::new(64, 64, Color::Rgb), 16, Seed::new(7))
    };
    let stream = TrainStream::new(dataset, config)?;
    for epoch in 0..2 {
        for batch in stream.epoch(epoch) {
            let batch = batch?;
            let mean = batch.floats().iter().sum::<f32>() / batch.floats().len() as f32;
            println!("epoch {epoch} batch {} of shape {:?}, mean {mean:.3}", batch.index, batch.dimensions());
        }
    }
    Ok(())
}
