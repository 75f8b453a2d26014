//! Convolutions by kernels of this crate: one thread an element of the result.

use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, Result};

use super::conv2d::Problem;
use super::launch::{Arg, launch, uninitialized};
use super::operand::{Reals, Written, launch_for};
use super::sizes::{self, int};
use super::sums;

/// The convolution of `x` with `weight` in OIHW.
pub fn forward(device: &CudaDevice, problem: &Problem, x: &Reals<'_>, weight: &Reals<'_>) -> Result<Written> {
    let len = problem.output_shape().elem_count();
    let mut out = Written::new(device, x.dtype(), len)?;
    let args = vec![x.arg(), weight.arg(), out.arg(), Arg::Convolution(sizes::convolution(&problem.geometry)?)];
    launch_for(device, "conv2d", x.dtype(), len, args)?;
    Ok(out)
}

/// The gradient to the images.
pub fn input_gradient(
    device: &CudaDevice,
    problem: &Problem,
    weight: &Reals<'_>,
    gradient: &Reals<'_>,
) -> Result<Written> {
    let len = problem.input_shape().elem_count();
    let mut out = Written::new(device, gradient.dtype(), len)?;
    let args = vec![weight.arg(), gradient.arg(), out.arg(), Arg::Convolution(sizes::convolution(&problem.geometry)?)];
    launch_for(device, "conv2d_input_gradient", gradient.dtype(), len, args)?;
    Ok(out)
}

/// The gradient to the weight, in OIHW.
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
    let sums = sums::of_rows(device, of_lanes, lanes, weights)?;
    let mut out = uninitialized(device, weights)?;
    let args = vec![Arg::F64(&sums), Arg::F32Out(&mut out), Arg::Int(int(problem.geometry.output[2])?)];
    launch(device, "to_weight", weights, args)?;
    Ok(out)
}
