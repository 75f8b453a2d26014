//! A log: a file that grows by JSON lines and survives a kill in the middle of one.

use std::io::Write as _;
use std::path::Path;

use fs_err as fs;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::write_atomic_bytes;
use crate::error::RunsError;

/// Adds a line for each record and flushes them to the disk, after cutting off what a killed append left.
pub(crate) fn append<R: Serialize + DeserializeOwned>(path: &Path, records: &[R]) -> Result<(), RunsError> {
    mend::<R>(path)?;
    let mut lines = String::new();
    for record in records {
        lines.push_str(&to_line(path, record)?);
        lines.push('\n');
    }
    let append = || {
        // One write of the whole lines, so that a kill tears at most these.
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()
    };
    append().map_err(RunsError::io("append to a log"))
}

/// The records of all whole lines, oldest first; none where there is no file yet.
pub(crate) fn read<R: DeserializeOwned>(path: &Path) -> Result<Vec<R>, RunsError> {
    let bytes = read_bytes(path)?;
    let (whole, torn) = split_torn(&bytes);
    let mut records = Vec::new();
    for (line, text) in (1..).zip(whole.split_inclusive(|&byte| byte == b'\n')) {
        let malformed = |source| RunsError::MalformedLine { path: path.to_owned(), line, source };
        records.push(serde_json::from_slice(text).map_err(malformed)?);
    }
    // A last line without its newline counts where nothing but the newline is missing.
    records.extend(serde_json::from_slice::<R>(torn));
    Ok(records)
}

/// Keeps the records for which `keep` holds, and no torn line. A missing file stays missing.
pub(crate) fn retain<R: Serialize + DeserializeOwned>(path: &Path, keep: impl Fn(&R) -> bool) -> Result<(), RunsError> {
    if !path.exists() {
        return Ok(());
    }
    let mut lines = String::new();
    for record in read::<R>(path)?.iter().filter(|record| keep(record)) {
        lines.push_str(&to_line(path, record)?);
        lines.push('\n');
    }
    write_atomic_bytes(path, lines.as_bytes())
}

/// Ends the file with a whole line: completes a last line that lacks only its newline, and cuts off a torn one.
fn mend<R: DeserializeOwned>(path: &Path) -> Result<(), RunsError> {
    let bytes = read_bytes(path)?;
    let (whole, torn) = split_torn(&bytes);
    if torn.is_empty() {
        return Ok(());
    }
    let mend = || {
        let mut file = fs::OpenOptions::new().append(true).open(path)?;
        match serde_json::from_slice::<R>(torn) {
            Ok(_) => file.write_all(b"\n"),
            Err(_) => file.set_len(whole.len() as u64),
        }
    };
    mend().map_err(RunsError::io("mend a log"))
}

/// What ends in a newline, and the rest.
fn split_torn(bytes: &[u8]) -> (&[u8], &[u8]) {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    bytes.split_at(whole)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, RunsError> {
    match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(RunsError::io("read a log")),
    }
}

/// One record as a line of JSON, without its newline.
fn to_line(path: &Path, record: &impl Serialize) -> Result<String, RunsError> {
    serde_json::to_string(record).map_err(|source| RunsError::Malformed { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{EpochRecord, LoaderShares, Scores};

    fn record(epoch: usize) -> EpochRecord {
        let scores = Scores { loss: 0.5, accuracy: 0.75, images: 4 };
        EpochRecord {
            epoch,
            train: scores,
            validation: scores,
            learning_rate: 1e-3,
            images_per_second: 100.0,
            seconds: 1.0,
            data_wait_share: 0.0,
            loader: LoaderShares::default(),
            skipped: 0,
            replaced: 0,
            skipped_batches: 0,
        }
    }

    /// A log of two epochs followed by `tail`.
    struct Log {
        folder: tempfile::TempDir,
    }

    impl Log {
        fn with_tail(tail: &str) -> Self {
            let log = Self { folder: tempfile::tempdir().unwrap() };
            append(&log.path(), &[record(1)]).unwrap();
            append(&log.path(), &[record(2)]).unwrap();
            let whole = fs::read_to_string(log.path()).unwrap();
            fs::write(log.path(), whole + tail).unwrap();
            log
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("epochs.jsonl")
        }

        fn epochs(&self) -> Vec<usize> {
            read::<EpochRecord>(&self.path()).unwrap().iter().map(|record| record.epoch).collect()
        }
    }

    #[test]
    fn a_missing_log_has_no_epochs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read::<EpochRecord>(&folder.path().join("epochs.jsonl")).unwrap().is_empty());
    }

    #[test]
    fn what_is_appended_is_read_in_order() {
        assert_eq!(Log::with_tail("").epochs(), [1, 2]);
    }

    #[test]
    fn a_torn_last_line_is_dropped_wherever_it_was_torn() {
        let line = to_line(Path::new(""), &record(3)).unwrap();
        for length in (1..line.len()).step_by(7) {
            let log = Log::with_tail(&line[..length]);
            assert_eq!(log.epochs(), [1, 2], "torn after {length} bytes");
            append(&log.path(), &[record(3)]).unwrap();
            assert_eq!(log.epochs(), [1, 2, 3], "torn after {length} bytes");
        }
    }

    #[test]
    fn a_last_line_that_lacks_only_its_newline_counts() {
        let log = Log::with_tail(&to_line(Path::new(""), &record(3)).unwrap());
        assert_eq!(log.epochs(), [1, 2, 3]);
        append(&log.path(), &[record(4)]).unwrap();
        assert_eq!(log.epochs(), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_not_retained_is_gone_with_a_torn_line() {
        let log = Log::with_tail("{\"epoch\":3,");
        retain(&log.path(), |record: &EpochRecord| record.epoch < 2).unwrap();
        assert_eq!(log.epochs(), [1]);
        assert!(fs::read_to_string(log.path()).unwrap().ends_with("}\n"));
        let missing = log.folder.path().join("missing.jsonl");
        retain(&missing, |_: &EpochRecord| true).unwrap();
        assert!(!missing.exists());
    }

    #[test]
    fn a_bad_line_that_was_written_whole_is_named() {
        let log = Log::with_tail("{\"epoch\":3}\n");
        let error = read::<EpochRecord>(&log.path()).unwrap_err();
        assert!(matches!(error, RunsError::MalformedLine { line: 3, .. }), "{error}");
        assert!(error.to_string().contains("line 3 of") && error.to_string().contains("epochs.jsonl"), "{error}");
    }
}
