//! [`Uploader`]: batches on their way from the host's memory to a GPU, while the GPU computes.
//!
//! This is the one place where two streams meet. cudarc does not order them (`memory.rs`); the events of [`Buffers`] do. The
//! `unsafe` code of it stands in this file alone: memory that is given out before anything is written to it, and bytes that are
//! read as f32.

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;
use candle_core::cuda_backend::WrapErr as _;
use candle_core::cuda_backend::cudarc::driver::{
    CudaEvent, CudaSlice, CudaStream, DeviceRepr, DriverError, PinnedHostSlice,
};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Storage, Tensor};

use crate::error::NnError;

/// Copies batches to a GPU on a stream of its own, beside the one that computes.
///
/// A batch is first written to page-locked memory and copied from there to memory of the GPU: a pair of buffers, which grow to
/// the largest batch that they have held. There are as many pairs as batches were on their way at a time.
#[derive(Debug)]
pub struct Uploader {
    device: CudaDevice,
    /// The stream on which nothing happens but copies.
    copies: Arc<CudaStream>,
    free: Pool,
}

/// Buffers that no batch is in.
type Pool = Arc<Mutex<Vec<Buffers>>>;

impl Uploader {
    /// Buffers are allocated as batches come.
    ///
    /// # Errors
    /// [`NnError::Candle`] where the driver has no further stream.
    pub fn new(device: &CudaDevice) -> Result<Self, NnError> {
        let copies = device.cuda_stream().context().new_stream().w()?;
        Ok(Self { device: device.clone(), copies, free: Pool::default() })
    }

    /// Begins to copy `bytes` as a u8 tensor of shape `shape`, with the last dimension innermost. It returns once all bytes stand in a
    /// buffer.
    ///
    /// # Errors
    /// [`NnError::Shape`] where `bytes` are not as many as the shape has, and [`NnError::Candle`] where there is no memory left or
    /// an earlier computation has failed.
    pub fn upload(&mut self, bytes: &[u8], shape: &[usize]) -> Result<Uploaded, NnError> {
        self.carry(bytes, DType::U8, shape)
    }

    /// As [`Uploader::upload`], for an f32 tensor.
    ///
    /// # Errors
    /// As [`Uploader::upload`].
    pub fn upload_f32(&mut self, values: &[f32], shape: &[usize]) -> Result<Uploaded, NnError> {
        self.carry(values, DType::F32, shape)
    }

    fn carry<T: Pod>(&mut self, values: &[T], dtype: DType, shape: &[usize]) -> Result<Uploaded, NnError> {
        if values.len() != shape.iter().product::<usize>() {
            return Err(NnError::shape("upload", format!("{} values are no {shape:?}", values.len())));
        }
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffers = match free {
            Some(buffers) if buffers.bytes() >= bytes.len() => buffers,
            _too_small => Buffers::new(&self.copies, bytes.len()).w()?,
        };
        buffers.fill(bytes).w()?;
        let (device, free) = (self.device.clone(), Arc::clone(&self.free));
        Ok(Uploaded { device, buffers: Some(buffers), free, dtype, shape: shape.to_vec() })
    }
}

/// A batch on its way to a GPU, or there.
#[derive(Debug)]
pub struct Uploaded {
    device: CudaDevice,
    /// Until it is dropped.
    buffers: Option<Buffers>,
    free: Pool,
    dtype: DType,
    shape: Vec<usize>,
}

impl Uploaded {
    /// The batch as a tensor. What computes with it waits on the GPU, and not on the host, until the copy is over; so does whatever
    /// is asked for later, so this is best called by the thread that computes, when the batch's turn has come.
    ///
    /// The tensor's memory is the computing stream's own, to which the batch is copied within the GPU.
    ///
    /// # Errors
    /// [`NnError::Candle`] where there is no memory left or an earlier computation has failed.
    pub fn into_tensor(self) -> Result<Tensor, NnError> {
        let buffers = self.buffers.as_ref().expect("a batch is in its buffers");
        let (len, computing) = (self.shape.iter().product(), self.device.cuda_stream());
        let device = self.device.clone();
        let storage = if self.dtype == DType::U8 {
            CudaStorage::wrap_cuda_slice(buffers.take::<u8>(&computing, len).w()?, device)
        } else {
            CudaStorage::wrap_cuda_slice(buffers.take::<f32>(&computing, len).w()?, device)
        };
        Ok(Tensor::from_storage(Storage::Cuda(storage), self.shape.as_slice(), BackpropOp::none(), false))
    }
}

impl Drop for Uploaded {
    fn drop(&mut self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.buffers.take());
    }
}

/// A buffer of the host and one of the GPU, between which a batch is copied.
#[derive(Debug)]
struct Buffers {
    /// Write-combined, so that writing it disturbs no cache; nothing ever reads it but the GPU.
    here: PinnedHostSlice<u8>,
    there: CudaSlice<u8>,
    /// Behind the last copy from here to there, on the stream of copies.
    copied: CudaEvent,
    /// Behind the last use of what is there, on the stream that computes.
    taken: CudaEvent,
}

impl Buffers {
    fn new(copies: &Arc<CudaStream>, bytes: usize) -> Result<Self, DriverError> {
        let context = copies.context();
        // An allocation has at least one byte.
        let bytes = bytes.max(1);
        // SAFETY: the memory of both is unset, that is, the driver hands it out with any content; bytes may have any. Only bytes
        // that `fill` has written here are copied, and only bytes that were copied there are taken.
        let (here, there) = unsafe { (context.alloc_pinned(bytes)?, copies.alloc(bytes)?) };
        Ok(Self { here, there, copied: context.new_event(None)?, taken: context.new_event(None)? })
    }

    fn bytes(&self) -> usize {
        self.there.len()
    }

    /// Begins to copy `bytes`, of which there is room for.
    fn fill(&mut self, bytes: &[u8]) -> Result<(), DriverError> {
        let copies = self.there.stream().clone();
        // The batch before may still be on its way from here, or be used there.
        self.copied.synchronize()?;
        copies.wait(&self.taken)?;
        let here = &mut self.here.as_mut_slice()?[..bytes.len()];
        here.copy_from_slice(bytes);
        copies.memcpy_htod(here, &mut self.there.slice_mut(..bytes.len()))?;
        self.copied.record(&copies)
    }

    /// What is there, as `len` values in memory of the stream `computing`.
    fn take<T: Pod + DeviceRepr>(&self, computing: &Arc<CudaStream>, len: usize) -> Result<CudaSlice<T>, DriverError> {
        computing.wait(&self.copied)?;
        // SAFETY: the bytes are those of `len` values of `T`, which may have any bits; allocations are aligned for every type.
        let values = unsafe { self.there.transmute(len) }.expect("the buffer holds the batch");
        let taken = computing.clone_dtod::<T, _>(&values)?;
        self.taken.record(computing)?;
        Ok(taken)
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // The copy from here must be over before the driver takes the memory back, and what is taken from there must be taken before
        // the stream of copies gives its memory back. An error says that the GPU does nothing more.
        let _ = self.copied.synchronize();
        let _ = self.there.stream().wait(&self.taken);
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::DeviceChoice;

    /// A machine that builds with CUDA need not have a GPU; there, nothing can be looked at.
    #[test]
    fn batches_of_any_size_arrive_as_they_were_while_buffers_go_around() {
        let opened = match DeviceChoice::Cuda(0).open() {
            Ok(opened) => opened,
            Err(reason) => {
                assert!(std::env::var_os("AUMENTA_GPU").is_none(), "{reason}");
                eprintln!("NOT CHECKED on a GPU: {reason}");
                return;
            }
        };
        let mut uploader = Uploader::new(opened.device.as_cuda_device().unwrap()).unwrap();
        let value = |batch: usize, at: usize| (batch * 31 + at * 7) as u8;
        let sizes = [5, 1000, 1000, 3, 1 << 20, 77, 1 << 20, 1 << 20];
        let batches: Vec<Vec<u8>> =
            sizes.iter().enumerate().map(|(batch, size)| (0..*size).map(|at| value(batch, at)).collect()).collect();
        let uploaded: Vec<Uploaded> =
            batches.iter().map(|batch| uploader.upload(batch, &[batch.len(), 1]).unwrap()).collect();
        for (uploaded, batch) in uploaded.into_iter().zip(&batches) {
            // Buffers go around, also of a batch that nobody took.
            drop(uploader.upload(&batch[..3], &[3]).unwrap());
            let floats = uploaded.into_tensor().unwrap().to_dtype(DType::F32).unwrap().flatten_all().unwrap();
            let expected: Vec<f32> = batch.iter().map(|byte| f32::from(*byte)).collect();
            assert!(floats.to_vec1::<f32>().unwrap() == expected, "a batch of {} bytes differs", batch.len());
        }
        let floats = uploader.upload_f32(&[0.5, -1.0, 2.0, 0.25], &[2, 2]).unwrap().into_tensor().unwrap();
        assert_eq!(floats.to_vec2::<f32>().unwrap(), [[0.5, -1.0], [2.0, 0.25]]);
        assert!(uploader.upload(&[1, 2, 3], &[2, 2]).is_err());
    }
}
