//! [`StudyError`]: why a study cannot be begun, taken up or summed up.

use std::path::PathBuf;

use aumenta_runs::RunsError;

/// Why a study cannot be begun, taken up or summed up.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A study's file is no configuration of one.
    #[error("`{}` is no valid study", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser stumbled over.
        source: Box<toml::de::Error>,
    },
    /// A study without anything to compare.
    #[error("the study has no arms: give a [grid] of settings with their values, or [[arms]]")]
    NoArms,
    /// A study with a grid and a list.
    #[error("the study has both a [grid] and [[arms]]: give the one or the other")]
    GridAndArms,
    /// A setting of the grid that has no values.
    #[error("`{key}` of the grid has no values: list at least one, such as `{key} = [1, 2]`")]
    EmptyFactor {
        /// The setting, with dots.
        key: String,
    },
    /// A setting of the grid that is no list.
    #[error("`{key}` of the grid is {value}: list the values to try, such as `{key} = [{value}]`")]
    NoList {
        /// The setting, with dots.
        key: String,
        /// What stands there.
        value: String,
    },
    /// A grid that is larger than any study.
    #[error("the grid has more than {limit} arms: leave out settings or values")]
    LargeGrid {
        /// The most arms.
        limit: usize,
    },
    /// Arms that cannot be told apart.
    #[error("the arms `{first}` and `{second}` would share the folder `{folder}`: rename one")]
    SameFolder {
        /// An arm's name.
        first: String,
        /// Another arm's name.
        second: String,
        /// The folder.
        folder: String,
    },
    /// An arm whose name has no letter or digit.
    #[error("an arm is named `{name}`: a name needs a letter or a digit")]
    Unnamed {
        /// The name.
        name: String,
    },
    /// An arm is compared with one that there is not.
    #[error("the arm `{arm}` is to be compared with `{against}`, which is no other arm: {}", names(.known))]
    NoSuchArm {
        /// The arm.
        arm: String,
        /// What it is to be compared with.
        against: String,
        /// The names of all arms.
        known: Vec<String>,
    },
    /// A study without seeds, or with a seed twice.
    #[error("the study's seeds are {seeds:?}: list each seed once, at least one")]
    Seeds {
        /// The seeds.
        seeds: Vec<u64>,
    },
    /// A number that is out of its range.
    #[error("`{setting}` is {value}, expected {expected}")]
    Setting {
        /// The setting, with dots.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A setting stands within one that is no table.
    #[error("`{key}` cannot be set: `{within}` is {value}, not a table of settings")]
    NotATable {
        /// The setting, with dots.
        key: String,
        /// The part of it that is no table.
        within: String,
        /// What stands there.
        value: String,
    },
    /// The folder holds something else.
    #[error("`{}` is not empty and holds no study: name another folder", .path.display())]
    NotAStudy {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds another study.
    #[error("`{}` holds another study: {difference}; name another folder, or set it back to go on with that one", .path.display())]
    AnotherStudy {
        /// The folder.
        path: PathBuf,
        /// What differs.
        difference: String,
    },
    /// A process works in the folder.
    #[error("`{}` is in use by another study or by a training that an ended one has left: wait for it, or end it", .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A study's record has a format that this version cannot read.
    #[error("`{}` has format {got}, but this version reads format {expected}: use the version that wrote it", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that this version reads and writes.
        expected: u32,
        /// The format of the file.
        got: u32,
    },
    /// A study's record is not what its name promises.
    #[error("`{}` does not hold what it should: it was changed by hand, or written by another version", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser stumbled over.
        source: serde_json::Error,
    },
    /// An outcome is asked for that no trial has.
    #[error("no trial has the outcome `{outcome}`; they have: {}", names(.known))]
    NoOutcome {
        /// Its name.
        outcome: String,
        /// The names of those that trials have.
        known: Vec<String>,
    },
    /// A run's folder cannot be read or written.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The operating system refused; the source names the file.
    #[error("could not {action}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The operating system's answer.
        source: std::io::Error,
    },
}

impl StudyError {
    /// For `map_err`: the operating system refused while doing `action`.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// Whether another call can mend it.
    pub fn is_bad_use(&self) -> bool {
        !matches!(self, Self::Runs(_) | Self::Io { .. } | Self::Malformed { .. } | Self::Format { .. })
    }
}

fn names(known: &[String]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
