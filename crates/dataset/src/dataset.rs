//! [`Dataset`]: a manifest together with the source that its records are read from.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{DatasetError, EntryFault};
use crate::manifest::Manifest;
use crate::record::Record;
use crate::source::{OpenOptions, Packing, ReadBuffer, Source, SourceKind, open};
use crate::split::Split;

/// A prepared data set that any number of threads read from.
#[derive(Debug)]
pub struct Dataset {
    manifest: Manifest,
    source: Box<dyn Source>,
    /// For each record, by id, the index of its entry in the source.
    entries: Vec<usize>,
}

impl Dataset {
    /// Opens the manifest at `manifest_path` (a file, or a folder that holds `manifest.json`) and its source, or in its
    /// place the source at `source_override`, such as a copy or the same images unpacked.
    ///
    /// # Errors
    /// Where either cannot be opened, or images of the manifest are missing from the source or have another size or
    /// checksum there.
    pub fn open(manifest_path: &Path, source_override: Option<&Path>) -> Result<Self, DatasetError> {
        let manifest = Manifest::read(manifest_path)?;
        let source = open_source(&manifest, source_override)?;
        let entries = find_entries(&manifest, source.as_ref())?;
        Ok(Self { manifest, source, entries })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The records of a split, by class and natural order of paths.
    pub fn records(&self, split: Split) -> &[Record] {
        self.manifest.records(split)
    }

    /// The packing that is read from.
    pub fn source_kind(&self) -> SourceKind {
        self.source.kind()
    }

    /// Where the source that is read from lies.
    pub fn source_path(&self) -> &Path {
        self.source.path()
    }

    /// Fills `buffer` with the encoded image of `record`, which must be one of this data set's.
    ///
    /// The bytes are those that the manifest was made from: the source's CRC-32 vouches for that or, where it has none,
    /// their BLAKE3 hash.
    ///
    /// # Errors
    /// [`DatasetError::Entry`], naming the entry and saying whether it is unreadable, damaged or changed.
    ///
    /// # Panics
    /// Where `record.id` is not below the number of records.
    pub fn read(&self, record: &Record, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        let index = self.entries[record.id as usize];
        self.source.read(index, buffer)?;
        let is_vouched_for = self.source.entries()[index].crc32.is_some() && record.crc32.is_some();
        if is_vouched_for || blake3::hash(buffer.bytes()).to_hex().as_str() == record.hash {
            return Ok(());
        }
        Err(changed(self.source.as_ref(), record))
    }
}

/// Opens the source of `manifest`, or the one at `source_override` in its place.
pub(crate) fn open_source(
    manifest: &Manifest,
    source_override: Option<&Path>,
) -> Result<Box<dyn Source>, DatasetError> {
    let path = source_override.unwrap_or(&manifest.source.path);
    let is_zip = Packing::of(path)? == Packing::Zip;
    let inner = manifest.source.inner.clone().filter(|_| is_zip);
    open(path, &OpenOptions { inner, ..OpenOptions::default() })
}

/// For each record the index of its entry, having the same size and, as far as both are known, the same CRC-32.
fn find_entries(manifest: &Manifest, source: &dyn Source) -> Result<Vec<usize>, DatasetError> {
    let by_path: HashMap<&str, usize> =
        source.entries().iter().enumerate().map(|(index, entry)| (entry.path.as_str(), index)).collect();
    let mut entries = Vec::new();
    let mut missing = Vec::new();
    for record in manifest.all_records() {
        let Some(&index) = by_path.get(record.path.as_str()) else {
            missing.push(record);
            continue;
        };
        let entry = &source.entries()[index];
        let has_other_crc = entry.crc32.zip(record.crc32).is_some_and(|(found, expected)| found != expected);
        if entry.size != record.size || has_other_crc {
            return Err(changed(source, record));
        }
        entries.push(index);
    }
    match missing.first() {
        None => Ok(entries),
        Some(first) => Err(DatasetError::RecordMissing {
            path: source.path().to_owned(),
            entry: first.path.clone(),
            missing: missing.len(),
            records: missing.len() + entries.len(),
        }),
    }
}

fn changed(source: &dyn Source, record: &Record) -> DatasetError {
    DatasetError::Entry { path: source.path().to_owned(), entry: record.path.clone(), fault: EntryFault::Changed }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;
    use zip::CompressionMethod;

    use super::*;
    use crate::amounts::Amounts;
    use crate::archive::{write_zip, zip_bytes};
    use crate::export::{Existing, Format, Link, export};
    use crate::labels::LabelRule;
    use crate::prepare::{PrepareConfig, prepare};
    use crate::sample;

    /// A folder with the archive `data.zip`, and with its manifest.
    fn prepared() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("data.zip");
        let inner = zip_bytes(sample::cats_and_dogs(6)).unwrap();
        write_zip(&zip, [("train.zip".to_owned(), inner)]).unwrap();
        let config = PrepareConfig::new(Amounts::Counts { train: 3, val: 1, test: Some(1) });
        prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.path().join("manifest.json")).unwrap();
        (folder, zip)
    }

    fn read_all(dataset: &Dataset) -> Result<Vec<Vec<u8>>, DatasetError> {
        let read = |record| {
            let mut buffer = ReadBuffer::default();
            dataset.read(record, &mut buffer).map(|()| buffer.bytes().to_vec())
        };
        dataset.manifest().all_records().map(read).collect()
    }

    #[test]
    fn records_are_read_from_the_archive_or_from_the_same_images_unpacked() {
        let (folder, _) = prepared();
        let packed = Dataset::open(folder.path(), None).unwrap();
        assert_eq!(packed.source_kind(), SourceKind::Zip);
        let bytes = read_all(&packed).unwrap();
        for (record, bytes) in packed.manifest().all_records().zip(&bytes) {
            assert_eq!(record.hash, blake3::hash(bytes).to_hex().as_str());
        }
        let unpacked = tempfile::tempdir().unwrap();
        sample::write_files(unpacked.path(), &sample::cats_and_dogs(6));
        let unpacked = Dataset::open(folder.path(), Some(unpacked.path())).unwrap();
        assert_eq!(unpacked.source_kind(), SourceKind::Folder);
        assert_eq!(read_all(&unpacked).unwrap(), bytes);
    }

    #[test]
    fn the_same_images_give_the_same_records_and_bytes_however_they_are_packed() {
        let files = sample::cats_and_dogs(6);
        let entries: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        sample::write_files(&folder.join("files"), &entries);
        // The members of an archive are in no order.
        let (front, back) = entries.split_at(5);
        sample::write_files(&folder.join("shards"), &[("0.tar", sample::tar(back)), ("1.tar", sample::tar(front))]);
        let sources = [
            folder.join("files"),
            sample::write(folder, "stored.zip", &sample::zip(CompressionMethod::Stored, &entries)),
            sample::write(folder, "deflated.zip", &sample::zip(CompressionMethod::Deflated, &entries)),
            sample::write(folder, "data.tar", &sample::tar(&[back, front].concat())),
            folder.join("shards"),
        ];
        let config = PrepareConfig::new(Amounts::Counts { train: 3, val: 1, test: Some(1) });
        let datasets = sources.map(|source| {
            let path = folder.join("manifest.json");
            prepare(&source, &config, &|_, _| {}).unwrap().write(&path).unwrap();
            Dataset::open(&path, None).unwrap()
        });
        let without_crc = |dataset: &Dataset| -> Vec<Record> {
            dataset.manifest().all_records().map(|record| Record { crc32: None, ..record.clone() }).collect()
        };
        let first = &datasets[0];
        for dataset in &datasets {
            assert_eq!(without_crc(dataset), without_crc(first));
            assert_eq!(dataset.records(Split::Train).len(), first.records(Split::Train).len());
            assert_eq!(read_all(dataset).unwrap(), read_all(first).unwrap());
        }
        let kinds = datasets.map(|dataset| dataset.source_kind());
        assert_eq!(kinds, [SourceKind::Folder, SourceKind::Zip, SourceKind::Zip, SourceKind::Tar, SourceKind::Tar]);
    }

    #[test]
    fn classes_from_class_files_reach_the_records_and_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let classes = ["great dane", "tabby"];
        let shard = |from: usize| {
            let files = (from..from + 5).map(|n| {
                let class = classes[n % 2].as_bytes().to_vec();
                [(format!("{n:04}.png"), sample::png(n)), (format!("{n:04}.cls"), class)]
            });
            sample::tar(files.collect::<Vec<_>>().as_flattened())
        };
        let shards = folder.path().join("shards");
        sample::write_files(&shards, &[("a-0.tar", shard(0)), ("a-1.tar", shard(5))]);
        let config = PrepareConfig::new(Amounts::Counts { train: 3, val: 1, test: Some(1) });
        let manifest = prepare(&shards, &config, &|_, _| {}).unwrap();
        manifest.write(&folder.path().join("manifest.json")).unwrap();
        let dataset = Dataset::open(folder.path(), None).unwrap();
        assert_eq!(dataset.manifest().source.kind, SourceKind::Tar);
        assert_eq!(dataset.manifest().label_rule, LabelRule::Source);
        assert_eq!(dataset.manifest().classes, classes);
        for record in dataset.manifest().all_records() {
            let number: usize = record.path.trim_end_matches(".png").parse().unwrap();
            assert_eq!(record.class as usize, number % 2);
        }
        let files = folder.path().join("files");
        let format = Format::Folders(Link::Copy);
        assert_eq!(export(&dataset, format, &files, Existing::Refuse, &|_, _| {}).unwrap(), 10);
        assert_eq!(fs_err::read_dir(files.join("train/tabby")).unwrap().count(), 3);
    }

    #[test]
    fn an_inner_archive_is_not_looked_for_in_a_source_that_is_no_zip() {
        let (folder, _) = prepared();
        let tar = sample::write(folder.path(), "data.tar", &sample::tar(&sample::cats_and_dogs(6)));
        let dataset = Dataset::open(folder.path(), Some(&tar)).unwrap();
        assert_eq!(dataset.source_kind(), SourceKind::Tar);
        assert_eq!(read_all(&dataset).unwrap(), read_all(&Dataset::open(folder.path(), None).unwrap()).unwrap());
    }

    #[test]
    fn a_changed_image_is_named_when_opened_by_size_or_checksum_and_when_read_by_hash() {
        let (folder, _) = prepared();
        let manifest = Manifest::read(folder.path()).unwrap();
        let victim = manifest.test[0].path.clone();
        let changed = |mut bytes: Vec<u8>| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            bytes
        };
        let files: Vec<_> = sample::cats_and_dogs(6)
            .into_iter()
            .map(|(path, bytes)| if path == victim { (path, changed(bytes)) } else { (path, bytes) })
            .collect();
        let other = tempfile::tempdir().unwrap();
        sample::write_files(&other.path().join("files"), &files);
        let dataset = Dataset::open(folder.path(), Some(&other.path().join("files"))).unwrap();
        let error = read_all(&dataset).unwrap_err();
        assert!(matches!(&error, DatasetError::Entry { entry, fault: EntryFault::Changed, .. } if *entry == victim));

        let zip = other.path().join("data.zip");
        write_zip(&zip, [("train.zip".to_owned(), zip_bytes(files).unwrap())]).unwrap();
        let error = Dataset::open(folder.path(), Some(&zip)).unwrap_err();
        assert!(matches!(&error, DatasetError::Entry { entry, fault: EntryFault::Changed, .. } if *entry == victim));
    }

    #[test]
    fn another_source_is_told_apart_by_missing_images() {
        let (folder, _) = prepared();
        let other = tempfile::tempdir().unwrap();
        sample::write_files(other.path(), &sample::cats_and_dogs(1));
        let error = Dataset::open(folder.path(), Some(other.path())).unwrap_err();
        assert!(matches!(error, DatasetError::RecordMissing { records: 10, .. }), "{error}");
    }

    #[test]
    fn a_source_that_vanished_is_named() {
        let (folder, zip) = prepared();
        fs_err::remove_file(zip).unwrap();
        let error = Dataset::open(folder.path(), None).unwrap_err();
        assert!(matches!(&error, DatasetError::SourceMissing { path } if path.ends_with("data.zip")), "{error}");
    }
}
