//! [`write_zip`]: archives whose bytes follow from their contents alone.

use std::io::{Cursor, Seek, Write};
use std::path::Path;

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::atomic::write_file;
use crate::error::DatasetError;

/// Writes a zip archive of `(name, bytes)` entries, stored uncompressed and all dated 1 January 1980.
///
/// Encoded images do not get smaller by deflate. The same entries give the same bytes; the file appears under its name
/// when it is complete.
///
/// # Errors
/// What the operating system or the archive's format refuses, such as two entries of the same name.
pub fn write_zip(path: &Path, entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<(), DatasetError> {
    write_file(path, |file| {
        write_entries(file, entries).map_err(|source| DatasetError::WriteArchive { path: path.to_owned(), source })
    })
}

/// The bytes of the archive that [`write_zip`] would write, for an archive within an archive.
///
/// # Errors
/// What the archive's format refuses, such as two entries of the same name.
pub fn zip_bytes(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Cursor::new(Vec::new());
    write_entries(&mut bytes, entries)
        .map_err(|source| DatasetError::WriteArchive { path: "in memory".into(), source })?;
    Ok(bytes.into_inner())
}

fn write_entries<W: Write + Seek>(
    writer: &mut W,
    entries: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> ZipResult<()> {
    let mut archive = ZipWriter::new(writer);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in entries {
        archive.start_file(name, options.large_file(bytes.len() as u64 > u64::from(u32::MAX)))?;
        archive.write_all(&bytes)?;
    }
    archive.finish()?;
    Ok(())
}
