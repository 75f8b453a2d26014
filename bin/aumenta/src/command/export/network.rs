//! A run's network as a file for other programs.

use std::path::Path;

use anyhow::{Context as _, Result};
use aumenta_dataset::{Existing, check_output};
use aumenta_models::{Model, onnx_metadata};
use aumenta_nn::TensorFile;
use aumenta_runs::{Kept, RunFolder, write_atomic_bytes};
use aumenta_train::Checkpoint;
use candle_core::Device;

use crate::failure::BadUse;

/// The entry of a file's metadata that holds all of it, as in a checkpoint.
const WHOLE: &str = "aumenta";

/// An entry by which an earlier export is known, as a checkpoint does not have it.
const CLASSES: &str = "classes";

/// How evaluation brings an image to the network's size.
const RESIZE: &str = "bilinear, without keeping the aspect ratio";

/// In which form a network is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NetworkFormat {
    Safetensors,
    Onnx,
}

/// Writes one of a run's checkpoints to `out`; how many bytes that are.
pub fn write(run: &RunFolder, kept: Kept, format: NetworkFormat, out: &Path, existing: Existing) -> Result<usize> {
    check(out, existing)?;
    let (checkpoint, model) = Checkpoint::load(&run.weights_path(kept), &Device::Cpu)?;
    let bytes = match format {
        NetworkFormat::Safetensors => to_safetensors(&checkpoint, &*model)?,
        NetworkFormat::Onnx => to_onnx(&checkpoint, &*model)?,
    };
    write_atomic_bytes(out, &bytes)?;
    Ok(bytes.len())
}

/// Whether nothing is at `out`, or what may be replaced.
fn check(out: &Path, existing: Existing) -> Result<()> {
    if existing == Existing::ReplaceExport && out.is_file() {
        let bytes = fs_err::read(out)?;
        let keys: Vec<String> = match TensorFile::from_bytes(&bytes) {
            Ok(file) => file.metadata.into_keys().collect(),
            Err(_) => onnx_metadata(&bytes).unwrap_or_default().into_keys().collect(),
        };
        if [WHOLE, CLASSES].iter().all(|key| keys.iter().any(|found| found == key)) {
            return Ok(());
        }
    }
    Ok(check_output(out, existing)?)
}

/// The weights under PyTorch's names, with those of a whitening.
fn to_safetensors(checkpoint: &Checkpoint, model: &dyn Model) -> Result<Vec<u8>> {
    let mut metadata = metadata(checkpoint)?;
    // What loaders of PyTorch's world ask for.
    metadata.push(("format", "pt".to_string()));
    let metadata = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    Ok(TensorFile { tensors: checkpoint.tensors(model.parameters())?, metadata }.to_bytes()?)
}

fn to_onnx(checkpoint: &Checkpoint, model: &dyn Model) -> Result<Vec<u8>> {
    if checkpoint.preprocessing.normalization.whitening().is_some() {
        return Err(BadUse::message(
            "an ONNX file has no place for the whitening that this network's images go through: --format safetensors \
             writes it beside the weights"
                .to_string(),
        ));
    }
    Ok(checkpoint.model.architecture()?.to_onnx(model.parameters(), &metadata(checkpoint)?)?)
}

/// What a prediction needs besides the network: as a whole, and piece by piece for people.
fn metadata(checkpoint: &Checkpoint) -> Result<Vec<(&'static str, String)>> {
    let preprocessing = &checkpoint.preprocessing;
    Ok(vec![
        (WHOLE, serde_json::to_string(checkpoint)?),
        ("model", checkpoint.model.architecture()?.name().to_string()),
        (CLASSES, serde_json::to_string(&checkpoint.classes)?),
        ("height", preprocessing.height.to_string()),
        ("width", preprocessing.width.to_string()),
        ("color", text(&preprocessing.color)?),
        ("resize", RESIZE.to_string()),
        ("normalization", serde_json::to_string(&preprocessing.normalization)?),
        ("manifest-hash", checkpoint.manifest_hash.clone()),
        ("version", checkpoint.version.clone()),
        ("epoch", checkpoint.epoch.to_string()),
    ])
}

/// A name as configurations spell it, without quotes.
fn text(name: &impl serde::Serialize) -> Result<String> {
    let value = serde_json::to_value(name)?;
    Ok(value.as_str().context("a name is text")?.to_string())
}
