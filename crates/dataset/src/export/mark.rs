//! How exports are known again, so that nothing else is replaced.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde_json::json;

use super::columns::HEADER;
use crate::atomic::write_file;
use crate::error::DatasetError;
use crate::manifest::Manifest;

/// The file in an exported folder that says what it is.
const MARK_FILE: &str = "aumenta-export.json";

/// The word in an archive's comment, a table's footer and the mark's file.
pub(super) const MARK: &str = "aumenta-export";

/// Marks `folder` as an export of `manifest`.
pub(super) fn mark_folder(folder: &Path, manifest: &Manifest, format: &str) -> Result<(), DatasetError> {
    let mark = json!({
        "kind": MARK,
        "format": format,
        "manifest": manifest.hash(),
        "classes": manifest.classes,
        "images": manifest.all_records().count(),
    });
    write_file(&folder.join(MARK_FILE), |file| Ok(std::io::Write::write_all(file, format!("{mark:#}\n").as_bytes())?))
}

/// Whether what is at `path` is an export.
pub(super) fn is_export(path: &Path) -> Result<bool, DatasetError> {
    if path.is_dir() {
        let mark = path.join(MARK_FILE);
        return Ok(mark.is_file() && contains(&ends_of(&mark)?.1, MARK));
    }
    let (start, end) = ends_of(path)?;
    Ok(start.starts_with(HEADER.join(",").as_bytes()) || contains(&end, MARK))
}

/// The first and the last kibibytes of a file.
fn ends_of(path: &Path) -> Result<(Vec<u8>, Vec<u8>), DatasetError> {
    const LENGTH: u64 = 4096;
    let mut file = fs_err::File::open(path)?;
    let (mut start, mut end) = (Vec::new(), Vec::new());
    file.by_ref().take(LENGTH).read_to_end(&mut start)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LENGTH)))?;
    file.take(LENGTH).read_to_end(&mut end)?;
    Ok((start, end))
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}
