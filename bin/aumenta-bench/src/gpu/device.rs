//! The GPU as Candle has it, and the libraries that compute on it.

use anyhow::{Context, Result};
use aumenta_nn::DeviceChoice;
use candle_core::Device;

/// The first GPU.
///
/// # Errors
/// Where there is none, or this program was built without CUDA.
pub fn gpu() -> Result<Device> {
    let opened = DeviceChoice::Cuda(0).open();
    Ok(opened.context("`aumenta-bench gpu` needs an NVIDIA GPU and a build with `--features cuda,cudnn,nccl`")?.device)
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
