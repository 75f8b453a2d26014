//! What can go wrong in training and evaluation.

use std::path::PathBuf;

use aumenta_models::ModelError;
use aumenta_nn::NnError;
use aumenta_runs::RunsError;
use aumenta_stream::StreamError;

/// An error of training, evaluation or a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The stream of images broke off.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A layer, a loss or the optimizer refused its input.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The model cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The run's folder cannot be read or written.
    #[error(transparent)]
    Run(#[from] RunsError),
    /// The network and the data have different numbers of classes.
    #[error(
        "the model `{model}` tells {expected} classes apart, but the data has {got}: {classes}; choose another model"
    )]
    Classes {
        /// The model's name.
        model: String,
        /// The model's classes.
        expected: usize,
        /// The data's classes.
        got: usize,
        /// The data's class names.
        classes: String,
    },
    /// A setting of the training is out of its range.
    #[error("`{setting}` {reason}")]
    Setting {
        /// The setting, as configurations spell it.
        setting: &'static str,
        /// Its range, and what was given.
        reason: String,
    },
    /// The loss or a gradient is NaN or infinite.
    #[error(transparent)]
    Diverged(Box<Divergence>),
    /// The thread that copies batches to the network's device has come to a panic.
    #[error("the thread that feeds the network panicked: {message}; this is a fault of the program; please report it")]
    FeedPanic {
        /// What the panic said.
        message: String,
    },
    /// A tensor that was to stay as it is has changed. No weights were written after it.
    #[error(
        "`{name}` is frozen and has changed in epoch {epoch}: this is a fault of the program, and the run's weights are those of \
         before; please report it"
    )]
    FrozenMoved {
        /// The tensor's name.
        name: String,
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// A run has nothing to go on from.
    #[error("the run in `{path}` has no snapshot to go on from: it ended before its first checkpoint; begin it again")]
    NoSnapshot {
        /// The run's folder.
        path: PathBuf,
    },
    /// A snapshot cannot be used.
    #[error("`{path}` is no usable snapshot")]
    Snapshot {
        /// The file of its state.
        path: PathBuf,
        /// Why.
        #[source]
        source: SnapshotFault,
    },
    /// A file of features cannot be used.
    #[error("`{path}` has no features that can be used")]
    Features {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: FeaturesFault,
    },
    /// A checkpoint cannot be used.
    #[error("`{path}` is no usable checkpoint")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CheckpointFault,
    },
}

/// A step at which the numbers left the finite.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{what} in epoch {epoch}, batch {batch}, step {step}, at learning rate {learning_rate} (records {ids:?}); a lower rate \
     or `clip-norm` may help"
)]
pub struct Divergence {
    /// What was not finite first, as far as that can be told.
    pub what: NotFinite,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The batch in the epoch, counted from 1.
    pub batch: usize,
    /// The optimizer's step, counted from 1: the one that was not taken, or the last before a measurement.
    pub step: u64,
    /// Its learning rate.
    pub learning_rate: f32,
    /// The records of the batch; none for a measurement.
    pub ids: Vec<u32>,
}

/// What was not finite.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFinite {
    /// A parameter: an earlier step has broken it.
    #[error("the parameter `{0}` is not finite")]
    Parameter(String),
    /// The output of a layer, while all parameters are finite.
    #[error("the loss is not finite, and layer `{0}` is the first whose output is not")]
    Output(String),
    /// The loss alone.
    #[error("the loss is not finite")]
    Loss,
    /// The gradient of a parameter, while the loss is finite: the first on the way back from the loss.
    #[error("the gradient of `{0}` is not finite")]
    Gradient(String),
    /// What the network makes of an image of the validation split, after the batch.
    #[error("the network's outputs for the validation split are not finite")]
    Validation,
}

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    /// A file cannot be read.
    #[error("cannot read it")]
    Io(#[from] std::io::Error),
    /// Its content is not what was written.
    #[error("`{0}` is damaged: its content does not have the hash that was noted when it was written")]
    Damaged(PathBuf),
    /// The JSON cannot be parsed.
    #[error("it cannot be parsed")]
    Json(#[from] serde_json::Error),
    /// The tensors are not those of the training.
    #[error("its tensors cannot be used")]
    Tensors(#[from] NnError),
    /// Written by another version.
    #[error("it has format {got}, and this version reads format {expected}: use the version that wrote it")]
    Format {
        /// The format that this version reads.
        expected: u32,
        /// The file's.
        got: u32,
    },
}

/// Why features cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesFault {
    /// The file cannot be read.
    #[error("cannot read it")]
    Io(#[from] std::io::Error),
    /// It is no file of tensors.
    #[error("it is no whole safetensors file: remove it, and it is computed anew")]
    Tensors(#[from] NnError),
    /// The header that says what they were computed from is missing.
    #[error("its header has no `{0}` entry: this program did not write it")]
    NoHeader(&'static str),
    /// The header cannot be parsed.
    #[error("its header cannot be parsed: another version wrote it; remove it, and it is computed anew")]
    Header(#[from] serde_json::Error),
    /// They belong to something else.
    #[error("its features were computed {0}: name another file, or remove this one, and they are computed anew")]
    Others(&'static str),
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFault {
    /// The file cannot be read.
    #[error("cannot read it; does the run have a checkpoint yet?")]
    Io(#[from] std::io::Error),
    /// The weights are not those of the model, or the file is no safetensors file.
    #[error("its weights cannot be loaded")]
    Weights(#[from] NnError),
    /// The header that says what the weights belong to is missing.
    #[error("its header has no `{0}` entry: this program did not write it")]
    NoHeader(&'static str),
    /// The header cannot be parsed.
    #[error("its header cannot be parsed")]
    Header(#[from] serde_json::Error),
    /// Written by another version.
    #[error("it has format {got}, and this version reads format {expected}")]
    Format {
        /// The format that this version reads.
        expected: u32,
        /// The file's.
        got: u32,
    },
    /// The model in the header cannot be built.
    #[error("its model cannot be built")]
    Model(#[from] ModelError),
}
