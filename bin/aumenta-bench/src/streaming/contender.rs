//! The libraries whose streaming is measured, and how a process of each is started.

use std::env::current_exe;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::workload::Workload;
use super::writer::Packing;
use crate::contender::peers;
use crate::environment::libraries_on_one_thread;

/// A library in one way of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta.
    Ours,
    /// Aumenta with another program of its own.
    OursTurbo,
    /// Aumenta with a single worker.
    OursOneThread,
    /// Aumenta on a zip archive of stored entries.
    OursZipStored,
    /// Aumenta on a zip archive of compressed entries.
    OursZipDeflated,
    /// Aumenta on a tar archive.
    OursTar,
    /// Aumenta with decoded pixels in memory.
    OursCacheRam,
    /// Aumenta with decoded pixels in a file.
    OursCacheDisk,
    /// Aumenta's reading and decoding alone.
    OursDecodeOnly,
    /// `OpenCV` in `PyTorch`'s loader, put together by hand.
    Opencv,
    /// The same, decoding to half the size.
    OpencvReduced,
    /// albumentations in `PyTorch`'s loader.
    Albumentations,
    /// torchvision with its own decoder in `PyTorch`'s loader.
    Torchvision,
    /// torchvision with Pillow in `PyTorch`'s loader.
    TorchvisionPillow,
    /// DALI, as its documentation has it.
    Dali,
    /// DALI with one warp that resizes as well.
    DaliFused,
    /// tf.data with Keras' layers.
    TfDataLayers,
    /// tf.data with one transform.
    TfDataTransform,
    /// Keras' generator with threads.
    KerasThreads,
    /// Keras' generator with processes.
    KerasProcesses,
}

/// Whose work a contender's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// This program's.
    This,
    /// That of another build of it.
    Turbo,
    /// One in Python, with its options.
    Python(&'static str, &'static [&'static str]),
}

/// What a process of a contender works on.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The workload.
    pub workload: Workload,
    /// Threads or processes that make batches.
    pub threads: usize,
    /// The Python interpreter.
    pub python: &'a Path,
    /// The other build of this program, where there is one.
    pub turbo: Option<&'a Path>,
    /// The folder with all files.
    pub files: &'a Path,
}

impl Contender {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursTurbo => "ours-turbo",
            Self::OursOneThread => "ours-one-thread",
            Self::OursZipStored => "ours-zip-stored",
            Self::OursZipDeflated => "ours-zip-deflated",
            Self::OursTar => "ours-tar",
            Self::OursCacheRam => "ours-cache-ram",
            Self::OursCacheDisk => "ours-cache-disk",
            Self::OursDecodeOnly => "ours-decode-only",
            Self::Opencv => "opencv",
            Self::OpencvReduced => "opencv-reduced",
            Self::Albumentations => "albumentations",
            Self::Torchvision => "torchvision",
            Self::TorchvisionPillow => "torchvision-pillow",
            Self::Dali => "dali",
            Self::DaliFused => "dali-fused",
            Self::TfDataLayers => "tf-data-layers",
            Self::TfDataTransform => "tf-data-transform",
            Self::KerasThreads => "keras-threads",
            Self::KerasProcesses => "keras-processes",
        }
    }

    /// What the contender runs, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => "Aumenta's training stream over the folder.",
            Self::OursTurbo => "The same, built with the feature `turbo`.",
            Self::OursOneThread => "The same as `ours`, with one worker.",
            Self::OursZipStored => "Straight from a zip archive whose entries are stored.",
            Self::OursZipDeflated => "Straight from a zip archive whose entries are deflated.",
            Self::OursTar => "Straight from a tar archive.",
            Self::OursCacheRam => "From decoded pixels in memory, once epochs have filled them in.",
            Self::OursCacheDisk => "From decoded pixels in a file that is read as memory, once epochs have filled it.",
            Self::OursDecodeOnly => {
                "Reading and decoding by as many threads, at the scales that `ours` decodes at, without augmentation and \
                 batches."
            }
            Self::Opencv => {
                "OpenCV by hand in PyTorch's DataLoader: `imread`, one `warpAffine` that resizes as well and reads single points, \
                 `cvtColor`, a product."
            }
            Self::OpencvReduced => "The same, with `IMREAD_REDUCED_COLOR_2`.",
            Self::Albumentations => {
                "albumentations on OpenCV in PyTorch's DataLoader, with the resize that it has by default."
            }
            Self::Torchvision => {
                "torchvision's v2 transforms on tensors of its own decoder, in PyTorch's DataLoader. Its affine fills with black."
            }
            Self::TorchvisionPillow => "The same on Pillow images.",
            Self::Dali => "NVIDIA DALI on the processor: decode, resize, warp; for crops its decoder of random crops.",
            Self::DaliFused => "The same with one warp that resizes as well and reads single points.",
            Self::TfDataLayers => {
                "tf.data with Keras' preprocessing layers on batches; each layer resamples once more."
            }
            Self::TfDataTransform => "tf.data with one `ImageProjectiveTransformV3` a batch after the resize.",
            Self::KerasThreads => "Keras' `ImageDataGenerator.flow_from_directory` in `fit`'s queue, with threads.",
            Self::KerasProcesses => "The same with processes.",
        }
    }

    /// The contenders of `workload`, in the order of the report.
    pub fn of(workload: Workload) -> &'static [Self] {
        match workload {
            Workload::Book => &[
                Self::Ours,
                Self::OursTurbo,
                Self::OursOneThread,
                Self::Opencv,
                Self::OpencvReduced,
                Self::Albumentations,
                Self::Torchvision,
                Self::TorchvisionPillow,
                Self::Dali,
                Self::DaliFused,
                Self::TfDataLayers,
                Self::TfDataTransform,
                Self::KerasThreads,
                Self::KerasProcesses,
            ],
            Workload::Crop | Workload::CropLarge => &[
                Self::Ours,
                Self::OursTurbo,
                Self::OursOneThread,
                Self::Albumentations,
                Self::Torchvision,
                Self::TorchvisionPillow,
                Self::Dali,
            ],
            Workload::Sources => &[
                Self::Ours,
                Self::OursZipStored,
                Self::OursZipDeflated,
                Self::OursTar,
                Self::OursCacheRam,
                Self::OursCacheDisk,
                Self::OursDecodeOnly,
            ],
        }
    }

    /// The archive that it streams from, where that is not the folder.
    pub fn packing(self) -> Option<Packing> {
        match self {
            Self::OursZipStored => Some(Packing::ZipStored),
            Self::OursZipDeflated => Some(Packing::ZipDeflated),
            Self::OursTar => Some(Packing::Tar),
            _ => None,
        }
    }

    /// The command that starts a process of it.
    ///
    /// # Errors
    /// Where this program's own path is not known, or the other build has none.
    pub fn command(self, task: &Task<'_>) -> Result<Command> {
        let augmentation = task.workload.augmentation().name();
        let threads = if self == Self::OursOneThread { 1 } else { task.threads };
        let mut command = match self.program() {
            Program::This => Command::new(current_exe().context("this program's own path is not known")?),
            Program::Turbo => Command::new(task.turbo.context("`--turbo` names the program that it runs")?),
            Program::Python(script, options) => {
                let mut command = Command::new(task.python);
                command.arg(peers().join(script)).args(options);
                command.arg("--photographs").arg(task.folder());
                command
            }
        };
        if self.is_ours() {
            let work = if self == Self::OursDecodeOnly { "decode" } else { "stream" };
            command.args(["streamer", work, "--manifest"]).arg(self.manifest(task));
            match self {
                Self::OursCacheRam => drop(command.args(["--cache", "ram"])),
                Self::OursCacheDisk => drop(command.args(["--cache", "disk"])),
                _ => {}
            }
        }
        command.args(["--augmentation", augmentation, "--threads", &threads.to_string()]);
        libraries_on_one_thread(&mut command);
        Ok(command)
    }

    /// Whether it is Aumenta.
    pub fn is_ours(self) -> bool {
        !matches!(self.program(), Program::Python(..))
    }

    /// What it streams from.
    pub fn source(self, task: &Task<'_>) -> PathBuf {
        match self.packing() {
            None => task.folder(),
            Some(packing) => task.files.join(packing.file_name()),
        }
    }

    /// Where the manifest of its source lies, which Aumenta streams by.
    pub fn manifest(self, task: &Task<'_>) -> PathBuf {
        self.source(task).with_extension("json")
    }

    fn program(self) -> Program {
        match self {
            Self::Ours
            | Self::OursOneThread
            | Self::OursZipStored
            | Self::OursZipDeflated
            | Self::OursTar
            | Self::OursCacheRam
            | Self::OursCacheDisk
            | Self::OursDecodeOnly => Program::This,
            Self::OursTurbo => Program::Turbo,
            Self::Opencv => Program::Python("opencv_stream_peer.py", &["--decode", "whole"]),
            Self::OpencvReduced => Program::Python("opencv_stream_peer.py", &["--decode", "half"]),
            Self::Albumentations => Program::Python("albumentations_stream_peer.py", &[]),
            Self::Torchvision => Program::Python("torchvision_stream_peer.py", &["--decoder", "own"]),
            Self::TorchvisionPillow => Program::Python("torchvision_stream_peer.py", &["--decoder", "pillow"]),
            Self::Dali => Program::Python("dali_stream_peer.py", &["--resize", "first"]),
            Self::DaliFused => Program::Python("dali_stream_peer.py", &["--resize", "in-the-warp"]),
            Self::TfDataLayers => Program::Python("tensorflow_stream_peer.py", &["--with", "layers"]),
            Self::TfDataTransform => Program::Python("tensorflow_stream_peer.py", &["--with", "one-transform"]),
            Self::KerasThreads => Program::Python("keras_generator_stream_peer.py", &["--workers", "threads"]),
            Self::KerasProcesses => Program::Python("keras_generator_stream_peer.py", &["--workers", "processes"]),
        }
    }
}

impl Task<'_> {
    /// The folder with the workload's photographs.
    pub fn folder(&self) -> PathBuf {
        self.files.join(self.workload.photographs().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(workload: Workload) -> Task<'static> {
        let [python, turbo, files] = ["python3", "turbo/aumenta-bench", "files"].map(Path::new);
        Task { workload, threads: 2, python, turbo: Some(turbo), files }
    }

    fn arguments(contender: Contender, workload: Workload) -> String {
        let command = contender.command(&task(workload)).unwrap();
        command.get_args().map(|argument| argument.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for contender in Contender::value_variants() {
            assert_eq!(contender.to_possible_value().unwrap().get_name(), contender.name());
        }
    }

    #[test]
    fn every_contender_has_a_workload_and_every_workload_has_ours_first() {
        for contender in Contender::value_variants() {
            assert!(Workload::value_variants().iter().any(|&workload| Contender::of(workload).contains(contender)));
        }
        assert!(Workload::value_variants().iter().all(|&workload| Contender::of(workload)[0] == Contender::Ours));
    }

    #[test]
    fn every_process_gets_its_files_its_augmentation_and_its_threads() {
        assert_eq!(
            arguments(Contender::OursOneThread, Workload::CropLarge),
            "streamer stream --manifest files/large.json --augmentation crop --threads 1"
        );
        assert_eq!(
            arguments(Contender::OursZipStored, Workload::Sources),
            "streamer stream --manifest files/stored.json --augmentation book --threads 2"
        );
        assert_eq!(
            arguments(Contender::OursDecodeOnly, Workload::Sources),
            "streamer decode --manifest files/small.json --augmentation book --threads 2"
        );
        let python = arguments(Contender::DaliFused, Workload::Book);
        assert!(
            python.ends_with("--resize in-the-warp --photographs files/small --augmentation book --threads 2"),
            "{python}"
        );
    }

    #[test]
    fn the_other_build_is_another_program() {
        let command = Contender::OursTurbo.command(&task(Workload::Book)).unwrap();
        assert_eq!(command.get_program(), "turbo/aumenta-bench");
        let without = Task { turbo: None, ..task(Workload::Book) };
        assert!(Contender::OursTurbo.command(&without).is_err());
    }

    #[test]
    fn every_python_program_is_there() {
        for contender in Contender::value_variants() {
            if let Program::Python(script, _) = contender.program() {
                assert!(peers().join(script).is_file(), "{script}");
            }
        }
    }
}
