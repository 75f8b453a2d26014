//! Network architectures, one a file, behind one trait.
//!
//! A [`ModelConfig`] names an architecture and its settings, as a run's configuration holds it, or holds the layers of a
//! network of its own, a [`SequentialConfig`]. It becomes an [`Architecture`] (layers as data, with a [`Summary`]) and, with a
//! seed, a [`Model`] that computes.
//!
//! ```
//! use aumenta_models::ModelConfig;
//!
//! let summary = ModelConfig::named("mnist-convnet")?.architecture()?.summary();
//! assert_eq!(summary.parameters(), 93_322);
//! # Ok::<(), aumenta_models::ModelError>(())
//! ```

mod architecture;
mod cats_dogs_convnet;
mod choice;
mod config;
mod efficientnet_lite0;
mod error;
mod mnist_convnet;
mod model;
mod onnx;
mod resnet_small;
mod sequential;
mod summary;

pub use architecture::Architecture;
pub use choice::ModelChoice;
pub use config::ModelConfig;
pub use error::ModelError;
pub use model::Model;
pub use onnx::onnx_metadata;
pub use sequential::SequentialConfig;
pub use summary::{Summary, SummaryRow};
