//! How memory of the GPU is kept, and whose uses of it come in which order.

use candle_core::cuda_backend::cudarc::driver::{result, sys};
use candle_core::{CudaDevice, Error, Result};

/// Lets a device keep freed memory for the next step. By default, its pool gives all of it back whenever the program waits for the
/// device, and each step would ask for it again.
pub fn keep_freed(device: &CudaDevice) -> Result<()> {
    let stream = device.cuda_stream();
    if !stream.context().has_async_alloc() {
        // Such a device has no pool.
        return Ok(());
    }
    let mut threshold = u64::MAX;
    stream.context().bind_to_thread().map_err(Error::wrap)?;
    // SAFETY: the device is one that a context is open on, the attribute is a 64 bit number, and the driver reads it within the
    // call.
    unsafe {
        let pool = result::device::get_default_mem_pool(stream.context().cu_device()).map_err(Error::wrap)?;
        let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        result::mem_pool::set_attribute(pool, attribute, (&raw mut threshold).cast()).map_err(Error::wrap)
    }
}

/// Leaves the order of streams to this crate. By default cudarc keeps two events for each allocation and has every kernel wait for those of
/// all that it touches: many times as many calls of the driver as there are kernels.
pub fn order_by_stream(device: &CudaDevice) {
    // SAFETY: all tensors belong to the one stream of their device, on which whatever uses them or gives them back comes in the order in
    // which it was asked for. The one other stream is that of `upload.rs`, which orders what it shares by events of its own; a tensor of
    // another stream is never made.
    unsafe { device.disable_event_tracking() };
}
