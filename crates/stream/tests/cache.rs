//! A cache changes the speed of a stream and nothing else, whatever happens to its files.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Amounts, Dataset, PrepareConfig, Split, prepare, write_zip};
use aumenta_imgproc::{Image, encode_jpeg};
use aumenta_seed::Seed;
use aumenta_stream::{Batch, Cache, CacheConfig, CacheMode, Color, Loader, Preprocessing, TrainConfig, TrainStream};

/// 12 training images of two classes, as JPEGs of about 150x100 pixels.
fn photographs(folder: &Path, flavor: usize) -> Arc<Dataset> {
    let picture = |number: usize| {
        let (width, height) = (150 + number % 3, 100 + number % 2);
        let pixels = (0..width * height * 3).map(|at| ((at / 7 * (number + flavor)) ^ (at / width)) as u8).collect();
        let class = if number.is_multiple_of(2) { "cat" } else { "dog" };
        (format!("{class}.{number}.jpg"), encode_jpeg(&Image::from_pixels(width, height, pixels), 80).unwrap())
    };
    let zip = folder.join(format!("photographs-{flavor}.zip"));
    write_zip(&zip, (0..16).map(picture)).unwrap();
    let config = PrepareConfig::new(Amounts::Counts { train: 6, val: 1, test: Some(1) });
    prepare(&zip, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
    Arc::new(Dataset::open(folder, None).unwrap())
}

/// Two epochs with small crops and large ones, which are decoded at several scales.
fn epochs(dataset: &Arc<Dataset>, cache: Option<Arc<Cache>>) -> Vec<Batch> {
    let augment: AugmentConfig = serde_json::from_str(
        r#"{"rotation-degrees": 20, "horizontal-flip": true,
            "transforms": [{"transform": "resized-crop", "areas": [0.05, 1.0]}]}"#,
    )
    .unwrap();
    let config = TrainConfig {
        augment: augment.build().unwrap(),
        loader: Loader { cache, ..Loader::with_workers(3) },
        ..TrainConfig::new(Preprocessing::new(32, 32, Color::Rgb), 5, Seed::new(7))
    };
    let stream = TrainStream::new(Arc::clone(dataset), config).unwrap();
    (0..2).flat_map(|epoch| stream.epoch(epoch).map(Result::unwrap)).collect()
}

fn open(dataset: &Dataset, mode: CacheMode, memory: Option<u64>, folder: &Path) -> Option<Arc<Cache>> {
    let config = CacheConfig { mode, memory, folder: Some(folder.to_owned()) };
    Cache::open(&config, dataset).unwrap().map(Arc::new)
}

struct Disk {
    folder: PathBuf,
    dataset: Arc<Dataset>,
}

impl Disk {
    fn open(&self) -> Arc<Cache> {
        open(&self.dataset, CacheMode::Disk, None, &self.folder).unwrap()
    }

    /// Streams with the file as it is; hits and misses.
    fn check(&self, expected: &[Batch]) -> (u64, u64) {
        let cache = self.open();
        assert!(epochs(&self.dataset, Some(Arc::clone(&cache))) == expected);
        (cache.usage().hits, cache.usage().misses)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.folder.join(name);
        let mut bytes = fs_err::read(&path).unwrap();
        change(&mut bytes);
        fs_err::write(path, bytes).unwrap();
    }
}

#[test]
fn every_cache_delivers_the_bytes_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = photographs(folder.path(), 1);
    assert!(open(&dataset, CacheMode::Off, None, folder.path()).is_none());
    let expected = epochs(&dataset, None);
    for (mode, memory) in [
        (CacheMode::Auto, None),
        (CacheMode::Ram, None),
        (CacheMode::Ram, Some(100_000)),
        (CacheMode::Ram, Some(0)),
        (CacheMode::Disk, None),
    ] {
        let cache = open(&dataset, mode, memory, &folder.path().join("cache")).unwrap();
        assert!(epochs(&dataset, Some(Arc::clone(&cache))) == expected, "{mode:?} {memory:?}");
        let usage = cache.usage();
        assert_eq!(usage.hits + usage.misses, 24);
        assert!(usage.bytes <= usage.limit);
        match memory {
            Some(0) => assert_eq!((usage.hits, usage.bytes), (0, 0)),
            Some(_) => assert!(usage.bytes > 0),
            None => assert!(usage.hits > 0),
        }
    }
}

#[test]
fn a_file_is_found_again_and_what_is_damaged_is_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = photographs(folder.path(), 1);
    let expected = epochs(&dataset, None);
    let disk = Disk { folder: folder.path().join("cache"), dataset };
    let (_, misses) = disk.check(&expected);
    assert!(misses >= 12);
    assert_eq!(disk.check(&expected), (24, 0), "everything is there");

    disk.change("pixels.cache", |bytes| bytes[5] ^= 1);
    assert_eq!(disk.check(&expected), (23, 1), "one image is not");
    assert_eq!(disk.check(&expected), (24, 0), "it is there again");

    disk.change("pixels.index", |bytes| {
        let last = bytes.len() - 10;
        bytes[last] ^= 1;
    });
    assert_eq!(disk.check(&expected).1, misses, "all is built anew");
    disk.change("pixels.cache", |bytes| bytes.truncate(1000));
    assert_eq!(disk.check(&expected).1, misses, "all is built anew");
    disk.change("pixels.index", |bytes| bytes.truncate(30));
    assert_eq!(disk.check(&expected).1, misses, "all is built anew");
    assert_eq!(disk.check(&expected), (24, 0));
}

#[test]
fn images_with_other_contents_are_never_served_from_an_older_file() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let older = Disk { folder: cache.clone(), dataset: photographs(folder.path(), 1) };
    older.check(&epochs(&older.dataset, None));
    let newer = Disk { folder: cache, dataset: photographs(folder.path(), 2) };
    assert_ne!(older.dataset.records(Split::Train)[0].hash, newer.dataset.records(Split::Train)[0].hash);
    let expected = epochs(&newer.dataset, None);
    assert!(newer.check(&expected).1 >= 12);
    assert_eq!(newer.check(&expected), (24, 0));
}

#[test]
fn a_file_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk { folder: folder.path().join("cache"), dataset: photographs(folder.path(), 1) };
    let first = disk.open();
    assert!(open(&disk.dataset, CacheMode::Disk, None, &disk.folder).is_none());
    drop(first);
    drop(disk.open());
}

#[test]
fn a_cache_on_the_disk_needs_a_folder_that_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = photographs(folder.path(), 1);
    let config = CacheConfig { mode: CacheMode::Disk, ..CacheConfig::default() };
    assert!(Cache::open(&config, &dataset).unwrap_err().to_string().contains("cache-folder"));
    let config = CacheConfig { folder: Some(folder.path().join("manifest.json/cache")), ..config };
    assert!(Cache::open(&config, &dataset).unwrap_err().to_string().contains("manifest.json"));
}
