//! Dropout of elements and of whole channels.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::launch::Arg;
use super::operand::{Reals, elementwise};
use super::sizes::ints;
use crate::kernel::dropout::Mask;

/// `x` with its units dropped or scaled: elements, or with `sizes` the channels of images of so many pixels and channels.
pub fn dropout(
    mask: Mask,
    sizes: Option<[usize; 2]>,
    x: &CudaStorage,
    layout: &Layout,
) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("dropout", x, layout)?;
    let [area, channels] = ints(sizes.unwrap_or([0, 1]))?;
    let behind =
        vec![Arg::U64(mask.key), Arg::U64(mask.threshold), Arg::Float(mask.scale), Arg::Int(area), Arg::Int(channels)];
    elementwise(x.device(), "dropout", values.dtype(), layout.shape().clone(), vec![values.arg()], behind)
}
