//! What becomes of memory that tensors no longer use.

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
