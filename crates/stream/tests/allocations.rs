//! A stream at work takes no memory for an image.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::Path;
use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_counting::{Counting, on_all_threads};
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, prepare, write_zip};
use aumenta_imgproc::{Image, encode_jpeg};
use aumenta_seed::Seed;
use aumenta_stream::{Cache, CacheConfig, CacheMode, Color, Layout, Loader, Preprocessing, TrainConfig, TrainStream};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A data set of JPEGs of several sizes in a deflated zip.
fn photographs(folder: &Path) -> Arc<Dataset> {
    let picture = |number: usize| {
        let (width, height) = (200 + number % 7 * 20, 150 + number % 5 * 30);
        let pixels = (0..width * height * 3).map(|at| (at / 5 * (number + 3) ^ at / width) as u8).collect();
        let class = if number.is_multiple_of(2) { "cat" } else { "dog" };
        (format!("{class}.{number}.jpg"), encode_jpeg(&Image::from_pixels(width, height, pixels), 80).unwrap())
    };
    let zip = folder.join("photographs.zip");
    write_zip(&zip, (0..68).map(picture)).unwrap();
    let config = PrepareConfig::new(Amounts::Counts { train: 32, val: 1, test: Some(1) });
    prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
    Arc::new(Dataset::open(folder, None).unwrap())
}

/// Takes three epochs with warm memory: no batch of them, but for the first and last few, in which threads start and end,
/// may allocate.
#[track_caller]
fn check(dataset: &Arc<Dataset>, layout: Layout, cache: CacheMode) {
    let cache = Cache::open(&CacheConfig { mode: cache, ..CacheConfig::default() }, dataset).unwrap().map(Arc::new);
    let config = TrainConfig {
        augment: AugmentConfig::book().build().unwrap(),
        layout,
        loader: Loader { cache, prefetch: Some(3), ..Loader::with_workers(2) },
        ..TrainConfig::new(Preprocessing::new(64, 64, Color::Rgb), 2, Seed::new(7))
    };
    let stream = TrainStream::new(Arc::clone(dataset), config).unwrap();
    // Buffers grow until they have met the largest image, the longest plan and every order of events.
    for epoch in 0..8 {
        stream.epoch(epoch).for_each(|batch| drop(batch.unwrap()));
    }
    let mut counts = Vec::new();
    for epoch in 8..11 {
        let mut before = on_all_threads();
        for (number, batch) in stream.epoch(epoch).enumerate() {
            drop(batch.unwrap());
            let now = on_all_threads();
            if (6..26).contains(&number) {
                counts.push(now - before);
            }
            before = now;
        }
    }
    assert_eq!(counts, vec![0; 60], "{layout:?}, {:?}", "allocations a batch");
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
