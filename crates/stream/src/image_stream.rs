//! [`ImageStream`]: batches of images whose classes nobody knows, for prediction.

use std::ops::Range;
use std::sync::Arc;

use aumenta_dataset::{Dataset, Source, Split};

use crate::batch::{Batch, Values};
use crate::epoch::{Batching, Epoch};
use crate::error::StreamError;
use crate::fault::{Fault, OnError};
use crate::images::Images;
use crate::layout::Layout;
use crate::loader::Loader;
use crate::preprocessing::Preprocessing;
use crate::recipe::{Recipe, Variation};
use crate::sampler::{Draw, Shard};
use crate::streams::Stream;
use crate::views::Views;

/// What an [`ImageStream`] delivers.
#[derive(Debug)]
pub struct ImageConfig {
    /// The form of every image.
    pub preprocessing: Preprocessing,
    /// Views a batch at most, and at least all of one image.
    pub batch_size: usize,
    /// The versions of each image.
    pub views: Views,
    /// The form of the values.
    pub layout: Layout,
    /// What becomes of an image that cannot be used.
    pub on_error: OnError,
    /// How batches are made, which changes nothing in them. There is no use for its cache.
    pub loader: Loader,
}

impl ImageConfig {
    /// Every image once, as evaluation sees it, as normalized f32 NHWC.
    pub fn new(preprocessing: Preprocessing, batch_size: usize) -> Self {
        let (views, on_error, loader) = (Views::default(), OnError::default(), Loader::default());
        Self { preprocessing, batch_size, views, layout: Layout::default(), on_error, loader }
    }
}

/// Batches of all images of a source, in its order, the same on every pass. Nothing need be known of the images before:
/// each is read once a view, and its header tells its size.
///
/// ```
/// use std::sync::Arc;
///
/// use aumenta_dataset::{OpenOptions, open};
/// use aumenta_seed::Seed;
/// use aumenta_stream::{Color, ImageConfig, ImageStream, Preprocessing};
///
/// let folder = tempfile::tempdir()?;
/// let zip = folder.path().join("drawn.zip");
/// aumenta_drawn::write_zip(&zip, 2, 32, Seed::new(7))?;
///
/// let source = open(&zip, &OpenOptions::default())?;
/// let stream = ImageStream::new(Arc::from(source), ImageConfig::new(Preprocessing::new(24, 24, Color::Rgb), 3))?;
/// let mut paths = Vec::new();
/// for batch in stream.pass() {
///     let batch = batch?;
///     assert_eq!(batch.floats().len(), batch.dimensions().iter().product::<usize>());
///     paths.extend(batch.images().map(|(index, _rows)| stream.path(index).to_owned()));
/// }
/// assert_eq!(paths, ["train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ImageStream {
    stream: Stream,
    views: usize,
    /// That of the first image; those of the others follow.
    first_id: u32,
}

impl ImageStream {
    /// A stream over all images of `source`.
    ///
    /// # Errors
    /// [`StreamError::Zero`] and [`StreamError::TooMany`] where a size or count cannot be; [`StreamError::Excluded`] where
    /// images that cannot be used would be replaced, or the layout does not go with the normalization.
    pub fn new(source: Arc<dyn Source>, config: ImageConfig) -> Result<Self, StreamError> {
        Self::over(Images::Unlabeled(source), config)
    }

    /// A stream over the images of a split, in the manifest's order, to be measured over several views of each.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`StreamError::EmptySplit`] where there are no images.
    pub fn of_split(dataset: Arc<Dataset>, split: Split, config: ImageConfig) -> Result<Self, StreamError> {
        Self::over(Images::Split { dataset, split }, config)
    }

    fn over(images: Images, config: ImageConfig) -> Result<Self, StreamError> {
        let ImageConfig { preprocessing, batch_size, views, layout, on_error, loader } = config;
        if on_error == OnError::Replace {
            return Err(StreamError::Excluded {
                one: "prediction",
                other: "`on-error = \"replace\"`",
                reason: "it would say of one image what it sees in another; use \"skip\" or \"fail\"",
            });
        }
        let views_of_each = views.count() as usize;
        let (limits, cache, variation) = (loader.limits, None, Variation::Views(views));
        let first_id = images.record(0).map_or(0, |record| record.id);
        let batching = Batching {
            samples: images.len() * views_of_each,
            // Whole images; a size of 0 stays one, and is refused.
            batch_size: if batch_size == 0 { 0 } else { (batch_size / views_of_each).max(1) * views_of_each },
            drop_last: false,
            shard: Shard::WHOLE,
        };
        let recipe = Recipe { images, preprocessing, layout, on_error, limits, cache, variation };
        Ok(Self { stream: Stream::new(recipe, batching, loader)?, views: views_of_each, first_id })
    }

    /// The form of every image.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.stream.recipe.preprocessing
    }

    /// How many images a pass has.
    pub fn image_count(&self) -> usize {
        self.stream.recipe.images.len()
    }

    /// The path of image `index` within the source.
    ///
    /// # Panics
    /// Where there is no such image.
    pub fn path(&self, index: usize) -> &str {
        self.stream.recipe.images.path(index)
    }

    /// Starts a pass over all images.
    pub fn pass(&self) -> ImagePass {
        let views = 0..self.stream.batching.samples;
        let draw = |at: usize| Draw { position: at / self.views, view: (at % self.views) as u32 };
        let epoch = self.stream.start(0, views.map(draw).collect(), 0);
        ImagePass { epoch, views: self.views, first_id: self.first_id }
    }
}

/// The batches of one pass over images, in order. It ends and is dropped as an [`Epoch`] is.
#[derive(Debug)]
pub struct ImagePass {
    epoch: Epoch,
    views: usize,
    first_id: u32,
}

impl ImagePass {
    /// Images that could not be used so far, in order, each once.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.epoch.faults().to_vec();
        faults.dedup_by_key(|fault| fault.id);
        faults
    }
}

impl Iterator for ImagePass {
    type Item = Result<ImageBatch, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.epoch.next()?;
        Some(batch.map(|batch| ImageBatch { batch, views: self.views, first_id: self.first_id }))
    }
}

/// Views of images, without classes.
#[derive(Debug)]
pub struct ImageBatch {
    batch: Batch,
    views: usize,
    first_id: u32,
}

impl ImageBatch {
    /// The images of which all views are there: the index of each in the stream, and the rows of its views.
    pub fn images(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut start = 0;
        let ranges = self.batch.ids.chunk_by(|a, b| a == b).map(move |ids| {
            start += ids.len();
            ((ids[0] - self.first_id) as usize, start - ids.len()..start)
        });
        ranges.filter(|(_, rows)| rows.len() == self.views)
    }

    /// The dimensions of its values, in the order of its layout: by default views, height, width, channels.
    pub fn dimensions(&self) -> [usize; 4] {
        self.batch.dimensions()
    }

    /// The normalized values of all views, in the order of [`dimensions`](Self::dimensions).
    ///
    /// # Panics
    /// Where the layout is [`Layout::U8Nhwc`].
    pub fn floats(&self) -> &[f32] {
        self.batch.floats()
    }

    /// The values of all views, in the order of [`dimensions`](Self::dimensions), whatever the layout.
    pub fn values(&self) -> Values<'_> {
        self.batch.values()
    }
}
