//! The two kinds of streams: one for training, one for evaluation.

use std::sync::Arc;

use aumenta_augment::{Mixing, Pipeline, Plan};
use aumenta_dataset::{Dataset, Record, Split};
use aumenta_seed::Seed;

use crate::epoch::Epoch;
use crate::error::StreamError;
use crate::preprocessing::Preprocessing;
use crate::sample::Sample;
use crate::sampler::order;
use crate::worker::{Recipe, Training};

/// More threads than this are a mistake, not a wish.
const MAX_WORKERS: usize = 1024;

/// What a [`TrainStream`] does.
#[derive(Debug)]
pub struct TrainConfig {
    /// The form of every image.
    pub preprocessing: Preprocessing,
    /// Images a batch; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Threads that prepare batches. Their number does not change the batches.
    pub workers: usize,
    /// Chooses the order of each epoch and what is drawn for each image.
    pub seed: Seed,
    /// What is drawn for each image, anew in each epoch; [`Pipeline::empty`] for nothing.
    pub augment: Pipeline,
    /// What is then mixed within each batch; `None` for nothing.
    pub mix: Option<Mixing>,
}

/// What an [`EvalStream`] does. There is no place for a transform or a mix here.
#[derive(Clone, Debug)]
pub struct EvalConfig {
    /// The form of every image.
    pub preprocessing: Preprocessing,
    /// Images a batch; the last batch may be smaller.
    pub batch_size: usize,
    /// Threads that prepare batches. Their number does not change the batches.
    pub workers: usize,
}

/// Shuffled and augmented batches of a data set's training split.
#[derive(Debug)]
pub struct TrainStream {
    recipe: Arc<Recipe>,
    seed: Seed,
    batch_size: usize,
    workers: usize,
}

impl TrainStream {
    /// A stream over the training split of `dataset`.
    ///
    /// # Errors
    /// [`StreamError::Zero`] where a size or count is 0, [`StreamError::EmptySplit`] where there are no images.
    pub fn new(dataset: Arc<Dataset>, config: TrainConfig) -> Result<Self, StreamError> {
        let TrainConfig { preprocessing, batch_size, workers, seed, augment, mix } = config;
        let training = Some(Training { augment, mix, seed });
        let recipe = Recipe { dataset, split: Split::Train, preprocessing, training };
        check(&recipe, batch_size, workers)?;
        Ok(Self { recipe: Arc::new(recipe), seed, batch_size, workers })
    }

    /// The form of every image.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.recipe.preprocessing
    }

    /// How many images an epoch has.
    pub fn image_count(&self) -> usize {
        self.recipe.records().len()
    }

    /// Starts epoch `epoch`, counted from 0.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let order = order(self.image_count(), epoch, self.seed);
        Epoch::start(&self.recipe, epoch, &order, self.batch_size, self.workers)
    }

    /// The image of `record` as epoch `epoch` delivers it, and where: made by the very code that the workers run.
    ///
    /// # Errors
    /// [`StreamError::Read`], [`StreamError::Decode`] and [`StreamError::Panic`], as the epoch itself.
    ///
    /// # Panics
    /// Where `record` is not of the training split.
    pub fn sample(&self, epoch: u64, record: &Record) -> Result<Sample, StreamError> {
        let order = order(self.image_count(), epoch, self.seed);
        Sample::of_epoch(&self.recipe, epoch, &order, self.batch_size, record)
    }

    /// What epoch `epoch` does to the image of `record`: the plan that [`Self::epoch`] delivers with it.
    pub fn plan(&self, epoch: u64, record: &Record) -> Plan {
        self.recipe.plan(epoch, record)
    }
}

/// Batches of a split in the manifest's order, as they are, the same on every pass.
#[derive(Debug)]
pub struct EvalStream {
    recipe: Arc<Recipe>,
    batch_size: usize,
    workers: usize,
}

impl EvalStream {
    /// A stream over a split of `dataset`.
    ///
    /// # Errors
    /// As [`TrainStream::new`].
    pub fn new(dataset: Arc<Dataset>, split: Split, config: &EvalConfig) -> Result<Self, StreamError> {
        let EvalConfig { preprocessing, batch_size, workers } = config.clone();
        let recipe = Recipe { dataset, split, preprocessing, training: None };
        check(&recipe, batch_size, workers)?;
        Ok(Self { recipe: Arc::new(recipe), batch_size, workers })
    }

    /// The split that it passes over.
    pub fn split(&self) -> Split {
        self.recipe.split
    }

    /// The form of every image.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.recipe.preprocessing
    }

    /// How many images a pass has.
    pub fn image_count(&self) -> usize {
        self.recipe.records().len()
    }

    /// Starts a pass over all images.
    pub fn pass(&self) -> Epoch {
        let order: Vec<usize> = (0..self.image_count()).collect();
        Epoch::start(&self.recipe, 0, &order, self.batch_size, self.workers)
    }
}

fn check(recipe: &Recipe, batch_size: usize, workers: usize) -> Result<(), StreamError> {
    let Preprocessing { height, width, .. } = recipe.preprocessing;
    let sizes = [("height", height), ("width", width), ("batch-size", batch_size), ("workers", workers)];
    if let Some((field, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
        return Err(StreamError::Zero { field });
    }
    if workers > MAX_WORKERS {
        return Err(StreamError::TooManyWorkers { workers, limit: MAX_WORKERS });
    }
    if recipe.records().is_empty() {
        return Err(StreamError::EmptySplit { split: recipe.split });
    }
    Ok(())
}
