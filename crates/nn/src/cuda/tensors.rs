//! Many tensors in one launch: an optimizer's step, the norm of all gradients, the average of all weights.

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, DevicePtr};
use candle_core::{CudaDevice, Error, Result, Storage, Tensor, bail};

use super::launch::{Arg, launch, uninitialized};
use super::sizes::{self, CHUNK, SUMMANDS, int};
use super::sums;
use crate::optimizer::Formula;

/// How some tensors of known lengths are shared out among threads, and what is kept of each of their elements.
#[derive(Clone, Debug)]
pub struct Tensors {
    device: CudaDevice,
    lengths: Vec<usize>,
    /// Each chunk's tensor and first element, and each tensor's length and first element in what is kept.
    chunks: CudaSlice<i32>,
    lengths_there: CudaSlice<i32>,
    starts: CudaSlice<i32>,
    /// What is kept, slot by slot, of all elements.
    slots: Vec<CudaSlice<f32>>,
}

impl Tensors {
    /// For tensors of these lengths, with `slots` numbers kept of each element, zeros at first.
    pub fn new(device: &CudaDevice, lengths: &[usize], slots: usize) -> Result<Self> {
        let (chunks, starts) = (sizes::chunks(lengths)?, sizes::starts(lengths)?);
        let total: usize = lengths.iter().sum();
        let lengths_there = lengths.iter().map(|length| int(*length)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            device: device.clone(),
            lengths: lengths.to_vec(),
            chunks: device.clone_htod(chunks.as_flattened())?,
            lengths_there: device.clone_htod(&lengths_there)?,
            starts: device.clone_htod(&starts)?,
            slots: (0..slots).map(|_| device.alloc_zeros(total.max(1))).collect::<Result<_>>()?,
        })
    }

    fn chunk_count(&self) -> usize {
        self.chunks.len() / 2
    }

    /// What is kept of each tensor in `slot`.
    pub fn slot(&self, slot: usize) -> Result<Vec<Vec<f32>>> {
        let all = self.device.clone_dtoh(&self.slots[slot])?;
        let mut rest = all.as_slice();
        let cut = self.lengths.iter().map(|length| {
            let (own, behind) = rest.split_at(*length);
            rest = behind;
            own.to_vec()
        });
        Ok(cut.collect())
    }

    /// Replaces what is kept in `slot` by these numbers, tensor by tensor.
    pub fn set_slot(&mut self, slot: usize, values: &[&[f32]]) -> Result<()> {
        let lengths: Vec<usize> = values.iter().map(|values| values.len()).collect();
        if lengths != self.lengths {
            bail!("got numbers for tensors of {lengths:?} elements, not of {:?}", self.lengths);
        }
        let all = values.concat();
        if all.is_empty() { Ok(()) } else { self.device.memcpy_htod(&all, &mut self.slots[slot]) }
    }

    /// The Euclidean norm of all tensors together.
    pub fn norm(&self, tensors: &[&Tensor]) -> Result<f64> {
        let pairs: Vec<_> = tensors.iter().map(|tensor| (*tensor, *tensor)).collect();
        self.with_addresses(&pairs, |addresses| {
            let threads = self.chunk_count() * SUMMANDS;
            let mut squares = uninitialized(&self.device, threads)?;
            let args = vec![
                Arg::Ints(&self.chunks),
                Arg::Ints(&self.lengths_there),
                Arg::Addresses(addresses),
                Arg::F64Out(&mut squares),
            ];
            launch(&self.device, "squared_gradients", threads, args)?;
            let sum = sums::of_rows(&self.device, squares, threads, 1)?;
            Ok(self.device.clone_dtoh(&sum)?[0].sqrt())
        })
    }

    /// Moves each parameter by its gradient. `terms` are its rate, the factors of L2 and L1, and its decay.
    pub fn step(
        &mut self,
        formula: &Formula,
        pairs: &[(&Tensor, &Tensor)],
        terms: &[[f32; 4]],
        gradient_scale: f32,
    ) -> Result<()> {
        let terms = self.device.clone_htod(terms.as_flattened())?;
        let numbers = self.device.clone_htod(&formula.numbers)?;
        let mut slots = std::mem::take(&mut self.slots);
        // A formula that keeps less does not look at the others.
        let mut unused = (slots.len()..3).map(|_| self.device.alloc_zeros(1)).collect::<Result<Vec<_>>>()?;
        let done = self.with_addresses(pairs, |addresses| {
            let args = [
                Arg::Ints(&self.chunks),
                Arg::Ints(&self.lengths_there),
                Arg::Ints(&self.starts),
                Arg::Addresses(addresses),
                Arg::F32(terms.as_view()),
                Arg::F32(numbers.as_view()),
                Arg::Float(gradient_scale),
            ];
            let of_slots = slots.iter_mut().chain(&mut unused).map(Arg::F32Out);
            let args = args.into_iter().chain(of_slots).collect();
            launch(&self.device, formula.kernel, self.chunk_count() * CHUNK, args)
        });
        self.slots = slots;
        done
    }

    /// Moves the averages in the first slot towards the tensors by the share `entering`.
    pub fn average(&mut self, tensors: &[&Tensor], entering: f32) -> Result<()> {
        let pairs: Vec<_> = tensors.iter().map(|tensor| (*tensor, *tensor)).collect();
        let mut averages = self.slots.remove(0);
        let done = self.with_addresses(&pairs, |addresses| {
            let args = vec![
                Arg::Ints(&self.chunks),
                Arg::Ints(&self.lengths_there),
                Arg::Ints(&self.starts),
                Arg::Addresses(addresses),
                Arg::F32Out(&mut averages),
                Arg::Float(entering),
            ];
            launch(&self.device, "average", self.chunk_count() * CHUNK, args)
        });
        self.slots.insert(0, averages);
        done
    }

    /// Where the tensors of each pair lie, for as long as `run` takes: contiguous f32 tensors on this device, of the lengths that
    /// were told. They are held while kernels are launched; what frees or writes them later waits for these kernels, as all of it
    /// goes through one stream.
    fn with_addresses<T>(
        &self,
        pairs: &[(&Tensor, &Tensor)],
        run: impl FnOnce(&CudaSlice<u64>) -> Result<T>,
    ) -> Result<T> {
        if pairs.len() != self.lengths.len() {
            bail!("got {} tensors instead of {}", pairs.len(), self.lengths.len());
        }
        let stream = self.device.cuda_stream();
        let mut addresses = Vec::with_capacity(2 * pairs.len());
        let mut held = Vec::with_capacity(2 * pairs.len());
        for ((first, second), length) in pairs.iter().zip(&self.lengths) {
            for tensor in [first, second] {
                let (storage, layout) = tensor.storage_and_layout();
                let Storage::Cuda(on_gpu) = &*storage else { bail!("a tensor is not on the GPU") };
                let Some((start, end)) = layout.contiguous_offsets() else { bail!("a tensor is not contiguous") };
                if end - start != *length || on_gpu.device.id() != self.device.id() {
                    bail!("a tensor has {} elements instead of {length}, or is on another device", end - start);
                }
                let view = on_gpu.as_cuda_slice::<f32>()?.slice(start..end);
                addresses.push(view.device_ptr(&stream).0);
                held.push(storage);
            }
        }
        let there = self.device.clone_htod(&addresses).map_err(Error::wrap)?;
        run(&there)
    }
}
