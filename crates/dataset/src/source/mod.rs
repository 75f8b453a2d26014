//! [`Source`]: where encoded images come from, whatever the packing; [`open`] finds out which it is.

mod entry_path;
mod files;
mod folder;
mod idx;
mod inflater;
mod packing;
mod passed_over;
mod read_buffer;
mod tar;
mod tar_contents;
mod window;
mod zip;
mod zip_entry;

use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use self::entry_path::{is_safe, is_tar};
pub use self::files::open_images;
pub(crate) use self::packing::Packing;
pub use self::passed_over::PassedOver;
pub use self::read_buffer::ReadBuffer;
pub(crate) use self::tar::CLASSES_FILE;
use crate::error::DatasetError;

/// One encoded image of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path within the source, with `/` between the parts.
    pub path: String,
    /// Its size in bytes, unpacked.
    pub size: u64,
    /// CRC-32 of its bytes, where the source has one.
    pub crc32: Option<u32>,
}

/// A list of encoded images that any number of threads read at once, by position and without a lock.
pub trait Source: Send + Sync + Debug {
    /// The packing.
    fn kind(&self) -> SourceKind;

    /// Where the source lies.
    fn path(&self) -> &Path;

    /// The archive within the archive that is read, if any.
    fn inner(&self) -> Option<&str> {
        None
    }

    /// All images, sorted by path.
    fn entries(&self) -> &[Entry];

    /// The files that are no images.
    fn passed_over(&self) -> &PassedOver;

    /// How many files that are no images were passed over, litter not counted.
    fn ignored(&self) -> usize {
        self.passed_over().count()
    }

    /// Fills `buffer` with the bytes of entry `index`, checked against its size and, where known, its CRC-32.
    ///
    /// # Errors
    /// [`DatasetError::Entry`], naming the entry.
    ///
    /// # Panics
    /// Where `index` is not below the number of entries.
    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError>;

    /// The class that the source itself gives entry `index`, as IDX files and the shards of a WebDataset do.
    fn label(&self, index: usize) -> Option<&str> {
        let _ = index;
        None
    }

    /// Whether entry `index` belongs to a test set that the source brings along, as MNIST does.
    fn is_test(&self, index: usize) -> bool {
        let _ = index;
        false
    }
}

/// How a source is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A zip archive, or a zip archive within one.
    Zip,
    /// A folder of image files.
    Folder,
    /// A folder of IDX files.
    Idx,
    /// A tar archive, or a folder of tar archives, which are then its shards.
    Tar,
}

/// How to open a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The inner archive to read; by default the one that [`open`] finds.
    pub inner: Option<String>,
    /// What a source may ask of this machine.
    pub limits: SourceLimits,
}

/// What a source may ask of this machine.
///
/// Data sets come from strangers; these bounds are far above honest ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// Entries of an archive or files of a folder: 5 million.
    pub max_entries: u64,
    /// Bytes of one encoded image: 64 MiB.
    pub max_entry_bytes: u64,
    /// Unpacked bytes for each packed one, asked of entries above 1 MiB: 200.
    pub max_ratio: u64,
    /// Bytes of a compressed inner archive or an IDX file, which are unpacked to memory: 4 GiB.
    pub max_unpacked_bytes: u64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self { max_entries: 5_000_000, max_entry_bytes: 64 << 20, max_ratio: 200, max_unpacked_bytes: 4 << 30 }
    }
}

/// Opens the data set at `path`: a zip or tar archive, a folder of images, a folder of tar shards, or a folder of IDX
/// files. A zip and a tar archive are told apart by their content.
///
/// A zip archive without images of its own is taken as the wrapping of another: of the archives within it `train.zip` is
/// read, else the only one that holds images. Archives within that one are not opened. Other files and what operating systems leave behind (`__MACOSX/`,
/// `.DS_Store`, `Thumbs.db`) are passed over.
///
/// A folder of tar archives that holds no images itself is taken as one data set in shards, as WebDataset packs them: a
/// file `key.cls` beside `key.jpg` in a shard holds the image's class as text: its name or, where the folder has a file
/// `classes.txt` with a name a line, the index of that, from 0. A single tar archive may have class files too. Paths are those within the shards, so a data set is the same however many shards it is divided into; only where
/// two shards hold the same path do all paths begin with the name of their shard, as in `shard-000001.tar/key.jpg`.
///
/// # Errors
/// Where the source is missing, damaged, ambiguous, unsafe or without images. Faults of single images are met by
/// [`Source::read`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Source>, DatasetError> {
    let packing = Packing::of(path)?;
    if packing == Packing::Zip {
        return Ok(Box::new(zip::ZipSource::open(path, options)?));
    }
    if let Some(inner) = &options.inner {
        return Err(DatasetError::InnerMissing { path: path.to_owned(), inner: inner.clone(), candidates: Vec::new() });
    }
    let limits = &options.limits;
    if packing == Packing::Tar {
        return Ok(Box::new(tar::TarSource::open(path, limits)?));
    }
    if let Some(source) = idx::IdxSource::open(path, limits)? {
        return Ok(Box::new(source));
    }
    match folder::FolderSource::open(path, limits) {
        Err(no_images @ DatasetError::NoImages { .. }) => match tar::TarSource::open_shards(path, limits)? {
            Some(source) => Ok(Box::new(source)),
            None => Err(no_images),
        },
        source => Ok(Box::new(source?)),
    }
}

#[cfg(test)]
mod tests {
    use ::zip::CompressionMethod::Stored;

    use super::*;
    use crate::sample;

    fn opened(path: &Path) -> (SourceKind, usize) {
        let source = open(path, &OpenOptions::default()).unwrap();
        (source.kind(), source.entries().len())
    }

    #[test]
    fn files_and_folders_are_opened_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let images = [("a.png", sample::png(1)), ("b.png", sample::png(2))];
        assert_eq!(opened(&sample::write(folder, "data.tar", &sample::tar(&images))), (SourceKind::Tar, 2));
        assert_eq!(opened(folder), (SourceKind::Tar, 2));
        assert_eq!(opened(&sample::write(folder, "other.tar", &sample::zip(Stored, &images))), (SourceKind::Zip, 2));
        sample::write_files(folder, &[("cat/1.png", sample::png(3))]);
        // A folder with images of its own is not a folder of shards.
        assert_eq!(opened(folder), (SourceKind::Folder, 1));
    }

    #[test]
    fn what_a_tar_archive_cannot_do_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "data.tar", &sample::tar(&[("a.png", sample::png(1))]));
        let options = OpenOptions { inner: Some("train.zip".to_owned()), ..OpenOptions::default() };
        let error = open(&path, &options).unwrap_err();
        assert!(matches!(&error, DatasetError::InnerMissing { inner, .. } if inner == "train.zip"), "{error}");
        let error = open(&sample::write(folder.path(), "a.tgz", b"\x1f\x8b"), &OpenOptions::default()).unwrap_err();
        assert!(matches!(error, DatasetError::CompressedTar { .. }), "{error}");
        let error = open(&sample::write(folder.path(), "b.tar", b"Hello"), &OpenOptions::default()).unwrap_err();
        assert!(matches!(error, DatasetError::NotAnArchive { .. }), "{error}");
    }
}
