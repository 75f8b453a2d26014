//! Who trains on the GPU, and how a process of each is started.

use std::env::current_exe;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::workload::Workload;
use crate::contender::peers;
use crate::environment::libraries_choose_kernels;

/// A library in one way of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta's training, from a stream whose pixels are cached in memory.
    Ours,
    /// Aumenta's training step on one batch that stays on the GPU.
    OursResident,
    /// PyTorch in the channels-last layout, from batches that lie in memory.
    Torch,
    /// The same, with the step compiled.
    TorchCompile,
}

/// What a process of a contender works on.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// What is trained.
    pub workload: Workload,
    /// Threads that make batches.
    pub threads: usize,
    /// The Python interpreter.
    pub python: &'a Path,
    /// The manifest of the photographs.
    pub manifest: &'a Path,
}

impl Contender {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursResident => "ours-resident",
            Self::Torch => "torch",
            Self::TorchCompile => "torch-compile",
        }
    }

    /// What the contender does, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => {
                "`aumenta train`'s own loop: batches are augmented by the book's pipeline from decoded pixels in memory, brought to \
                 the GPU and trained on, with the accuracy of each batch. A turn is whole epochs, each from its first batch on."
            }
            Self::OursResident => {
                "The same network, loss and optimizer on one batch that stays on the GPU: what a training would reach that never \
                 waited for data."
            }
            Self::Torch => {
                "PyTorch with cuDNN (`benchmark` on), network and images in the channels-last layout, the optimizer with `foreach`; \
                 ready batches lie in pinned memory and are copied one ahead, so that nothing is decoded or augmented."
            }
            Self::TorchCompile => "The same, with the network and its loss under `torch.compile`.",
        }
    }

    /// The command that starts a process of it.
    ///
    /// # Errors
    /// Where this program's own path is not known.
    pub fn command(self, task: &Task<'_>) -> Result<Command> {
        let Workload { network, batch, precision } = task.workload;
        let mut command = match self {
            Self::Ours | Self::OursResident => {
                let mut command = Command::new(current_exe().context("this program's own path is not known")?);
                command.args(["gpu-trainer", self.name(), "--manifest"]).arg(task.manifest);
                command.args(["--threads", &task.threads.to_string()]);
                command
            }
            Self::Torch | Self::TorchCompile => {
                let mut command = Command::new(task.python);
                command.arg(peers().join("torch_gpu_peer.py"));
                if self == Self::TorchCompile {
                    command.arg("--compile");
                }
                command
            }
        };
        command.args(["--network", network.name(), "--batch", &batch.to_string(), "--precision", precision.name()]);
        libraries_choose_kernels(&mut command);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use aumenta_nn::Precision;

    use super::super::workload::Trained;
    use super::*;

    #[test]
    fn every_process_is_told_its_network_its_batch_and_its_precision() {
        let workload = Workload { network: Trained::Lite0Whole, batch: 64, precision: Precision::Bf16 };
        let [python, manifest] = ["python3", "manifest.json"].map(Path::new);
        for &contender in Contender::value_variants() {
            assert_eq!(contender.to_possible_value().unwrap().get_name(), contender.name());
            let command = contender.command(&Task { workload, threads: 2, python, manifest }).unwrap();
            let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
            assert!(
                arguments.join(" ").ends_with("--network lite0-whole --batch 64 --precision bf16"),
                "{arguments:?}"
            );
        }
    }
}
