//! Convolution, its bias and activation, and its gradients: through cuDNN where the feature `cudnn` is on, else by the plain kernels
//! of `kernels/conv2d.cu`.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::activation;
#[cfg(feature = "cudnn")]
use super::cudnn as convolution;
use super::operand::Reals;
use crate::kernel::activation::Activation;
use crate::kernel::conv2d;
use crate::precision::Precision;

#[cfg(not(feature = "cudnn"))]
use plain as convolution;

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
    let mut sums = convolution::forward(device, &problem, &images, &weight)?;
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
    let out = convolution::input_gradient(device, &problem, &weight, &reals)?;
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
    let out = convolution::weight_gradient(device, &problem, &images, &reals)?;
    let out = CudaStorage::wrap_cuda_slice(out, device.clone());
    // A gradient has its variable's type.
    let out = if x.dtype() == candle_core::DType::F32 {
        out
    } else {
        out.to_dtype(&Layout::contiguous(problem.weight_shape()), x.dtype())?
    };
    Ok((out, problem.weight_shape()))
}

/// Without cuDNN: one thread an element of the result.
#[cfg(not(feature = "cudnn"))]
mod plain {
    use candle_core::cuda_backend::cudarc::driver::CudaSlice;
    use candle_core::{CudaDevice, Result};

    use super::Problem;
    use crate::cuda::launch::{Arg, uninitialized};
    use crate::cuda::operand::{Reals, Written, launch_for};
    use crate::cuda::sizes::{self, int};
    use crate::cuda::sums;

    pub fn forward(device: &CudaDevice, problem: &Problem, x: &Reals<'_>, weight: &Reals<'_>) -> Result<Written> {
        let len = problem.output_shape().elem_count();
        let mut out = Written::new(device, x.dtype(), len)?;
        let args = vec![x.arg(), weight.arg(), out.arg(), Arg::Convolution(sizes::convolution(&problem.geometry)?)];
        launch_for(device, "conv2d", x.dtype(), len, args)?;
        Ok(out)
    }

    pub fn input_gradient(
        device: &CudaDevice,
        problem: &Problem,
        weight: &Reals<'_>,
        gradient: &Reals<'_>,
    ) -> Result<Written> {
        let len = problem.input_shape().elem_count();
        let mut out = Written::new(device, gradient.dtype(), len)?;
        let args =
            vec![weight.arg(), gradient.arg(), out.arg(), Arg::Convolution(sizes::convolution(&problem.geometry)?)];
        launch_for(device, "conv2d_input_gradient", gradient.dtype(), len, args)?;
        Ok(out)
    }

    pub fn weight_gradient(
        device: &CudaDevice,
        problem: &Problem,
        x: &Reals<'_>,
        gradient: &Reals<'_>,
    ) -> Result<CudaSlice<f32>> {
        let weights = problem.weight_shape().elem_count();
        let places = problem.images * problem.geometry.output[0] * problem.geometry.output[1];
        let lanes = sizes::lanes(places, weights);
        let mut of_lanes = uninitialized(device, lanes * weights)?;
        let args = vec![
            x.arg(),
            gradient.arg(),
            Arg::F64Out(&mut of_lanes),
            Arg::Int(int(places)?),
            Arg::Int(int(lanes)?),
            Arg::Convolution(sizes::convolution(&problem.geometry)?),
        ];
        launch_for(device, "conv2d_weight_sums", x.dtype(), lanes * weights, args)?;
        sums::to_floats(device, &sums::of_rows(device, of_lanes, lanes, weights)?)
    }
}
