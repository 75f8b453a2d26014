//! The libraries that are measured, each in its ways of use, and how a process of each is started.

use std::env::current_exe;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::network::Network;

/// Keeps what is freed in the process, where glibc would give large blocks back to the system at each step.
const KEPT_MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
    ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// A library in one way of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta.
    Ours,
    /// Candle with the layers of candle-nn.
    Candle,
    /// Burn on its Flex backend.
    Burn,
    /// PyTorch as it comes.
    Torch,
    /// PyTorch with memory settings.
    TorchMalloc,
    /// PyTorch in the channels-last layout.
    TorchChannelsLast,
    /// PyTorch in the channels-last layout with memory settings.
    TorchChannelsLastMalloc,
    /// PyTorch under autocast to bfloat16.
    TorchBfloat16,
    /// Keras as it comes.
    Keras,
    /// Keras without XLA.
    KerasWithoutXla,
    /// Keras' network in a step written with TensorFlow.
    KerasFunction,
}

/// Whose figures stand in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    Aumenta,
    Candle,
    Burn,
    PyTorch,
    Keras,
}

/// What a process of a contender works on.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The network.
    pub network: Network,
    /// Images a step.
    pub batch: usize,
    /// Threads that the process may use.
    pub threads: usize,
    /// The Python interpreter.
    pub python: &'a Path,
}

impl Contender {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Candle => "candle",
            Self::Burn => "burn",
            Self::Torch => "torch",
            Self::TorchMalloc => "torch-malloc",
            Self::TorchChannelsLast => "torch-channels-last",
            Self::TorchChannelsLastMalloc => "torch-channels-last-malloc",
            Self::TorchBfloat16 => "torch-bfloat16",
            Self::Keras => "keras",
            Self::KerasWithoutXla => "keras-without-xla",
            Self::KerasFunction => "keras-function",
        }
    }

    /// What the contender runs, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => "Aumenta.",
            Self::Candle => {
                "Candle and candle-nn as they come, with RMSprop written in tensor operations. The gradient of its max \
                 pooling is wrong (too small by the window's area), so it is here for its time alone."
            }
            Self::Burn => {
                "Burn on Flex, the CPU backend that its documentation recommends, with SIMD, rayon and AVX-512."
            }
            Self::Torch => {
                "PyTorch as it comes: the package of PyPI, whose CUDA libraries count in the memory of the whole process."
            }
            Self::TorchMalloc => "The same, with glibc told by environment variables to keep freed memory.",
            Self::TorchChannelsLast => "PyTorch with network and images in the channels-last layout.",
            Self::TorchChannelsLastMalloc => "The same, with glibc told to keep freed memory.",
            Self::TorchBfloat16 => {
                "The same as `torch-channels-last-malloc` under autocast to bfloat16: other numbers, for information; it \
                 is not counted among the best rows."
            }
            Self::Keras => "Keras on TensorFlow as it comes: `train_on_batch`, which compiles with XLA where it can.",
            Self::KerasWithoutXla => "`train_on_batch` of a network compiled with `jit_compile=False`.",
            Self::KerasFunction => "The Keras network and optimizer in a step written as a `tf.function`.",
        }
    }

    /// Whose figures the contender's are.
    pub fn library(self) -> Library {
        match self {
            Self::Ours => Library::Aumenta,
            Self::Candle => Library::Candle,
            Self::Burn => Library::Burn,
            Self::Torch
            | Self::TorchMalloc
            | Self::TorchChannelsLast
            | Self::TorchChannelsLastMalloc
            | Self::TorchBfloat16 => Library::PyTorch,
            Self::Keras | Self::KerasWithoutXla | Self::KerasFunction => Library::Keras,
        }
    }

    /// Whether it computes in float32, as the others do.
    pub fn is_float32(self) -> bool {
        self != Self::TorchBfloat16
    }

    /// The command that starts a process of it.
    ///
    /// Each library has its own variable for the number of its threads; all are set, so that all have the same.
    pub fn command(self, task: &Task<'_>) -> Result<Command> {
        let threads = task.threads.to_string();
        let mut command = match self.peer() {
            None => {
                let mut command = Command::new(current_exe().context("this program's own path is not known")?);
                command.args(["contender", self.name()]);
                command
            }
            Some((peer, options)) => {
                let mut command = Command::new(task.python);
                command.arg(peers().join(peer)).args(options).args(["--threads", &threads]);
                command
            }
        };
        command.args(["--network", task.network.name(), "--batch", &task.batch.to_string()]);
        for variable in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"] {
            command.env(variable, &threads);
        }
        if matches!(self, Self::TorchMalloc | Self::TorchChannelsLastMalloc | Self::TorchBfloat16) {
            command.envs(KEPT_MEMORY);
        }
        // Some systems pin OpenBLAS to an old processor's kernels; a library's own choice is what is measured.
        command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        Ok(command)
    }

    /// The Python program and its options, where the contender is one.
    fn peer(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Ours | Self::Candle | Self::Burn => None,
            Self::Torch | Self::TorchMalloc => Some(("torch_peer.py", &[])),
            Self::TorchChannelsLast | Self::TorchChannelsLastMalloc => Some(("torch_peer.py", &["--channels-last"])),
            Self::TorchBfloat16 => Some(("torch_peer.py", &["--channels-last", "--bfloat16"])),
            Self::Keras => Some(("keras_peer.py", &["--step", "keras"])),
            Self::KerasWithoutXla => Some(("keras_peer.py", &["--step", "keras-without-xla"])),
            Self::KerasFunction => Some(("keras_peer.py", &["--step", "function"])),
        }
    }
}

/// Where the Python programs lie: in the checkout of the project that the program was built from, or, on a machine that it was
/// carried to, in the one whose root it is started in.
pub fn peers() -> PathBuf {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    if built_from.exists() { built_from } else { Path::new("bin/aumenta-bench/peers").to_path_buf() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for contender in Contender::value_variants() {
            assert_eq!(contender.to_possible_value().unwrap().get_name(), contender.name());
        }
        for network in Network::value_variants() {
            assert_eq!(network.to_possible_value().unwrap().get_name(), network.name());
        }
    }

    #[test]
    fn every_process_gets_its_network_its_batch_and_the_same_threads() {
        let task = Task { network: Network::CatsDogs, batch: 20, threads: 2, python: Path::new("python3") };
        for contender in Contender::value_variants() {
            let command = contender.command(&task).unwrap();
            let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
            assert!(arguments.join(" ").ends_with("--network cats-dogs --batch 20"), "{arguments:?}");
            let threads = command.get_envs().filter(|(_, value)| *value == Some("2".as_ref())).count();
            assert_eq!(threads, 3);
        }
    }
}
