//! [`write_zip`]: a drawn data set, packed as Kaggle packs Dogs vs. Cats.

use std::path::Path;

use aumenta_dataset::{DatasetError, zip_bytes};
use aumenta_imgproc::{EncodeError, encode_jpeg};
use aumenta_seed::Seed;
use rayon::prelude::*;

use crate::animal::{Animal, draw};

/// The archive within the archive that holds the pictures.
pub const INNER_ARCHIVE: &str = "train.zip";

/// No use is known for larger drawings, which would take gigabytes.
const MAX_SIDE: usize = 2048;

const JPEG_QUALITY: u8 = 85;

/// Why a drawn data set could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DrawnError {
    /// Pictures of that size cannot be drawn.
    #[error("drawings cannot be {side} pixels wide: choose from 1 to {MAX_SIDE}")]
    Side {
        /// The size asked for.
        side: usize,
    },
    /// A picture could not be encoded.
    #[error("cannot encode the drawing `{name}`")]
    Encode {
        /// The picture.
        name: String,
        /// What the encoder says.
        #[source]
        source: EncodeError,
    },
    /// The archive could not be written.
    #[error(transparent)]
    Archive(#[from] DatasetError),
}

/// Draws `per_class` cats and as many dogs, `side` pixels wide and high, and writes them to a zip archive at `path`.
///
/// It holds `train.zip`, which holds `train/cat.0.jpg`, `train/dog.0.jpg` and so on. The same arguments give the same
/// bytes. All cores draw; the whole archive is held in memory, about 5 kB for a picture of 96 pixels.
///
/// # Errors
/// Where `side` is 0 or above 2048, or the file cannot be written.
pub fn write_zip(path: &Path, per_class: usize, side: usize, seed: Seed) -> Result<(), DrawnError> {
    if !(1..=MAX_SIDE).contains(&side) {
        return Err(DrawnError::Side { side });
    }
    let mut pictures = Vec::with_capacity(2 * per_class);
    for animal in Animal::ALL {
        let drawn: Vec<_> =
            (0..per_class).into_par_iter().map(|index| picture(animal, seed, index, side)).collect::<Result<_, _>>()?;
        pictures.extend(drawn);
    }
    let inner = zip_bytes(pictures)?;
    Ok(aumenta_dataset::write_zip(path, [(INNER_ARCHIVE.to_owned(), inner)])?)
}

fn picture(animal: Animal, seed: Seed, index: usize, side: usize) -> Result<(String, Vec<u8>), DrawnError> {
    let name = format!("train/{}.{index}.jpg", animal.name());
    match encode_jpeg(&draw(animal, seed, index as u64, side), JPEG_QUALITY) {
        Ok(bytes) => Ok((name, bytes)),
        Err(source) => Err(DrawnError::Encode { name, source }),
    }
}

#[cfg(test)]
mod tests {
    use aumenta_dataset::{Amounts, PrepareConfig, prepare};

    use super::*;

    #[test]
    fn the_archive_is_prepared_like_any_other_and_holds_no_copies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.zip");
        write_zip(&path, 20, 24, Seed::new(5)).unwrap();
        let config = PrepareConfig::new(Amounts::Counts { train: 10, val: 5, test: Some(5) });
        let manifest = prepare(&path, &config, &|_, _| {}).unwrap();
        assert_eq!(manifest.classes, ["cat", "dog"]);
        assert_eq!(manifest.source.inner.as_deref(), Some(INNER_ARCHIVE));
        assert_eq!(manifest.unused, 0);
        assert!(manifest.copies().is_empty());
    }

    #[test]
    fn the_same_arguments_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second, other] = ["a.zip", "b.zip", "c.zip"].map(|name| folder.path().join(name));
        write_zip(&first, 6, 24, Seed::new(5)).unwrap();
        write_zip(&second, 6, 24, Seed::new(5)).unwrap();
        write_zip(&other, 6, 24, Seed::new(6)).unwrap();
        let bytes = fs_err::read(first).unwrap();
        assert_eq!(bytes, fs_err::read(second).unwrap());
        assert_ne!(bytes, fs_err::read(other).unwrap());
    }

    #[test]
    fn an_impossible_side_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        for side in [0, 2049] {
            assert!(matches!(write_zip(&path, 1, side, Seed::new(0)), Err(DrawnError::Side { .. })));
        }
        assert!(!path.exists());
    }
}
