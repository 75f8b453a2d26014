//! Dense layers: products by cuBLAS, as Candle calls it, then the bias and the activation.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::activation;
use super::operand::Written;
use crate::kernel::activation::Activation;

/// `activation(x * weight^T + bias)`.
pub fn forward(
    function: Activation,
    (x, x_layout): (&CudaStorage, &Layout),
    (weight, weight_layout): (&CudaStorage, &Layout),
    bias: (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let ((n, inputs), (outputs, _)) = (x_layout.shape().dims2()?, weight_layout.shape().dims2()?);
    let product = x.matmul(weight, (1, n, outputs, inputs), x_layout, &weight_layout.transpose(0, 1)?)?;
    let mut sums = Written::of(product)?;
    activation::add_bias(x.device(), &mut sums, n * outputs, bias, function)?;
    Ok((sums.into_storage(x.device()), Shape::from((n, outputs))))
}

/// `gradient * weight`.
pub fn input_gradient(
    (weight, weight_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let ((n, outputs), (_, inputs)) = (gradient_layout.shape().dims2()?, weight_layout.shape().dims2()?);
    let product = gradient.matmul(weight, (1, n, inputs, outputs), gradient_layout, weight_layout)?;
    Ok((product, Shape::from((n, inputs))))
}

/// `gradient^T * x`.
pub fn weight_gradient(
    (x, x_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let ((n, inputs), (_, outputs)) = (x_layout.shape().dims2()?, gradient_layout.shape().dims2()?);
    let product = gradient.matmul(x, (1, outputs, inputs, n), &gradient_layout.transpose(0, 1)?, x_layout)?;
    Ok((product, Shape::from((outputs, inputs))))
}
