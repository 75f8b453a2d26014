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
use crate::tensors::{Copied, Crossed, Crossing, Examples, Normalizer};

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
            Self::Ahead(ahead) => ahead.standing().clone(),
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
        match &self.feed {
            Feed::Asked(copying) => copying.epoch.cursor(),
            Feed::Ahead(ahead) => ahead.standing().cursor,
        }
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
        let (stages, data_wait_share) = match &self.feed {
            Feed::Asked(copying) => {
                let stalls = copying.epoch.stalls();
                (stalls.stage_shares(), stalls.share())
            }
            Feed::Ahead(ahead) => (ahead.standing().stalls.stage_shares(), ahead.wait_share()),
        };
        let [read, decode, augment, collate, channel] = stages;
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

/// The views of some images: f32 NHWC, with the rows of each image.
pub(crate) type Views = (Tensor, Rows);

/// The index of each image of which all views are there, and the rows of its views.
type Rows = Vec<(usize, Range<usize>)>;

impl Unlabeled {
    /// All of `pass`, of images in the form `preprocessing`.
    pub fn new(pass: ImagePass, preprocessing: &Preprocessing, crossing: &Crossing) -> Result<Self, TrainError> {
        let normalizer = Normalizer::new(preprocessing, crossing.device())?;
        Ok(Self { feed: Feed::new(CopyingViews { pass, crossing: crossing.clone() }, crossing), normalizer })
    }

    /// The next batch.
    pub fn next(&mut self) -> Option<Result<Views, TrainError>> {
        let views = self.feed.next()?;
        Some(views.and_then(|(views, images)| Ok((self.normalizer.apply(views.into_tensor()?)?, images))))
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
    type Item = (Crossed, Rows);
    type Standing = Vec<Fault>;

    fn next(&mut self) -> Option<Result<(Crossed, Rows), TrainError>> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aumenta_augment::{AugmentConfig, MixConfig};
    use aumenta_dataset::{OpenOptions, Source, open};
    use aumenta_runs::Kept;
    use aumenta_stream::{ImageConfig, ImageStream, Layout};
    use candle_core::Device;

    use super::*;
    use crate::fit::{End, FitConfig, ValidationConfig};
    use crate::test_place::{PREPROCESSING, Place, bytes, epochs, timeless};

    fn augmented() -> Place {
        Place { augment: AugmentConfig::book(), ..Place::new() }
    }

    /// Fed in advance, as a GPU is.
    fn fed(layout: Layout) -> Place {
        Place { layout, crossing: Some(Crossing::ahead_of_cpu()), ..augmented() }
    }

    #[track_caller]
    fn assert_ends_as(place: &Place, other: &Place) {
        let config = FitConfig {
            validation: ValidationConfig { every_steps: Some(2), ..ValidationConfig::default() },
            ..epochs(3)
        };
        let (a, b) = (place.trained(config.clone()).unwrap(), other.trained(config).unwrap());
        assert_eq!(timeless(&a.1.epochs), timeless(&b.1.epochs));
        for kept in [Kept::Best, Kept::Last] {
            assert!(bytes(&a.0, kept) == bytes(&b.0, kept), "{kept:?} differs");
        }
    }

    #[test]
    fn a_network_that_is_fed_in_advance_ends_with_the_same_bytes() {
        assert_ends_as(&fed(Layout::F32Nhwc), &augmented());
        let mix = MixConfig { mixup_alpha: Some(0.4), ..MixConfig::default() };
        assert_ends_as(&Place { mix, ..fed(Layout::F32Nhwc) }, &Place { mix, ..augmented() });
    }

    #[test]
    fn bytes_that_are_normalized_on_the_device_make_the_same_network_as_floats() {
        assert_ends_as(&fed(Layout::U8Nhwc), &augmented());
    }

    #[test]
    fn a_snapshot_stands_behind_the_batch_that_was_trained_and_not_one_that_was_fed_in_advance() {
        let (place, plain) = (fed(Layout::U8Nhwc), augmented());
        let run = place.new_run("resumed");
        for stop in [1, 2, 5, 7] {
            assert_eq!(place.train(&run, epochs(3), Some(stop)).unwrap().end, End::Interrupted { step: stop });
        }
        place.train(&run, epochs(3), None).unwrap();
        let (whole, _) = plain.trained(epochs(3)).unwrap();
        assert!(bytes(&run, Kept::Last) == bytes(&whole, Kept::Last));
    }

    #[test]
    fn views_come_in_order_whatever_their_layout_and_however_they_are_fed() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("drawn.zip");
        aumenta_drawn::write_zip(&zip, 5, 48, aumenta_seed::Seed::new(7)).unwrap();
        let source: Arc<dyn Source> = Arc::from(open(&zip, &OpenOptions::default()).unwrap());
        let views = |layout, crossing: &Crossing| {
            let config = ImageConfig { layout, ..ImageConfig::new(PREPROCESSING, 3) };
            let stream = ImageStream::new(Arc::clone(&source), config).unwrap();
            let mut unlabeled = Unlabeled::new(stream.pass(), stream.preprocessing(), crossing).unwrap();
            let mut found = Vec::new();
            while let Some(views) = unlabeled.next() {
                let (values, images) = views.unwrap();
                found.push((values.flatten_all().unwrap().to_vec1::<f32>().unwrap(), images));
            }
            assert!(unlabeled.faults().is_empty());
            found
        };
        let expected = views(Layout::F32Nhwc, &Crossing::to(&Device::Cpu).unwrap());
        assert_eq!(expected.len(), 4);
        for layout in [Layout::F32Nhwc, Layout::U8Nhwc] {
            assert!(views(layout, &Crossing::ahead_of_cpu()) == expected);
        }
    }

    #[test]
    fn an_image_that_cannot_be_used_is_named_by_the_training_that_is_fed_in_advance() {
        let place = fed(Layout::U8Nhwc);
        let record = &place.dataset.records(aumenta_dataset::Split::Train)[3];
        place.spoil(record.id);
        let error = place.trained(epochs(1)).unwrap_err().to_string();
        assert!(error.contains(&record.path), "{error}");
    }
}
