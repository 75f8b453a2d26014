//! [`export`]: a prepared data set for other programs, an exporter a format.

mod columns;
mod csv;
mod folders;
mod mark;
mod parquet;
mod shards;
mod zip;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use self::mark::{is_export, mark_folder};
use crate::atomic::{check_vacant, replace_folder};
use crate::dataset::Dataset;
use crate::error::{DatasetError, ExportFault};
use crate::portable_names::{folded, portable, unportable};
use crate::record::Record;
use crate::scan::Progress;
use crate::source::ReadBuffer;
use crate::split::Split;

/// What a data set is written as. All images are checked against their hashes on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A folder a split and a class: `train/cat/cat.0.jpg`.
    Folders(Link),
    /// One zip archive with the same names, stored uncompressed.
    Zip,
    /// Tar archives as WebDataset reads them: `train-000000.tar` with `00000012.jpg` and `00000012.cls`, which holds the
    /// index of the class, from 0, into the lines of `classes.txt` beside the shards. Images are shuffled by the manifest's
    /// seed, for the shards are read one behind the other.
    Shards(ShardSize),
    /// A CSV file with a row an image; no pixels.
    Csv,
    /// A Parquet file with a row an image; no pixels.
    Parquet,
}

/// How a file in a folder gets its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// It is a copy.
    #[default]
    Copy,
    /// It is another name of the source's file. To change one is to change the other.
    Hard,
    /// It leads to the source's file.
    Symbolic,
}

/// When a shard is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardSize {
    /// At so many images.
    Images(usize),
    /// Before its images exceed so many bytes.
    Bytes(u64),
}

/// What becomes of what stands at the place of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and there is no export.
    #[default]
    Refuse,
    /// It goes if it is an earlier export of this program, which its marks show; else it stays, and there is no export.
    ReplaceExport,
}

/// Writes `dataset` to `out`, a folder or a file as the format says; says how many files or rows that are images.
///
/// Images are read and, for folders and shards, written on all cores; the bytes, and which of several errors is told, do not
/// depend on how many there are. The export appears under its name when it is complete. Folders hold a file
/// `aumenta-export.json` that says what they are.
///
/// Files of one name in one folder, be it to a file system that tells neither case nor forms of Unicode apart, get a number:
/// `a.jpg`, `a-2.jpg`. What Windows cannot have in a name becomes `_`.
///
/// # Errors
/// Where `out` is taken, links are asked for and the source is no folder, classes cannot name different folders
/// everywhere (see [`check_class_folders`]), an image cannot be read or has changed, or a file cannot be written.
pub fn export(
    dataset: &Dataset,
    format: Format,
    out: &Path,
    existing: Existing,
    progress: Progress<'_>,
) -> Result<usize, DatasetError> {
    let manifest = dataset.manifest();
    if let Format::Zip | Format::Csv | Format::Parquet = format {
        check_output(out, existing)?;
        check_apart(dataset, out)?;
    }
    match format {
        Format::Folders(link) => {
            let write = |folder: &Path| folders::write(dataset, link, folder, progress);
            export_folder(dataset, "folders", out, existing, write)
        }
        Format::Shards(size) => {
            let write = |folder: &Path| shards::write(dataset, size, folder, progress);
            export_folder(dataset, "shards", out, existing, write)
        }
        Format::Zip => zip::write(dataset, out, progress),
        Format::Csv => csv::write(manifest, out),
        Format::Parquet => parquet::write(manifest, out),
    }
}

/// Fills the folder `out` through `write` and marks it as an export of `dataset`; it appears when it is complete.
///
/// # Errors
/// Those of [`check_output`] and of `write`, and where `out` and the source lie in each other or a folder cannot be written.
pub fn export_folder<T, E: From<DatasetError>>(
    dataset: &Dataset,
    format: &str,
    out: &Path,
    existing: Existing,
    write: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    check_output(out, existing)?;
    check_apart(dataset, out)?;
    replace_folder(out, |folder| {
        let written = write(folder)?;
        mark_folder(folder, dataset.manifest(), format)?;
        Ok(written)
    })
}

/// Whether [`export`] could write to `out`.
///
/// # Errors
/// [`ExportFault::OutputTaken`], or [`ExportFault::NoExport`] where something else would have to be replaced.
pub fn check_output(out: &Path, existing: Existing) -> Result<(), DatasetError> {
    match check_vacant(out) {
        Err(DatasetError::Export(ExportFault::OutputTaken { path })) if existing == Existing::ReplaceExport => {
            if is_export(out)? {
                Ok(())
            } else {
                Err(ExportFault::NoExport { path }.into())
            }
        }
        vacant => vacant,
    }
}

/// That neither would an export become a part of its source, nor the source go with what is replaced.
fn check_apart(dataset: &Dataset, out: &Path) -> Result<(), DatasetError> {
    let source = fs_err::canonicalize(dataset.source_path())?;
    let place = std::path::absolute(out)?;
    // What does not exist yet lies where the folder does that it would be made in.
    let existing = place.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let resolved = existing.and_then(|(ancestor, canonical)| Some(canonical.join(place.strip_prefix(ancestor).ok()?)));
    let place = resolved.unwrap_or(place);
    let is_within = place.starts_with(&source) || (place.exists() && source.starts_with(&place));
    if is_within {
        return Err(ExportFault::OutputInSource { path: out.to_owned(), source_path: source }.into());
    }
    Ok(())
}

/// Whether every class can have a folder of its name, whatever the file system.
///
/// # Errors
/// [`ExportFault::ClassCase`] where two classes differ in case or the form of Unicode alone; [`ExportFault::ClassFolder`]
/// where Windows cannot have the name.
///
/// ```
/// let check = |classes: [&str; 2]| aumenta_dataset::check_class_folders(&classes.map(str::to_owned));
/// assert!(check(["cat", "dog"]).is_ok());
/// assert!(check(["cat", "Cat"]).is_err());
/// assert!(check(["cat", "aux"]).is_err());
/// ```
pub fn check_class_folders(classes: &[String]) -> Result<(), DatasetError> {
    let mut seen = HashMap::new();
    for class in classes {
        if let Some(first) = seen.insert(folded(class), class) {
            return Err(ExportFault::ClassCase { first: first.clone(), second: class.clone() }.into());
        }
        if let Some(reason) = unportable(class) {
            return Err(ExportFault::ClassFolder { class: class.clone(), reason }.into());
        }
    }
    Ok(())
}

/// Every image with its place below the export: `train/cat/cat.0.jpg` and so on.
fn placed(dataset: &Dataset) -> Result<Vec<(String, &Record)>, DatasetError> {
    let classes = &dataset.manifest().classes;
    check_class_folders(classes)?;
    let mut names = HashSet::new();
    let of_split = |split: Split| dataset.records(split).iter().map(move |record| (split, record));
    let placed = Split::ALL.into_iter().flat_map(of_split).map(|(split, record)| {
        let folder = format!("{split}/{}", classes[record.class as usize]);
        let name = free_name(&folder, &record.path, &mut names);
        (format!("{folder}/{name}"), record)
    });
    Ok(placed.collect())
}

/// The file name of `path` as every platform can have it, numbered where `folder` has it already.
fn free_name(folder: &str, path: &str, names: &mut HashSet<String>) -> String {
    let name = portable(path.rsplit('/').next().unwrap_or(path)).into_owned();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let numbered = (2..).map(|number| format!("{stem}-{number}.{extension}"));
    let mut candidates = std::iter::once(name.clone()).chain(numbered);
    candidates.find(|candidate| names.insert(folded(&format!("{folder}/{candidate}")))).unwrap_or_else(|| name.clone())
}

/// Hands the bytes of every item's image to `take`, on all cores and in no order. An error is the first in the items' order.
fn for_each_image<T: Sync>(
    dataset: &Dataset,
    items: &[(T, &Record)],
    progress: Progress<'_>,
    take: impl Fn(&T, &Record, &[u8]) -> Result<(), DatasetError> + Sync,
) -> Result<(), DatasetError> {
    let done = AtomicUsize::new(0);
    first_error(items.par_iter().map_init(ReadBuffer::default, |buffer, (item, record)| {
        dataset.read(record, buffer)?;
        take(item, record, buffer.bytes())?;
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        Ok(())
    }))
}

/// Carries out all of `work`, or what comes before an error: the first in order, whichever thread is the first to meet one.
fn first_error(work: impl ParallelIterator<Item = Result<(), DatasetError>>) -> Result<(), DatasetError> {
    work.find_map_first(Result::err).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::amounts::Amounts;
    use crate::prepare::{PrepareConfig, prepare};
    use crate::sample;
    use crate::source::SourceKind;

    /// A folder with `data/`, its manifest and the data set of that: of each class two images, one and one.
    pub(super) fn dataset(files: &[(String, Vec<u8>)]) -> (TempDir, Dataset) {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(&folder.path().join("data"), files);
        let config = PrepareConfig::new(Amounts::Counts { train: 2, val: 1, test: Some(1) });
        let manifest = prepare(&folder.path().join("data"), &config, &|_, _| {}).unwrap();
        manifest.write(&folder.path().join("manifest.json")).unwrap();
        let dataset = Dataset::open(folder.path(), None).unwrap();
        (folder, dataset)
    }

    const ALL: [(Format, &str); 5] = [
        (Format::Folders(Link::Copy), "files"),
        (Format::Zip, "data.zip"),
        (Format::Shards(ShardSize::Images(3)), "shards"),
        (Format::Csv, "data.csv"),
        (Format::Parquet, "data.parquet"),
    ];

    fn written(dataset: &Dataset, format: Format, out: &Path, existing: Existing) -> Result<usize, DatasetError> {
        export(dataset, format, out, existing, &|_, _| {})
    }

    #[test]
    fn what_is_exported_with_pixels_is_opened_again_with_the_same_images() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let mut hashes: Vec<&str> = dataset.manifest().all_records().map(|record| record.hash.as_str()).collect();
        hashes.sort_unstable();
        for ((format, name), kind) in ALL.into_iter().zip([SourceKind::Folder, SourceKind::Zip, SourceKind::Tar]) {
            let out = folder.path().join(name);
            assert_eq!(written(&dataset, format, &out, Existing::Refuse).unwrap(), 8);
            let source = crate::source::open(&out, &crate::source::OpenOptions::default()).unwrap();
            assert_eq!(source.kind(), kind);
            let mut buffer = ReadBuffer::default();
            let mut found: Vec<String> = (0..source.entries().len())
                .map(|index| {
                    source.read(index, &mut buffer).unwrap();
                    blake3::hash(buffer.bytes()).to_hex().to_string()
                })
                .collect();
            found.sort();
            assert_eq!(found, hashes);
        }
    }

    #[test]
    fn an_export_is_replaced_only_if_asked_and_nothing_else_ever_is() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        for (format, name) in ALL {
            let out = folder.path().join("out").join(name);
            written(&dataset, format, &out, Existing::Refuse).unwrap();
            let error = written(&dataset, format, &out, Existing::Refuse).unwrap_err();
            assert!(matches!(error, DatasetError::Export(ExportFault::OutputTaken { .. })), "{name}: {error}");
            written(&dataset, format, &out, Existing::ReplaceExport).unwrap();
            assert_eq!(fs_err::read_dir(folder.path().join("out")).unwrap().count(), 1, "nothing is left behind");
            fs_err::rename(&out, folder.path().join(name)).unwrap();
        }
        sample::write_files(&folder.path().join("mine"), &[("note.txt", b"mine".to_vec())]);
        for (format, _) in ALL {
            for taken in ["mine", "mine/note.txt", "data", "manifest.json"] {
                let error = written(&dataset, format, &folder.path().join(taken), Existing::ReplaceExport).unwrap_err();
                assert!(matches!(error, DatasetError::Export(ExportFault::NoExport { .. })), "{taken}: {error}");
            }
        }
        assert_eq!(fs_err::read(folder.path().join("mine/note.txt")).unwrap(), b"mine");
    }

    #[test]
    fn an_export_never_becomes_part_of_its_source_nor_replaces_it() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let files = folder.path().join("files");
        written(&dataset, Format::Folders(Link::Copy), &files, Existing::Refuse).unwrap();
        let config = PrepareConfig::new(Amounts::Counts { train: 2, val: 1, test: Some(1) });
        prepare(&files, &config, &|_, _| {}).unwrap().write(&folder.path().join("again.json")).unwrap();
        let again = Dataset::open(&folder.path().join("again.json"), None).unwrap();
        for (format, out) in [
            (Format::Folders(Link::Symbolic), files.clone()),
            (Format::Folders(Link::Copy), files.join("deep/er")),
            (Format::Csv, files.join("table.csv")),
        ] {
            let error = written(&again, format, &out, Existing::ReplaceExport).unwrap_err();
            assert!(matches!(error, DatasetError::Export(ExportFault::OutputInSource { .. })), "{error}");
        }
        assert!(files.join("train/cat").is_dir() && !files.join("deep").exists());
    }

    #[test]
    fn a_failure_leaves_nothing_and_keeps_an_earlier_export() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let pixels = &ALL[..3];
        let out = |name: &str| folder.path().join("out").join(name);
        for (format, name) in pixels {
            written(&dataset, *format, &out(name), Existing::Refuse).unwrap();
        }
        let record = &dataset.records(Split::Test)[0];
        fs_err::write(folder.path().join("data").join(&record.path), b"changed").unwrap();
        for (format, name) in pixels {
            let error = written(&dataset, *format, &out(name), Existing::ReplaceExport).unwrap_err();
            assert!(error.to_string().contains(&record.path), "{error}");
            written(&dataset, *format, &out("other"), Existing::Refuse).unwrap_err();
        }
        assert_eq!(fs_err::read_dir(folder.path().join("out")).unwrap().count(), 3);
        assert!(out("files").join("train/cat").is_dir());
    }

    #[test]
    fn the_first_of_several_errors_is_told_on_any_number_of_threads_and_bytes_are_the_same() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let pixels = &ALL[..3];
        let on_threads = |number: usize, format: Format, out: &Path| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(number).build().unwrap();
            pool.install(|| written(&dataset, format, out, Existing::Refuse))
        };
        for (format, name) in pixels {
            let [one, seven] = [1, 7].map(|number| folder.path().join(format!("{number}-{name}")));
            on_threads(1, *format, &one).unwrap();
            on_threads(7, *format, &seven).unwrap();
            assert_eq!(bytes_below(&one), bytes_below(&seven));
        }
        for record in dataset.manifest().all_records().skip(1) {
            fs_err::write(folder.path().join("data").join(&record.path), b"changed").unwrap();
        }
        for (format, name) in pixels {
            let out = folder.path().join(format!("failed-{name}"));
            let first = on_threads(1, *format, &out).unwrap_err().to_string();
            for _ in 0..20 {
                assert_eq!(on_threads(7, *format, &out).unwrap_err().to_string(), first);
            }
            assert!(!out.exists());
        }
    }

    /// The bytes of every file at or below `path`, with what stands behind `path` in its name.
    fn bytes_below(path: &Path) -> Vec<(String, Vec<u8>)> {
        if path.is_file() {
            return vec![(String::new(), fs_err::read(path).unwrap())];
        }
        let items = fs_err::read_dir(path).unwrap().map(|item| item.unwrap());
        let mut files: Vec<(String, Vec<u8>)> = items
            .flat_map(|item| {
                let name = item.file_name().into_string().unwrap();
                bytes_below(&item.path()).into_iter().map(move |(below, bytes)| (format!("{name}/{below}"), bytes))
            })
            .collect();
        files.sort();
        files
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
        assert_eq!(name("dog", "caf\u{e9}.jpg"), "caf\u{e9}.jpg");
        assert_eq!(name("dog", "cafe\u{301}.jpg"), "cafe\u{301}-2.jpg");
    }

    #[test]
    fn files_get_names_that_every_platform_can_have() {
        let mut names = HashSet::new();
        let mut name = |path| free_name("cat", path, &mut names);
        assert_eq!(name("12:30.jpg"), "12_30.jpg");
        assert_eq!(name("12?30.jpg"), "12_30-2.jpg");
        assert_eq!(name("x/NUL.png"), "_NUL.png");
    }

    /// What stops dogs of another name from being exported beside cats.
    fn refused(name: &str) -> DatasetError {
        let renamed = |(path, bytes): (String, Vec<u8>)| (path.replace("train/dog", &format!("train/{name}")), bytes);
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4).into_iter().map(renamed).collect::<Vec<_>>());
        written(&dataset, Format::Zip, &folder.path().join("a.zip"), Existing::Refuse).unwrap_err()
    }

    #[test]
    fn classes_that_cannot_have_different_folders_everywhere_get_none() {
        let error = refused("Cat");
        assert!(
            matches!(&error, DatasetError::Export(ExportFault::ClassCase { first, second }) if (&**first, &**second) == ("Cat", "cat")),
            "{error}"
        );
        let error = refused("aux");
        assert!(
            matches!(&error, DatasetError::Export(ExportFault::ClassFolder { class, .. }) if class == "aux"),
            "{error}"
        );
    }
}
