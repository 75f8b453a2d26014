//! Activations, and the bias in front of them.

use candle_core::backend::BackendStorage;
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Shape};

use super::launch::Arg;
use super::operand::{Reals, Written, elementwise, f32s, launch_for};
use super::sizes::int;
use crate::kernel::activation::Activation;

/// The activation's number in `kernels/prelude.cu`.
pub fn number(activation: Activation) -> i32 {
    match activation {
        Activation::Linear => 0,
        Activation::Relu => 1,
        Activation::Relu6 => 2,
        Activation::Sigmoid => 3,
    }
}

pub fn activate(activation: Activation, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("activate", x, layout)?;
    let behind = vec![Arg::Int(number(activation))];
    elementwise(x.device(), "activate", values.dtype(), layout.shape().clone(), vec![values.arg()], behind)
}

pub fn input_gradient(
    activation: Activation,
    (y, y_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let op = "activation-gradient";
    let (output, gradient) = (Reals::of(op, y, y_layout)?, Reals::of(op, gradient, gradient_layout)?);
    let (before, behind) = (vec![output.arg(), gradient.arg()], vec![Arg::Int(number(activation))]);
    elementwise(y.device(), "activation_gradient", output.dtype(), y_layout.shape().clone(), before, behind)
}

/// Adds `bias`, one element a channel, to sums of `len` elements with the channels last, and applies the activation, in place.
pub fn add_bias(
    device: &CudaDevice,
    sums: &mut Written,
    len: usize,
    (bias, bias_layout): (&CudaStorage, &Layout),
    activation: Activation,
) -> Result<()> {
    let (bias, dtype) = (f32s("bias", bias, bias_layout)?, sums.dtype());
    let channels = int(bias_layout.shape().elem_count())?;
    let args = vec![sums.arg(), Arg::F32(bias), Arg::Int(channels), Arg::Int(number(activation))];
    launch_for(device, "add_bias", dtype, len, args)
}
