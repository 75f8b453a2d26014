//! The streaming generator: worker threads read, decode, augment and collate images straight from their archive, and
//! batches arrive in order.
//!
//! [`TrainStream`] shuffles and augments; [`EvalStream`] does neither, and its configuration has no place for a
//! transform, so that validation cannot be augmented by mistake: it does not compile. Training can also mix the images
//! of a batch, two in one; a batch then holds the shares of its classes. [`ImageStream`] delivers images without classes, to
//! be predicted, if need be in several [`Views`] of each.
//!
//! The way of a sample: a [`Sampling`] draws the whole epoch before it starts; any worker takes the next sample, reads,
//! decodes and augments it straight into its slot of a batch; the worker that fills the last slot puts the batch
//! together; batches are delivered in order, at most [`Loader::prefetch`] of them ahead. Memory is used again, so that a
//! stream at work allocates nothing for an image.
//!
//! The batches of an epoch are a function of the data set, the configuration and the epoch's number; the random numbers
//! of a sample one of the seed, the epoch, the record and its view. They are the same, byte for byte, for any
//! [`Loader`], from any packing of the same images, and for all [`Shard`]s together. The state of a stream is a
//! [`Cursor`], with which [`TrainStream::resume`] goes on within an epoch.
//!
//! A stream ends in `None` with every image delivered or accounted for in [`Epoch::faults`], or in an error that names the
//! image; never in a quietly shorter epoch, and never in a hang.
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
//!         augment: AugmentConfig::book().build()?,
//!         ..TrainConfig::new(Preprocessing::new(24, 24, Color::Rgb), 3, Seed::new(7))
//!     },
//! )?;
//! let mut sizes = Vec::new();
//! for batch in stream.epoch(0) {
//!     let batch = batch?;
//!     assert_eq!(batch.dimensions(), [batch.len(), 24, 24, 3]);
//!     assert_eq!(batch.floats().len(), batch.len() * 24 * 24 * 3);
//!     sizes.push(batch.len());
//! }
//! assert_eq!(sizes, [3, 3, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What happened to one image can be looked at again: [`TrainStream::sample`] gives its plan and its pixels.

mod assembly;
mod batch;
mod cache;
mod epoch;
mod error;
mod fault;
mod image_stream;
mod images;
mod layout;
mod listing;
mod loader;
mod memory;
mod meter;
mod pool;
mod preprocessing;
mod recipe;
mod sample;
mod sampler;
mod streams;
mod views;
mod watchdog;
mod worker;

pub use batch::{Batch, Values};
pub use cache::{Cache, CacheConfig, CacheMode, CacheUse};
pub use epoch::{Cursor, Epoch};
pub use error::StreamError;
pub use fault::{Fault, OnError};
pub use image_stream::{ImageBatch, ImageConfig, ImagePass, ImageStream};
pub use layout::{Layout, Shape};
pub use listing::Listing;
pub use loader::Loader;
pub use meter::{Stage, StallReport};
pub use preprocessing::{Color, Preprocessing};
pub use sample::{Mixed, Sample};
pub use sampler::{Draw, Order, Sampling, Shard};
pub use streams::{EvalConfig, EvalStream, TrainConfig, TrainStream};
pub use views::{DrawnViews, Views};
