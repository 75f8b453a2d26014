//! [`RunFolder`]: the names in a run's folder, and reading and writing under them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::atomic::{write_atomic, write_atomic_bytes};
use crate::error::RunsError;
use crate::evaluation::Evaluation;
use crate::info::{FormatField, RunInfo};
use crate::log;
use crate::record::{EpochRecord, FaultRecord, ValidationRecord};

const RUN: &str = "run.json";
const CONFIG: &str = "config.toml";
const EPOCHS: &str = "epochs.jsonl";
const FAULTS: &str = "faults.jsonl";
const VALIDATIONS: &str = "validations.jsonl";
const CSV: &str = "epochs.csv";
const CHECKPOINTS: &str = "checkpoints";
/// How the names of snapshots begin, and how that of a snapshot's state ends.
const STEP: &str = "step-";
const STATE: &str = "json";

/// Which of a run's two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// That of the best measurement so far.
    Best,
    /// That of the last epoch.
    Last,
}

impl Kept {
    fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// The two files of a snapshot, from which a training goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPaths {
    /// Everything but tensors; written last, so that it says that the other is there.
    pub state: PathBuf,
    /// The tensors.
    pub tensors: PathBuf,
}

/// A run's folder, which is known to hold a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run, with its `run.json`, `config.toml` and an empty `checkpoints`.
    ///
    /// `config` is the resolved configuration as TOML; it is stored as it is. `run.json` is written last, so that a
    /// folder with one is whole.
    ///
    /// # Errors
    /// [`RunsError::NotEmpty`] where the folder holds anything; [`RunsError::Io`] where it cannot be made or written.
    pub fn create(path: impl Into<PathBuf>, info: &RunInfo, config: &str) -> Result<Self, RunsError> {
        let run = Self { path: path.into() };
        if holds_anything(&run.path)? {
            return Err(RunsError::NotEmpty { path: run.path });
        }
        fs::create_dir_all(run.path.join(CHECKPOINTS)).map_err(RunsError::io("make the run's folder"))?;
        write_atomic_bytes(&run.path.join(CONFIG), config.as_bytes())?;
        write_json(&run.path.join(RUN), info)?;
        Ok(run)
    }

    /// The run in an existing folder.
    ///
    /// # Errors
    /// [`RunsError::NotARun`] where the folder has no `run.json`, or is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunsError> {
        let path = path.into();
        if path.join(RUN).is_file() { Ok(Self { path }) } else { Err(RunsError::NotARun { path, missing: RUN }) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the resolved configuration is: `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// What was trained on what.
    ///
    /// # Errors
    /// [`RunsError::Format`] where another version wrote another format; [`RunsError::Malformed`] or
    /// [`RunsError::Io`] where the file cannot be read.
    pub fn read_info(&self) -> Result<RunInfo, RunsError> {
        let path = self.path.join(RUN);
        // The format comes first: an unknown field of a later format should not be what the user is told about.
        let FormatField { format } = read_json(&path)?;
        if format != RunInfo::FORMAT {
            return Err(RunsError::Format { path, expected: RunInfo::FORMAT, got: format });
        }
        read_json(&path)
    }

    /// Adds an epoch to `epochs.jsonl` and flushes it to the disk.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn append_epoch(&self, record: &EpochRecord) -> Result<(), RunsError> {
        log::append(&self.path.join(EPOCHS), std::slice::from_ref(record))
    }

    /// All epochs, oldest first. A last line torn by a kill is left out.
    ///
    /// # Errors
    /// [`RunsError::MalformedLine`] where any other line is no record; [`RunsError::Io`] where the file cannot be read.
    pub fn read_epochs(&self) -> Result<Vec<EpochRecord>, RunsError> {
        log::read(&self.path.join(EPOCHS))
    }

    /// Adds to `faults.jsonl`, which there is only where a run had faults.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn append_faults(&self, faults: &[FaultRecord]) -> Result<(), RunsError> {
        if faults.is_empty() { Ok(()) } else { log::append(&self.path.join(FAULTS), faults) }
    }

    /// All images that could not be used, in the order in which they came.
    ///
    /// # Errors
    /// As [`read_epochs`](Self::read_epochs).
    pub fn read_faults(&self) -> Result<Vec<FaultRecord>, RunsError> {
        log::read(&self.path.join(FAULTS))
    }

    /// Where a network's weights are: `checkpoints/best.safetensors` or `checkpoints/last.safetensors`.
    pub fn weights_path(&self, checkpoint: Kept) -> PathBuf {
        self.path.join(CHECKPOINTS).join(format!("{}.safetensors", checkpoint.name()))
    }

    /// Cuts the logs off after epoch `epochs` and step `step`, where a training goes on from.
    ///
    /// # Errors
    /// As [`read_epochs`](Self::read_epochs), and [`RunsError::Io`] where a file cannot be written.
    pub fn rewind(&self, epochs: usize, step: u64) -> Result<(), RunsError> {
        log::retain(&self.path.join(EPOCHS), |record: &EpochRecord| record.epoch <= epochs)?;
        log::retain(&self.path.join(FAULTS), |record: &FaultRecord| record.epoch <= epochs)?;
        log::retain(&self.path.join(VALIDATIONS), |record: &ValidationRecord| record.step <= step)
    }

    /// Adds a measurement between two ends of epochs to `validations.jsonl`.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn append_validation(&self, record: &ValidationRecord) -> Result<(), RunsError> {
        log::append(&self.path.join(VALIDATIONS), std::slice::from_ref(record))
    }

    /// All measurements between two ends of epochs, oldest first; none where the run was not asked for them.
    ///
    /// # Errors
    /// As [`read_epochs`](Self::read_epochs).
    pub fn read_validations(&self) -> Result<Vec<ValidationRecord>, RunsError> {
        log::read(&self.path.join(VALIDATIONS))
    }

    /// The steps at which the training can be taken up again, latest first: those whose snapshot has both its files.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the folder cannot be read.
    pub fn snapshot_steps(&self) -> Result<Vec<u64>, RunsError> {
        let entries = fs::read_dir(self.path.join(CHECKPOINTS)).map_err(RunsError::io("list the checkpoints"))?;
        let mut steps = Vec::new();
        for entry in entries {
            let name = entry.map_err(RunsError::io("list the checkpoints"))?.file_name();
            steps.extend(name.to_str().and_then(step_of));
        }
        steps.retain(|step| self.snapshot_paths(*step).tensors.is_file());
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// Where the two files of the snapshot after step `step` are.
    pub fn snapshot_paths(&self, step: u64) -> SnapshotPaths {
        let path = |ending| self.path.join(CHECKPOINTS).join(format!("{STEP}{step:08}.{ending}"));
        SnapshotPaths { state: path(STATE), tensors: path("safetensors") }
    }

    /// Removes all snapshots but the latest `keep`.
    ///
    /// # Errors
    /// [`RunsError::Io`] where a file cannot be removed.
    pub fn prune_snapshots(&self, keep: usize) -> Result<(), RunsError> {
        for step in self.snapshot_steps()?.into_iter().skip(keep) {
            let SnapshotPaths { state, tensors } = self.snapshot_paths(step);
            // What says that the other file is whole goes first.
            for path in [state, tensors] {
                fs::remove_file(path).map_err(RunsError::io("remove an old checkpoint"))?;
            }
        }
        Ok(())
    }

    /// Writes `epochs.csv`: a row an epoch, for spreadsheets.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn write_csv(&self, epochs: &[EpochRecord]) -> Result<(), RunsError> {
        write_atomic(&self.path.join(CSV), |writer| {
            writeln!(writer, "{}", EpochRecord::CSV_HEADER)?;
            epochs.iter().try_for_each(|record| writeln!(writer, "{}", record.to_csv()))
        })
    }

    /// Replaces the stored configuration, for a run that goes on under another.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn replace_config(&self, config: &str) -> Result<(), RunsError> {
        write_atomic_bytes(&self.config_path(), config.as_bytes())
    }

    /// Writes `evaluation-SPLIT.json`, in place of an older one of the same split.
    ///
    /// # Errors
    /// [`RunsError::SplitName`] where the split's name cannot be part of a file name; [`RunsError::Io`] where the file
    /// cannot be written.
    pub fn write_evaluation(&self, evaluation: &Evaluation) -> Result<(), RunsError> {
        write_json(&self.evaluation_path(&evaluation.split)?, evaluation)
    }

    /// The evaluation of a split; `None` where it was not evaluated.
    ///
    /// # Errors
    /// [`RunsError::SplitName`] as in [`RunFolder::write_evaluation`]; [`RunsError::Malformed`] or [`RunsError::Io`]
    /// where the file cannot be read.
    pub fn read_evaluation(&self, split: &str) -> Result<Option<Evaluation>, RunsError> {
        let path = self.evaluation_path(split)?;
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    fn evaluation_path(&self, split: &str) -> Result<PathBuf, RunsError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if split.is_empty() || !split.chars().all(allowed) {
            return Err(RunsError::SplitName { split: split.to_owned() });
        }
        Ok(self.path.join(format!("evaluation-{split}.json")))
    }
}

/// The step that the name of a snapshot's state speaks of.
fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix(STEP)?.strip_suffix(STATE)?.strip_suffix('.')?.parse().ok()
}

fn holds_anything(path: &Path) -> Result<bool, RunsError> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RunsError::io("look into the run's folder")(error)),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunsError> {
    write_atomic(path, |writer| {
        serde_json::to_writer_pretty(&mut *writer, value)?;
        writeln!(writer)
    })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunsError> {
    let bytes = fs::read(path).map_err(RunsError::io("read a record"))?;
    serde_json::from_slice(&bytes).map_err(|source| RunsError::Malformed { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use aumenta_metrics::ConfusionMatrix;

    use super::*;
    use crate::{ManifestRef, Monitor};

    fn info() -> RunInfo {
        RunInfo {
            format: RunInfo::FORMAT,
            model: "small-convnet".to_owned(),
            classes: vec!["cat".to_owned(), "<b>dog</b>".to_owned()],
            manifest: ManifestRef { path: "data/manifest.json".into(), hash: "00ff".to_owned() },
            parameters: 123,
            version: "0.1.0".to_owned(),
            seed: u64::MAX,
            monitor: Monitor::Loss,
        }
    }

    fn new_run() -> (tempfile::TempDir, RunFolder) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path().join("run"), &info(), "epochs = 30\n").unwrap();
        (folder, run)
    }

    fn epochs(run: &RunFolder) -> Vec<usize> {
        run.read_epochs().unwrap().iter().map(|record| record.epoch).collect()
    }

    #[test]
    fn what_a_run_is_created_with_is_read_back() {
        let (_folder, run) = new_run();
        let run = RunFolder::open(run.path()).unwrap();
        assert_eq!(run.read_info().unwrap(), info());
        assert_eq!(fs::read_to_string(run.path().join(CONFIG)).unwrap(), "epochs = 30\n");
        assert_eq!(epochs(&run), [] as [usize; 0]);
        assert!(run.weights_path(Kept::Best).ends_with("checkpoints/best.safetensors"));
        assert!(run.weights_path(Kept::Last).parent().unwrap().is_dir());
    }

    #[test]
    fn a_folder_that_holds_anything_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let error = RunFolder::create(folder.path(), &info(), "").unwrap_err();
        assert!(matches!(error, RunsError::NotEmpty { .. }));
        assert!(error.to_string().contains("name another folder"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_folder_is_good_for_a_new_run() {
        let folder = tempfile::tempdir().unwrap();
        RunFolder::create(folder.path(), &info(), "").unwrap();
        RunFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_no_run_is_refused_with_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = RunFolder::open(folder.path()).unwrap_err();
        assert!(
            error.to_string().ends_with("is not a run: it has no run.json (a run's folder is made by training)"),
            "{error}"
        );
        assert!(RunFolder::open(folder.path().join("missing")).is_err());
    }

    #[test]
    fn a_later_format_is_named_before_its_unknown_fields() {
        let (_folder, run) = new_run();
        fs::write(run.path().join(RUN), r#"{"format": 2, "novelty": []}"#).unwrap();
        let error = run.read_info().unwrap_err();
        assert!(matches!(error, RunsError::Format { expected: 1, got: 2, .. }), "{error}");
    }

    #[test]
    fn faults_are_kept_in_order_and_a_run_without_any_has_no_file() {
        let (_folder, run) = new_run();
        run.append_faults(&[]).unwrap();
        assert!(!run.path().join(FAULTS).exists());
        let fault = |id, replaced_by| FaultRecord {
            epoch: 1,
            split: "train".to_owned(),
            id,
            path: format!("cat.{id}.jpg"),
            reason: "cut short".to_owned(),
            replaced_by,
        };
        run.append_faults(&[fault(3, None)]).unwrap();
        run.append_faults(&[fault(5, Some(8)), fault(1, None)]).unwrap();
        assert_eq!(run.read_faults().unwrap(), [fault(3, None), fault(5, Some(8)), fault(1, None)]);
    }

    #[test]
    fn an_evaluation_is_stored_under_its_split() {
        let (_folder, run) = new_run();
        let confusion = ConfusionMatrix::try_from(vec![vec![3, 1], vec![0, 4]]).unwrap();
        let evaluation = Evaluation::new("test", 0.25, confusion);
        assert_eq!(run.read_evaluation("test").unwrap(), None);
        run.write_evaluation(&evaluation).unwrap();
        assert!(run.path().join("evaluation-test.json").is_file());
        assert_eq!(run.read_evaluation("test").unwrap(), Some(evaluation));
    }

    #[test]
    fn a_split_name_cannot_leave_the_folder() {
        let (_folder, run) = new_run();
        for split in ["", "../test", "a b", "test.json"] {
            assert!(matches!(run.read_evaluation(split), Err(RunsError::SplitName { .. })), "{split:?}");
        }
    }
}
