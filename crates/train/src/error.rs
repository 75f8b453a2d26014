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
    /// The loss is NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, batch {batch} (records {ids:?}); a lower learning rate than \
         {learning_rate} may help"
    )]
    LossNotFinite {
        /// The mean loss of the epoch so far.
        loss: f64,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch, counted from 1.
        batch: usize,
        /// The records of the batch.
        ids: Vec<u32>,
        /// The learning rate.
        learning_rate: f32,
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
