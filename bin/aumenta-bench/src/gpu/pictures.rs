//! The photographs that a network is trained on: drawn or given ones, as a manifest.
//!
//! Each stands in the folder several times, as links to one file, so that an epoch is long enough to be timed. They are measured from
//! a cache in memory, which holds decoded pixels; what the files are makes no difference then, beyond their size in pixels.

use std::path::{Path, PathBuf};

use anyhow::Result;
use aumenta_dataset::{Amounts, Depth, PrepareConfig, prepare};
use aumenta_imgproc::encode_jpeg;
use fs_err as fs;

use crate::streaming::photographs::Origin;

const QUALITY: u8 = 85;

/// Writes `count` photographs of `origin` to `folder`, each `copies` times, and the manifest of them; its path. One photograph of
/// each class is for validation and one for the test.
///
/// # Errors
/// Where a file cannot be written, or a class has too few photographs to divide.
pub fn write(folder: &Path, origin: &Origin, count: usize, copies: usize) -> Result<PathBuf> {
    let photographs = folder.join("photographs");
    for index in 0..count {
        let class = photographs.join(origin.class(index));
        fs::create_dir_all(&class)?;
        let file = class.join(format!("{index:05}.jpg"));
        match origin {
            Origin::Found { files, .. } => fs::write(&file, &files[index].1)?,
            Origin::Drawn => fs::write(&file, encode_jpeg(&origin.image(index)?, QUALITY)?)?,
        }
        for copy in 1..copies {
            fs::hard_link(&file, class.join(format!("{index:05}-{copy}.jpg")))?;
        }
    }
    let train = origin.smallest_class(count).saturating_sub(2) * copies;
    let amounts = Amounts::Counts { train, val: copies, test: Some(copies) };
    // Copies are of the same bytes, and nothing else is to be found.
    let config = PrepareConfig { depth: Depth::Content, ..PrepareConfig::new(amounts) };
    let manifest = folder.join("manifest.json");
    prepare(&photographs, &config, &|_, _| {})?.write(&manifest)?;
    Ok(manifest)
}
