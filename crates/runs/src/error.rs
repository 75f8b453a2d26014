//! [`RunsError`]: why a run's folder could not be made, read or written.

use std::io;
use std::path::PathBuf;

/// Why a run's folder could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// A new run was to be put into a folder that holds something.
    #[error("`{}` is not empty: name another folder for the new run, or remove this one", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder has no `run.json`.
    #[error("`{}` is not a run: it has no {missing} (a run's folder is made by training)", .path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that a run would have.
        missing: &'static str,
    },
    /// `run.json` has a format that this version cannot read.
    #[error("`{}` has run format {got}, but this version reads format {expected}: use the version that wrote it", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that this version reads and writes.
        expected: u32,
        /// The format of the file.
        got: u32,
    },
    /// `evaluation-SPLIT.json` has a format that this version cannot read.
    #[error("`{}` has evaluation format {got}, but this version reads format {expected}: evaluate the run again", .path.display())]
    EvaluationFormat {
        /// The file.
        path: PathBuf,
        /// The format that this version reads and writes.
        expected: u32,
        /// The format of the file.
        got: u32,
    },
    /// A file does not hold the record that its name promises.
    #[error("`{}` does not hold what it should: it was changed by hand, or written by another version", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser stumbled over.
        source: serde_json::Error,
    },
    /// A line of the epoch log is no epoch record.
    #[error("line {line} of `{}` is no epoch record: restore or delete that line", .path.display())]
    MalformedLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What the parser stumbled over.
        source: serde_json::Error,
    },
    /// A split's name cannot be part of a file name.
    #[error("the split name {split:?} cannot be part of a file name: use letters, digits, '-' and '_'")]
    SplitName {
        /// The name.
        split: String,
    },
    /// The operating system refused; the source names the file.
    #[error("could not {action}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl RunsError {
    /// For `map_err`: the operating system refused while doing `action`.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
