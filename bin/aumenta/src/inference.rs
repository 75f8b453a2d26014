//! [`InferenceArgs`]: how a trained network is asked, as flags, whether its answers are known to be right or not.

mod tta;

use aumenta_runs::{Kept, RunFolder};
use aumenta_stream::{OnError, Views};
use clap::ValueEnum;

pub use self::tta::{Tta, views};
use crate::device::DeviceArgs;

/// How a trained network is asked.
#[derive(clap::Args)]
pub struct InferenceArgs {
    /// Which of the run's checkpoints.
    #[arg(long, value_enum, default_value_t = CheckpointName::Best)]
    pub checkpoint: CheckpointName,
    /// Test-time augmentation, the mean over views: `flip` adds the mirror image of each image, a number so many versions
    /// that the run's augmentation draws. Both may be given.
    #[arg(long, value_name = "flip|N")]
    pub tta: Vec<Tta>,
    /// Images a batch, views counted.
    #[arg(long, default_value_t = 32)]
    pub batch_size: usize,
    /// Threads that read and decode; they do not change the result [default: the number of cores].
    #[arg(long)]
    pub workers: Option<usize>,
    /// What becomes of an image that cannot be read or decoded: `skip` leaves it out and lists it on standard error.
    #[arg(long, value_enum, default_value_t = OnErrorName::Fail)]
    pub on_error: OnErrorName,
    #[command(flatten)]
    pub device: DeviceArgs,
}

impl InferenceArgs {
    /// The views of each image, of which the run's augmentation draws some.
    pub fn views(&self, run: &RunFolder) -> anyhow::Result<Views> {
        views(&self.tta, run)
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CheckpointName {
    Best,
    Last,
}

impl From<CheckpointName> for Kept {
    fn from(name: CheckpointName) -> Self {
        match name {
            CheckpointName::Best => Self::Best,
            CheckpointName::Last => Self::Last,
        }
    }
}

/// Measuring and predicting have no substitutes: they would say of one image what is seen in another.
#[derive(Clone, Copy, ValueEnum)]
pub enum OnErrorName {
    Fail,
    Skip,
}

impl From<OnErrorName> for OnError {
    fn from(name: OnErrorName) -> Self {
        match name {
            OnErrorName::Fail => Self::Fail,
            OnErrorName::Skip => Self::Skip,
        }
    }
}
