//! [`DiskCache`]: pixels in one file, read as memory, with an index beside it.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use aumenta_dataset::{Dataset, Record, write_file};
use aumenta_imgproc::{Scale, jpeg_decoder_name};

use super::index::{self, Entry, Unusable, checksum};
use super::map::Map;
use crate::error::StreamError;
use crate::recipe::full_size;

const PIXELS: &str = "pixels.cache";
const INDEX: &str = "pixels.index";

/// Where an image's pixels begin: a cache line.
const ALIGNMENT: u64 = 64;

/// Pixels in a file.
///
/// The file has room for all images at all scales from the start, which takes no space on the disk before it is written
/// to, and is mapped once. Each image gets a place of its own behind the ones before, so no byte is written twice.
#[derive(Debug)]
pub(super) struct DiskCache {
    folder: PathBuf,
    file: File,
    map: Map,
    /// By record and scale.
    places: Vec<[Place; 4]>,
    /// The first free byte.
    end: AtomicU64,
    limit: u64,
    /// Whether writing has failed, as on a full disk.
    is_closed: AtomicBool,
    entries: Mutex<Entries>,
}

/// What is in the file.
#[derive(Debug, Default)]
struct Entries {
    all: Vec<Entry>,
    /// How many of them the index on the disk has.
    written: usize,
    /// The place in `all` of each image that an earlier run left, by record and scale.
    earlier: HashMap<(u32, Scale), usize>,
}

/// Where an image's pixels begin, with two marks in the bits that are always 0 in that.
#[derive(Debug, Default)]
struct Place(AtomicU64);

impl Place {
    const PRESENT: u64 = 1;
    const VERIFIED: u64 = 2;
}

impl DiskCache {
    /// Opens or makes the cache in `folder`; `None` where another process has it.
    pub fn open(folder: &Path, dataset: &Dataset) -> Result<Option<Self>, StreamError> {
        let failed = |source| StreamError::Cache { folder: folder.to_owned(), source };
        fs_err::create_dir_all(folder).map_err(failed)?;
        let path = folder.join(PIXELS);
        let options = fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = options.map_err(failed)?.into_parts().0;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                tracing::warn!("`{}` is in use by another process; going on without a cache", path.display());
                return Ok(None);
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let length = file.metadata().map_err(failed)?.len();
        let all = usable_entries(folder, length);
        let mut entries = Entries { written: all.len(), all, earlier: HashMap::new() };
        let mut end = entries.find(dataset);
        if entries.all.is_empty() {
            // Whatever is in the file, nothing leads to it.
            file.set_len(0).map_err(failed)?;
            end = 0;
        }
        let records = || dataset.manifest().all_records();
        let room: u64 = records().flat_map(|record| Scale::ALL.map(|scale| aligned(byte_count(record, scale)))).sum();
        let limit = end + room.max(ALIGNMENT);
        file.set_len(limit).map_err(failed)?;
        let map = Map::of(&file).map_err(failed)?;
        let places: Vec<[Place; 4]> = records().map(|_| Default::default()).collect();
        for (&(id, scale), &at) in &entries.earlier {
            places[id as usize][scale as usize].0.store(entries.all[at].offset | Place::PRESENT, Ordering::Relaxed);
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
            file,
            map,
            places,
            end: AtomicU64::new(end),
            limit,
            is_closed: AtomicBool::new(false),
            entries: Mutex::new(entries),
        }))
    }

    /// The pixels of an image of `len` bytes. Those of an earlier run are verified when they are first asked for.
    pub fn get(&self, id: u32, scale: Scale, len: usize) -> Option<&[u8]> {
        let place = &self.places[id as usize][scale as usize].0;
        let marked = place.load(Ordering::Acquire);
        if marked & Place::PRESENT == 0 {
            return None;
        }
        let start = (marked & !(Place::PRESENT | Place::VERIFIED)) as usize;
        let pixels = &self.map.bytes()[start..start + len];
        if marked & Place::VERIFIED == 0 && !self.verify(id, scale, pixels) {
            place.store(0, Ordering::Relaxed);
            return None;
        }
        place.fetch_or(Place::VERIFIED, Ordering::Relaxed);
        Some(pixels)
    }

    /// Whether pixels of an earlier run are those that it wrote.
    fn verify(&self, id: u32, scale: Scale, pixels: &[u8]) -> bool {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = entries.earlier.get(&(id, scale)).map(|at| entries.all[*at].checksum.clone());
        drop(entries);
        let is_whole = expected.is_some_and(|expected| checksum(pixels) == expected);
        if !is_whole {
            let path = self.folder.join(PIXELS);
            tracing::warn!("the pixels of image {id} in `{}` are damaged; decoding it again", path.display());
        }
        is_whole
    }

    /// Writes the pixels of an image, where it has none yet.
    pub fn put(&self, record: &Record, scale: Scale, pixels: &[u8]) {
        let place = &self.places[record.id as usize][scale as usize].0;
        if place.load(Ordering::Relaxed) != 0 || self.is_closed.load(Ordering::Relaxed) {
            return;
        }
        let len = pixels.len() as u64;
        let offset = self.end.fetch_add(aligned(len), Ordering::Relaxed);
        if offset + aligned(len) > self.limit {
            self.end.fetch_sub(aligned(len), Ordering::Relaxed);
            return;
        }
        if let Err(error) = write_at(&self.file, offset, pixels) {
            self.is_closed.store(true, Ordering::Relaxed);
            tracing::warn!("cannot write to `{}`: {error}; it stays as it is", self.folder.join(PIXELS).display());
            return;
        }
        let (hash, divisor, checksum) = (record.hash.clone(), scale.divisor(), checksum(pixels));
        let entry = Entry { hash, divisor, offset, len, checksum };
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).all.push(entry);
        // The pixels are in the file for whoever sees this place.
        place.store(offset | Place::PRESENT | Place::VERIFIED, Ordering::Release);
    }

    /// Writes the index, if it lacks anything: the pixels first, so that it never leads to what is not there.
    pub fn flush(&self) -> Result<(), StreamError> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.written == entries.all.len() {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            self.file.sync_data()?;
            let text = index::to_text(&decoder(), &entries.all)?;
            write_file(&self.folder.join(INDEX), |writer| writer.write_all(text.as_bytes()))
        };
        write().map_err(|source| StreamError::Cache { folder: self.folder.clone(), source })?;
        entries.written = entries.all.len();
        Ok(())
    }

    /// Bytes that it has, and may have.
    pub fn usage(&self) -> (u64, u64) {
        (self.end.load(Ordering::Relaxed), self.limit)
    }
}

impl Drop for DiskCache {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::warn!("{error}; later runs will not find what this one has decoded");
        }
    }
}

impl Entries {
    /// Finds the images of the data set, the last entry of each; the first free byte of the file. Where most of the file
    /// is of other images, everything is forgotten.
    fn find(&mut self, dataset: &Dataset) -> u64 {
        let keyed = self.all.iter().enumerate().map(|(at, entry)| ((entry.hash.as_str(), entry.divisor), at));
        let by_key: HashMap<(&str, usize), usize> = keyed.collect();
        let mut used = 0;
        for record in dataset.manifest().all_records() {
            for scale in Scale::ALL {
                let at = by_key.get(&(record.hash.as_str(), scale.divisor()));
                let Some(&at) = at.filter(|at| self.all[**at].len == byte_count(record, scale)) else { continue };
                self.earlier.insert((record.id, scale), at);
                used += aligned(self.all[at].len);
            }
        }
        let end = self.all.iter().map(|entry| aligned(entry.offset + entry.len)).max().unwrap_or(0);
        if end > 2 * used {
            *self = Self::default();
        }
        end
    }
}

/// The entries of the index in `folder`, if all that they lead to can be in a file of `length` bytes.
fn usable_entries(folder: &Path, length: u64) -> Vec<Entry> {
    let fits = |entry: &Entry| {
        entry.offset.is_multiple_of(ALIGNMENT) && entry.offset.checked_add(entry.len).is_some_and(|end| end <= length)
    };
    let found = index::read(&folder.join(INDEX), &decoder());
    let found = found.and_then(|all| if all.iter().all(fits) { Ok(all) } else { Err(Unusable::Damaged) });
    found.unwrap_or_else(|why| {
        let path = folder.join(INDEX);
        match why {
            Unusable::Missing => {}
            Unusable::OtherDecoder => tracing::warn!("`{}` is of another decoder; building it anew", path.display()),
            Unusable::Damaged => tracing::warn!("`{}` is damaged; building it anew", path.display()),
        }
        Vec::new()
    })
}

/// All that decides what a file's pixels are: the decoders of JPEGs, and this version's others.
fn decoder() -> String {
    format!("{}, {}", jpeg_decoder_name(), env!("CARGO_PKG_VERSION"))
}

fn byte_count(record: &Record, scale: Scale) -> u64 {
    let size = scale.of(full_size(record));
    (size.width * size.height * 3) as u64
}

fn aligned(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGNMENT)
}

#[cfg(unix)]
fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_at(file: &File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}
