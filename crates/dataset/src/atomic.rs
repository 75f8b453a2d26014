//! Files and folders that are there whole or not at all.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{DatasetError, ExportFault};

/// Writes a file through `write` under a passing name beside `path`, and gives it its name when all of it is on the
/// disk. Missing parent folders are made.
///
/// # Errors
/// Those of `write`, and where a file or folder cannot be written.
pub fn write_file<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = parent(path);
    fs_err::create_dir_all(folder)?;
    let refused = |kind: io::ErrorKind, why: &dyn Display| {
        io::Error::new(kind, format!("cannot write `{}`: {why}", path.display()))
    };
    let passing = with_usual_permissions(&mut tempfile::Builder::new(), 0o666).tempfile_in(folder);
    let mut file = passing.map_err(|error| match error.source() {
        // Around it stands the passing name, which says nothing to anyone.
        Some(cause) => refused(error.kind(), &cause),
        None => refused(error.kind(), &error),
    })?;
    let mut writer = BufWriter::new(&mut file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| refused(error.error.kind(), &error.error))?;
    Ok(())
}

/// Fills a folder through `write` under a passing name beside `path`, and gives it its name when that is done. Missing
/// parent folders are made; what is at `path` is an empty folder at most.
///
/// # Errors
/// [`ExportFault::OutputTaken`] where `path` is taken, those of `write`, and where a folder cannot be written.
pub fn write_folder<T, E: From<DatasetError>>(path: &Path, write: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
    check_vacant(path)?;
    replace_folder(path, write)
}

/// Fills a folder as [`write_folder`] does, in the place of what is at `path`, which goes when the new folder is whole.
pub(crate) fn replace_folder<T, E: From<DatasetError>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let io = |error: io::Error| E::from(DatasetError::Io(error));
    let folder = parent(path);
    fs_err::create_dir_all(folder).map_err(io)?;
    let passing = with_usual_permissions(&mut tempfile::Builder::new(), 0o777).tempdir_in(folder).map_err(io)?;
    let written = write(passing.path())?;
    // Renaming onto a folder, even an empty one, is not possible on every platform.
    let aside = tempfile::tempdir_in(folder).map_err(io)?;
    if path.exists() {
        fs_err::rename(path, aside.path().join("old")).map_err(io)?;
    }
    fs_err::rename(passing.path(), path).map_err(io)?;
    // What the guard would remove has become `path`.
    let _ = passing.keep();
    Ok(written)
}

/// Whether `path` does not exist yet or is an empty folder, as [`write_folder`] needs it.
///
/// # Errors
/// [`ExportFault::OutputTaken`] where it is neither.
pub fn check_vacant(path: &Path) -> Result<(), DatasetError> {
    let is_empty_folder = path.is_dir() && fs_err::read_dir(path)?.next().is_none();
    if path.exists() && !is_empty_folder {
        return Err(ExportFault::OutputTaken { path: path.to_owned() }.into());
    }
    Ok(())
}

/// The folder that `path` is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Passing files are for their owner alone by default; these are to become usual ones, under the user's umask.
pub(crate) fn with_usual_permissions<'a, 'b, 'c>(
    builder: &'c mut tempfile::Builder<'a, 'b>,
    mode: u32,
) -> &'c mut tempfile::Builder<'a, 'b> {
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_named_by_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs_err::create_dir_all(path.join("within")).unwrap();
        let error = write_file(&path, |_| Ok::<(), io::Error>(())).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write `{}`: ", path.display())), "{error}");
    }
}
