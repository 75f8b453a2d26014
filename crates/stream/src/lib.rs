//! The streaming generator: worker threads read, decode, augment and collate images straight from their archive, and
//! batches arrive in order.
//!
//! [`TrainStream`] shuffles and augments; [`EvalStream`] does neither, and its configuration has no place for a
//! transform, so that validation cannot be augmented by mistake: it does not compile. Training can also mix the images
//! of a batch, two in one; a batch then holds the shares of its classes.
//!
//! The batches of an epoch are a function of the data set, the configuration and the epoch's number. They are the same,
//! byte for byte, for any number of workers. A stream ends in `None` with every image delivered, or in an error that
//! names the image; never in a quietly shorter epoch.
//!
//! ```
//! use std::sync::Arc;
//!
//! use aumenta_augment::AugmentConfig;
//! use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare};
//! use aumenta_seed::Seed;
//! use aumenta_stream::{Color, Preprocessing, TrainConfig, TrainStream};
//!
//! let folder = tempfile::tempdir()?;
//! let zip = folder.path().join("drawn.zip");
//! aumenta_drawn::write_zip(&zip, 6, 32, Seed::new(7))?;
//! let config = PrepareConfig::new(Amounts::Counts { train: 4, val: 1, test: Some(1) });
//! prepare(&zip, &config, &|_, _| {})?.write(&folder.path().join("manifest.json"))?;
//!
//! let stream = TrainStream::new(
//!     Arc::new(Dataset::open(folder.path(), None)?),
//!     TrainConfig {
//!         preprocessing: Preprocessing::new(24, 24, Color::Rgb),
//!         batch_size: 3,
//!         workers: 2,
//!         seed: Seed::new(7),
//!         augment: AugmentConfig::book().build()?,
//!         mix: None,
//!     },
//! )?;
//! let mut sizes = Vec::new();
//! for batch in stream.epoch(0) {
//!     let batch = batch?;
//!     assert_eq!(batch.pixels.len(), batch.len() * 24 * 24 * 3);
//!     sizes.push(batch.len());
//! }
//! assert_eq!(sizes, [3, 3, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What happened to one image can be looked at again: [`TrainStream::sample`] gives its plan and its pixels.

mod batch;
mod epoch;
mod error;
mod preprocessing;
mod sample;
mod sampler;
mod streams;
mod worker;

pub use batch::Batch;
pub use epoch::Epoch;
pub use error::StreamError;
pub use preprocessing::{Color, Preprocessing};
pub use sample::{Mixed, Sample};
pub use sampler::order;
pub use streams::{EvalConfig, EvalStream, TrainConfig, TrainStream};
