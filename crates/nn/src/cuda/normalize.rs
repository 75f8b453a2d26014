//! Bytes as the values that a network takes.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::launch::{Arg, launch, uninitialized};
use super::operand::{f32s, view};
use super::sizes::int;

/// `images * scale + offset`, channel by channel.
pub fn normalize(
    (images, images_layout): (&CudaStorage, &Layout),
    (scale, scale_layout): (&CudaStorage, &Layout),
    (offset, offset_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let (device, shape) = (images.device(), images_layout.shape());
    let mut out = uninitialized(device, shape.elem_count())?;
    let args = vec![
        Arg::U8s(view("normalize", images, images_layout)?),
        Arg::F32(f32s("normalize", scale, scale_layout)?),
        Arg::F32(f32s("normalize", offset, offset_layout)?),
        Arg::F32Out(&mut out),
        Arg::Int(int(scale_layout.shape().elem_count())?),
    ];
    launch(device, "normalize", shape.elem_count(), args)?;
    Ok((CudaStorage::wrap_cuda_slice(out, device.clone()), shape.clone()))
}
