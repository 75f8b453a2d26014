//! The GPU as Candle has it, and the libraries that compute on it.

use anyhow::Result;
use candle_core::Device;

/// The first GPU.
///
/// # Errors
/// Where there is none, or CUDA's libraries are not found.
#[cfg(feature = "cuda")]
pub fn gpu() -> Result<Device> {
    // With a stream of its own rather than one for each thread: threads that load images hand tensors over.
    Ok(Device::new_cuda_with_stream(0)?)
}

/// The first GPU.
///
/// # Errors
/// In every case: this build has no kernels for it.
#[cfg(not(feature = "cuda"))]
pub fn gpu() -> Result<Device> {
    anyhow::bail!("this program was built without CUDA: build it with `--features cuda,cudnn,nccl`, which needs nvcc")
}

/// The libraries of NVIDIA that this build has loaded, with their versions.
pub fn libraries() -> Vec<(String, String)> {
    #[cfg(feature = "cudnn")]
    let libraries =
        vec![("cudnn".to_string(), candle_core::cuda_backend::cudarc::cudnn::result::get_version().to_string())];
    #[cfg(not(feature = "cudnn"))]
    let libraries = Vec::new();
    libraries
}
