//! From Candle's storage to the slices that kernels take.

use candle_core::{CpuStorage, Layout, Result, bail};

/// The elements of a contiguous f32 tensor.
pub(crate) fn f32s<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        (CpuStorage::F32(_), None) => bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape()),
        (other, _) => bail!("{op}: expected f32, got {:?}", candle_core::backend::BackendStorage::dtype(other)),
    }
}

/// The elements of a contiguous f32 tensor, to be changed.
pub(crate) fn f32s_mut<'a>(op: &str, storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        (CpuStorage::F32(_), None) => bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape()),
        (other, _) => bail!("{op}: expected f32, got {:?}", candle_core::backend::BackendStorage::dtype(other)),
    }
}

/// The elements of a contiguous u32 tensor.
pub(crate) fn u32s<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::U32(values), Some((start, end))) => Ok(&values[start..end]),
        (CpuStorage::U32(_), None) => bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape()),
        (other, _) => bail!("{op}: expected u32, got {:?}", candle_core::backend::BackendStorage::dtype(other)),
    }
}
