//! The operations on an NVIDIA GPU: what `cuda_fwd` of each calls, a file a family.
//!
//! Kernels are CUDA C (`kernels/`), which NVRTC compiles when a device first needs one. They keep to the C that a C compiler takes
//! too, so tests run the same text on the CPU and hold it to the CPU's kernels (`host.rs`). Convolutions go through cuDNN where the
//! feature `cudnn` is on (`cudnn.rs`), products of matrices through cuBLAS, as Candle calls it.
//!
//! `unsafe` stands in `launch.rs`, `cudnn.rs`, `memory.rs` and `upload.rs` alone. Sums are added in a fixed order, so on one GPU with one version of the
//! libraries the same seed gives the same weights; they are not the bytes of the CPU.

#[cfg(feature = "cuda")]
pub mod activation;
#[cfg(feature = "nccl")]
pub mod all_reduce;
#[cfg(feature = "cuda")]
pub mod batch_norm;
#[cfg(feature = "cuda")]
pub mod conv2d;
#[cfg(feature = "cudnn")]
mod cudnn;
#[cfg(feature = "cuda")]
pub mod dense;
#[cfg(feature = "cuda")]
pub mod dropout;
#[cfg(test)]
mod host;
#[cfg(test)]
mod kernel_tests;
#[cfg(feature = "cuda")]
mod launch;
#[cfg(feature = "cuda")]
pub mod loss;
#[cfg(feature = "cuda")]
pub mod memory;
#[cfg(feature = "cuda")]
pub mod normalize;
#[cfg(feature = "cuda")]
pub mod operand;
#[cfg(feature = "cuda")]
mod plain;
#[cfg(feature = "cuda")]
pub mod pool2d;
pub mod sizes;
mod source;
#[cfg(feature = "cuda")]
pub mod sums;
#[cfg(feature = "cuda")]
pub mod tensors;
#[cfg(feature = "cuda")]
pub mod upload;
