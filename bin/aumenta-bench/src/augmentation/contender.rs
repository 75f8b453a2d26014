//! The libraries whose augmentation is measured, and how a process of each is started.

use std::env::current_exe;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::contender::peers;
use crate::environment::libraries_on_one_thread;

/// A library in one way of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// Aumenta.
    Ours,
    /// `OpenCV`, called from Python.
    Opencv,
    /// albumentations on `OpenCV`.
    Albumentations,
    /// torchvision's v2 transforms on uint8 tensors.
    Torchvision,
    /// torchvision's v2 transforms on Pillow images.
    TorchvisionPillow,
    /// Pillow.
    Pillow,
    /// kornia-rs, called from Python.
    KorniaRs,
    /// Keras' `ImageDataGenerator`, and `SciPy` as it calls it.
    KerasGenerator,
    /// Keras' preprocessing layers on TensorFlow.
    KerasLayers,
}

impl Contender {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Opencv => "opencv",
            Self::Albumentations => "albumentations",
            Self::Torchvision => "torchvision",
            Self::TorchvisionPillow => "torchvision-pillow",
            Self::Pillow => "pillow",
            Self::KorniaRs => "kornia-rs",
            Self::KerasGenerator => "keras-generator",
            Self::KerasLayers => "keras-layers",
        }
    }

    /// What the contender runs, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Ours => "Aumenta: a plan applied to the decoded picture, into a buffer that is kept.",
            Self::Opencv => {
                "OpenCV's functions, put together by hand where it has no single one; it has no pipeline of its own, so the \
                 book's is an area resize and one `warpAffine` by a matrix composed in NumPy."
            }
            Self::Albumentations => "albumentations on OpenCV: the transform itself, or `Compose` for the pipeline.",
            Self::Torchvision => {
                "torchvision's v2 transforms on uint8 CHW tensors. Its affine fills with a color, not with the nearest pixel."
            }
            Self::TorchvisionPillow => "The same transforms on Pillow images.",
            Self::Pillow => "Pillow on its own images.",
            Self::KorniaRs => {
                "kornia-rs through its Python package. It resizes bytes without antialiasing and fills with black, and its \
                 brightness adds instead of multiplying."
            }
            Self::KerasGenerator => {
                "`ImageDataGenerator.random_transform` after the nearest-pixel resize of `flow_from_directory`; as the single \
                 warp, `scipy.ndimage.affine_transform` channel by channel, as it calls it."
            }
            Self::KerasLayers => {
                "Keras' preprocessing layers in a `tf.function` on batches of 16; each layer resamples once more."
            }
        }
    }

    /// The command that starts a process of it on the photographs in `folder`, with one thread.
    pub fn command(self, python: &Path, folder: &Path) -> Result<Command> {
        let mut command = match self.peer() {
            None => {
                let mut command = Command::new(current_exe().context("this program's own path is not known")?);
                command.arg("augmenter");
                command
            }
            Some((peer, options)) => {
                let mut command = Command::new(python);
                command.arg(peers().join(peer)).args(options);
                command
            }
        };
        command.arg("--photographs").arg(folder);
        libraries_on_one_thread(&mut command);
        Ok(command)
    }

    /// The Python program and its options, where the contender is one.
    fn peer(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Ours => None,
            Self::Opencv => Some(("opencv_peer.py", &[])),
            Self::Albumentations => Some(("albumentations_peer.py", &[])),
            Self::Torchvision => Some(("torchvision_peer.py", &["--on", "tensors"])),
            Self::TorchvisionPillow => Some(("torchvision_peer.py", &["--on", "pillow"])),
            Self::Pillow => Some(("pillow_peer.py", &[])),
            Self::KorniaRs => Some(("kornia_peer.py", &[])),
            Self::KerasGenerator => Some(("keras_generator_peer.py", &[])),
            Self::KerasLayers => Some(("keras_layers_peer.py", &[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for contender in Contender::value_variants() {
            assert_eq!(contender.to_possible_value().unwrap().get_name(), contender.name());
        }
    }

    #[test]
    fn every_process_gets_the_photographs_and_one_thread() {
        for contender in Contender::value_variants() {
            let command = contender.command(Path::new("python3"), Path::new("photographs")).unwrap();
            let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
            assert!(arguments.join(" ").ends_with("--photographs photographs"), "{arguments:?}");
            assert_eq!(
                command.get_envs().filter(|(name, _)| name.to_string_lossy().ends_with("_NUM_THREADS")).count(),
                4
            );
        }
    }

    #[test]
    fn every_python_program_is_there() {
        for (peer, _) in Contender::value_variants().iter().filter_map(|contender| contender.peer()) {
            assert!(peers().join(peer).is_file(), "{peer}");
        }
    }
}
