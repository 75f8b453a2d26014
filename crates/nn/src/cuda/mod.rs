//! What only NVIDIA's GPUs have.

mod upload;

pub use upload::Uploader;
