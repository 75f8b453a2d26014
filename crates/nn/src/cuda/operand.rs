//! From Candle's storage on a GPU to what kernels take, and back.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::cuda_backend::{CudaDType, CudaStorageSlice};
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Result, Shape, Storage, Tensor, bail};
use half::bf16;

use super::launch::{Arg, launch, uninitialized};

/// A contiguous tensor of activations, or of weights in their type.
pub enum Reals<'a> {
    F32(CudaView<'a, f32>),
    Bf16(CudaView<'a, bf16>),
}

impl<'a> Reals<'a> {
    pub fn of(op: &str, storage: &'a CudaStorage, layout: &Layout) -> Result<Self> {
        match storage.dtype() {
            DType::F32 => Ok(Self::F32(view(op, storage, layout)?)),
            DType::BF16 => Ok(Self::Bf16(view(op, storage, layout)?)),
            other => bail!("{op}: expected f32 or bf16, got {other:?}"),
        }
    }

    pub fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::Bf16(_) => DType::BF16,
        }
    }

    pub fn arg(&self) -> Arg<'_> {
        match self {
            Self::F32(view) => Arg::F32(view.slice(..)),
            Self::Bf16(view) => Arg::Bf16(view.slice(..)),
        }
    }

    #[cfg(feature = "cudnn")]
    pub fn reborrow(&self) -> Reals<'_> {
        match self {
            Self::F32(view) => Reals::F32(view.slice(..)),
            Self::Bf16(view) => Reals::Bf16(view.slice(..)),
        }
    }
}

/// The elements of a contiguous f32 tensor.
pub fn f32s<'a>(op: &str, storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, f32>> {
    view(op, storage, layout)
}

/// The elements of a contiguous tensor of type `T`.
pub fn view<'a, T: CudaDType + 'a>(op: &str, storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, T>> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape());
    };
    Ok(storage.as_cuda_slice::<T>()?.slice(start..end))
}

/// What a kernel writes.
pub enum Written {
    F32(CudaSlice<f32>),
    Bf16(CudaSlice<bf16>),
}

impl Written {
    pub fn new(device: &CudaDevice, dtype: DType, len: usize) -> Result<Self> {
        Ok(match dtype {
            DType::BF16 => Self::Bf16(uninitialized(device, len)?),
            _ => Self::F32(uninitialized(device, len)?),
        })
    }

    /// What another kernel has written.
    pub fn of(storage: CudaStorage) -> Result<Self> {
        match storage.slice {
            CudaStorageSlice::F32(slice) => Ok(Self::F32(slice)),
            CudaStorageSlice::BF16(slice) => Ok(Self::Bf16(slice)),
            _ => bail!("expected f32 or bf16"),
        }
    }

    pub fn arg(&mut self) -> Arg<'_> {
        match self {
            Self::F32(slice) => Arg::F32Out(slice),
            Self::Bf16(slice) => Arg::Bf16Out(slice),
        }
    }

    #[cfg(feature = "cudnn")]
    pub fn reals(&self) -> Reals<'_> {
        match self {
            Self::F32(slice) => Reals::F32(slice.as_view()),
            Self::Bf16(slice) => Reals::Bf16(slice.as_view()),
        }
    }

    #[cfg(feature = "cudnn")]
    pub fn reals_arg(&self) -> Arg<'_> {
        match self {
            Self::F32(slice) => Arg::F32(slice.as_view()),
            Self::Bf16(slice) => Arg::Bf16(slice.as_view()),
        }
    }

    pub fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::Bf16(_) => DType::BF16,
        }
    }

    pub fn into_storage(self, device: &CudaDevice) -> CudaStorage {
        match self {
            Self::F32(slice) => CudaStorage::wrap_cuda_slice(slice, device.clone()),
            Self::Bf16(slice) => CudaStorage::wrap_cuda_slice(slice, device.clone()),
        }
    }
}

/// Runs the kernel `name` for activations of type `dtype`.
pub fn launch_for(device: &CudaDevice, name: &str, dtype: DType, count: usize, args: Vec<Arg<'_>>) -> Result<()> {
    let suffix = if dtype == DType::BF16 { "bf16" } else { "f32" };
    launch(device, &format!("{name}_{suffix}"), count, args)
}

/// What a kernel with a thread for each of its elements makes: `args` come around the output, before and behind it.
pub fn elementwise(
    device: &CudaDevice,
    name: &str,
    dtype: DType,
    shape: Shape,
    before: Vec<Arg<'_>>,
    behind: Vec<Arg<'_>>,
) -> Result<(CudaStorage, Shape)> {
    let mut out = Written::new(device, dtype, shape.elem_count())?;
    let args = before.into_iter().chain([out.arg()]).chain(behind).collect();
    launch_for(device, name, dtype, shape.elem_count(), args)?;
    Ok((out.into_storage(device), shape))
}

/// What `run` makes of a tensor on the GPU.
pub fn with<T>(tensor: &Tensor, run: impl FnOnce((&CudaStorage, &Layout)) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => run((storage, layout)),
        other => bail!("a tensor is on {:?}, not on the GPU", other.device().location()),
    }
}
