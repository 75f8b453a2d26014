//! From Candle's storage to the slices that kernels take.

use std::cell::{Cell, RefCell};

use candle_core::backend::BackendStorage as _;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, WithDType, bail};

/// The elements of a contiguous f32 tensor.
pub(crate) fn f32s<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    elements(op, storage, layout)
}

/// The elements of a contiguous u8 tensor.
pub(crate) fn u8s<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u8]> {
    elements(op, storage, layout)
}

/// The elements of a contiguous u32 tensor.
pub(crate) fn u32s<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u32]> {
    elements(op, storage, layout)
}

fn elements<'a, T: WithDType>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [T]> {
    let (expected, got) = (T::DTYPE.as_str(), storage.dtype());
    if got != T::DTYPE {
        bail!("{op}: expected {expected}, got {got:?}");
    }
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape());
    };
    Ok(&storage.as_slice::<T>()?[start..end])
}

/// The elements of a contiguous f32 tensor, to be changed.
pub(crate) fn f32s_mut<'a>(op: &str, storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        (CpuStorage::F32(_), None) => bail!("{op}: the tensor of shape {:?} is not contiguous", layout.shape()),
        (other, _) => bail!("{op}: expected f32, got {:?}", other.dtype()),
    }
}

/// What `run` makes of the elements of contiguous f32 tensors on the CPU, all of them read at once.
pub(crate) fn with_f32s<T>(op: &str, tensors: &[&Tensor], run: impl FnOnce(&[&[f32]]) -> T) -> Result<T> {
    let guards: Vec<_> = tensors.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let slices = guards.iter().map(|(storage, layout)| match &**storage {
        Storage::Cpu(storage) => f32s(op, storage, layout),
        other => bail!("{op}: has no kernel for {:?}", other.device().location()),
    });
    Ok(run(&slices.collect::<Result<Vec<_>>>()?))
}

/// What takes the elements of several tensors, to change them.
pub(crate) type Run<'a> = dyn FnMut(Vec<&mut [f32]>) + 'a;

/// Hands the elements of contiguous f32 tensors on the CPU to `run`, all of them to be changed at once.
///
/// Candle opens one tensor at a time, and only inside an operation on it, so the operations are nested, one in the other:
/// each takes a frame of the stack, and two tensors that share their memory would wait for each other without end.
pub(crate) fn with_f32s_mut(op: &'static str, tensors: &[&Tensor], run: &mut dyn FnMut(Vec<&mut [f32]>)) -> Result<()> {
    open(op, tensors, Vec::with_capacity(tensors.len()), run)
}

fn open(op: &'static str, closed: &[&Tensor], opened: Vec<&mut [f32]>, run: &mut Run<'_>) -> Result<()> {
    match closed {
        [] => {
            run(opened);
            Ok(())
        }
        [next, closed @ ..] => {
            next.inplace_op1(&Open { op, closed, opened: Cell::new(opened), run: RefCell::new(run) })
        }
    }
}

/// The operation on one tensor within which the next is opened.
struct Open<'a> {
    op: &'static str,
    closed: &'a [&'a Tensor],
    opened: Cell<Vec<&'a mut [f32]>>,
    run: RefCell<&'a mut Run<'a>>,
}

impl InplaceOp1 for Open<'_> {
    fn name(&self) -> &'static str {
        self.op
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let mut opened: Vec<&mut [f32]> = self.opened.take();
        opened.push(f32s_mut(self.op, storage, layout)?);
        open(self.op, self.closed, opened, &mut **self.run.borrow_mut())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;

    #[test]
    fn a_hundred_tensors_are_open_at_once() {
        let vars: Vec<Var> = (0..100).map(|i| Var::new(&[i as f32, 1.0], &Device::Cpu).unwrap()).collect();
        let tensors: Vec<&Tensor> = vars.iter().map(Var::as_tensor).collect();
        with_f32s_mut("test", &tensors, &mut |slices| {
            let sum: f32 = slices.iter().map(|slice| slice[0]).sum();
            for slice in slices {
                slice[1] += sum;
            }
        })
        .unwrap();
        let seconds = with_f32s("test", &tensors, |slices| slices.iter().map(|slice| slice[1]).collect::<Vec<_>>());
        assert_eq!(seconds.unwrap(), [4951.0; 100]);
    }

    #[test]
    fn other_types_and_views_are_refused() {
        let bytes = Tensor::zeros(3, DType::U8, &Device::Cpu).unwrap();
        let error = with_f32s("test", &[&bytes], |_| ()).unwrap_err().to_string();
        assert!(error.contains("test: expected f32, got U8"), "{error}");
        let view = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap().t().unwrap();
        let error = with_f32s_mut("test", &[&view], &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("test: the tensor of shape [3, 2] is not contiguous"), "{error}");
    }
}
