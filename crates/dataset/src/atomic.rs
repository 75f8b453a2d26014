//! Files that are there whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

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
    let mut file = with_usual_permissions(&mut tempfile::Builder::new(), 0o666).tempfile_in(folder)?;
    let mut writer = BufWriter::new(&mut file);
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| {
        io::Error::new(error.error.kind(), format!("cannot write `{}`: {}", path.display(), error.error))
    })?;
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
