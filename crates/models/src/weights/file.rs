//! Files of weights: safetensors and PyTorch's, on their own or within an archive such as a wheel.

use std::io::{Cursor, Read as _};
use std::path::Path;

use aumenta_nn::{NamedTensor, TensorFile};
use zip::ZipArchive;

use super::pth;
use crate::error::ModelError;

/// An archive in memory.
pub(super) type Archive = ZipArchive<Cursor<Vec<u8>>>;

/// The most bytes that an entry of an archive may unpack to.
const MOST_BYTES: u64 = 1 << 32;

/// The ends of names of files with weights.
const ENDINGS: [&str; 4] = [".safetensors", ".pth", ".pt", ".bin"];

/// Reads the tensors of a safetensors file, of what PyTorch's `torch.save` writes (a dictionary of tensors, or one that holds it
/// as `state_dict` or `model`), or of the one such file in a zip archive or a wheel.
///
/// All numbers become f32. Tensors of integers are left out.
///
/// # Errors
/// [`ModelError::ReadWeights`] where the file cannot be read, [`ModelError::NoWeights`] where it is none of these.
pub fn read_weights(path: &Path) -> Result<Vec<NamedTensor>, ModelError> {
    let bytes = fs_err::read(path).map_err(ModelError::ReadWeights)?;
    let tensors = if is_zip(&bytes) { tensors_of_archive(bytes) } else { tensors(&bytes) };
    tensors.map_err(|reason| ModelError::NoWeights { path: path.to_path_buf(), reason })
}

fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The tensors of an archive of PyTorch, or of the one file with weights in another archive.
fn tensors_of_archive(bytes: Vec<u8>) -> Result<Vec<NamedTensor>, String> {
    let (mut archive, names) = open(bytes)?;
    if let Some(index) = index(&names) {
        return pth::tensors_of_archive(&mut archive, index);
    }
    let found: Vec<&String> = names.iter().filter(|name| ENDINGS.iter().any(|ending| name.ends_with(ending))).collect();
    let &[name] = &found[..] else {
        return Err(format!("the archive has {} files with weights, instead of one", found.len()));
    };
    let bytes = entry(&mut archive, name)?;
    if !is_zip(&bytes) {
        return tensors(&bytes);
    }
    let (mut archive, names) = open(bytes)?;
    let index = index(&names).ok_or("the archive within the archive is not one of PyTorch")?;
    pth::tensors_of_archive(&mut archive, index)
}

/// An archive and its entries' names.
fn open(bytes: Vec<u8>) -> Result<(Archive, Vec<String>), String> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    Ok((archive, names))
}

/// The entry that says which tensors an archive of PyTorch holds.
fn index(names: &[String]) -> Option<&str> {
    names.iter().map(String::as_str).find(|name| name.ends_with("data.pkl"))
}

/// The bytes of an entry.
pub(super) fn entry(archive: &mut Archive, name: &str) -> Result<Vec<u8>, String> {
    let entry = archive.by_name(name).map_err(|error| format!("`{name}`: {error}"))?;
    let mut bytes = Vec::new();
    entry.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| format!("`{name}`: {error}"))?;
    Ok(bytes)
}

fn tensors(bytes: &[u8]) -> Result<Vec<NamedTensor>, String> {
    if pth::is_stream(bytes) {
        return pth::tensors_of_stream(bytes);
    }
    let file = TensorFile::floats_from_bytes(bytes);
    file.map(|file| file.tensors).map_err(|error| format!("it is neither of safetensors nor of PyTorch ({error})"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use aumenta_seed::Seed;
    use rand::RngExt as _;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const ARCHIVE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/backbones/archive.pth"));
    const STREAM: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/backbones/stream.pth"));

    fn read(bytes: &[u8]) -> Result<Vec<NamedTensor>, ModelError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        fs_err::write(&path, bytes).unwrap();
        read_weights(&path)
    }

    fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// Whether the file holds what `fixtures/backbones/generate_pth.py` saved.
    #[track_caller]
    fn check(bytes: &[u8]) {
        let mut tensors = read(bytes).unwrap();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let numbers = |range: std::ops::Range<usize>| range.map(|number| number as f32 / 4.0).collect::<Vec<_>>();
        let expected = [
            ("bfloat", vec![3], numbers(0..3)),
            ("double", vec![3], numbers(0..3)),
            ("half", vec![3], numbers(0..3)),
            ("parameter", vec![2], numbers(1..3)),
            ("part", vec![2], numbers(4..6)),
            ("single", vec![2, 3], numbers(0..6)),
            ("transposed", vec![3, 2], vec![0.0, 0.75, 0.25, 1.0, 0.5, 1.25]),
            ("whole", vec![10], numbers(0..10)),
        ];
        let expected = expected.map(|(name, shape, values)| NamedTensor { name: name.to_string(), shape, values });
        assert_eq!(tensors, expected);
    }

    #[test]
    fn files_of_pytorch_are_read_in_both_formats_also_within_an_archive() {
        check(ARCHIVE);
        check(STREAM);
        check(&zipped(&[("model/__init__.py", b""), ("model/weights.pth", STREAM)]));
        check(&zipped(&[("archive/pytorch_model.bin", ARCHIVE), ("config.json", b"{}")]));
    }

    #[test]
    fn safetensors_are_read_alone_and_within_an_archive() {
        let tensor = NamedTensor { name: "bias".to_string(), shape: vec![2], values: vec![0.5, -1.0] };
        let bytes = TensorFile { tensors: vec![tensor.clone()], ..TensorFile::default() }.to_bytes().unwrap();
        assert_eq!(read(&bytes).unwrap(), std::slice::from_ref(&tensor));
        assert_eq!(read(&zipped(&[("model.safetensors", &bytes)])).unwrap(), [tensor]);
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], words: &str) {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains("weights` holds no weights that can be read") && error.contains(words), "{error}");
    }

    #[test]
    fn what_holds_no_weights_is_refused_with_what_was_found() {
        check_refused(b"<html>not found</html>", "neither of safetensors nor of PyTorch");
        check_refused(&zipped(&[("a.pth", STREAM), ("b.pth", STREAM)]), "has 2 files with weights");
        check_refused(&zipped(&[("config.json", b"{}")]), "has 0 files with weights");
        check_refused(&zipped(&[("a.bin", &zipped(&[("b.pth", STREAM)]))]), "not one of PyTorch");
        check_refused(&STREAM[..STREAM.len() - 3], "cut off");
        assert!(matches!(read_weights(Path::new("nowhere.pth")), Err(ModelError::ReadWeights(_))));
    }

    #[test]
    fn no_damage_to_a_stream_makes_it_panic() {
        let mut rng = Seed::new(7).rng("damage", 0, 0);
        for _ in 0..20_000 {
            let mut bytes = STREAM.to_vec();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                // A LONG1 of more than eight bytes overflows a shift of Candle's, which only checked builds notice.
                bytes[at] = Some(rng.random()).filter(|byte| *byte != 0x8a).unwrap_or_default();
            }
            let _ = tensors(&bytes);
        }
    }

    #[test]
    fn files_that_are_cut_off_anywhere_are_refused() {
        for whole in [ARCHIVE, STREAM] {
            for len in (0..whole.len()).step_by(7) {
                assert!(read(&whole[..len]).is_err(), "{len} of {} bytes", whole.len());
            }
        }
    }
}
