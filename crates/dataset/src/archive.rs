//! [`write_zip`]: archives whose bytes follow from their contents alone.

use std::io::{Cursor, Seek, Write};
use std::path::Path;

use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::atomic::write_file;
use crate::error::{DatasetError, ExportFault};

/// Writes a zip archive of `(name, bytes)` entries, stored uncompressed and all dated 1 January 1980.
///
/// Encoded images do not get smaller by deflate. The same entries give the same bytes; the file appears under its name
/// when it is complete.
///
/// # Errors
/// What the operating system or the archive's format refuses, such as two entries of the same name.
pub fn write_zip(path: &Path, entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(), DatasetError> {
    write_file(path, |file| write_entries(file, entries).map_err(|source| unwritten(path, source)))
}

/// The bytes of the archive that [`write_zip`] would write, for an archive within an archive.
///
/// # Errors
/// What the archive's format refuses, such as two entries of the same name.
pub fn zip_bytes(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Cursor::new(Vec::new());
    write_entries(&mut bytes, entries).map_err(|source| unwritten(Path::new("in memory"), source))?;
    Ok(bytes.into_inner())
}

fn unwritten(path: &Path, source: ZipError) -> DatasetError {
    ExportFault::WriteArchive { path: path.to_owned(), source }.into()
}

fn write_entries<W: Write + Seek>(
    writer: &mut W,
    entries: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> ZipResult<()> {
    let mut archive = StoredZip::new(writer);
    for (name, bytes) in entries {
        archive.add(&name, &bytes)?;
    }
    archive.finish("")
}

/// An archive that is written entry by entry, as [`write_zip`] describes it.
pub(crate) struct StoredZip<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> StoredZip<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self(ZipWriter::new(writer))
    }

    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> ZipResult<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(bytes.len() as u64 > u64::from(u32::MAX));
        self.0.start_file(name, options)?;
        Ok(self.0.write_all(bytes)?)
    }

    /// Writes the table of contents, with a comment behind it.
    pub(crate) fn finish(mut self, comment: &str) -> ZipResult<()> {
        self.0.set_comment(comment)?;
        self.0.finish()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_same_entries_give_the_same_bytes_in_a_file_and_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.zip");
        write_zip(&path, sample::cats_and_dogs(3)).unwrap();
        let bytes = fs_err::read(&path).unwrap();
        assert_eq!(bytes, zip_bytes(sample::cats_and_dogs(3)).unwrap());
        assert_ne!(bytes, zip_bytes(sample::cats_and_dogs(4)).unwrap());
    }

    #[test]
    fn a_failure_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let twice = [("a.png".to_owned(), vec![1]), ("a.png".to_owned(), vec![2])];
        let error = write_zip(&path, twice).unwrap_err();
        assert!(error.to_string().contains("a.zip"), "{error}");
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 0);
    }
}
