//! What feeds a network: passes over streams of images, copied to the network's device.
//!
//! On the CPU a batch is copied when it is asked for. A GPU is fed by a thread of its own, which takes batches from the stream,
//! writes them to buffers and begins their copies, while the thread that computes is at an earlier batch. It normalizes none,
//! since that would be computed on the GPU in the midst of a step, and would hold it up where the copy is not over yet.

use std::ops::Range;

use aumenta_runs::LoaderShares;
use aumenta_stream::{Cursor, Epoch, Fault, ImagePass, Preprocessing, StallReport};
use candle_core::Tensor;

use crate::ahead::{Ahead, Work};
use crate::error::TrainError;
use crate::tensors::{Copied, Crossing, Examples, Normalizer};

/// Work that is done when its next item is asked for, or in advance.
enum Feed<W: Work> {
    Asked(W),
    Ahead(Ahead<W>),
}

impl<W: Work> Feed<W> {
    /// In advance where `crossing` is.
    fn new(work: W, crossing: &Crossing) -> Self {
        match crossing.ahead() {
            Some(depth) => Self::Ahead(Ahead::start(work, depth)),
            None => Self::Asked(work),
        }
    }

    fn next(&mut self) -> Option<Result<W::Item, TrainError>> {
        match self {
            Self::Asked(work) => work.next(),
            Self::Ahead(ahead) => ahead.next(),
        }
    }

    fn standing(&self) -> W::Standing {
        match self {
            Self::Asked(work) => work.standing(),
            Self::Ahead(ahead) => ahead.standing(),
        }
    }
}

/// A pass over images with classes.
pub(crate) struct Images {
    feed: Feed<Copying>,
    normalizer: Normalizer,
    batch_count: usize,
}

/// How the loader kept up with a pass.
pub(crate) struct Loading {
    pub data_wait_share: f64,
    pub shares: LoaderShares,
}

impl Images {
    /// The rest of `epoch`, of images in the form `preprocessing`, for a network of `classes` classes.
    pub fn new(
        epoch: Epoch,
        preprocessing: &Preprocessing,
        classes: usize,
        crossing: &Crossing,
    ) -> Result<Self, TrainError> {
        let normalizer = Normalizer::new(preprocessing, crossing.device())?;
        let batch_count = epoch.batch_count();
        let copying = Copying { epoch, classes, crossing: crossing.clone() };
        Ok(Self { feed: Feed::new(copying, crossing), normalizer, batch_count })
    }

    /// The next batch.
    pub fn next(&mut self) -> Option<Result<Examples, TrainError>> {
        let copied = self.feed.next()?;
        Some(copied.and_then(|copied| Ok(copied.examples(&self.normalizer)?)))
    }

    /// Behind the last batch that was taken.
    pub fn cursor(&self) -> Cursor {
        self.feed.standing().cursor
    }

    /// How many batches the epoch has, from its beginning.
    pub fn batch_count(&self) -> usize {
        self.batch_count
    }

    /// Images up to there that could not be used.
    pub fn faults(&self) -> Vec<Fault> {
        self.feed.standing().faults
    }

    /// How the time was spent so far. Where batches are copied in advance, what is waited for is a batch on its device.
    pub fn loading(&self) -> Loading {
        let stalls = self.feed.standing().stalls;
        let [read, decode, augment, collate, channel] = stalls.stage_shares();
        let data_wait_share = match &self.feed {
            Feed::Asked(_) => stalls.share(),
            Feed::Ahead(ahead) => ahead.wait_share(),
        };
        Loading { data_wait_share, shares: LoaderShares { read, decode, augment, collate, channel } }
    }
}

/// Copies the batches of an epoch.
struct Copying {
    epoch: Epoch,
    classes: usize,
    crossing: Crossing,
}

/// Where an epoch stands behind a batch.
#[derive(Clone)]
struct EpochStanding {
    cursor: Cursor,
    faults: Vec<Fault>,
    stalls: StallReport,
}

impl Work for Copying {
    type Item = Copied;
    type Standing = EpochStanding;

    fn next(&mut self) -> Option<Result<Copied, TrainError>> {
        let batch = self.epoch.next()?;
        Some(batch.map_err(TrainError::from).and_then(|batch| Ok(self.crossing.batch(&batch, self.classes)?)))
    }

    fn standing(&self) -> EpochStanding {
        let Self { epoch, .. } = self;
        EpochStanding { cursor: epoch.cursor(), faults: epoch.faults().to_vec(), stalls: epoch.stalls() }
    }
}

/// A pass over images without classes.
pub(crate) struct Unlabeled {
    feed: Feed<CopyingViews>,
    normalizer: Normalizer,
}

/// The views of some images: f32 NHWC, with the index of each image of which all are there and the rows of its views.
pub(crate) type Views = (Tensor, Vec<(usize, Range<usize>)>);

impl Unlabeled {
    /// All of `pass`, of images in the form `preprocessing`.
    pub fn new(pass: ImagePass, preprocessing: &Preprocessing, crossing: &Crossing) -> Result<Self, TrainError> {
        let normalizer = Normalizer::new(preprocessing, crossing.device())?;
        Ok(Self { feed: Feed::new(CopyingViews { pass, crossing: crossing.clone() }, crossing), normalizer })
    }

    /// The next batch.
    pub fn next(&mut self) -> Option<Result<Views, TrainError>> {
        let views = self.feed.next()?;
        Some(views.and_then(|(views, images)| Ok((self.normalizer.apply(views)?, images))))
    }

    /// Images up to there that could not be used.
    pub fn faults(&self) -> Vec<Fault> {
        self.feed.standing()
    }
}

/// Copies views of images.
struct CopyingViews {
    pass: ImagePass,
    crossing: Crossing,
}

impl Work for CopyingViews {
    type Item = Views;
    type Standing = Vec<Fault>;

    fn next(&mut self) -> Option<Result<Views, TrainError>> {
        let batch = self.pass.next()?;
        Some(batch.map_err(TrainError::from).and_then(|batch| {
            let views = self.crossing.images(batch.values(), batch.dimensions())?;
            Ok((views, batch.images().collect()))
        }))
    }

    fn standing(&self) -> Vec<Fault> {
        self.pass.faults()
    }
}
