//! [`Part`]: what is done with the GPU.

use clap::ValueEnum;

/// What is done with the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// What it computes, compared with the CPU.
    Checks,
    /// Training, timed against PyTorch.
    Training,
}
