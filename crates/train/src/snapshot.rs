//! A training that stands still: all that it takes to go on to the same end.
//!
//! A snapshot has two files in the run's folder. The tensors (weights, the optimizer's memory, averages) are a safetensors
//! file; everything else is JSON, which holds a hash of the tensors and of itself, and is written last. So a snapshot whose
//! writing was interrupted does not count, and one whose bits changed later is found out.

use std::path::Path;

use aumenta_nn::{NamedTensor, OptimizerState, Plateau, TensorFile};
use aumenta_runs::{EpochRecord, FaultRecord, RunFolder, SnapshotPaths, write_atomic_bytes};
use aumenta_stream::Cursor;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::checkpoint::Checkpoint;
use crate::error::{SnapshotFault, TrainError};
use crate::monitor::Watch;
use crate::tally::Tally;

/// How the names of the optimizer's tensors and of averages begin in the file. A parameter's name has no slash.
const OPTIMIZER: &str = "optimizer/";
const AVERAGE: &str = "average/";

/// Where a training stands, and everything that its next step depends on.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) state: State,
    /// The network's parameters and statistics.
    pub(crate) weights: Vec<NamedTensor>,
    /// Their averages, where the training keeps some.
    pub(crate) average: Vec<NamedTensor>,
}

/// The part of a snapshot that is no tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct State {
    /// [`Snapshot::FORMAT`] when written.
    pub format: u32,
    /// What the weights belong to.
    pub network: Checkpoint,
    /// The configuration of the run, as text.
    pub config: String,
    pub standing: Standing,
    pub optimizer: OptimizerState,
    /// What waits for measurements to reduce the learning rate.
    pub plateau: Option<Plateau>,
    /// The hash of the file of tensors: BLAKE3, in hexadecimal.
    pub tensors: String,
}

/// Where a training stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Standing {
    /// The next batch.
    pub cursor: Cursor,
    /// Optimizer steps behind it.
    pub step: u64,
    /// What the epoch under way has given so far.
    pub tally: Tally,
    /// Images of that epoch that could not be used.
    pub faults: Vec<FaultRecord>,
    /// Batches of that epoch that moved no weight, and how many of these are the last in a row.
    pub skipped_batches: u64,
    pub skipped_in_a_row: u64,
    /// Wall time that the epoch under way has taken, in seconds: for its batches, and in all.
    pub trained_seconds: f64,
    pub seconds: f64,
    pub watch: Watch,
    /// The last epoch that ended, which may not be in the run's log yet, and its faults.
    pub ended: Option<(EpochRecord, Vec<FaultRecord>)>,
}

impl Standing {
    /// Before the first batch, with as many classes.
    pub fn start(classes: usize) -> Self {
        Self {
            cursor: Cursor { epoch: 0, batch: 0 },
            step: 0,
            tally: Tally::new(classes),
            faults: Vec::new(),
            skipped_batches: 0,
            skipped_in_a_row: 0,
            trained_seconds: 0.0,
            seconds: 0.0,
            watch: Watch::new(),
            ended: None,
        }
    }
}

/// The content of the JSON file.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// The hash of the text of `state`: BLAKE3, in hexadecimal.
    seal: String,
    state: Box<RawValue>,
}

/// The one field of a state that all formats share.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// A snapshot that could be read, and those after it that could not.
#[derive(Debug)]
pub struct Found {
    /// The latest that is whole.
    pub snapshot: Snapshot,
    /// Why each later one was passed over.
    pub passed_over: Vec<TrainError>,
}

impl Snapshot {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;

    /// Optimizer steps taken.
    pub fn step(&self) -> u64 {
        self.state.standing.step
    }

    /// The epoch under way, counted from 1.
    pub fn epoch(&self) -> u64 {
        self.state.standing.cursor.epoch + 1
    }

    /// The configuration of the run, as text.
    pub fn config(&self) -> &str {
        &self.state.config
    }

    /// The network's parameters and statistics.
    pub fn weights(&self) -> &[NamedTensor] {
        &self.weights
    }

    /// What the weights belong to.
    pub fn network(&self) -> &Checkpoint {
        &self.state.network
    }

    /// The same training with its epoch begun anew, for data or batches that its cursor does not fit.
    #[must_use]
    pub fn at_start_of_epoch(mut self) -> Self {
        let standing = &mut self.state.standing;
        let classes = self.state.network.classes.len();
        *standing = Standing {
            cursor: Cursor { batch: 0, ..standing.cursor },
            step: standing.step,
            watch: standing.watch.clone(),
            ended: standing.ended.clone(),
            ..Standing::start(classes)
        };
        self
    }

    /// Writes the snapshot into the run's folder, and then removes all but the latest `keep`.
    pub(crate) fn save(mut self, run: &RunFolder, keep: usize) -> Result<SnapshotPaths, TrainError> {
        let paths = run.snapshot_paths(self.step());
        let wrong = |source| TrainError::Snapshot { path: paths.state.clone(), source };
        let mut file = TensorFile { tensors: self.weights, ..TensorFile::default() };
        file.push_all(OPTIMIZER, std::mem::take(&mut self.state.optimizer.tensors));
        file.push_all(AVERAGE, self.average);
        let tensors = file.to_bytes().map_err(|source| wrong(source.into()))?;
        self.state.tensors = hash_of(&tensors);
        let json = to_json(&self.state).map_err(|source| wrong(source.into()))?;
        write_atomic_bytes(&paths.tensors, &tensors)?;
        write_atomic_bytes(&paths.state, json.as_bytes())?;
        run.prune_snapshots(keep)?;
        Ok(paths)
    }

    /// The latest whole snapshot of a run.
    ///
    /// # Errors
    /// [`TrainError::NoSnapshot`] where there is none; [`TrainError::Snapshot`] where none is whole, for the latest; also
    /// where the latest has a format of a later version, which is no damage to be passed over.
    pub fn latest(run: &RunFolder) -> Result<Found, TrainError> {
        let mut passed_over = Vec::new();
        for step in run.snapshot_steps()? {
            let paths = run.snapshot_paths(step);
            match Self::read(&paths) {
                Ok(snapshot) => return Ok(Found { snapshot, passed_over }),
                Err(source) => {
                    let is_newer = matches!(source, SnapshotFault::Format { .. });
                    let error = TrainError::Snapshot { path: paths.state, source };
                    if is_newer {
                        return Err(error);
                    }
                    passed_over.push(error);
                }
            }
        }
        let none = TrainError::NoSnapshot { path: run.path().to_path_buf() };
        Err(passed_over.into_iter().next().unwrap_or(none))
    }

    fn read(paths: &SnapshotPaths) -> Result<Self, SnapshotFault> {
        let mut state = read_state(&paths.state)?;
        let tensors = fs_err::read(&paths.tensors)?;
        if hash_of(&tensors) != state.tensors {
            return Err(SnapshotFault::Damaged(paths.tensors.clone()));
        }
        let mut file = TensorFile::from_bytes(&tensors)?;
        state.optimizer.tensors = file.take_all(OPTIMIZER);
        let average = file.take_all(AVERAGE);
        Ok(Self { state, weights: file.tensors, average })
    }
}

fn read_state(path: &Path) -> Result<State, SnapshotFault> {
    let sealed: Sealed = serde_json::from_slice(&fs_err::read(path)?)?;
    if hash_of(sealed.state.get().as_bytes()) != sealed.seal {
        return Err(SnapshotFault::Damaged(path.to_path_buf()));
    }
    let Format { format } = serde_json::from_str(sealed.state.get())?;
    if format != Snapshot::FORMAT {
        return Err(SnapshotFault::Format { expected: Snapshot::FORMAT, got: format });
    }
    Ok(serde_json::from_str(sealed.state.get())?)
}

fn to_json(state: &State) -> Result<String, serde_json::Error> {
    let state = serde_json::value::to_raw_value(state)?;
    let seal = hash_of(state.get().as_bytes());
    Ok(serde_json::to_string(&Sealed { seal, state })? + "\n")
}

fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
