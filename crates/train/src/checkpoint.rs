//! A network that can be used again: weights, and all that a prediction needs besides.

use std::collections::HashMap;
use std::path::Path;

use aumenta_models::{Model, ModelConfig};
use aumenta_nn::{NamedTensor, NnError, Parameters, TensorFile};
use aumenta_runs::write_atomic_bytes;
use aumenta_seed::Seed;
use aumenta_stream::Preprocessing;
use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::error::{CheckpointFault, TrainError};

/// The entry of the safetensors header that holds a [`Checkpoint`] as JSON.
const HEADER: &str = "aumenta";

/// The tensors of a whitening, which is too large for the header.
const WHITENING_MEAN: &str = "normalization.mean";
const WHITENING_MATRIX: &str = "normalization.matrix";

/// What the weights in a checkpoint belong to. It stands in the header of the safetensors file, so that a checkpoint is
/// one file, written whole or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Checkpoint {
    /// [`Checkpoint::FORMAT`] when written.
    pub format: u32,
    /// The version of the software that wrote it.
    pub version: String,
    /// The network.
    pub model: ModelConfig,
    /// The form in which the network takes images.
    pub preprocessing: Preprocessing,
    /// The class names, in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The hash of the manifest that it was trained on.
    pub manifest_hash: String,
    /// Epochs trained.
    pub epoch: usize,
}

impl Checkpoint {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 2;

    /// Whether the model tells as many classes apart as there are.
    ///
    /// # Errors
    /// [`TrainError::Classes`] where it does not.
    pub fn check_classes(&self) -> Result<(), TrainError> {
        let architecture = self.model.architecture()?;
        let (expected, got) = (architecture.classes(), self.classes.len());
        if expected == got {
            return Ok(());
        }
        let (model, classes) = (architecture.name().to_string(), self.classes.join(", "));
        Err(TrainError::Classes { model, expected, got, classes })
    }

    /// Writes the checkpoint with `parameters` to `path`, replacing what is there only once all is written.
    ///
    /// # Errors
    /// [`TrainError::Run`] where the file cannot be written, [`TrainError::Checkpoint`] where the parameters cannot be
    /// read from their device.
    pub fn save(&self, parameters: &Parameters, path: &Path) -> Result<(), TrainError> {
        let bytes = self.to_bytes(parameters).map_err(|source| fault(path, source))?;
        write_atomic_bytes(path, &bytes)?;
        tracing::debug!(path = %path.display(), epoch = self.epoch, bytes = bytes.len(), "wrote a checkpoint");
        Ok(())
    }

    fn to_bytes(&self, parameters: &Parameters) -> Result<Vec<u8>, CheckpointFault> {
        let metadata = [(HEADER.to_string(), serde_json::to_string(self)?)].into();
        Ok(TensorFile { tensors: self.tensors(parameters)?, metadata }.to_bytes()?)
    }

    /// All tensors that a checkpoint with `parameters` holds: these, and `normalization.mean` and `normalization.matrix` of the
    /// whitening where there is one.
    ///
    /// # Errors
    /// [`NnError::Candle`] where the parameters cannot be read from their device.
    pub fn tensors(&self, parameters: &Parameters) -> Result<Vec<NamedTensor>, NnError> {
        let mut tensors = parameters.tensors()?;
        if let Some(whitening) = self.preprocessing.normalization.whitening() {
            let (mean, matrix) = (whitening.mean(), whitening.matrix());
            let tensor =
                |name: &str, shape, values: &[f32]| NamedTensor { name: name.into(), shape, values: values.into() };
            tensors.push(tensor(WHITENING_MEAN, vec![mean.len()], mean));
            tensors.push(tensor(WHITENING_MATRIX, vec![mean.len(); 2], matrix));
        }
        Ok(tensors)
    }

    /// Reads a checkpoint and builds its network, with its weights, on `device`.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`], naming the file and what is wrong with it.
    pub fn load(path: &Path, device: &Device) -> Result<(Self, Box<dyn Model>), TrainError> {
        let load = || -> Result<(Self, Box<dyn Model>), CheckpointFault> {
            let (checkpoint, weights) = Self::read(path)?;
            // The seed only fills weights that are overwritten right away.
            let model = checkpoint.model.architecture()?.build(Seed::new(0), device)?;
            model.parameters().set_tensors(&weights)?;
            Ok((checkpoint, model))
        };
        load().map_err(|source| fault(path, source))
    }

    /// Reads the weights of a checkpoint alone.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub(crate) fn read_weights(path: &Path) -> Result<Vec<NamedTensor>, TrainError> {
        Self::read(path).map(|(_, weights)| weights).map_err(|source| fault(path, source))
    }

    fn read(path: &Path) -> Result<(Self, Vec<NamedTensor>), CheckpointFault> {
        let mut file = TensorFile::from_bytes(&fs_err::read(path)?)?;
        let mut checkpoint = Self::from_header(&file.metadata)?;
        if let Some(whitening) = checkpoint.preprocessing.normalization.whitening_mut() {
            // The header holds the size of the whitening alone.
            let mut take =
                |name: &str, shape: &[usize]| match file.tensors.iter().position(|tensor| tensor.name == name) {
                    Some(at) if file.tensors[at].shape == shape => Ok(file.tensors.swap_remove(at).values),
                    _ => Err(NnError::Weights { reason: format!("`{name}` is missing or not {shape:?}") }),
                };
            let len = whitening.mean().len();
            whitening.set(take(WHITENING_MEAN, &[len])?, take(WHITENING_MATRIX, &[len, len])?);
        }
        Ok((checkpoint, file.tensors))
    }

    fn from_header(metadata: &HashMap<String, String>) -> Result<Self, CheckpointFault> {
        /// The one field that all formats share.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let header = metadata.get(HEADER).ok_or(CheckpointFault::NoHeader(HEADER))?;
        let Format { format } = serde_json::from_str(header)?;
        if format != Self::FORMAT {
            return Err(CheckpointFault::Format { expected: Self::FORMAT, got: format });
        }
        Ok(serde_json::from_str(header)?)
    }
}

fn fault(path: &Path, source: CheckpointFault) -> TrainError {
    TrainError::Checkpoint { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use aumenta_augment::{Normalization, Whitening};
    use aumenta_stream::Color;

    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            format: Checkpoint::FORMAT,
            version: "0.0.0".to_string(),
            model: ModelConfig::MnistConvnet {},
            preprocessing: Preprocessing::new(28, 28, Color::Gray),
            classes: (0..10).map(|digit| digit.to_string()).collect(),
            manifest_hash: "ab".repeat(32),
            epoch: 3,
        }
    }

    fn weights(model: &dyn Model) -> Vec<NamedTensor> {
        model.parameters().tensors().unwrap()
    }

    #[test]
    fn a_saved_network_comes_back_with_what_it_belongs_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        let model = checkpoint().model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        checkpoint().save(model.parameters(), &path).unwrap();
        let (loaded, network) = Checkpoint::load(&path, &Device::Cpu).unwrap();
        assert_eq!(loaded, checkpoint());
        assert!(weights(&*network) == weights(&*model));
    }

    #[test]
    fn fitted_normalizations_come_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        let model = checkpoint().model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let numbers = |count: usize| (0..count).map(|at| 1.0 / (at as f32 - 0.3)).collect::<Vec<_>>();
        for normalization in [
            Normalization::Affine { scale: [1.0 / 3.0, 0.1, 1e-30], offset: [-0.7, 1e9, 0.0] },
            Normalization::Samplewise { scale: 1.0, center: true, std: false },
            Normalization::Whitening(Whitening::new(numbers(5), numbers(25))),
        ] {
            let preprocessing = Preprocessing { normalization, ..checkpoint().preprocessing };
            let checkpoint = Checkpoint { preprocessing, ..checkpoint() };
            checkpoint.save(model.parameters(), &path).unwrap();
            let (loaded, network) = Checkpoint::load(&path, &Device::Cpu).unwrap();
            assert_eq!(loaded, checkpoint);
            assert!(weights(&*network) == weights(&*model));
        }
    }

    #[track_caller]
    fn assert_refused(bytes: &[u8], reason: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        fs_err::write(&path, bytes).unwrap();
        let Err(TrainError::Checkpoint { source, path: named }) = Checkpoint::load(&path, &Device::Cpu) else {
            panic!("it was not refused")
        };
        assert_eq!(named, path);
        assert!(source.to_string().contains(reason), "{source}");
    }

    #[test]
    fn files_that_are_no_checkpoint_are_refused_with_the_reason() {
        let model = checkpoint().model.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let parameters = model.parameters();
        let whole = checkpoint().to_bytes(parameters).unwrap();
        assert_refused(&whole[..whole.len() - 10], "weights cannot be loaded");
        assert_refused(b"not a checkpoint", "weights cannot be loaded");
        let bare = TensorFile { tensors: parameters.tensors().unwrap(), ..TensorFile::default() };
        assert_refused(&bare.to_bytes().unwrap(), "no `aumenta` entry");
        let newer = Checkpoint { format: 9, ..checkpoint() };
        assert_refused(&newer.to_bytes(parameters).unwrap(), "format 9, and this version reads format 2");
        let other = Checkpoint { model: ModelConfig::named("cats-dogs-convnet").unwrap(), ..checkpoint() };
        assert_refused(&other.to_bytes(parameters).unwrap(), "weights cannot be loaded");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Checkpoint::load(Path::new("nowhere/best.safetensors"), &Device::Cpu).unwrap_err();
        assert_eq!(error.to_string(), "`nowhere/best.safetensors` is no usable checkpoint");
    }
}
