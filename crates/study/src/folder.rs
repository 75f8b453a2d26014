//! [`StudyFolder`]: the names in a study's folder, and reading and writing under them.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use aumenta_runs::write_atomic_bytes;
use fs_err::File;
use serde::{Deserialize, Serialize};

use crate::config::{Base, StudyConfig};
use crate::error::StudyError;
use crate::setting::flatten;
use crate::trial::TrialState;

const STUDY: &str = "study.toml";
const STATE: &str = "state.json";
const LOCK: &str = "study.lock";
const TRIALS: &str = "trials";

/// A study's folder, locked as long as this value or a process that was given its lock lives.
///
/// ```text
/// my-study/
/// ├── study.toml                the study, with its base spelled out; its presence makes the folder a study
/// ├── state.json                Progress: how far each trial has come
/// ├── study.lock                locked while the study or a training of it is at work
/// ├── data/                     training splits that were made smaller or noisier for it
/// ├── trials/ARM/seed-N/
/// │   ├── trial.toml            the training's configuration
/// │   ├── log.txt               what the training said
/// │   └── run/                  an ordinary run
/// └── report.html, report.md, report.json, and the report's charts as SVG
/// ```
#[derive(Debug)]
pub struct StudyFolder {
    path: PathBuf,
    lock: File,
}

/// How far a study has come: the content of `state.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Progress {
    /// [`Progress::FORMAT`] when written.
    pub format: u32,
    /// Seconds at work, without those between interruptions.
    pub seconds: f64,
    /// The state of each trial that was begun or ended, by its name.
    pub trials: BTreeMap<String, TrialState>,
}

impl Progress {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
}

impl Default for Progress {
    fn default() -> Self {
        Self { format: Self::FORMAT, seconds: 0.0, trials: BTreeMap::new() }
    }
}

/// The one field that every format has.
#[derive(Deserialize)]
struct FormatField {
    format: u32,
}

impl StudyFolder {
    /// The folder of a new study, which may not exist yet, or of one that goes on.
    ///
    /// # Errors
    /// [`StudyError::NotAStudy`] where the folder holds something else, [`StudyError::InUse`] where a process works in it, and
    /// [`StudyError::Io`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StudyError> {
        let path = path.into();
        fs_err::create_dir_all(&path).map_err(StudyError::io("make the study's folder"))?;
        let known = [STUDY, LOCK].iter().any(|name| path.join(name).is_file());
        if !known && fs_err::read_dir(&path).map_err(StudyError::io("list the study's folder"))?.next().is_some() {
            return Err(StudyError::NotAStudy { path });
        }
        let lock = File::create(path.join(LOCK)).map_err(StudyError::io("lock the study's folder"))?;
        match lock.file().try_lock() {
            Ok(()) => Ok(Self { path, lock }),
            Err(TryLockError::WouldBlock) => Err(StudyError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(StudyError::Io { action: "lock the study's folder", source }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lock, to be handed to a process: the folder stays locked as long as that lives, even where this program dies.
    ///
    /// # Errors
    /// [`StudyError::Io`] where the system has no file left.
    pub fn lock(&self) -> Result<std::fs::File, StudyError> {
        self.lock.file().try_clone().map_err(StudyError::io("hand over the study's lock"))
    }

    /// The study that the folder holds; `None` where it is new.
    ///
    /// # Errors
    /// As [`StudyConfig::read`].
    pub fn read_config(&self) -> Result<Option<StudyConfig>, StudyError> {
        let path = self.path.join(STUDY);
        path.is_file().then(|| StudyConfig::read(&path)).transpose()
    }

    /// Writes the study, whose paths are relative to the folder.
    ///
    /// Where the folder holds one, the new one must be the same as far as trials have the same results: it may have more
    /// seeds, more arms, another budget, and say other things in its report.
    ///
    /// # Errors
    /// [`StudyError::AnotherStudy`] with what differs; [`StudyError::Io`].
    pub fn write_config(&self, config: &StudyConfig) -> Result<(), StudyError> {
        let difference = self.read_config()?.map_or(Ok(None), |old| difference(&old, config))?;
        if let Some(difference) = difference {
            return Err(StudyError::AnotherStudy { path: self.path.clone(), difference });
        }
        let invalid = |error: toml::ser::Error| StudyError::Io {
            action: "write the study",
            source: std::io::Error::other(error),
        };
        let text = toml::to_string(config).map_err(invalid)?;
        Ok(write_atomic_bytes(&self.path.join(STUDY), text.as_bytes())?)
    }

    /// How far the study has come; nowhere where it is new.
    ///
    /// # Errors
    /// [`StudyError::Format`], [`StudyError::Malformed`] and [`StudyError::Io`].
    pub fn read_progress(&self) -> Result<Progress, StudyError> {
        let path = self.path.join(STATE);
        if !path.is_file() {
            return Ok(Progress::default());
        }
        let json = fs_err::read(&path).map_err(StudyError::io("read the study's state"))?;
        let malformed = |source| StudyError::Malformed { path: path.clone(), source };
        let FormatField { format } = serde_json::from_slice(&json).map_err(malformed)?;
        if format != Progress::FORMAT {
            return Err(StudyError::Format { path, expected: Progress::FORMAT, got: format });
        }
        serde_json::from_slice(&json).map_err(malformed)
    }

    /// Writes how far the study has come, all or nothing.
    ///
    /// # Errors
    /// [`StudyError::Io`].
    pub fn write_progress(&self, progress: &Progress) -> Result<(), StudyError> {
        let path = self.path.join(STATE);
        let json = serde_json::to_vec_pretty(progress)
            .map_err(|source| StudyError::Malformed { path: path.clone(), source })?;
        Ok(write_atomic_bytes(&path, &json)?)
    }

    /// The folder of the trial named `name`.
    pub fn trial(&self, name: &str) -> PathBuf {
        self.path.join(TRIALS).join(name)
    }

    /// The folder of the run of the trial named `name`.
    pub fn run(&self, name: &str) -> PathBuf {
        self.trial(name).join("run")
    }

    /// The folder of a training split that was made for the study.
    pub fn data(&self, name: &str) -> PathBuf {
        self.path.join("data").join(name)
    }
}

/// Why trials of `old` are not trials of `new`.
fn difference(old: &StudyConfig, new: &StudyConfig) -> Result<Option<String>, StudyError> {
    if let Some(difference) = base_difference(&old.base, &new.base) {
        return Ok(Some(difference));
    }
    if old.halving != new.halving {
        return Ok(Some("its `halving` is another".to_string()));
    }
    if let Some(seed) = old.seeds.iter().find(|seed| !new.seeds.contains(seed)) {
        return Ok(Some(format!("it has the seed {seed}")));
    }
    let arms = new.arms()?;
    for old in old.arms()? {
        match arms.iter().find(|arm| arm.name == old.name) {
            None => return Ok(Some(format!("it has the arm `{}`", old.name))),
            Some(arm) if arm.settings != old.settings => {
                return Ok(Some(format!("its arm `{}` has other settings", old.name)));
            }
            Some(_) => {}
        }
    }
    Ok(None)
}

/// The first setting of two bases that differs.
fn base_difference(old: &Base, new: &Base) -> Option<String> {
    let (Base::Settings(old), Base::Settings(new)) = (old, new) else {
        return (old != new).then(|| "its `base` is another".to_string());
    };
    let settings = |table| flatten(table).into_iter().collect::<BTreeMap<String, toml::Value>>();
    let (old, new) = (settings(old), settings(new));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let key = old.keys().chain(new.keys()).find(differs)?;
    let value = |value: Option<&toml::Value>| value.map_or("not set".to_string(), ToString::to_string);
    Some(format!("its `base.{key}` is {}, not {}", value(old.get(key)), value(new.get(key))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::study;
    use crate::trial::Status;

    const ARMS: &str = "seeds = [1]\n[[arms]]\nname = 'plain'\n[[arms]]\nname = 'dropout'\nset.model.dropout = 0.5";

    fn folder() -> (tempfile::TempDir, StudyFolder) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = StudyFolder::open(temporary.path().join("study")).unwrap();
        folder.write_config(&study(ARMS)).unwrap();
        (temporary, folder)
    }

    #[track_caller]
    fn check_other(text: &str, difference: &str) {
        let message = folder().1.write_config(&study(text)).unwrap_err().to_string();
        assert!(message.contains(difference) && message.contains("name another folder"), "{message}");
    }

    #[test]
    fn a_study_is_written_and_read_back() {
        let (_temporary, folder) = folder();
        assert_eq!(folder.read_config().unwrap(), Some(study(ARMS)));
    }

    #[test]
    fn a_study_may_grow() {
        let (_temporary, folder) = folder();
        let more = ARMS.replace("[1]", "[1, 2]\nparallel = 2\nbudget = { trials = 9 }");
        folder.write_config(&study(&format!("{more}\n[[arms]]\nname = 'more'"))).unwrap();
    }

    #[test]
    fn another_study_is_refused_with_what_differs() {
        check_other(&ARMS.replace("[1]", "[2]"), "it has the seed 1");
        check_other(&ARMS.replace("0.5", "0.4"), "its arm `dropout` has other settings");
        check_other("seeds = [1]\n[[arms]]\nname = 'plain'", "it has the arm `dropout`");
        check_other(&format!("halving = {{ first-epochs = 1 }}\n{ARMS}"), "its `halving` is another");
        let mut base = study(ARMS);
        base.base = Base::Settings(toml::from_str("epochs = 5").unwrap());
        let message = folder().1.write_config(&base).unwrap_err().to_string();
        assert!(message.contains("its `base.epochs` is 4, not 5"), "{message}");
    }

    #[test]
    fn a_folder_of_something_else_is_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        fs_err::write(temporary.path().join("thesis.txt"), "dear").unwrap();
        let error = StudyFolder::open(temporary.path()).unwrap_err();
        assert!(matches!(error, StudyError::NotAStudy { .. }), "{error}");
    }

    #[test]
    fn a_folder_is_one_studys_as_long_as_its_lock_lives() {
        let (_temporary, folder) = folder();
        let (path, lock) = (folder.path().to_owned(), folder.lock().unwrap());
        assert!(matches!(StudyFolder::open(&path), Err(StudyError::InUse { .. })));
        drop(folder);
        assert!(matches!(StudyFolder::open(&path), Err(StudyError::InUse { .. })));
        drop(lock);
        assert!(StudyFolder::open(&path).is_ok());
    }

    #[test]
    fn progress_is_written_and_read_back() {
        let (_temporary, folder) = folder();
        assert_eq!(folder.read_progress().unwrap(), Progress::default());
        let state = TrialState { status: Status::Finished, epochs: 4, merit: Some(0.5) };
        let trials = BTreeMap::from([("plain/seed-1".to_string(), state)]);
        let progress = Progress { seconds: 12.5, trials, ..Progress::default() };
        folder.write_progress(&progress).unwrap();
        assert_eq!(folder.read_progress().unwrap(), progress);
        fs_err::write(folder.path().join(STATE), r#"{"format": 9}"#).unwrap();
        assert!(matches!(folder.read_progress(), Err(StudyError::Format { got: 9, .. })));
    }
}
