//! [`Source`]: where encoded images come from, whatever the packing; [`open`] finds out which it is.

mod entry_path;
mod folder;
mod idx;
mod inflater;
mod read_buffer;
mod window;
mod zip;
mod zip_entry;

use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(crate) use self::entry_path::is_safe;
pub use self::read_buffer::ReadBuffer;
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

    /// How many files that are no images were passed over.
    fn ignored(&self) -> usize;

    /// Fills `buffer` with the bytes of entry `index`, checked against its size and, where known, its CRC-32.
    ///
    /// # Errors
    /// [`DatasetError::Entry`], naming the entry.
    ///
    /// # Panics
    /// Where `index` is not below the number of entries.
    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError>;

    /// The class that the source itself gives entry `index`, as IDX files do.
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

/// Opens the data set at `path`: a zip archive, a folder of images, or a folder of IDX files.
///
/// A zip archive without images of its own is taken as the wrapping of another: of the archives within it `train.zip` is
/// read, else the only one that holds images. Other files and what operating systems leave behind (`__MACOSX/`,
/// `.DS_Store`, `Thumbs.db`) are passed over.
///
/// # Errors
/// Where the source is missing, damaged, ambiguous, unsafe or without images. Faults of single images are met by
/// [`Source::read`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Source>, DatasetError> {
    let metadata = match fs_err::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DatasetError::SourceMissing { path: path.to_owned() });
        }
        Err(error) => return Err(error.into()),
    };
    if metadata.is_file() {
        return Ok(Box::new(zip::ZipSource::open(path, options)?));
    }
    if let Some(inner) = &options.inner {
        return Err(DatasetError::InnerMissing { path: path.to_owned(), inner: inner.clone(), candidates: Vec::new() });
    }
    match idx::IdxSource::open(path, &options.limits)? {
        Some(source) => Ok(Box::new(source)),
        None => Ok(Box::new(folder::FolderSource::open(path, &options.limits)?)),
    }
}
