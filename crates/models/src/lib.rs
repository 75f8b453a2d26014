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
mod basic_block;
mod cats_dogs_convnet;
mod choice;
mod config;
mod efficientnet_lite0;
mod error;
mod fine_tuning;
mod mnist_convnet;
mod mobilenet_v2;
mod model;
mod onnx;
mod resnet18;
mod resnet_small;
mod sequential;
mod summary;
mod vgg16;
mod weights;

pub use architecture::Architecture;
pub use choice::ModelChoice;
pub use config::ModelConfig;
pub use error::ModelError;
pub use model::Model;
pub use onnx::onnx_metadata;
pub use sequential::SequentialConfig;
pub use summary::{Summary, SummaryRow};
pub use vgg16::Vgg16Top;
pub use weights::{FoundWeights, Place, Pretrained, PublishedFile, read_weights};
