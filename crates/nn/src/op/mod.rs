//! Operations on tensors that Candle differentiates, one a file: shapes, checks, forward and `bwd`; the kernels behind
//! them stand in [`crate::kernel`].

pub mod activation;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod conv2d;
pub mod dense;
pub mod depthwise_conv2d;
pub mod dropout;
pub mod global_avg_pool2d;
pub mod loss;
pub mod max_pool2d;
pub mod normalize;
pub mod pool2d;
#[cfg(test)]
mod reference;
pub mod spatial_dropout;

use candle_core::{DType, Tensor};

use crate::error::NnError;

/// Whether all tensors that `op` is given by these names are f32.
pub(crate) fn check_f32(op: &'static str, tensors: &[(&str, &Tensor)]) -> Result<(), NnError> {
    tensors.iter().try_for_each(|(name, tensor)| check_dtype(op, name, tensor, DType::F32))
}

/// Whether `op` can take the activations `x` and the tensors by these names, which must have their type: f32, or on a GPU bf16.
pub(crate) fn check_reals(op: &'static str, x: &Tensor, others: &[(&str, &Tensor)]) -> Result<(), NnError> {
    let expected = if x.dtype() == DType::BF16 && x.device().is_cuda() { DType::BF16 } else { DType::F32 };
    let all = std::iter::once(("x", x)).chain(others.iter().copied());
    all.into_iter().try_for_each(|(name, tensor)| check_dtype(op, name, tensor, expected))
}

/// Whether the tensor that `op` calls `name` is of type `expected`.
pub(crate) fn check_dtype(op: &'static str, name: &str, tensor: &Tensor, expected: DType) -> Result<(), NnError> {
    let (got, shape) = (tensor.dtype().as_str(), tensor.dims());
    if tensor.dtype() == expected {
        return Ok(());
    }
    let expected = expected.as_str();
    let reason = format!("{name} must be {expected}, got {got} of shape {shape:?}; convert it with `to_dtype`");
    Err(NnError::Type { op, reason })
}
