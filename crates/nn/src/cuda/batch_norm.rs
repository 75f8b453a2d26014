//! Batch normalization.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::launch::{Arg, launch, uninitialized};
use super::operand::{Reals, elementwise, f32s, launch_for};
use super::sizes::{int, lanes};
use super::sums;

/// A tensor of the GPU.
type Operand<'a> = (&'a CudaStorage, &'a Layout);

/// Rows and channels of activations.
fn sizes(layout: &Layout) -> (usize, usize) {
    let channels = layout.dims()[layout.dims().len() - 1];
    (layout.shape().elem_count() / channels, channels)
}

/// The means, then the biased variances, of the channels of `x`: `[2, channels]`.
pub fn statistics(x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let (device, values) = (x.device(), Reals::of("batch-norm-statistics", x, layout)?);
    let (rows, channels) = sizes(layout);
    let lane_count = lanes(rows, channels);
    let mut of_lanes = uninitialized(device, lane_count * 2 * channels)?;
    let counts = [rows, channels, lane_count].map(int);
    let mut args = vec![values.arg(), Arg::F64Out(&mut of_lanes)];
    for count in counts {
        args.push(Arg::Int(count?));
    }
    launch_for(device, "moment_sums", values.dtype(), lane_count * channels, args)?;
    let all = sums::of_rows(device, of_lanes, lane_count, 2 * channels)?;
    let mut out = uninitialized(device, 2 * channels)?;
    launch(device, "statistics", channels, vec![Arg::F64(&all), Arg::F32Out(&mut out), Arg::Int(int(rows)?)])?;
    Ok((CudaStorage::wrap_cuda_slice(out, device.clone()), Shape::from((2, channels))))
}

/// `x` normalized by `statistics`, as [`statistics`] lays them out.
pub fn forward(
    epsilon: f32,
    (x, layout): Operand<'_>,
    statistics: Operand<'_>,
    gamma: Operand<'_>,
    beta: Operand<'_>,
) -> Result<(CudaStorage, Shape)> {
    let (op, values) = ("batch-norm", Reals::of("batch-norm", x, layout)?);
    let mut before = vec![values.arg()];
    for (storage, layout) in [statistics, gamma, beta] {
        before.push(Arg::F32(f32s(op, storage, layout)?));
    }
    let behind = vec![Arg::Int(int(sizes(layout).1)?), Arg::Float(epsilon)];
    elementwise(x.device(), "batch_norm", values.dtype(), layout.shape().clone(), before, behind)
}

/// The gradients to gamma, then to beta: `[2, channels]`.
pub fn parameter_gradients(
    epsilon: f32,
    (x, x_layout): Operand<'_>,
    (gradient, gradient_layout): Operand<'_>,
    (statistics, statistics_layout): Operand<'_>,
) -> Result<(CudaStorage, Shape)> {
    let (op, device) = ("batch-norm-parameter-gradients", x.device());
    let (values, gradient) = (Reals::of(op, x, x_layout)?, Reals::of(op, gradient, gradient_layout)?);
    let (rows, channels) = sizes(x_layout);
    let lane_count = lanes(rows, channels);
    let mut of_lanes = uninitialized(device, lane_count * 2 * channels)?;
    let mut args = vec![
        values.arg(),
        gradient.arg(),
        Arg::F32(f32s(op, statistics, statistics_layout)?),
        Arg::F64Out(&mut of_lanes),
    ];
    for count in [rows, channels, lane_count] {
        args.push(Arg::Int(int(count)?));
    }
    args.push(Arg::Float(epsilon));
    launch_for(device, "batch_norm_gradient_sums", values.dtype(), lane_count * channels, args)?;
    let sums = sums::to_floats(device, &sums::of_rows(device, of_lanes, lane_count, 2 * channels)?)?;
    Ok((CudaStorage::wrap_cuda_slice(sums, device.clone()), Shape::from((2, channels))))
}

/// The gradient to `x`: through its own statistics, with `to_parameters` as [`parameter_gradients`] gives them, or by given ones.
pub fn input_gradient(
    epsilon: f32,
    (x, x_layout): Operand<'_>,
    gradient: Operand<'_>,
    statistics: Operand<'_>,
    gamma: Operand<'_>,
    to_parameters: Option<Operand<'_>>,
) -> Result<(CudaStorage, Shape)> {
    let op = "batch-norm-input-gradient";
    let (values, slopes) = (Reals::of(op, x, x_layout)?, Reals::of(op, gradient.0, gradient.1)?);
    let (rows, channels) = sizes(x_layout);
    let mut before = vec![values.arg(), slopes.arg()];
    // Where there are no sums, the kernel does not look at them.
    for (storage, layout) in [statistics, gamma, to_parameters.unwrap_or(statistics)] {
        before.push(Arg::F32(f32s(op, storage, layout)?));
    }
    let through_statistics = i32::from(to_parameters.is_some());
    let behind =
        vec![Arg::Int(int(rows)?), Arg::Int(int(channels)?), Arg::Int(through_statistics), Arg::Float(epsilon)];
    elementwise(x.device(), "batch_norm_input_gradient", values.dtype(), x_layout.shape().clone(), before, behind)
}

/// Moves a running statistic towards `factor` times the batch's, in place.
pub fn move_running(
    momentum: f32,
    factor: f32,
    running: &mut CudaStorage,
    running_layout: &Layout,
    (batch, batch_layout): Operand<'_>,
) -> Result<()> {
    let (device, len) = (running.device().clone(), running_layout.shape().elem_count());
    if running_layout.start_offset() != 0 || !running_layout.is_contiguous() {
        candle_core::bail!("batch-norm: a running statistic is a variable of its own");
    }
    let batch = f32s("batch-norm", batch, batch_layout)?;
    let running = running.as_cuda_slice_mut::<f32>()?;
    let args = vec![Arg::F32Out(running), Arg::F32(batch), Arg::Float(momentum), Arg::Float(factor)];
    launch(&device, "move_running", len, args)
}
