//! What needs an NVIDIA GPU: every operation checked against the CPU's, and training measured against PyTorch with cuDNN.
//!
//! Checks are the same code on both devices, so that comparing the CPU with itself tests them. For training the contenders are
//! processes that share the GPU and take turns, as elsewhere; what they are timed for is their own training loop.

pub mod card;
pub mod check;
pub mod checks;
pub mod contender;
pub mod device;
pub mod measure;
pub mod memory;
pub mod ours;
pub mod part;
pub mod pictures;
pub mod protocol;
pub mod report;
pub mod results;
pub mod workload;
