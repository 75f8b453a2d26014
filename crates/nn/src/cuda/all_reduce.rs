//! Data-parallel training: each GPU has a process with the whole network and its share of a batch, and all average their gradients
//! through NCCL before they step.

use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::cuda_backend::cudarc::nccl::result::{NcclError, NcclStatus};
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id, ReduceOp};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Device, Storage, Tensor};

use crate::buckets::{self, divide};
use crate::error::NnError;
use crate::gradients::Gradients;
use crate::parameters::Parameters;
use crate::rendezvous::{publish, wait_for};

/// How long a rank waits for rank 0 to say where they meet.
const PATIENCE: Duration = Duration::from_mins(5);

/// The rank whose parameters all begin with.
const ROOT: usize = 0;

/// The bytes of NCCL's identifier of a group.
const ID_BYTES: usize = 128;

/// Averages gradients over several processes, each with a GPU of its own.
///
/// **Experimental: this has not run on two GPUs yet.** All processes call the same methods in the same order with tensors of the
/// same shapes; one that does not leaves the others waiting.
///
/// ```no_run
/// # use std::path::Path;
/// # use aumenta_nn::{GradientExchange, NnError, Optimizer, Sequential, binary_cross_entropy};
/// # use candle_core::Tensor;
/// # fn train(mut network: Sequential, mut optimizer: Optimizer, images: &Tensor, classes: &Tensor) -> Result<(), NnError> {
/// // In the second of two processes.
/// let mut exchange = GradientExchange::new(images.device(), 1, 2, Path::new("rendezvous"))?;
/// let parameters = network.parameters().clone();
/// exchange.broadcast(&parameters)?;
/// let step = network.gradients(images, 0, &mut |logits| binary_cross_entropy(logits, classes))?;
/// optimizer.step(&parameters, &exchange.average(&step.gradients)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GradientExchange {
    device: CudaDevice,
    comm: Comm,
}

impl GradientExchange {
    /// Joins the other processes, of which there are `world` with this one, and waits until all have done so.
    ///
    /// `rank` is this one's number, counted from 0; each has another. `rendezvous` is a file that is not there yet, on a disk that all
    /// see: rank 0 writes it, the others read it, and once all have met rank 0 removes it.
    ///
    /// # Errors
    /// [`NnError::Exchange`] where `device` is no GPU, `rank` is not below `world`, the file is there already, it does not appear
    /// within five minutes, or NCCL cannot connect the GPUs.
    pub fn new(device: &Device, rank: usize, world: usize, rendezvous: &Path) -> Result<Self, NnError> {
        let fail = |reason: String| NnError::Exchange { rank, reason };
        if rank >= world {
            return Err(fail(format!("ranks of {world} processes are 0 to {}", world.saturating_sub(1))));
        }
        let Device::Cuda(device) = device else {
            return Err(fail("gradients are exchanged between NVIDIA GPUs, not from the CPU".to_string()));
        };
        let id = if rank == ROOT {
            let id = Id::new().map_err(|error| fail(explain(&error)))?;
            publish(rendezvous, &id.internal().map(|byte| byte as u8)).map_err(fail)?;
            id
        } else {
            let bytes: [u8; ID_BYTES] = wait_for(rendezvous, PATIENCE).map_err(fail)?;
            Id::uninit(bytes.map(|byte| byte as c_char))
        };
        let comm = Comm::from_rank(device.cuda_stream(), rank, world, id);
        if rank == ROOT {
            // All have read it, or never will. One that stays behind is refused by the next training, which says so.
            let _ = fs_err::remove_file(rendezvous);
        }
        Ok(Self { device: device.clone(), comm: comm.map_err(|error| fail(explain(&error)))? })
    }

    /// The mean of each gradient over all processes, which are those of the mean loss of all their samples where each had equally
    /// many. All have gradients of the same shapes, in the same order.
    ///
    /// # Errors
    /// [`NnError::Exchange`] where NCCL cannot, [`NnError::Candle`] where a gradient is not f32 on this GPU.
    pub fn average(&mut self, gradients: &Gradients<'_>) -> Result<Gradients<'static>, NnError> {
        let all_reduce: &Operation<'_> = &|sent, received| self.comm.all_reduce(sent, received, &ReduceOp::Avg);
        Ok(Gradients::from_tensors(self.exchange(gradients.tensors(), all_reduce)?))
    }

    /// Gives all processes the parameters and statistics of rank 0, with which a training begins.
    ///
    /// # Errors
    /// As [`GradientExchange::average`].
    pub fn broadcast(&mut self, parameters: &Parameters) -> Result<(), NnError> {
        let tensors: Vec<Tensor> = parameters.all().map(|parameter| parameter.var.as_detached_tensor()).collect();
        let received =
            self.exchange(&tensors, &|sent, received| self.comm.broadcast(Some(sent), received, ROOT as i32))?;
        for (parameter, tensor) in parameters.all().zip(&received) {
            parameter.var.set(tensor)?;
        }
        Ok(())
    }

    /// What `operation` makes of the tensors, bucket by bucket, each in its own shape again.
    fn exchange(&self, tensors: &[Tensor], operation: &Operation<'_>) -> Result<Vec<Tensor>, NnError> {
        let lengths: Vec<usize> = tensors.iter().map(Tensor::elem_count).collect();
        let mut exchanged = Vec::with_capacity(tensors.len());
        for bucket in divide(&lengths, buckets::MOST) {
            let tensors = &tensors[bucket];
            let flat = tensors.iter().map(|tensor| tensor.flatten_all()?.contiguous());
            let flat = Tensor::cat(&flat.collect::<candle_core::Result<Vec<_>>>()?, 0)?;
            let flat = self.exchange_bucket(&flat, operation)?;
            let mut start = 0;
            for tensor in tensors {
                let length = tensor.elem_count();
                // A copy, so that a tensor that is kept does not keep its bucket.
                exchanged.push(flat.narrow(0, start, length)?.force_contiguous()?.reshape(tensor.shape())?);
                start += length;
            }
        }
        Ok(exchanged)
    }

    fn exchange_bucket(&self, bucket: &Tensor, operation: &Operation<'_>) -> Result<Tensor, NnError> {
        let mut received = self.device.alloc_zeros::<f32>(bucket.elem_count())?;
        let (storage, layout) = bucket.storage_and_layout();
        let (Storage::Cuda(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
            return Err(self.fail("a tensor is not on the GPU".to_string()));
        };
        let sent = storage.as_cuda_slice::<f32>()?.slice(start..end);
        operation(&sent, &mut received).map_err(|error| self.fail(explain(&error)))?;
        let received = Storage::Cuda(CudaStorage::wrap_cuda_slice(received, self.device.clone()));
        Ok(Tensor::from_storage(received, bucket.shape().clone(), BackpropOp::none(), false))
    }

    fn fail(&self, reason: String) -> NnError {
        NnError::Exchange { rank: self.comm.rank(), reason }
    }
}

/// What NCCL does with a bucket: from what is sent to what is received, on this device's stream.
type Operation<'a> = dyn Fn(&CudaView<'_, f32>, &mut CudaSlice<f32>) -> Result<NcclStatus, NcclError> + 'a;

fn explain(error: &NcclError) -> String {
    format!("NCCL says {:?}; with `NCCL_DEBUG=INFO` in the environment it says more", error.0)
}
