//! [`materialize`]: the splits as folders of files, for other programs.

use std::collections::HashSet;
use std::path::Path;

use crate::atomic::{parent, with_usual_permissions};
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::scan::Progress;
use crate::split::Split;

/// Writes the splits below `out` as `train/cat/cat.0.jpg` and so on, with the original bytes; says how many files.
///
/// Files of the same name in one folder (compared without case, as some file systems do) get a number: `a.jpg`,
/// `a-2.jpg`. The folder appears under its name when it is complete.
///
/// # Errors
/// Where `out` exists and is not an empty folder, an image cannot be read, or a file cannot be written.
pub fn materialize(dataset: &Dataset, out: &Path, progress: Progress<'_>) -> Result<usize, DatasetError> {
    let taken = || DatasetError::OutputTaken { path: out.to_owned() };
    if out.is_dir() {
        if fs_err::read_dir(out)?.next().is_some() {
            return Err(taken());
        }
        // Renaming onto a folder, even an empty one, is not possible on every platform.
        fs_err::remove_dir(out)?;
    } else if out.exists() {
        return Err(taken());
    }

    let folder = parent(out);
    fs_err::create_dir_all(folder)?;
    let passing = with_usual_permissions(&mut tempfile::Builder::new(), 0o777).tempdir_in(folder)?;
    let total = dataset.manifest().all_records().count();
    let mut written = 0;
    let mut bytes = Vec::new();
    for split in Split::ALL {
        let mut names = HashSet::new();
        for record in dataset.records(split) {
            let class = &dataset.manifest().classes[record.class as usize];
            let name = free_name(class, &record.path, &mut names);
            dataset.read(record, &mut bytes)?;
            let class_folder = passing.path().join(split.name()).join(class);
            fs_err::create_dir_all(&class_folder)?;
            fs_err::write(class_folder.join(name), &bytes)?;
            written += 1;
            progress(written, total);
        }
    }
    fs_err::rename(passing.path(), out)?;
    // What the guard would remove has become `out`.
    let _ = passing.keep();
    Ok(written)
}

/// The file name of `path`, numbered where `class` has it already.
fn free_name(class: &str, path: &str, names: &mut HashSet<String>) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let numbered = (2..).map(|number| format!("{stem}-{number}.{extension}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    candidates
        .find(|candidate| names.insert(format!("{class}/{candidate}").to_lowercase()))
        .unwrap_or_else(|| name.to_owned())
}
