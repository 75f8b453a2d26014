//! A stream at work takes no memory for an image.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::Path;
use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_counting::{Counting, on_all_threads};
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare, write_zip};
use aumenta_imgproc::{Image, encode_jpeg};
use aumenta_seed::Seed;
use aumenta_stream::{
    Cache, CacheConfig, CacheMode, Color, Layout, Loader, Order, Preprocessing, Sampling, TrainConfig, TrainStream,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A data set of JPEGs of several sizes in a deflated zip.
fn photographs(folder: &Path) -> Arc<Dataset> {
    let picture = |number: usize| {
        let (width, height) = (200 + number % 7 * 20, 150 + number % 5 * 30);
        let pixels = (0..width * height * 3).map(|at| ((at / 5 * (number + 3)) ^ (at / width)) as u8).collect();
        let class = if number.is_multiple_of(2) { "cat" } else { "dog" };
        (format!("{class}.{number}.jpg"), encode_jpeg(&Image::from_pixels(width, height, pixels), 80).unwrap())
    };
    let zip = folder.join("photographs.zip");
    write_zip(&zip, (0..68).map(picture)).unwrap();
    let config = PrepareConfig::new(Amounts::Counts { train: 32, val: 1, test: Some(1) });
    prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
    Arc::new(Dataset::open(folder, None).unwrap())
}

/// What an epoch may allocate however long it is: for each thread, what it and the two channels need when it first waits.
const ONCE_AN_EPOCH: usize = 12;

/// Takes two epochs of 400 samples, and of 1200, with warm memory: they allocate no more than an epoch of any length.
#[track_caller]
fn check(dataset: &Arc<Dataset>, layout: Layout, cache: CacheMode) {
    let cache = Cache::open(&CacheConfig { mode: cache, ..CacheConfig::default() }, dataset).unwrap().map(Arc::new);
    for samples in [400, 1200] {
        let config = TrainConfig {
            augment: AugmentConfig::book().build().unwrap(),
            sampling: Sampling { order: Order::Balanced, samples: Some(samples), ..Sampling::default() },
            layout,
            loader: Loader { cache: cache.clone(), prefetch: Some(3), ..Loader::with_workers(2) },
            ..TrainConfig::new(Preprocessing::new(64, 64, Color::Rgb), 2, Seed::new(7))
        };
        let stream = TrainStream::new(Arc::clone(dataset), config).unwrap();
        // Buffers grow until they have met the largest image, the longest plan and every order of events.
        for epoch in 0..3 {
            stream.epoch(epoch).for_each(|batch| drop(batch.unwrap()));
        }
        for epoch in 3..5 {
            let mut batches = stream.epoch(epoch);
            batches.by_ref().take(4).for_each(|batch| drop(batch.unwrap()));
            let before = on_all_threads();
            batches.by_ref().take(samples / 2 - 8).for_each(|batch| drop(batch.unwrap()));
            let allocations = on_all_threads() - before;
            assert!(allocations <= ONCE_AN_EPOCH, "{allocations} allocations for {samples} samples as {layout:?}");
        }
    }
}

#[test]
fn a_stream_at_work_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = photographs(folder.path());
    for layout in [Layout::F32Nhwc, Layout::F32Nchw, Layout::U8Nhwc] {
        check(&dataset, layout, CacheMode::Off);
    }
    check(&dataset, Layout::F32Nhwc, CacheMode::Ram);
}
