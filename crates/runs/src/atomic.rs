//! Writing a file so that a kill leaves the old content or the new one, never a part.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::RunsError;

/// Writes the file at `path` through `write`, all or nothing.
///
/// The bytes go to `.NAME.partial` in the same folder, are flushed to the disk, and only then take the file's name. A
/// kill leaves that file behind; the next write of the same name replaces it. Where `write` fails, the old file stays.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("last.json");
/// aumenta_runs::write_atomic(&path, |writer| writeln!(writer, "{{}}"))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "{}\n");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`RunsError::Io`] with the error of `write` or of the file system.
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), RunsError> {
    let partial = partial_path(path);
    let written = write_and_sync(&partial, write).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first error tells what went wrong; whether the leftover could be removed changes nothing for the caller.
        let _ = fs::remove_file(&partial);
    }
    written.and_then(|()| sync_folder(path)).map_err(RunsError::io("write a file"))
}

/// Writes `bytes` to `path`, all or nothing, as [`write_atomic`] does.
///
/// # Errors
/// [`RunsError::Io`] with the error of the file system.
pub fn write_atomic_bytes(path: &Path, bytes: &[u8]) -> Result<(), RunsError> {
    write_atomic(path, |writer| writer.write_all(bytes))
}

fn partial_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

fn write_and_sync(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(fs::File::create(path)?);
    write(&mut writer)?;
    writer.into_inner()?.sync_all()
}

/// Makes the new name durable. Windows does that with the rename and cannot open a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            fs::File::open(parent)?.sync_all()
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_write_replaces_the_old_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        write_atomic_bytes(&path, b"old and longer").unwrap();
        write_atomic_bytes(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["best.safetensors"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.json");
        write_atomic_bytes(&path, b"old").unwrap();
        let error = write_atomic(&path, |writer| {
            writer.write_all(b"half of the ne")?;
            Err(io::Error::other("the tensor has no data"))
        });
        assert!(matches!(error, Err(RunsError::Io { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["best.json"]);
    }

    #[test]
    fn what_a_killed_write_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        fs::write(partial_path(&path), b"torn").unwrap();
        write_atomic_bytes(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(folder.path()), ["run.json"]);
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomic_bytes(&folder.path().join("missing/run.json"), b"").unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("missing"), "{source}");
    }
}
