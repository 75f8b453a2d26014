//! [`Cache`]: decoded pixels, kept from epoch to epoch.
//!
//! What is kept is what the decoder gave, at the scale at which it was asked, under the hash of the file's contents, the
//! decoder's version and the scale. Augmentation comes afterwards, so a stream delivers the same bytes with a cache and
//! without one. It fills in passing, while the first epochs decode, which may ask for several scales of an image.

mod disk;
mod index;
mod map;
mod ram;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aumenta_dataset::{Dataset, Record};
use aumenta_imgproc::{Image, ImageRef, Scale};
use serde::{Deserialize, Serialize};

use self::disk::DiskCache;
use self::ram::RamCache;
use crate::error::StreamError;
use crate::recipe::full_size;

/// Where decoded pixels are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheMode {
    /// In memory, up to a quarter of what is free when the stream is made.
    #[default]
    Auto,
    /// Nowhere: every epoch decodes.
    Off,
    /// In memory, up to half of what is free when the stream is made.
    Ram,
    /// In a file, which later runs find again.
    Disk,
}

/// How decoded pixels are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheConfig {
    /// Where.
    pub mode: CacheMode,
    /// The most bytes in memory, instead of a share of what is free.
    pub memory: Option<u64>,
    /// The folder of the file. [`CacheMode::Disk`] needs it.
    pub folder: Option<PathBuf>,
}

/// Decoded pixels of a data set, for any number of streams over it.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug)]
enum Store {
    Ram(RamCache),
    Disk(DiskCache),
}

/// How a cache does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CacheUse {
    /// Images that it had.
    pub hits: u64,
    /// Images that it did not have.
    pub misses: u64,
    /// Bytes of pixels in it.
    pub bytes: u64,
    /// The most bytes of pixels that it takes.
    pub limit: u64,
}

impl Cache {
    /// The cache of `dataset` that `config` wants; `None` for none.
    ///
    /// A file of an earlier run is used as far as it is whole and was written with the same decoder. What is damaged is
    /// decoded again, with a warning; a file that another process has locked is left alone, with a warning, and there is
    /// no cache then.
    ///
    /// # Errors
    /// [`StreamError::Cache`] where the file cannot be made.
    pub fn open(config: &CacheConfig, dataset: &Dataset) -> Result<Option<Self>, StreamError> {
        let share = |part: u64| config.memory.unwrap_or_else(|| free_memory() / part);
        let store = match config.mode {
            CacheMode::Off => return Ok(None),
            CacheMode::Auto => Store::Ram(RamCache::new(dataset.manifest().all_records().count(), share(4))),
            CacheMode::Ram => Store::Ram(RamCache::new(dataset.manifest().all_records().count(), share(2))),
            CacheMode::Disk => {
                let Some(folder) = &config.folder else { return Err(StreamError::CacheFolder) };
                match DiskCache::open(folder, dataset)? {
                    Some(disk) => Store::Disk(disk),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(Self { store, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }))
    }

    /// The pixels of a record's image at a scale, where they are there.
    pub(crate) fn get(&self, record: &Record, scale: Scale) -> Option<ImageRef<'_>> {
        let size = scale.of(full_size(record));
        let pixels = match &self.store {
            Store::Ram(ram) => ram.get(record.id, scale),
            Store::Disk(disk) => disk.get(record.id, scale, size.width * size.height * 3),
        };
        let counter = if pixels.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        Some(ImageRef::from_pixels(size.width, size.height, pixels?))
    }

    /// Keeps `image`, the whole image of a record at a scale, where there is room.
    pub(crate) fn put(&self, record: &Record, scale: Scale, image: &Image) {
        match &self.store {
            Store::Ram(ram) => ram.put(record.id, scale, image.pixels()),
            Store::Disk(disk) => disk.put(record, scale, image.pixels()),
        }
    }

    /// Writes down what a file has got since it was opened, so that later runs find it. It happens by itself when the
    /// cache is dropped.
    ///
    /// # Errors
    /// [`StreamError::Cache`] where that cannot be written.
    pub fn flush(&self) -> Result<(), StreamError> {
        match &self.store {
            Store::Ram(_) => Ok(()),
            Store::Disk(disk) => disk.flush(),
        }
    }

    /// How it does.
    pub fn usage(&self) -> CacheUse {
        let (bytes, limit) = match &self.store {
            Store::Ram(ram) => ram.usage(),
            Store::Disk(disk) => disk.usage(),
        };
        let (hits, misses) = (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed));
        CacheUse { hits, misses, bytes, limit }
    }
}

/// Bytes of memory that programs can still get, within the limits of this process' control group where there are any.
fn free_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let of_group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
    system.available_memory().min(of_group)
}
