//! The CPU kernels behind the operations: plain slices in, plain slices out, no Candle.
//!
//! All kernels give the same bytes for any number of threads: work is divided by the shape of the problem, never by
//! the number of threads, and partial sums are added in a fixed order.

pub mod activation;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod conv2d;
pub mod dense;
pub mod depthwise_conv2d;
pub mod dropout;
pub mod flatten;
pub mod global_avg_pool2d;
pub mod matmul;
pub mod max_pool2d;
pub mod normalize;
pub mod parts;
pub mod pool2d;
pub mod scratch;
pub mod vectors;
