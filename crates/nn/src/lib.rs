//! What Candle lacks for training networks on little data: operations with right gradients, seeded initialisation and
//! dropout, losses in stable form, optimizers and named parameters.
//!
//! Activations are f32 NHWC; parameters have PyTorch's names and shapes. [`conv2d`], [`max_pool2d`], [`batch_norm_train`],
//! [`dropout`] and the losses are ordinary functions from tensors to tensors that Candle differentiates; behind them stand
//! kernels over plain slices. [`Sequential`] chains layers by a list of [`LayerSpec`]; its [`Sequential::gradients`] and
//! [`Sequential::predict`] are the fast ways through a whole network. An [`Optimizer`] moves its [`Parameters`].
//!
//! On the CPU every operation gives the same bytes for any number of threads. With the feature `cuda`, operations, losses and
//! optimizers have kernels for NVIDIA's GPUs too, which [`DeviceChoice`] opens; these have run on a simulated GPU alone.
//!
//! ```
//! use aumenta_nn::{Activation, LayerSpec, NamedLayer, Optimizer, OptimizerConfig, Sequential, binary_cross_entropy};
//! use aumenta_seed::Seed;
//! use candle_core::{DType, Device, Tensor};
//!
//! let layers = [
//!     NamedLayer::new("conv1", LayerSpec::conv2d(4, 3, Activation::Relu)),
//!     NamedLayer::new("pool1", LayerSpec::max_pool2d(2)),
//!     NamedLayer::new("flatten", LayerSpec::Flatten {}),
//!     NamedLayer::new("dense1", LayerSpec::Dense { units: 1, activation: Activation::Linear }),
//! ];
//! let mut network = Sequential::new(&[8, 8, 3], &layers, Seed::new(7), &Device::Cpu)?;
//! let parameters = network.parameters().clone();
//! let mut optimizer = Optimizer::new(OptimizerConfig::default(), &parameters)?;
//! let (images, classes) = (Tensor::ones((2, 8, 8, 3), DType::F32, &Device::Cpu)?, Tensor::new(&[0u32, 1], &Device::Cpu)?);
//!
//! let step = network.gradients(&images, 0, &mut |logits| binary_cross_entropy(logits, &classes))?;
//! optimizer.step(&parameters, &step.gradients)?;
//! let logits = network.predict(&images)?;
//! assert_eq!(logits.dims(), [2, 1]);
//! # Ok::<(), aumenta_nn::NnError>(())
//! ```

mod activations;
#[cfg(any(test, feature = "nccl"))]
mod buckets;
#[cfg(any(test, feature = "cuda"))]
mod cuda;
mod device;
mod error;
#[cfg(test)]
mod finite_differences;
mod freezing;
mod gradients;
mod init;
mod kernel;
mod layer;
mod op;
mod optimizer;
mod parameters;
mod plan;
mod precision;
#[cfg(test)]
mod reference;
#[cfg(any(test, feature = "nccl"))]
mod rendezvous;
mod schedule;
mod sequential;
mod setting;
mod storage;
mod tape;
mod tensor_file;
mod weight_average;

pub use activations::LayerVisitor;
#[cfg(feature = "nccl")]
pub use cuda::all_reduce::GradientExchange;
#[cfg(feature = "cuda")]
pub use cuda::upload::{Uploaded, Uploader};
pub use device::{ChosenDevice, DeviceChoice};
pub use error::NnError;
pub use gradients::{GradientSum, Gradients};
pub use init::Initializer;
pub use layer::{
    BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, LayerSpec, NamedLayer, Padding, ParameterShape, Pool2dLayer,
    Role,
};
pub use op::activation::{Activation, activate};
pub use op::avg_pool2d::{PaddingCount, avg_pool2d};
pub use op::batch_norm::{BatchStatistics, RunningStatistics, batch_norm_eval, batch_norm_train};
pub use op::conv2d::{Conv2dOptions, conv2d, same_padding};
pub use op::dense::dense;
pub use op::depthwise_conv2d::{DepthwiseConv2dOptions, depthwise_conv2d};
pub use op::dropout::dropout;
pub use op::global_avg_pool2d::global_avg_pool2d;
pub use op::loss::{Loss, binary_cross_entropy, cross_entropy};
pub use op::max_pool2d::max_pool2d;
pub use op::normalize::normalize;
pub use op::pool2d::Pool2dOptions;
pub use op::spatial_dropout::spatial_dropout;
pub use optimizer::{
    AdamConfig, AdamWConfig, Decayed, Optimizer, OptimizerConfig, OptimizerState, OptimizerVariant, ParameterGroup,
    RmsPropConfig, SgdConfig,
};
pub use parameters::{Parameter, Parameters, Penalty};
pub use precision::Precision;
pub use schedule::{Goal, OneCycleConfig, Plateau, PlateauConfig, PlateauDecision, ScheduleConfig};
pub use sequential::{Mode, Sequential, TrainStep};
pub use tensor_file::{NamedTensor, TensorFile};
pub use weight_average::WeightAverage;
