//! [`materialize`]: the splits as folders of files, for other programs.

use std::collections::HashSet;
use std::path::Path;

use crate::atomic::write_folder;
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::scan::Progress;
use crate::source::ReadBuffer;
use crate::split::Split;

/// Writes the splits below `out` as `train/cat/cat.0.jpg` and so on, with the original bytes; says how many files.
///
/// Files of the same name in one folder (compared without case, as some file systems do) get a number: `a.jpg`,
/// `a-2.jpg`. The folder appears under its name when it is complete.
///
/// # Errors
/// Where `out` exists and is not an empty folder, an image cannot be read, or a file cannot be written.
pub fn materialize(dataset: &Dataset, out: &Path, progress: Progress<'_>) -> Result<usize, DatasetError> {
    let total = dataset.manifest().all_records().count();
    write_folder(out, |folder| {
        let mut written = 0;
        let mut buffer = ReadBuffer::default();
        for split in Split::ALL {
            let mut names = HashSet::new();
            for record in dataset.records(split) {
                let class = &dataset.manifest().classes[record.class as usize];
                let name = free_name(class, &record.path, &mut names);
                dataset.read(record, &mut buffer)?;
                let class_folder = folder.join(split.name()).join(class);
                fs_err::create_dir_all(&class_folder)?;
                fs_err::write(class_folder.join(name), buffer.bytes())?;
                written += 1;
                progress(written, total);
            }
        }
        Ok(written)
    })
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::amounts::Amounts;
    use crate::prepare::{PrepareConfig, prepare};
    use crate::sample;

    fn dataset(files: &[(String, Vec<u8>)]) -> (TempDir, Dataset) {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(&folder.path().join("data"), files);
        let config = PrepareConfig::new(Amounts::Counts { train: 2, val: 1, test: Some(1) });
        let manifest = prepare(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        manifest.write(&folder.path().join("manifest.json")).unwrap();
        let dataset = Dataset::open(folder.path(), None).unwrap();
        (folder, dataset)
    }

    #[test]
    fn every_record_becomes_a_file_of_the_same_bytes() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let out = folder.path().join("new/out");
        assert_eq!(materialize(&dataset, &out, &|_, _| {}).unwrap(), 8);
        for split in Split::ALL {
            for record in dataset.records(split) {
                let class = &dataset.manifest().classes[record.class as usize];
                let name = record.path.rsplit('/').next().unwrap();
                let bytes = fs_err::read(out.join(split.name()).join(class).join(name)).unwrap();
                assert_eq!(record.hash, blake3::hash(&bytes).to_hex().as_str());
            }
        }
        assert_eq!(fs_err::read_dir(folder.path().join("new")).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn files_of_one_name_get_numbers() {
        let mut names = HashSet::new();
        let mut name = |class, path| free_name(class, path, &mut names);
        assert_eq!(name("cat", "x/a.jpg"), "a.jpg");
        assert_eq!(name("cat", "y/A.jpg"), "A-2.jpg");
        assert_eq!(name("cat", "z/a-2.jpg"), "a-2-2.jpg");
        assert_eq!(name("cat", "w/a.jpg"), "a-3.jpg");
        assert_eq!(name("dog", "x/a.jpg"), "a.jpg");
    }

    #[test]
    fn a_folder_with_something_in_it_and_a_file_are_left_alone() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let out = folder.path().join("out");
        sample::write_files(&out, &[("mine.txt", b"mine".to_vec())]);
        for taken in [out.clone(), out.join("mine.txt")] {
            let error = materialize(&dataset, &taken, &|_, _| {}).unwrap_err();
            assert!(matches!(error, DatasetError::OutputTaken { .. }), "{error}");
        }
        assert_eq!(fs_err::read(out.join("mine.txt")).unwrap(), b"mine");
    }

    #[test]
    fn an_empty_folder_is_filled_and_a_failure_leaves_nothing() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let out = folder.path().join("out");
        fs_err::create_dir(&out).unwrap();
        materialize(&dataset, &out, &|_, _| {}).unwrap();
        assert!(out.join("train/cat").is_dir());
        let record = &dataset.records(Split::Test)[0];
        fs_err::remove_file(folder.path().join("data").join(&record.path)).unwrap();
        materialize(&dataset, &folder.path().join("second"), &|_, _| {}).unwrap_err();
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 3, "data, manifest and the first output");
    }
}
