//! How processes find each other: one writes a file, and the others wait for it.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;

/// The time between two looks for the file.
const PERIOD: Duration = Duration::from_millis(50);

/// Writes `bytes` to `path`, where nobody sees them before all are there.
///
/// # Errors
/// Where there is a file already, which others may have taken for this one, or it cannot be written.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let unfinished = PathBuf::from(format!("{}.{}.part", path.display(), std::process::id()));
    let written = fs::write(&unfinished, bytes).and_then(|()| fs::hard_link(&unfinished, path));
    // It is there under its own name, or it is of no use.
    let _ = fs::remove_file(&unfinished);
    written.map_err(|error| {
        if path.exists() {
            format!("`{}` is there already: remove it, or name another file for each training", path.display())
        } else {
            format!("the rendezvous cannot be written: {error}")
        }
    })
}

/// What stands in `path`, once it is there.
///
/// # Errors
/// Where it is not there within `patience`, cannot be read, or does not have `N` bytes.
pub(crate) fn wait_for<const N: usize>(path: &Path, patience: Duration) -> Result<[u8; N], String> {
    let started = Instant::now();
    while !path.exists() {
        if started.elapsed() >= patience {
            let seconds = patience.as_secs_f64();
            return Err(format!(
                "`{}` did not appear within {seconds} s: rank 0 writes it, and must be started with the same file, on a disk that all see",
                path.display()
            ));
        }
        sleep(PERIOD);
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let len = bytes.len();
    bytes.try_into().map_err(|_| format!("`{}` has {len} bytes instead of {N}: it is another file", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_the_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rendezvous");
        std::thread::scope(|scope| {
            let waiting: Vec<_> =
                (0..2).map(|_| scope.spawn(|| wait_for::<4>(&path, Duration::from_mins(1)))).collect();
            publish(&path, &[1, 2, 3, 4]).unwrap();
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap(), Ok([1, 2, 3, 4]));
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_file_of_an_earlier_training_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rendezvous");
        publish(&path, &[1]).unwrap();
        let reason = publish(&path, &[2]).unwrap_err();
        assert!(reason.contains("is there already"), "{reason}");
        assert_eq!(wait_for(&path, Duration::ZERO), Ok([1]));
    }

    #[test]
    fn nobody_waits_for_longer_than_is_said_or_takes_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rendezvous");
        let reason = wait_for::<4>(&path, Duration::ZERO).unwrap_err();
        assert!(reason.contains("did not appear within 0 s"), "{reason}");
        fs::write(&path, [1, 2, 3]).unwrap();
        let reason = wait_for::<4>(&path, Duration::ZERO).unwrap_err();
        assert!(reason.ends_with("has 3 bytes instead of 4: it is another file"), "{reason}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let reason = publish(&folder.path().join("nowhere/rendezvous"), &[1]).unwrap_err();
        assert!(reason.contains("cannot be written") && reason.contains("nowhere"), "{reason}");
    }
}
