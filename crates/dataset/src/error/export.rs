//! [`ExportFault`]: what stops a data set, or an archive, from being written.

use std::path::PathBuf;

/// Why a data set is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportFault {
    /// The place to write to is taken.
    #[error("`{path}` exists and is not empty: choose another place or remove it")]
    OutputTaken {
        /// The folder.
        path: PathBuf,
    },

    /// What would have to be replaced is no export.
    #[error("`{path}` is no earlier export, so it is not replaced: choose another place or remove it")]
    NoExport {
        /// The file or folder.
        path: PathBuf,
    },

    /// An export would lie in its own source, or the source in what is replaced.
    #[error("`{path}` and the data set's source `{source_path}` lie in each other: choose another place")]
    OutputInSource {
        /// What was to be written.
        path: PathBuf,
        /// The source.
        source_path: PathBuf,
    },

    /// Classes cannot be the names of different folders on every platform.
    #[error(
        "the classes `{first}` and `{second}` differ in case or the form of Unicode alone, as folders cannot everywhere: \
         rename one"
    )]
    ClassCase {
        /// One class.
        first: String,
        /// The other.
        second: String,
    },

    /// A class cannot be the name of a folder on Windows.
    #[error(
        "the class `{class}` cannot have a folder of its name on Windows ({reason}): rename it, or export no folders"
    )]
    ClassFolder {
        /// The class.
        class: String,
        /// Why not.
        reason: String,
    },

    /// Images within archives cannot be linked to.
    #[error("`{path}` is no folder, and files within it cannot be linked to: ask for copies")]
    LinkSource {
        /// The source.
        path: PathBuf,
    },

    /// Writing a CSV file failed.
    #[error("cannot write `{path}`")]
    WriteCsv {
        /// The file.
        path: PathBuf,
        /// What the writer met.
        #[source]
        source: csv::Error,
    },

    /// Writing a Parquet file failed.
    #[error("cannot write `{path}`")]
    WriteParquet {
        /// The file.
        path: PathBuf,
        /// What the writer met.
        #[source]
        source: parquet::errors::ParquetError,
    },

    /// Writing an archive failed.
    #[error("cannot write the archive `{path}`")]
    WriteArchive {
        /// The archive.
        path: PathBuf,
        /// What the writer met.
        #[source]
        source: zip::result::ZipError,
    },
}

impl ExportFault {
    /// Whether another call can mend it.
    pub(crate) fn is_bad_use(&self) -> bool {
        matches!(
            self,
            Self::OutputTaken { .. } | Self::NoExport { .. } | Self::OutputInSource { .. } | Self::LinkSource { .. }
        )
    }
}
