//! Sums over all but the last axis.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Shape};

use super::launch::{Arg, launch, uninitialized};
use super::operand::{Reals, launch_for};
use super::sizes::{FAN_IN, int, ints, lanes};

/// The sum of `rows` rows of `columns` columns each, which lie in `sums`.
pub fn of_rows(
    device: &CudaDevice,
    mut sums: CudaSlice<f64>,
    mut rows: usize,
    columns: usize,
) -> Result<CudaSlice<f64>> {
    while rows > 1 {
        let left = rows.div_ceil(FAN_IN);
        let mut out = uninitialized(device, left * columns)?;
        let args = vec![Arg::F64(&sums), Arg::F64Out(&mut out), Arg::Int(int(rows)?), Arg::Int(int(columns)?)];
        launch(device, "sum_rows", left * columns, args)?;
        (sums, rows) = (out, left);
    }
    Ok(sums)
}

/// Sums as f32.
pub fn to_floats(device: &CudaDevice, sums: &CudaSlice<f64>) -> Result<CudaSlice<f32>> {
    let mut out = uninitialized(device, sums.len())?;
    launch(device, "to_floats", sums.len(), vec![Arg::F64(sums), Arg::F32Out(&mut out)])?;
    Ok(out)
}

/// The sums of `x`, f32, one for each element of its last axis.
pub fn over_rows(x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let (device, values) = (x.device(), Reals::of("bias-gradient", x, layout)?);
    let channels = layout.dims()[layout.dims().len() - 1];
    let rows = layout.shape().elem_count() / channels;
    let lanes = lanes(rows, channels);
    let mut sums = uninitialized(device, lanes * channels)?;
    let [of_rows_, of_channels, of_lanes] = ints([rows, channels, lanes])?;
    let args =
        vec![values.arg(), Arg::F64Out(&mut sums), Arg::Int(of_rows_), Arg::Int(of_channels), Arg::Int(of_lanes)];
    launch_for(device, "lane_sums", values.dtype(), lanes * channels, args)?;
    let sums = to_floats(device, &of_rows(device, sums, lanes, channels)?)?;
    Ok((CudaStorage::wrap_cuda_slice(sums, device.clone()), Shape::from(channels)))
}
