//! What a convolution does, and what a network has learned.
//!
//! [`Convolution`] and [`Pooling`] show their work on a small [`Volume`] of numbers, window by window, and [`filter`] runs a kernel
//! over a picture. A [`Network`] is looked into layer by layer: [`Activations`] are what it makes of an image, a [`Pattern`] is
//! what a filter answers to most, and four maps say which places of an image speak for a class:
//!
//! | map | what it is | costs |
//! | --- | --- | --- |
//! | [`ClassMap::GradCam`], [`ClassMap::GradCamPlusPlus`] | channels of a layer, weighed by gradients; coarse, by class | one pass and half of one back |
//! | [`saliency()`] | the gradient to each pixel; fine and noisy | one pass and one back |
//! | [`SmoothGrad`] | the same over noisy copies | 50 of these |
//! | [`Occlusion`] | what hiding a place costs, without any gradient | a pass a place |
//!
//! Images are f32 `[1, height, width, channels]`, normalized as the network takes them. A [`HeatMap`] is drawn elsewhere.
//!
//! ```
//! use aumenta_explain::{ClassMap, Network};
//! use aumenta_models::ModelConfig;
//! use aumenta_seed::Seed;
//! use candle_core::{DType, Device, Tensor};
//!
//! let architecture = ModelConfig::named("mnist-convnet")?.architecture()?;
//! let model = architecture.build(Seed::new(7), &Device::Cpu)?;
//! let network = Network::new(&architecture, &*model);
//! let image = Tensor::ones((1, 28, 28, 1), DType::F32, &Device::Cpu)?;
//! let layer = network.last_layer()?;
//! let map = ClassMap::GradCam.of(&network, &image, &layer.name, 3)?;
//! assert_eq!([map.height(), map.width()], layer.shape[..2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activations;
mod by_hand;
mod class_map;
mod error;
mod heat_map;
mod network;
mod occlusion;
mod pattern;
mod probabilities;
mod saliency;
mod tiles;

pub use activations::Activations;
pub use by_hand::{Convolution, NamedKernel, Pooled, Pooling, PoolingKind, Sum, Volume, Window, filter, pool_picture};
pub use class_map::ClassMap;
pub use error::ExplainError;
pub use heat_map::HeatMap;
pub use network::{Network, PictureLayer};
pub use occlusion::Occlusion;
pub use pattern::{ColorRange, FoundPattern, Pattern, Regularization};
pub use probabilities::probabilities;
pub use saliency::{SmoothGrad, saliency};
pub use tiles::tiles;
