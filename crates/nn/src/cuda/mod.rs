//! What only NVIDIA's GPUs have.

#[cfg(feature = "nccl")]
mod all_reduce;

#[cfg(feature = "nccl")]
pub use all_reduce::GradientExchange;
