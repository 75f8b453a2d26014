//! Aumenta as a contender: its training stream, and its reading and decoding alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aumenta_augment::{AugmentConfig, Canvas, Normalization, NormalizationConfig, Scratch, TransformConfig};
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, ReadBuffer, Split, prepare};
use aumenta_imgproc::{Decoder, Image, Limits, Size, View, decode};
use aumenta_seed::Seed;
use aumenta_stream::{
    Batch, Cache, CacheConfig, CacheMode, Color, Draw, Epoch, Loader, OnError, Preprocessing, Sampling, TrainConfig,
    TrainStream,
};

use super::batch_facts::BatchFacts;
use super::protocol::{Streamed, Turn};
use super::workload::{Augmentation, BATCH};

/// How far a batch's values may lie from those of a direct computation on all pixels, in the mean over an image, in levels. A
/// stream decodes an image at a smaller scale, which averages noise otherwise; another image is tens of levels away.
const DIRECT_TOLERANCE_LEVELS: f64 = 8.0;

/// Chooses the order of the photographs and what is drawn for each.
const SEED: Seed = Seed::new(7);

/// Epochs that a cache gets to fill; each may draw another scale for an image.
const EPOCHS_TO_FILL: u64 = 50;

/// A training stream that goes on from epoch to epoch.
pub struct Stream {
    dataset: Arc<Dataset>,
    training: TrainStream,
    epoch: Epoch,
    /// How many epochs were begun.
    epochs: u64,
}

/// Reading and decoding, at the scales at which a stream does it, and nothing else.
pub struct DecodeOnly {
    dataset: Arc<Dataset>,
    threads: usize,
    /// The places of images in the split, in an epoch's order, with what its plans want to see of them.
    views: Vec<(usize, View)>,
    /// How many images were taken so far.
    taken: AtomicUsize,
}

/// Writes the manifest of `source` to `path`: a folder of `classes`, each with `of_class` files that stand in it `copies` times.
///
/// # Errors
/// Where the source or one of its images cannot be read.
pub fn write_manifest(source: &Path, path: &Path, of_class: usize, copies: usize) -> Result<()> {
    // Copies stay together, so a photograph of each class is for validation and one for the test, and they come back below.
    let train = of_class.saturating_sub(2) * copies;
    let config = PrepareConfig::new(Amounts::Counts { train, val: copies, test: Some(copies) });
    let mut manifest = prepare(source, &config, &|_, _| {})?;
    let (val, test) = (std::mem::take(&mut manifest.val), std::mem::take(&mut manifest.test));
    manifest.train.extend(val.into_iter().chain(test));
    Ok(manifest.write(path)?)
}

impl Stream {
    /// The stream of `augmentation` by `manifest`; its first batch is checked against a direct computation, and a cache is
    /// filled.
    ///
    /// # Errors
    /// Where the data set cannot be opened, the batch is another, or the cache does not hold all images.
    pub fn open(manifest: &Path, augmentation: Augmentation, threads: usize, cache: CacheMode) -> Result<Self> {
        let dataset = Arc::new(Dataset::open(manifest, None)?);
        let cache = CacheConfig { mode: cache, memory: None, folder: Some(manifest.with_extension("cache")) };
        let cache = Cache::open(&cache, &dataset)?.map(Arc::new);
        let training = training(&dataset, augmentation, threads, cache.clone())?;
        if let Some(cache) = cache {
            fill(&cache, &training)?;
        }
        let epoch = training.epoch(0);
        let mut stream = Self { dataset, training, epoch, epochs: 1 };
        let batch = stream.next_batch()?;
        stream.check(&batch)?;
        Ok(stream)
    }

    /// Takes a turn.
    ///
    /// # Errors
    /// Where an image cannot be read.
    pub fn turn(&mut self, turn: &Turn) -> Result<Streamed> {
        let inspected = (0..turn.inspected_batches).map(|_| self.next_batch()).collect::<Result<Vec<_>>>()?;
        let batches = Some(self.facts(&inspected)?);
        drop(inspected);
        for _ in 0..turn.drained_batches {
            self.next_batch()?;
        }
        let (started, duration) = (Instant::now(), Duration::from_millis(turn.milliseconds));
        let mut images = 0;
        while started.elapsed() < duration {
            images += self.next_batch()?.len();
        }
        Ok(Streamed { images, seconds: started.elapsed().as_secs_f64(), batches })
    }

    fn next_batch(&mut self) -> Result<Batch> {
        loop {
            if let Some(batch) = self.epoch.next() {
                return Ok(batch?);
            }
            self.epoch = self.training.epoch(self.epochs);
            self.epochs += 1;
        }
    }

    fn facts(&self, batches: &[Batch]) -> Result<BatchFacts> {
        let last = batches.last().context("at least one batch is inspected")?;
        let Preprocessing { height, width, .. } = *self.training.preprocessing();
        let values = || batches.iter().flat_map(Batch::floats).map(|&value| f64::from(value));
        Ok(BatchFacts {
            shape: vec![last.len(), height, width, 3],
            dtype: "float32".to_string(),
            least: values().fold(f64::INFINITY, f64::min),
            greatest: values().fold(f64::NEG_INFINITY, f64::max),
            mean: values().sum::<f64>() / values().count() as f64,
        })
    }

    /// Compares `batch` with its images, decoded whole and augmented one by one.
    fn check(&self, batch: &Batch) -> Result<()> {
        let Preprocessing { height, width, normalization, .. } = self.training.preprocessing();
        let size = Size { width: *width, height: *height };
        let Normalization::Affine { scale, offset } = *normalization else {
            unreachable!("both augmentations have a factor and an offset for each channel")
        };
        let (mut buffer, mut scratch, mut image) = (ReadBuffer::default(), Scratch::default(), Image::default());
        let places = batch.ids.iter().zip(&batch.plans).zip(batch.floats().chunks_exact(width * height * 3));
        for ((id, plan), values) in places {
            let record = &self.dataset.records(Split::Train)[*id as usize];
            self.dataset.read(record, &mut buffer)?;
            plan.apply(&decode(buffer.bytes(), &Limits::default())?, size, &mut scratch, &mut image);
            let levels = values.iter().enumerate().map(|(at, value)| (value - offset[at % 3]) / scale[at % 3]);
            let differences =
                levels.zip(image.pixels()).map(|(ours, direct)| f64::from((ours - f32::from(*direct)).abs()));
            let difference = differences.sum::<f64>() / values.len() as f64;
            ensure!(
                difference <= DIRECT_TOLERANCE_LEVELS,
                "`{}` is {difference:.1} levels from its direct computation",
                record.path
            );
        }
        Ok(())
    }
}

impl DecodeOnly {
    /// The images of `manifest`.
    ///
    /// # Errors
    /// Where the data set cannot be opened.
    pub fn open(manifest: &Path, augmentation: Augmentation, threads: usize) -> Result<Self> {
        let dataset = Arc::new(Dataset::open(manifest, None)?);
        let training = training(&dataset, augmentation, threads, None)?;
        let classes: Vec<u32> = dataset.records(Split::Train).iter().map(|record| record.class).collect();
        let view = |Draw { position, .. }| {
            let record = &dataset.records(Split::Train)[position];
            let source = Size { width: record.width as usize, height: record.height as usize };
            (position, training.plan(0, record).view(Canvas { source, output: augmentation.size() }))
        };
        let views = Sampling::default().draws(&classes, 0, SEED)?.into_iter().map(view).collect();
        Ok(Self { dataset, threads, views, taken: AtomicUsize::new(0) })
    }

    /// Takes a turn.
    ///
    /// # Errors
    /// Where an image cannot be read or decoded.
    pub fn turn(&self, turn: &Turn) -> Result<Streamed> {
        let uncounted = self.taken.load(Ordering::Relaxed) + (turn.inspected_batches + turn.drained_batches) * BATCH;
        self.decode_while(|| self.taken.load(Ordering::Relaxed) < uncounted)?;
        let (started, duration) = (Instant::now(), Duration::from_millis(turn.milliseconds));
        let images = self.decode_while(|| started.elapsed() < duration)?;
        Ok(Streamed { images, seconds: started.elapsed().as_secs_f64(), batches: None })
    }

    /// Decodes one image after the other while `goes_on`; how many it were.
    fn decode_while(&self, goes_on: impl Fn() -> bool + Sync) -> Result<usize> {
        let work = || {
            let (mut buffer, mut decoder, mut image) = (ReadBuffer::default(), Decoder::default(), Image::default());
            let mut count = 0;
            while goes_on() {
                let taken = self.taken.fetch_add(1, Ordering::Relaxed);
                let (position, view) = &self.views[taken % self.views.len()];
                self.dataset.read(&self.dataset.records(Split::Train)[*position], &mut buffer)?;
                decoder.decode(buffer.bytes(), &Limits::default(), view, &mut image)?;
                count += 1;
            }
            Ok(count)
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let counts = workers.into_iter().map(|worker| worker.join().expect("decoding does not panic"));
            counts.sum()
        })
    }
}

/// Passes over epochs until one finds all its images in `cache`: a training of many epochs has them.
///
/// # Errors
/// Where an image cannot be read, or the cache does not hold all.
pub fn fill(cache: &Cache, training: &TrainStream) -> Result<()> {
    for epoch in 0..EPOCHS_TO_FILL {
        let before = cache.usage().misses;
        training.epoch(epoch).try_for_each(|batch| batch.map(drop))?;
        if cache.usage().misses == before {
            return Ok(());
        }
    }
    let usage = cache.usage();
    bail!("the cache has {} of at most {} bytes and still misses images", usage.bytes, usage.limit)
}

/// The training stream of `dataset`.
fn training(
    dataset: &Arc<Dataset>,
    augmentation: Augmentation,
    threads: usize,
    cache: Option<Arc<Cache>>,
) -> Result<TrainStream> {
    let loader = Loader { cache, ..Loader::with_workers(threads) };
    let size = augmentation.size();
    let plain = Preprocessing::new(size.height, size.width, Color::Rgb);
    let preprocessing = plain.normalized(&normalization(augmentation), dataset, OnError::Fail, &loader)?;
    let augment = augment(augmentation).build()?;
    let config = TrainConfig { augment, loader, ..TrainConfig::new(preprocessing, BATCH, SEED) };
    Ok(TrainStream::new(Arc::clone(dataset), config)?)
}

fn augment(augmentation: Augmentation) -> AugmentConfig {
    let transforms = match augmentation {
        Augmentation::Book => return AugmentConfig::book(),
        Augmentation::Crop => [
            TransformConfig::ResizedCrop { areas: [0.08, 1.0], aspect_ratios: [3.0 / 4.0, 4.0 / 3.0] },
            TransformConfig::HorizontalFlip {},
            TransformConfig::Brightness { amount: 0.4 },
            TransformConfig::ContrastAboutMean { amount: 0.4 },
            TransformConfig::Saturation { amount: 0.4 },
        ],
    };
    AugmentConfig { transforms: transforms.map(Into::into).to_vec(), ..AugmentConfig::default() }
}

fn normalization(augmentation: Augmentation) -> NormalizationConfig {
    match augmentation {
        Augmentation::Book => NormalizationConfig::default(),
        Augmentation::Crop => NormalizationConfig::Imagenet,
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::encode_jpeg;
    use fs_err as fs;
    use tempfile::TempDir;

    use super::*;
    use crate::photograph::{animal, photograph};

    const TURN: Turn = Turn { inspected_batches: 1, drained_batches: 1, milliseconds: 0 };

    /// A folder with `files/` of 8 photographs that stand there 8 times each, and with `files.json`.
    fn prepared() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..8 {
            let class = folder.path().join("files").join(animal(index).name());
            fs::create_dir_all(&class).unwrap();
            let jpeg = encode_jpeg(&photograph(SEED, index), 70).unwrap();
            for copy in 0..8 {
                fs::write(class.join(format!("{index}-{copy}.jpg")), &jpeg).unwrap();
            }
        }
        write_manifest(&folder.path().join("files"), &folder.path().join("files.json"), 4, 8).unwrap();
        folder
    }

    #[test]
    fn a_stream_is_what_it_is_checked_for_and_goes_on_past_its_epoch() {
        let folder = prepared();
        for augmentation in [Augmentation::Book, Augmentation::Crop] {
            let manifest = folder.path().join("files.json");
            let mut stream = Stream::open(&manifest, augmentation, 2, CacheMode::Off).unwrap();
            let turn = Turn { milliseconds: 1, ..TURN };
            for _ in 0..2 {
                let streamed = stream.turn(&turn).unwrap();
                assert!(streamed.images >= BATCH && streamed.seconds >= 0.001, "{streamed:?}");
                streamed.batches.unwrap().check(augmentation).unwrap();
            }
            assert!(stream.epochs > 2, "an epoch has two batches of the 7 that were taken");
        }
    }

    #[test]
    fn a_cache_holds_all_images_before_the_turns_and_changes_no_batch() {
        let folder = prepared();
        let manifest = folder.path().join("files.json");
        let [without, ram, disk] = [CacheMode::Off, CacheMode::Ram, CacheMode::Disk].map(|cache| {
            let mut stream = Stream::open(&manifest, Augmentation::Book, 2, cache).unwrap();
            stream.turn(&TURN).unwrap().batches
        });
        assert_eq!((&ram, &disk), (&without, &without));
    }

    #[test]
    fn decoding_alone_counts_images_and_has_no_batches() {
        let folder = prepared();
        let decode_only = DecodeOnly::open(&folder.path().join("files.json"), Augmentation::Book, 2).unwrap();
        let streamed = decode_only.turn(&Turn { milliseconds: 1, ..TURN }).unwrap();
        assert!(streamed.images > 0 && streamed.batches.is_none(), "{streamed:?}");
        assert!(decode_only.taken.load(Ordering::Relaxed) >= 2 * BATCH + streamed.images);
    }
}
