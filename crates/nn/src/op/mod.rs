//! Operations on tensors that Candle differentiates, one a file: shapes, checks, forward and `bwd`; the kernels behind
//! them stand in [`crate::kernel`].

pub mod activation;
pub mod conv2d;
pub mod dense;
pub mod dropout;
pub mod loss;
pub mod max_pool2d;
