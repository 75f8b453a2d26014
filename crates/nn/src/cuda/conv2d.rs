//! Convolution, its bias and activation, and its gradients: through cuDNN where the feature `cudnn` is on and cuDNN has a good way, else
//! by plain kernels.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, Shape};

#[cfg(feature = "cudnn")]
use super::cudnn;
use super::operand::{Reals, Written};
use super::{activation, plain};
use crate::kernel::activation::Activation;
use crate::kernel::conv2d;
use crate::precision::Precision;

/// A convolution of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    pub geometry: conv2d::Geometry,
    pub images: usize,
    /// Whether factors of products may lose bits, see [`Precision::Tf32`].
    pub tf32: bool,
}

impl Problem {
    pub fn new(geometry: &conv2d::Geometry, precision: Precision, images: usize) -> Self {
        Self { geometry: *geometry, images, tf32: precision == Precision::Tf32 }
    }

    pub fn input_shape(&self) -> Shape {
        let [height, width, channels] = self.geometry.input;
        Shape::from((self.images, height, width, channels))
    }

    pub fn output_shape(&self) -> Shape {
        let [rows, columns, channels] = self.geometry.output;
        Shape::from((self.images, rows, columns, channels))
    }

    pub fn weight_shape(&self) -> Shape {
        let [rows, columns] = self.geometry.kernel;
        Shape::from((self.geometry.output[2], self.geometry.group()[0], rows, columns))
    }

    /// Whether cuDNN is asked. It has fast depthwise convolutions for halves alone; elsewhere memory decides, of which plain kernels read
    /// no more than they must.
    #[cfg(feature = "cudnn")]
    fn is_for_cudnn(&self, dtype: DType) -> bool {
        let is_depthwise = self.geometry.groups > 1 && self.geometry.group()[0] == 1;
        !is_depthwise || dtype == DType::BF16
    }
}

/// `activation(conv(x, weight) + bias)`.
pub fn forward(
    geometry: &conv2d::Geometry,
    precision: Precision,
    function: Activation,
    (x, x_layout): (&CudaStorage, &Layout),
    (weight, weight_layout): (&CudaStorage, &Layout),
    bias: (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let (op, device) = ("conv2d", x.device());
    let (images, weight) = (Reals::of(op, x, x_layout)?, Reals::of(op, weight, weight_layout)?);
    let problem = Problem::new(geometry, precision, x_layout.dims()[0]);
    let shape = problem.output_shape();
    let mut sums = convolved(device, &problem, &images, &weight)?;
    activation::add_bias(device, &mut sums, shape.elem_count(), bias, function)?;
    Ok((sums.into_storage(device), shape))
}

/// The gradient to the images of a batch.
pub fn input_gradient(
    geometry: &conv2d::Geometry,
    precision: Precision,
    (weight, weight_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let (op, device) = ("conv2d-input-gradient", gradient.device());
    let (weight, reals) = (Reals::of(op, weight, weight_layout)?, Reals::of(op, gradient, gradient_layout)?);
    let problem = Problem::new(geometry, precision, gradient_layout.dims()[0]);
    let out = to_images(device, &problem, &weight, &reals)?;
    Ok((out.into_storage(device), problem.input_shape()))
}

/// The gradient to the weight, in the weight's type.
pub fn weight_gradient(
    geometry: &conv2d::Geometry,
    precision: Precision,
    (x, x_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let (op, device) = ("conv2d-weight-gradient", x.device());
    let (images, reals) = (Reals::of(op, x, x_layout)?, Reals::of(op, gradient, gradient_layout)?);
    let problem = Problem::new(geometry, precision, x_layout.dims()[0]);
    let out = to_weight(device, &problem, &images, &reals)?;
    let out = CudaStorage::wrap_cuda_slice(out, device.clone());
    // A gradient has its variable's type.
    let out = if x.dtype() == DType::F32 {
        out
    } else {
        out.to_dtype(&Layout::contiguous(problem.weight_shape()), x.dtype())?
    };
    Ok((out, problem.weight_shape()))
}

fn convolved(device: &CudaDevice, problem: &Problem, x: &Reals<'_>, weight: &Reals<'_>) -> Result<Written> {
    #[cfg(feature = "cudnn")]
    if problem.is_for_cudnn(x.dtype())
        && let Some(out) = cudnn::forward(device, problem, x, weight)?
    {
        return Ok(out);
    }
    plain::forward(device, problem, x, weight)
}

fn to_images(device: &CudaDevice, problem: &Problem, weight: &Reals<'_>, gradient: &Reals<'_>) -> Result<Written> {
    #[cfg(feature = "cudnn")]
    if problem.is_for_cudnn(gradient.dtype())
        && let Some(out) = cudnn::input_gradient(device, problem, weight, gradient)?
    {
        return Ok(out);
    }
    plain::input_gradient(device, problem, weight, gradient)
}

fn to_weight(device: &CudaDevice, problem: &Problem, x: &Reals<'_>, gradient: &Reals<'_>) -> Result<CudaSlice<f32>> {
    #[cfg(feature = "cudnn")]
    if problem.is_for_cudnn(x.dtype())
        && let Some(out) = cudnn::weight_gradient(device, problem, x, gradient)?
    {
        return Ok(out);
    }
    plain::weight_gradient(device, problem, x, gradient)
}
