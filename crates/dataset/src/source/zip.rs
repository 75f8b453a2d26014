//! [`ZipSource`]: images read straight from a zip archive, or from a zip archive within one.
//!
//! The `zip` crate reads the table of contents once. Entries are then read by position, each with its local header,
//! without a cursor that threads would have to share.

use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::entry_path::{EntryKind, is_safe, kind};
use super::window::Window;
use super::{Entry, OpenOptions, Source, SourceKind, SourceLimits};
use crate::error::{DatasetError, EntryFault};

/// Images in a zip archive.
#[derive(Debug)]
pub(super) struct ZipSource {
    path: PathBuf,
    inner: Option<String>,
    window: Window,
    entries: Vec<Entry>,
    places: Vec<Place>,
    ignored: usize,
    limits: SourceLimits,
}

/// Where an entry lies in its archive, and how it is packed.
#[derive(Clone, Debug)]
struct Place {
    header_start: u64,
    packed: u64,
    method: CompressionMethod,
    encrypted: bool,
}

/// A file in an archive.
#[derive(Clone, Debug)]
struct Member {
    entry: Entry,
    place: Place,
}

/// The table of contents of one archive.
#[derive(Debug)]
struct Contents {
    window: Window,
    images: Vec<Member>,
    archives: Vec<Member>,
    others: usize,
}

impl ZipSource {
    /// Opens the archive at `path`, or the archive within it that holds the images.
    pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Self, DatasetError> {
        let limits = &options.limits;
        let outer = Contents::read(path, Window::open(path)?, limits)?;
        let (inner, contents) = match &options.inner {
            Some(inner) => outer.named_inner(path, inner, limits)?,
            None if outer.images.is_empty() && !outer.archives.is_empty() => outer.found_inner(path, limits)?,
            None => (None, outer),
        };
        let ignored = contents.others + contents.archives.len();
        let path = path.to_owned();
        if contents.images.is_empty() {
            return Err(DatasetError::NoImages { path: full_name(&path, inner.as_deref()), ignored });
        }
        let (entries, places) = contents.images.into_iter().map(|member| (member.entry, member.place)).unzip();
        Ok(Self { path, inner, window: contents.window, entries, places, ignored, limits: limits.clone() })
    }
}

impl Source for ZipSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Zip
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn inner(&self) -> Option<&str> {
        self.inner.as_deref()
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn ignored(&self) -> usize {
        self.ignored
    }

    fn read(&self, index: usize, buffer: &mut Vec<u8>) -> Result<(), DatasetError> {
        let entry = &self.entries[index];
        unpack(&self.window, entry, &self.places[index], self.limits.max_entry_bytes, self.limits.max_ratio, buffer)
            .map_err(|fault| DatasetError::Entry {
                path: full_name(&self.path, self.inner.as_deref()),
                entry: entry.path.clone(),
                fault,
            })
    }
}

impl Contents {
    fn read(path: &Path, window: Window, limits: &SourceLimits) -> Result<Self, DatasetError> {
        let archive_error = |source| DatasetError::Archive { path: path.to_owned(), source };
        let archive = match ZipArchive::new(BufReader::new(window.cursor())) {
            Ok(archive) => archive,
            Err(_) if !begins_like_a_zip(&window) => {
                return Err(DatasetError::NotAnArchive { path: path.to_owned() });
            }
            Err(source) => return Err(archive_error(source)),
        };
        if archive.has_duplicate_names() {
            return Err(DatasetError::RepeatedPath { path: path.to_owned() });
        }
        let metadata = archive.metadata();
        if metadata.len() as u64 > limits.max_entries {
            let (found, limit) = (metadata.len() as u64, limits.max_entries);
            return Err(DatasetError::TooMuch { path: path.to_owned(), what: "entries", found, limit });
        }
        let mut contents = Self { window, images: Vec::new(), archives: Vec::new(), others: 0 };
        for index in 0..metadata.len() {
            let file = metadata.entry(index).map_err(archive_error)?;
            // Some packers of another platform write backslashes.
            let name = file.name().map_err(archive_error)?.replace('\\', "/");
            if !is_safe(name.trim_end_matches('/')) {
                return Err(DatasetError::UnsafePath { path: path.to_owned(), entry: name });
            }
            if name.ends_with('/') {
                continue;
            }
            let kind = if file.is_symlink() { EntryKind::Other } else { kind(&name) };
            let member = Member {
                entry: Entry { path: name, size: file.size(), crc32: Some(file.crc32()) },
                place: Place {
                    header_start: file.header_start(),
                    packed: file.compressed_size(),
                    method: file.compression(),
                    encrypted: file.encrypted(),
                },
            };
            match kind {
                EntryKind::Image => contents.images.push(member),
                EntryKind::Archive => contents.archives.push(member),
                EntryKind::Other => contents.others += 1,
                EntryKind::Litter => {}
            }
        }
        contents.check_overlap(path)?;
        contents.images.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
        contents.archives.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
        Ok(contents)
    }

    /// Refuses archives whose entries share bytes, which is how a few bytes are made to unpack to terabytes.
    fn check_overlap(&self, path: &Path) -> Result<(), DatasetError> {
        let mut members: Vec<&Member> = self.images.iter().chain(&self.archives).collect();
        members.sort_by_key(|member| member.place.header_start);
        for pair in members.windows(2) {
            let end = pair[0].place.header_start.saturating_add(pair[0].place.packed);
            if end > pair[1].place.header_start {
                return Err(DatasetError::Overlap { path: path.to_owned(), entry: pair[1].entry.path.clone() });
            }
        }
        Ok(())
    }

    fn named_inner(
        &self,
        path: &Path,
        inner: &str,
        limits: &SourceLimits,
    ) -> Result<(Option<String>, Self), DatasetError> {
        match self.archives.iter().find(|member| member.entry.path == inner) {
            Some(member) => Ok((Some(inner.to_owned()), self.open_member(path, member, limits)?)),
            None => Err(DatasetError::InnerMissing {
                path: path.to_owned(),
                inner: inner.to_owned(),
                candidates: self.archive_names(),
            }),
        }
    }

    /// The inner archive that a data set's wrapping means: `train.zip`, else the only one with images.
    fn found_inner(&self, path: &Path, limits: &SourceLimits) -> Result<(Option<String>, Self), DatasetError> {
        let train: Vec<&Member> = self.archives.iter().filter(|member| is_train_archive(&member.entry.path)).collect();
        if let [member] = train[..] {
            return Ok((Some(member.entry.path.clone()), self.open_member(path, member, limits)?));
        }
        let mut found = None;
        for member in &self.archives {
            let contents = self.open_member(path, member, limits)?;
            if contents.images.is_empty() {
                continue;
            }
            if found.is_some() {
                return Err(DatasetError::AmbiguousInner { path: path.to_owned(), candidates: self.archive_names() });
            }
            found = Some((Some(member.entry.path.clone()), contents));
        }
        found
            .ok_or_else(|| DatasetError::NoImages { path: path.to_owned(), ignored: self.others + self.archives.len() })
    }

    /// The contents of an archive within this one: a window of the same file where it is stored, else unpacked to memory.
    fn open_member(&self, path: &Path, member: &Member, limits: &SourceLimits) -> Result<Self, DatasetError> {
        let (entry, place) = (&member.entry, &member.place);
        let fault = |fault| DatasetError::Entry { path: path.to_owned(), entry: entry.path.clone(), fault };
        let window = if place.method == CompressionMethod::Stored && !place.encrypted {
            let start = data_start(&self.window, place).map_err(fault)?;
            self.window.part(start, place.packed).map_err(|error| fault(error.into()))?
        } else {
            let mut bytes = Vec::new();
            unpack(&self.window, entry, place, limits.max_unpacked_bytes, limits.max_ratio, &mut bytes)
                .map_err(fault)?;
            Window::over(bytes)
        };
        Self::read(&path.join(&entry.path), window, limits)
    }

    fn archive_names(&self) -> Vec<String> {
        self.archives.iter().map(|member| member.entry.path.clone()).collect()
    }
}

fn full_name(path: &Path, inner: Option<&str>) -> PathBuf {
    inner.map_or_else(|| path.to_owned(), |inner| path.join(inner))
}

fn is_train_archive(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case("train.zip"))
}

fn begins_like_a_zip(window: &Window) -> bool {
    let mut magic = [0; 4];
    window.read_at(0, &mut magic).is_ok() && (magic == *b"PK\x03\x04" || magic == *b"PK\x05\x06")
}

/// Where the bytes of an entry begin: behind its local header, whose length the table of contents does not know.
fn data_start(window: &Window, place: &Place) -> Result<u64, EntryFault> {
    let mut header = [0; 30];
    window.read_at(place.header_start, &mut header)?;
    if header[..4] != *b"PK\x03\x04" {
        return Err(EntryFault::Header);
    }
    let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    Ok(place.header_start + 30 + length(26) + length(28))
}

/// Reads, inflates and checks one entry.
fn unpack(
    window: &Window,
    entry: &Entry,
    place: &Place,
    max_bytes: u64,
    max_ratio: u64,
    buffer: &mut Vec<u8>,
) -> Result<(), EntryFault> {
    buffer.clear();
    if place.encrypted {
        return Err(EntryFault::Encrypted);
    }
    if entry.size > max_bytes {
        return Err(EntryFault::TooLarge { size: entry.size, limit: max_bytes });
    }
    if entry.size > 1 << 20 && entry.size / max_ratio > place.packed {
        return Err(EntryFault::Ratio { packed: place.packed, size: entry.size });
    }
    // The window is checked before memory is taken for what a damaged header promises.
    let packed = window.part(data_start(window, place)?, place.packed)?;
    match place.method {
        CompressionMethod::Stored => {
            buffer.resize(packed.len() as usize, 0);
            packed.read_at(0, buffer)?;
        }
        CompressionMethod::Deflated => {
            let decoder = DeflateDecoder::new(BufReader::new(packed.cursor()));
            buffer.reserve(entry.size as usize);
            decoder.take(entry.size + 1).read_to_end(buffer)?;
        }
        method => return Err(EntryFault::Method { method: method.to_string() }),
    }
    if buffer.len() as u64 != entry.size {
        return Err(EntryFault::Length { expected: entry.size, got: buffer.len() as u64 });
    }
    let mut crc = Crc::new();
    crc.update(buffer);
    match entry.crc32 {
        Some(expected) if expected != crc.sum() => Err(EntryFault::Checksum { expected, got: crc.sum() }),
        _ => Ok(()),
    }
}
