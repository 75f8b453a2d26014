//! The streams of a data set: one for training, one for evaluation.

use std::sync::Arc;

use aumenta_augment::{Canvas, Mixing, Normalization, Pipeline, Plan};
use aumenta_dataset::{Dataset, Record, Split};
use aumenta_imgproc::Size;
use aumenta_seed::Seed;

use crate::epoch::{Batching, Cursor, Epoch, EpochPlan};
use crate::error::StreamError;
use crate::fault::OnError;
use crate::images::Images;
use crate::layout::Layout;
use crate::listing::Listing;
use crate::loader::{Depth, Loader};
use crate::pool::Pool;
use crate::preprocessing::Preprocessing;
use crate::recipe::{Recipe, Training, Variation, full_size};
use crate::sample::Sample;
use crate::sampler::{Draw, Sampling, Shard};

/// What a [`TrainStream`] delivers.
#[derive(Debug)]
pub struct TrainConfig {
    /// The form of every image.
    pub preprocessing: Preprocessing,
    /// Images a batch.
    pub batch_size: usize,
    /// Chooses the order of each epoch and what is drawn for each image.
    pub seed: Seed,
    /// What is drawn for each image, anew in each epoch; nothing by default.
    pub augment: Pipeline,
    /// What is then mixed within each batch; `None` for nothing.
    pub mix: Option<Mixing>,
    /// Which images an epoch draws; by default each once, shuffled.
    pub sampling: Sampling,
    /// Sizes of which each batch gets one at random, for a network that takes several; where it is empty, all have that of
    /// the preprocessing.
    pub sizes: Vec<Size>,
    /// Whether an epoch ends with its last whole batch. By default a smaller one follows. With shards, batches beyond the
    /// last whole round are left out too, so that all shards deliver equally many.
    pub drop_last: bool,
    /// Which share of the batches is delivered; all by default.
    pub shard: Shard,
    /// The form of the values.
    pub layout: Layout,
    /// What becomes of an image that cannot be used.
    pub on_error: OnError,
    /// How batches are made, which changes nothing in them.
    pub loader: Loader,
}

impl TrainConfig {
    /// Every image once an epoch, shuffled and not augmented, as normalized f32 NHWC.
    pub fn new(preprocessing: Preprocessing, batch_size: usize, seed: Seed) -> Self {
        Self {
            preprocessing,
            batch_size,
            seed,
            augment: Pipeline::empty(),
            mix: None,
            sampling: Sampling::default(),
            sizes: Vec::new(),
            drop_last: false,
            shard: Shard::WHOLE,
            layout: Layout::default(),
            on_error: OnError::default(),
            loader: Loader::default(),
        }
    }
}

/// What an [`EvalStream`] delivers. There is no place for a transform or a mix here.
#[derive(Clone, Debug)]
pub struct EvalConfig {
    /// The form of every image.
    pub preprocessing: Preprocessing,
    /// Images a batch; the last batch may be smaller.
    pub batch_size: usize,
    /// Which share of the batches is delivered; all by default.
    pub shard: Shard,
    /// The form of the values.
    pub layout: Layout,
    /// What becomes of an image that cannot be used.
    pub on_error: OnError,
    /// How batches are made, which changes nothing in them.
    pub loader: Loader,
}

impl EvalConfig {
    /// Every image once, as normalized f32 NHWC.
    pub fn new(preprocessing: Preprocessing, batch_size: usize) -> Self {
        Self {
            preprocessing,
            batch_size,
            shard: Shard::WHOLE,
            layout: Layout::default(),
            on_error: OnError::default(),
            loader: Loader::default(),
        }
    }
}

/// Shuffled and augmented batches of a data set's training split.
#[derive(Debug)]
pub struct TrainStream {
    stream: Stream,
    sampling: Sampling,
    seed: Seed,
    /// Of each record of the split.
    classes: Vec<u32>,
}

/// What all kinds of streams have.
#[derive(Debug)]
pub(crate) struct Stream {
    pub recipe: Arc<Recipe>,
    pool: Arc<Pool>,
    pub batching: Batching,
    loader: Loader,
    depth: Arc<Depth>,
}

impl TrainStream {
    /// A stream over the training split of `dataset`.
    ///
    /// # Errors
    /// [`StreamError::Zero`] and [`StreamError::TooMany`] where a size or count cannot be, [`StreamError::EmptySplit`]
    /// where there are no images, [`StreamError::Sampling`] and [`StreamError::Shard`] where the epoch cannot be drawn or
    /// divided, [`StreamError::Excluded`] where the layout does not go with the normalization, the mix or the sizes.
    pub fn new(dataset: Arc<Dataset>, config: TrainConfig) -> Result<Self, StreamError> {
        let TrainConfig { preprocessing, batch_size, seed, augment, mix, sampling, sizes, drop_last, .. } = config;
        let TrainConfig { shard, layout, on_error, loader, .. } = config;
        if mix.is_some() && layout == Layout::U8Nhwc {
            return Err(StreamError::Excluded {
                one: "`mix`",
                other: "`layout = \"u8-nhwc\"`",
                reason: "mixed values are no bytes",
            });
        }
        if sizes.iter().any(|size| size.width == 0 || size.height == 0) {
            return Err(StreamError::Zero { field: "sizes" });
        }
        if !sizes.is_empty() && preprocessing.normalization.whitening().is_some() {
            return Err(StreamError::Excluded {
                one: "`sizes`",
                other: "ZCA whitening",
                reason: "it is fitted to images of one size",
            });
        }
        let variation = Variation::Training(Training { augment, mix, sizes, seed });
        let (limits, cache) = (loader.limits, loader.cache.clone());
        let images = Images::Split { dataset, split: Split::Train };
        let recipe = Recipe { images, preprocessing, layout, on_error, limits, cache, variation };
        let classes: Vec<u32> = recipe.images.records().iter().map(|record| record.class).collect();
        let samples = sampling.draws(&classes, 0, seed)?.len();
        let stream = Stream::new(recipe, Batching { samples, batch_size, drop_last, shard }, loader)?;
        Ok(Self { stream, sampling, seed, classes })
    }

    /// The form of every image.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.stream.recipe.preprocessing
    }

    /// How many samples an epoch delivers.
    pub fn image_count(&self) -> usize {
        self.stream.batching.delivered_samples()
    }

    /// How many images of the split have each of `classes` classes, in the manifest's order.
    pub fn class_counts(&self, classes: usize) -> Vec<u64> {
        let mut counts = vec![0; classes];
        for class in &self.classes {
            counts[*class as usize] += 1;
        }
        counts
    }

    /// How many batches an epoch delivers.
    pub fn batch_count(&self) -> usize {
        self.stream.batching.batches()
    }

    /// How many batches an epoch has over all shards, those included that do not go round: one more than the largest
    /// [`Batch::index`](crate::Batch::index) of an epoch that is not divided.
    pub fn whole_batch_count(&self) -> usize {
        Batching { shard: Shard::WHOLE, ..self.stream.batching }.batches()
    }

    /// Starts epoch `epoch`, counted from 0.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        self.stream.start(epoch, self.draws(epoch), 0)
    }

    /// Goes on where a stream with the same settings stood: the epoch's remaining batches, the same to the last byte.
    ///
    /// # Errors
    /// [`StreamError::Cursor`] where the epoch has no such place.
    pub fn resume(&self, cursor: Cursor) -> Result<Epoch, StreamError> {
        let batches = self.batch_count();
        if cursor.batch > batches {
            return Err(StreamError::Cursor { cursor, batches });
        }
        Ok(self.stream.start(cursor.epoch, self.draws(cursor.epoch), cursor.batch))
    }

    /// The image of `record` as epoch `epoch` delivers it first, and where: made by the very code that the workers run.
    /// `None` where the epoch does not draw it.
    ///
    /// # Errors
    /// [`StreamError::Read`], [`StreamError::Decode`] and [`StreamError::Panic`], as the epoch itself.
    pub fn sample(&self, epoch: u64, record: &Record) -> Result<Option<Sample>, StreamError> {
        Sample::of_epoch(&self.stream.recipe, epoch, &self.draws(epoch), self.stream.batching.batch_size, record)
    }

    /// What epoch `epoch` does to the first view of the image of `record`: the plan that [`Self::epoch`] delivers with it,
    /// in a stream whose batches have one size.
    pub fn plan(&self, epoch: u64, record: &Record) -> Plan {
        let mut plan = Plan::identity();
        let canvas = Canvas { source: full_size(record), output: self.preprocessing().size() };
        self.stream.recipe.draw_plan(epoch, record.id, 0, canvas, &mut plan);
        plan
    }

    /// What is in each batch of epoch `epoch`, in order; where images cannot be used, [`Self::epoch`] may deliver fewer.
    pub fn listings(&self, epoch: u64) -> Vec<Listing> {
        Listing::of_epoch(&self.stream.recipe.images, &self.draws(epoch), self.stream.batching)
    }

    fn draws(&self, epoch: u64) -> Vec<Draw> {
        self.sampling.draws(&self.classes, epoch, self.seed).expect("the sampling was checked with the same classes")
    }
}

/// Batches of a split in the manifest's order, as they are, the same on every pass.
#[derive(Debug)]
pub struct EvalStream {
    stream: Stream,
    split: Split,
}

impl EvalStream {
    /// A stream over a split of `dataset`.
    ///
    /// # Errors
    /// As [`TrainStream::new`]; [`StreamError::Excluded`] also where images that cannot be used would be replaced.
    pub fn new(dataset: Arc<Dataset>, split: Split, config: &EvalConfig) -> Result<Self, StreamError> {
        let EvalConfig { preprocessing, batch_size, shard, layout, on_error, loader } = config.clone();
        if on_error == OnError::Replace {
            return Err(StreamError::Excluded {
                one: "evaluation",
                other: "`on-error = \"replace\"`",
                reason: "it would measure an image twice; use \"skip\" or \"fail\"",
            });
        }
        let (limits, cache) = (loader.limits, loader.cache.clone());
        let images = Images::Split { dataset, split };
        let recipe = Recipe { images, preprocessing, layout, on_error, limits, cache, variation: Variation::None };
        let batching = Batching { samples: recipe.images.len(), batch_size, drop_last: false, shard };
        Ok(Self { stream: Stream::new(recipe, batching, loader)?, split })
    }

    /// The split that it passes over.
    pub fn split(&self) -> Split {
        self.split
    }

    /// The form of every image.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.stream.recipe.preprocessing
    }

    /// How many images a pass has.
    pub fn image_count(&self) -> usize {
        self.stream.batching.delivered_samples()
    }

    /// Starts a pass over all images.
    pub fn pass(&self) -> Epoch {
        self.stream.start(0, self.draws(), 0)
    }

    /// What is in each batch of a pass, in order; where images cannot be used, [`Self::pass`] may deliver fewer.
    pub fn listings(&self) -> Vec<Listing> {
        Listing::of_epoch(&self.stream.recipe.images, &self.draws(), self.stream.batching)
    }

    fn draws(&self) -> Vec<Draw> {
        (0..self.stream.batching.samples).map(|position| Draw { position, view: 0 }).collect()
    }
}

impl Stream {
    pub fn new(recipe: Recipe, batching: Batching, loader: Loader) -> Result<Self, StreamError> {
        let Preprocessing { height, width, normalization, .. } = &recipe.preprocessing;
        for (field, size) in [("height", *height), ("width", *width), ("batch-size", batching.batch_size)] {
            if size == 0 {
                return Err(StreamError::Zero { field });
            }
        }
        loader.check()?;
        let Shard { index, count } = batching.shard;
        if index >= count {
            return Err(StreamError::Shard { index, count });
        }
        let reason = match recipe.layout {
            Layout::U8Nhwc => match normalization {
                Normalization::Affine { .. } => None,
                Normalization::Bgr { .. } => {
                    Some("it has other channels than the bytes, which are red, green and blue")
                }
                _ => Some("it needs all values of an image as floats"),
            },
            layout => (!normalization.allows(layout.order())).then_some("it is fitted to values in another order"),
        };
        if let Some(reason) = reason {
            return Err(StreamError::Excluded { one: "this normalization", other: "this layout", reason });
        }
        if let (Images::Split { split, .. }, 0) = (&recipe.images, recipe.images.len()) {
            return Err(StreamError::EmptySplit { split: *split });
        }
        let depth = Arc::new(Depth::of(&loader));
        Ok(Self { recipe: Arc::new(recipe), pool: Arc::default(), batching, loader, depth })
    }

    /// Starts epoch `number`, which has the samples `draws`, at its batch `first`.
    pub fn start(&self, number: u64, draws: Vec<Draw>, first: usize) -> Epoch {
        let plan = EpochPlan { number, draws, batching: self.batching };
        let (recipe, pool, depth) = (Arc::clone(&self.recipe), Arc::clone(&self.pool), Arc::clone(&self.depth));
        Epoch::start(recipe, pool, depth, plan, first, &self.loader)
    }
}
