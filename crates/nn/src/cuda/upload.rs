//! [`Uploader`]: batches on their way from the host's memory to a GPU, while the GPU computes.
//!
//! The `unsafe` code of that way stands in this file alone. It is of three kinds: memory that is given out before anything is
//! written to it, and the two methods of cudarc's trait for host memory, which must be called as unsafe.

use std::marker::PhantomData;
use std::sync::Arc;

use bytemuck::Pod;
use candle_core::cuda_backend::WrapErr as _;
use candle_core::cuda_backend::cudarc::driver::{
    CudaContext, CudaSlice, CudaStream, DeviceRepr, HostSlice, PinnedHostSlice, SyncOnDrop,
};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Storage, Tensor};

use crate::error::NnError;

/// Copies batches to a GPU on a stream of its own, beside the one that computes.
///
/// A batch is first written to page-locked memory, of which there is a ring of buffers. Each grows to the largest batch that it
/// has held and is used again once the copy out of it is over. They are write-combined, so that writing them disturbs no cache;
/// nothing ever reads them but the GPU.
#[derive(Debug)]
pub struct Uploader {
    device: CudaDevice,
    /// The stream on which nothing happens but copies.
    copies: Arc<CudaStream>,
    /// `None` before the first batch.
    ring: Vec<Option<PinnedHostSlice<u8>>>,
    /// The buffer of the next batch.
    next: usize,
}

impl Uploader {
    /// With `buffers` buffers, as many batches can be on their way at a time. Buffers are allocated as batches come.
    ///
    /// # Errors
    /// [`NnError::Candle`] where the driver has no further stream.
    ///
    /// # Panics
    /// Where `buffers` is 0, or where the device does not track by events which stream uses what, on which the order of copies
    /// and computations rests. It always does unless that was turned off.
    pub fn new(device: &CudaDevice, buffers: usize) -> Result<Self, NnError> {
        assert!(buffers > 0, "a batch needs a buffer to go through");
        let copies = device.cuda_stream().context().new_stream().w()?;
        assert!(copies.context().is_managing_stream_synchronization(), "copies are ordered by tracked events");
        Ok(Self { device: device.clone(), copies, ring: (0..buffers).map(|_| None).collect(), next: 0 })
    }

    /// Begins to copy `bytes` as a u8 tensor of shape `shape`, with the last dimension innermost.
    ///
    /// It returns once all bytes stand in a buffer; where all buffers are under way it waits for the oldest.
    ///
    /// # Errors
    /// [`NnError::Shape`] where `bytes` are not as many as the shape has, and [`NnError::Candle`] where there is no memory left or
    /// an earlier computation has failed.
    pub fn upload(&mut self, bytes: &[u8], shape: &[usize]) -> Result<Uploaded, NnError> {
        let memory = Memory::Bytes(self.carry(bytes, shape)?);
        Ok(Uploaded { device: self.device.clone(), memory, shape: shape.to_vec() })
    }

    /// As [`Uploader::upload`], for an f32 tensor.
    ///
    /// # Errors
    /// As [`Uploader::upload`].
    pub fn upload_f32(&mut self, values: &[f32], shape: &[usize]) -> Result<Uploaded, NnError> {
        let memory = Memory::Floats(self.carry(values, shape)?);
        Ok(Uploaded { device: self.device.clone(), memory, shape: shape.to_vec() })
    }

    fn carry<T: Pod + DeviceRepr>(&mut self, values: &[T], shape: &[usize]) -> Result<CudaSlice<T>, NnError> {
        if values.len() != shape.iter().product::<usize>() {
            return Err(NnError::shape("upload", format!("{} values are no {shape:?}", values.len())));
        }
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let slot = self.next;
        self.next = (slot + 1) % self.ring.len();
        let buffer = grown(&mut self.ring[slot], self.copies.context(), bytes.len())?;
        // This waits for the event that the last copy out of the buffer has left behind it.
        buffer.as_mut_slice().w()?[..bytes.len()].copy_from_slice(bytes);
        // SAFETY: the memory is unset, and nothing reads it before the copy below has set all of it: the copy is on the stream
        // that allocates, and other streams wait for the event that it leaves behind. Where the copy cannot be asked for, the
        // memory is dropped here.
        let mut copied = unsafe { self.copies.alloc::<T>(values.len()) }.w()?;
        self.copies.memcpy_htod(&Written { buffer, len: values.len(), of: PhantomData }, &mut copied).w()?;
        Ok(copied)
    }
}

/// A batch on its way to a GPU, or there.
#[derive(Debug)]
pub struct Uploaded {
    device: CudaDevice,
    memory: Memory,
    shape: Vec<usize>,
}

/// Memory of the stream that copies.
#[derive(Debug)]
enum Memory {
    Bytes(CudaSlice<u8>),
    Floats(CudaSlice<f32>),
}

impl Uploaded {
    /// The batch as a tensor. What computes with it waits on the GPU, and not on the host, until the copy is over; so does whatever
    /// is asked for later, so this is best called by the thread that computes, when the batch's turn has come.
    ///
    /// The tensor's memory is the computing stream's own, to which the batch is copied within the GPU: some of Candle's operations
    /// wait for the stream alone on which memory was allocated, and would read the batch while it is on its way.
    ///
    /// # Errors
    /// [`NnError::Candle`] where there is no memory left or an earlier computation has failed.
    pub fn into_tensor(self) -> Result<Tensor, NnError> {
        let computing = self.device.cuda_stream();
        let storage = match &self.memory {
            Memory::Bytes(bytes) => CudaStorage::wrap_cuda_slice(computing.clone_dtod(bytes).w()?, self.device),
            Memory::Floats(floats) => CudaStorage::wrap_cuda_slice(computing.clone_dtod(floats).w()?, self.device),
        };
        Ok(Tensor::from_storage(Storage::Cuda(storage), self.shape, BackpropOp::none(), false))
    }
}

/// The buffer in `slot`, of at least `len` bytes.
fn grown<'a>(
    slot: &'a mut Option<PinnedHostSlice<u8>>,
    context: &Arc<CudaContext>,
    len: usize,
) -> Result<&'a mut PinnedHostSlice<u8>, NnError> {
    let buffer = match slot.take() {
        Some(buffer) if buffer.len() >= len => buffer,
        small => {
            // A buffer waits for the copy out of it before it is freed.
            drop(small);
            // SAFETY: the memory is unset, that is, the driver hands it out with any content. Bytes may have any, and no copy
            // takes bytes that were not written before, see `Written`.
            unsafe { context.alloc_pinned::<u8>(len) }.w()?
        }
    };
    Ok(slot.insert(buffer))
}

/// The first bytes of a buffer, which hold `len` values of type `T`.
struct Written<'a, T> {
    buffer: &'a mut PinnedHostSlice<u8>,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Pod> HostSlice<T> for Written<'_, T> {
    fn len(&self) -> usize {
        self.len
    }

    unsafe fn stream_synced_slice<'a>(&'a self, stream: &'a CudaStream) -> (&'a [T], SyncOnDrop<'a>) {
        // SAFETY: whoever calls this uses the slice with `stream` alone, which is what the buffer asks for too. Its event goes
        // with the slice, so that the buffer is waited for as a whole where a part of it is copied.
        let (bytes, event) = unsafe { self.buffer.stream_synced_slice(stream) };
        (bytemuck::cast_slice(&bytes[..self.len * size_of::<T>()]), event)
    }

    unsafe fn stream_synced_mut_slice<'a>(&'a mut self, stream: &'a CudaStream) -> (&'a mut [T], SyncOnDrop<'a>) {
        // SAFETY: as above.
        let (bytes, event) = unsafe { self.buffer.stream_synced_mut_slice(stream) };
        (bytemuck::cast_slice_mut(&mut bytes[..self.len * size_of::<T>()]), event)
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
        let mut uploader = Uploader::new(opened.device.as_cuda_device().unwrap(), 2).unwrap();
        let value = |batch: usize, at: usize| (batch * 31 + at * 7) as u8;
        let sizes = [5, 1000, 1000, 3, 1 << 20, 77, 1 << 20, 1 << 20];
        let batches: Vec<Vec<u8>> =
            sizes.iter().enumerate().map(|(batch, size)| (0..*size).map(|at| value(batch, at)).collect()).collect();
        let uploaded: Vec<Uploaded> =
            batches.iter().map(|batch| uploader.upload(batch, &[batch.len(), 1]).unwrap()).collect();
        for (uploaded, batch) in uploaded.into_iter().zip(&batches) {
            let floats = uploaded.into_tensor().unwrap().to_dtype(DType::F32).unwrap().flatten_all().unwrap();
            let expected: Vec<f32> = batch.iter().map(|byte| f32::from(*byte)).collect();
            assert!(floats.to_vec1::<f32>().unwrap() == expected, "a batch of {} bytes differs", batch.len());
        }
        let floats = uploader.upload_f32(&[0.5, -1.0, 2.0, 0.25], &[2, 2]).unwrap().into_tensor().unwrap();
        assert_eq!(floats.to_vec2::<f32>().unwrap(), [[0.5, -1.0], [2.0, 0.25]]);
        assert!(uploader.upload(&[1, 2, 3], &[2, 2]).is_err());
    }
}
