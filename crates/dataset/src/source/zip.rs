//! [`ZipSource`]: images read straight from a zip archive, or from a zip archive within one.
//!
//! The `zip` crate reads the table of contents once. Entries are then read by position, each with its local header,
//! without a cursor that threads would have to share.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::entry_path::{EntryKind, is_safe, kind};
use super::read_buffer::ReadBuffer;
use super::window::Window;
use super::zip_entry::Place;
use super::{Entry, OpenOptions, PassedOver, Source, SourceKind, SourceLimits};
use crate::error::DatasetError;

/// Images in a zip archive.
#[derive(Debug)]
pub(super) struct ZipSource {
    path: PathBuf,
    inner: Option<String>,
    window: Window,
    entries: Vec<Entry>,
    places: Vec<Place>,
    passed_over: PassedOver,
    limits: SourceLimits,
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
    passed_over: PassedOver,
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
        let path = path.to_owned();
        if contents.images.is_empty() {
            return Err(contents.without_images(full_name(&path, inner.as_deref())));
        }
        let (entries, places) = contents.images.into_iter().map(|member| (member.entry, member.place)).unzip();
        let Contents { window, passed_over, .. } = contents;
        Ok(Self { path, inner, window, entries, places, passed_over, limits: limits.clone() })
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

    fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        self.places[index].unpack(&self.window, self.limits.max_entry_bytes, self.limits.max_ratio, buffer).map_err(
            |fault| DatasetError::Entry {
                path: full_name(&self.path, self.inner.as_deref()),
                entry: self.entries[index].path.clone(),
                fault,
            },
        )
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
        let mut contents =
            Self { window, images: Vec::new(), archives: Vec::new(), passed_over: PassedOver::default() };
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
            if kind != EntryKind::Image {
                contents.passed_over.add(kind, &name);
            }
            let member = Member {
                entry: Entry { path: name, size: file.size(), crc32: Some(file.crc32()) },
                place: Place::of(&file),
            };
            match kind {
                EntryKind::Image => contents.images.push(member),
                EntryKind::Archive => contents.archives.push(member),
                EntryKind::Other | EntryKind::Litter => {}
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
        members.sort_by_key(|member| member.place.extent());
        for pair in members.windows(2) {
            let ((_, end), (start, _)) = (pair[0].place.extent(), pair[1].place.extent());
            if end > start {
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
        let (mut found, mut too_deep) = (None, None);
        for member in &self.archives {
            let contents = self.open_member(path, member, limits)?;
            if contents.images.is_empty() {
                let has_archives = !contents.archives.is_empty();
                too_deep = too_deep.or_else(|| {
                    has_archives.then(|| contents.without_images(full_name(path, Some(&member.entry.path))))
                });
                continue;
            }
            if found.is_some() {
                return Err(DatasetError::AmbiguousInner { path: path.to_owned(), candidates: self.archive_names() });
            }
            found = Some((Some(member.entry.path.clone()), contents));
        }
        let none = || DatasetError::NoImages { path: path.to_owned(), ignored: self.passed_over.count() };
        found.ok_or_else(|| too_deep.unwrap_or_else(none))
    }

    /// Why an archive that lies at `path`, and within which no other is opened, is refused.
    fn without_images(&self, path: PathBuf) -> DatasetError {
        match self.archives.first() {
            Some(Member { entry, .. }) => DatasetError::TooDeep { path, inner: entry.path.clone() },
            None => DatasetError::NoImages { path, ignored: self.passed_over.count() },
        }
    }

    /// The contents of an archive within this one: a window of the same file where it is stored, else unpacked to memory.
    fn open_member(&self, path: &Path, member: &Member, limits: &SourceLimits) -> Result<Self, DatasetError> {
        let Member { entry, place } = member;
        let window = place
            .window(&self.window, limits.max_unpacked_bytes, limits.max_ratio)
            .map_err(|fault| DatasetError::Entry { path: path.to_owned(), entry: entry.path.clone(), fault })?;
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

#[cfg(test)]
mod tests {
    use zip::CompressionMethod::{Deflated, Stored};

    use super::*;
    use crate::error::EntryFault;
    use crate::sample;

    fn open(bytes: &[u8], options: &OpenOptions) -> Result<ZipSource, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        ZipSource::open(&sample::write(folder.path(), "data.zip", bytes), options)
    }

    fn opened(bytes: &[u8]) -> ZipSource {
        open(bytes, &OpenOptions::default()).unwrap()
    }

    fn refused(bytes: &[u8]) -> DatasetError {
        open(bytes, &OpenOptions::default()).unwrap_err()
    }

    fn read(source: &ZipSource, index: usize) -> Result<Vec<u8>, EntryFault> {
        let mut buffer = ReadBuffer::default();
        match source.read(index, &mut buffer) {
            Ok(()) => Ok(buffer.bytes().to_vec()),
            Err(DatasetError::Entry { fault, .. }) => Err(fault),
            Err(error) => panic!("{error}"),
        }
    }

    fn paths(source: &ZipSource) -> Vec<&str> {
        source.entries().iter().map(|entry| entry.path.as_str()).collect()
    }

    #[test]
    fn stored_and_deflated_entries_are_read_in_order_of_their_paths() {
        for method in [Stored, Deflated] {
            let archive = sample::zip(method, &[("b.png", sample::png(2)), ("a.png", sample::png(1))]);
            let source = opened(&archive);
            assert_eq!(paths(&source), ["a.png", "b.png"]);
            assert_eq!(read(&source, 0).unwrap(), sample::png(1));
            assert_eq!(read(&source, 1).unwrap(), sample::png(2));
        }
    }

    #[test]
    fn litter_is_passed_over_and_other_files_are_counted() {
        let archive = sample::zip(
            Stored,
            &[
                ("cats/a.png", sample::png(1)),
                ("__MACOSX/cats/._a.png", vec![0]),
                ("cats/.DS_Store", vec![0]),
                ("cats/Thumbs.db", vec![0]),
                ("labels.csv", vec![0]),
                ("notes.txt", vec![0]),
            ],
        );
        let source = opened(&archive);
        assert_eq!(paths(&source), ["cats/a.png"]);
        assert_eq!(source.ignored(), 2);
    }

    #[test]
    fn an_archive_within_is_found_whether_stored_or_deflated() {
        for method in [Stored, Deflated] {
            let inner = sample::zip(Deflated, &[("cat.1.png", sample::png(1)), ("cat.2.png", sample::png(2))]);
            let source = opened(&sample::zip(method, &[("pack/images.zip", inner), ("readme.txt", vec![0])]));
            assert_eq!(source.inner(), Some("pack/images.zip"));
            assert_eq!(read(&source, 1).unwrap(), sample::png(2));
        }
    }

    #[test]
    fn of_several_archives_within_train_zip_is_read_unless_another_is_named() {
        let [train, test] = [1, 2].map(|n| sample::zip(Stored, &[("1.png", sample::png(n))]));
        let outer = sample::zip(Stored, &[("test1.zip", test), ("train.zip", train), ("sample.csv", vec![0])]);
        assert_eq!(read(&opened(&outer), 0).unwrap(), sample::png(1));
        let options = OpenOptions { inner: Some("test1.zip".to_owned()), ..OpenOptions::default() };
        assert_eq!(read(&open(&outer, &options).unwrap(), 0).unwrap(), sample::png(2));
        let options = OpenOptions { inner: Some("val.zip".to_owned()), ..OpenOptions::default() };
        let error = open(&outer, &options).unwrap_err().to_string();
        assert!(error.contains("`val.zip`: it holds test1.zip, train.zip"), "{error}");
    }

    #[test]
    fn of_several_archives_the_only_one_with_images_is_read_and_two_are_ambiguous() {
        let images = sample::zip(Stored, &[("1.png", sample::png(1))]);
        let texts = sample::zip(Stored, &[("1.txt", vec![0])]);
        let outer = sample::zip(Stored, &[("a.zip", texts), ("b.zip", images.clone())]);
        assert_eq!(opened(&outer).inner(), Some("b.zip"));
        let error = refused(&sample::zip(Stored, &[("a.zip", images.clone()), ("b.zip", images)]));
        assert!(error.to_string().contains("(a.zip, b.zip)"), "{error}");
    }

    #[test]
    fn archives_are_opened_one_level_deep() {
        let images = sample::zip(Stored, &[("1.png", sample::png(1))]);
        let texts = sample::zip(Stored, &[("1.txt", vec![0])]);
        for (method, middle) in [(Stored, "middle.zip"), (Deflated, "train.zip")] {
            let deep = sample::zip(method, &[("images.zip", images.clone())]);
            let outer = sample::zip(method, &[("a.zip", texts.clone()), (middle, deep)]);
            for inner in [None, Some(middle.to_owned())] {
                let options = OpenOptions { inner, ..OpenOptions::default() };
                let error = open(&outer, &options).unwrap_err().to_string();
                assert!(error.contains(&format!("data.zip/{middle}` holds no images, but `images.zip`")), "{error}");
                assert!(error.contains("one level deep"), "{error}");
            }
        }
    }

    #[test]
    fn what_is_no_archive_or_only_the_beginning_of_one_says_so() {
        assert!(matches!(refused(b"Hello"), DatasetError::NotAnArchive { .. }));
        assert!(matches!(refused(b""), DatasetError::NotAnArchive { .. }));
        let archive = sample::zip(Stored, &[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        for length in [5, 60, archive.len() - 30] {
            let error = refused(&archive[..length]);
            assert!(matches!(error, DatasetError::Archive { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn unsafe_and_repeated_paths_are_refused() {
        for path in ["../a.png", "/etc/a.png", "a/../../b.png", "..\\a.png"] {
            let error = refused(&sample::zip(Stored, &[(path, sample::png(1))]));
            assert!(matches!(error, DatasetError::UnsafePath { .. }), "{path}: {error}");
        }
        let mut archive = sample::zip(Stored, &[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        for at in sample::positions(&archive, b"b.png") {
            archive[at] = b'a';
        }
        assert!(matches!(refused(&archive), DatasetError::RepeatedPath { .. }));
    }

    #[test]
    fn names_that_differ_in_case_are_two_images_and_names_of_old_packers_are_read() {
        let source = opened(&sample::zip(Stored, &[("Cat.png", sample::png(1)), ("cat.png", sample::png(2))]));
        assert_eq!(paths(&source), ["Cat.png", "cat.png"]);
        assert_eq!(read(&source, 1).unwrap(), sample::png(2));
        // Without a mark that they are UTF-8, names are in the character set of the first PC.
        let mut archive = sample::zip(Stored, &[("caf0.png", sample::png(1))]);
        for at in sample::positions(&archive, b"caf0.png") {
            archive[at + 3] = 0x82;
        }
        assert_eq!(paths(&opened(&archive)), ["café.png"]);
    }

    #[test]
    fn entries_that_share_bytes_are_refused() {
        let mut archive = sample::zip(Stored, &[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        let second = sample::positions(&archive, b"PK\x01\x02")[1];
        // The second entry is made to begin within the first one.
        archive[second + 42..][..4].copy_from_slice(&10u32.to_le_bytes());
        assert!(matches!(refused(&archive), DatasetError::Overlap { .. }));
    }

    #[test]
    fn limits_hold_for_entries_and_their_number() {
        let two = sample::zip(Stored, &[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        let limits = SourceLimits { max_entry_bytes: 10, ..SourceLimits::default() };
        let source = open(&two, &OpenOptions { limits, ..OpenOptions::default() }).unwrap();
        assert!(matches!(read(&source, 0), Err(EntryFault::TooLarge { limit: 10, .. })));
        let limits = SourceLimits { max_entries: 1, ..SourceLimits::default() };
        let error = open(&two, &OpenOptions { limits, ..OpenOptions::default() }).unwrap_err();
        assert!(matches!(error, DatasetError::TooMuch { what: "entries", found: 2, limit: 1, .. }), "{error}");
    }

    #[test]
    fn a_damaged_entry_leaves_the_others_readable() {
        let mut archive = sample::zip(Stored, &[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        archive[30 + "a.png".len()] ^= 1;
        let source = opened(&archive);
        assert!(matches!(read(&source, 0), Err(EntryFault::Checksum { .. })));
        assert_eq!(read(&source, 1).unwrap(), sample::png(2));
    }

    #[test]
    fn many_threads_read_the_same_bytes_at_once() {
        let entries: Vec<(String, Vec<u8>)> = sample::cats_and_dogs(50);
        let entries: Vec<(&str, Vec<u8>)> =
            entries.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        let source = opened(&sample::zip(Deflated, &entries));
        std::thread::scope(|scope| {
            for thread in 0..7 {
                let (source, entries) = (&source, &entries);
                scope.spawn(move || {
                    for step in 0..entries.len() {
                        let index = (step * 13 + thread * 29) % entries.len();
                        let path = source.entries()[index].path.as_str();
                        let expected = entries.iter().find(|(name, _)| *name == path).unwrap();
                        assert_eq!(read(source, index).unwrap(), expected.1);
                    }
                });
            }
        });
    }
}
