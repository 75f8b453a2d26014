//! [`TarContents`]: what one tar archive holds.
//!
//! The archive has no table of contents: a header stands before each file. The `tar` crate reads them all once, with the
//! extensions for long names and large sizes, and seeks over the files.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tar::{Archive, Entry, EntryType};

use super::PassedOver;
use super::entry_path::{EntryKind, is_safe, kind};

use super::window::{Cursor, Window};
use crate::error::DatasetError;

/// What the headers of one file may take, extensions and all. They are kept in memory, and could claim any size.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// No name of a class is longer.
const MAX_CLASS_BYTES: u64 = 255;

/// The images of one archive.
#[derive(Debug, Default)]
pub(super) struct TarContents {
    pub(super) images: Vec<Member>,
    /// Files that are neither images nor their classes.
    pub(super) passed_over: PassedOver,
}

/// An image in an archive.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) size: u64,
    /// Where its first byte stands.
    pub(super) position: u64,
    pub(super) is_sparse: bool,
    /// What the class file beside it holds.
    pub(super) class: Option<String>,
}

/// The contents of class files, or what is wrong with them, by their paths without `.cls`.
type Classes = HashMap<String, Result<String, &'static str>>;

impl TarContents {
    /// Reads the headers of the archive in `window`, which lies at `path`.
    pub(super) fn read(path: &Path, window: &Window, max_entries: u64) -> Result<Self, DatasetError> {
        let damaged = |source| DatasetError::TarArchive { path: path.to_owned(), source };
        let meter = Meter::default();
        let mut archive = Archive::new(Metered { cursor: window.cursor(), meter: &meter });
        let mut entries = archive.entries_with_seek().map_err(damaged)?;
        let (mut contents, mut classes, mut seen) = (Self::default(), Classes::new(), 0);
        loop {
            meter.left.set(MAX_HEADER_BYTES);
            let Some(entry) = entries.next() else { break };
            seen += 1;
            if seen > max_entries {
                let (found, limit) = (seen, max_entries);
                return Err(DatasetError::TooMuch { path: path.to_owned(), what: "entries", found, limit });
            }
            contents.add(path, entry.map_err(damaged)?, &mut classes)?;
        }
        // A whole archive ends with blocks of zeros. One that was cut, be it between two files, just ends.
        if meter.met_end.get() {
            let reason = "it ends without the mark of its end";
            return Err(damaged(io::Error::new(io::ErrorKind::UnexpectedEof, reason)));
        }
        contents.take_classes(path, classes)?;
        Ok(contents)
    }

    fn add(&mut self, path: &Path, mut entry: Entry<'_, impl Read>, classes: &mut Classes) -> Result<(), DatasetError> {
        let entry_type = entry.header().entry_type();
        if entry_type == EntryType::XGlobalHeader {
            return Ok(());
        }
        let Some((name, is_folder)) = name(path, &entry.path_bytes())? else { return Ok(()) };
        let is_file = matches!(entry_type, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
        let kind = kind(&name);
        if is_folder || entry_type == EntryType::Directory {
            return Ok(());
        }
        if kind == EntryKind::Litter {
            self.passed_over.add(kind, &name);
            return Ok(());
        }
        let damaged = |source| DatasetError::TarArchive { path: path.to_owned(), source };
        if let Some(stem) = name.strip_suffix(".cls").filter(|_| is_file) {
            let class = read_class(&mut entry).map_err(damaged)?;
            if classes.insert(stem.to_owned(), class).is_some() {
                return Err(DatasetError::RepeatedPath { path: path.to_owned() });
            }
        } else if is_file && kind == EntryKind::Image {
            let is_sparse =
                entry_type == EntryType::GNUSparse || is_sparse_by_extension(&mut entry).map_err(damaged)?;
            let (size, position) = (entry.size(), entry.raw_file_position());
            self.images.push(Member { path: name, size, position, is_sparse, class: None });
        } else {
            self.passed_over.add(kind, &name);
        }
        Ok(())
    }

    /// Gives images the classes that stand beside them. Other files may end in `.cls` too; those count as such.
    fn take_classes(&mut self, path: &Path, mut classes: Classes) -> Result<(), DatasetError> {
        for image in &mut self.images {
            let stem = image.path.rsplit_once('.').map_or("", |(stem, _)| stem);
            image.class = match classes.get(stem) {
                Some(Ok(class)) => Some(class.clone()),
                Some(Err(reason)) => {
                    let (path, entry) = (path.to_owned(), format!("{stem}.cls"));
                    return Err(DatasetError::ClassFile { path, entry, reason });
                }
                None => None,
            };
        }
        for image in &self.images {
            classes.remove(image.path.rsplit_once('.').map_or("", |(stem, _)| stem));
        }
        for stem in classes.into_keys() {
            self.passed_over.add(EntryKind::Other, &format!("{stem}.cls"));
        }
        Ok(())
    }
}

/// The path of an entry and whether it names a folder; nothing for the folder that was packed itself, `./`.
fn name(path: &Path, bytes: &[u8]) -> Result<Option<(String, bool)>, DatasetError> {
    let Ok(name) = std::str::from_utf8(bytes) else {
        return Err(DatasetError::NotUtf8 { path: path.join(&*String::from_utf8_lossy(bytes)) });
    };
    let below = name.trim_start_matches("./");
    let short = below.trim_end_matches('/');
    if matches!(short, "" | ".") && !name.starts_with('/') {
        return Ok(None);
    }
    if !is_safe(short) {
        return Err(DatasetError::UnsafePath { path: path.to_owned(), entry: name.to_owned() });
    }
    Ok(Some((short.to_owned(), short.len() < below.len())))
}

/// The text of a class file, or what is wrong with it.
fn read_class(entry: &mut Entry<'_, impl Read>) -> io::Result<Result<String, &'static str>> {
    if entry.size() > MAX_CLASS_BYTES {
        return Ok(Err("is too long"));
    }
    let mut bytes = vec![0; entry.size() as usize];
    entry.read_exact(&mut bytes)?;
    Ok(match std::str::from_utf8(&bytes).map(str::trim) {
        Ok("") => Err("is empty"),
        Ok(class) => Ok(class.to_owned()),
        Err(_) => Err("is not valid UTF-8"),
    })
}

/// Whether the extensions of the POSIX format say that runs of zeros are left out.
fn is_sparse_by_extension(entry: &mut Entry<'_, impl Read>) -> io::Result<bool> {
    let Some(extensions) = entry.pax_extensions()? else { return Ok(false) };
    Ok(extensions.flatten().any(|extension| extension.key_bytes().starts_with(b"GNU.sparse.")))
}

/// How much more may be read, and whether a read met the end of the file.
#[derive(Debug, Default)]
struct Meter {
    left: Cell<u64>,
    met_end: Cell<bool>,
}

/// A reader that stops where its meter says.
struct Metered<'a> {
    cursor: Cursor<'a>,
    meter: &'a Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.meter.left.get();
        if left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the headers of a file are too long"));
        }
        let count = (buffer.len() as u64).min(left) as usize;
        let read = self.cursor.read(&mut buffer[..count])?;
        self.meter.left.set(left - read as u64);
        self.meter.met_end.set(read == 0 && count > 0);
        Ok(read)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.cursor.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tar::{Builder, Header};

    use super::*;
    use crate::sample;

    fn read(archive: Vec<u8>) -> Result<TarContents, DatasetError> {
        TarContents::read(Path::new("data.tar"), &Window::over(archive), 1000)
    }

    #[track_caller]
    fn check_paths(archive: Vec<u8>, expected: &[&str]) {
        let contents = read(archive).unwrap();
        let paths: Vec<&str> = contents.images.iter().map(|image| image.path.as_str()).collect();
        assert_eq!(paths, expected);
    }

    /// The header of a file, whose name no library has made safe.
    fn header(name: &str, entry_type: EntryType, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(entry_type);
        header.set_size(size);
        header.set_cksum();
        header
    }

    /// An archive of what `build` puts into it.
    fn built(build: impl FnOnce(&mut Builder<Vec<u8>>) -> io::Result<()>) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        build(&mut builder).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn long_names_of_both_formats_are_read() {
        let long = format!("{}/a.png", "folder/".repeat(40).trim_end_matches('/'));
        check_paths(sample::tar(&[(long.as_str(), vec![1])]), &[&long]);
        let extended = built(|builder| {
            builder.append_pax_extensions([("path", long.as_bytes())])?;
            builder.append(&header("short.png", EntryType::Regular, 1), &[1][..])
        });
        check_paths(extended, &[&long]);
    }

    #[test]
    fn archives_of_a_folder_itself_have_no_dot_in_their_paths() {
        let archive = built(|builder| {
            builder.append(&header("./", EntryType::Directory, 0), io::empty())?;
            builder.append(&header("./cat/", EntryType::Directory, 0), io::empty())?;
            builder.append(&header("./cat/a.png", EntryType::Regular, 1), &[1][..])
        });
        check_paths(archive, &["cat/a.png"]);
    }

    #[test]
    fn links_are_not_followed() {
        let archive = built(|builder| {
            builder.append(&header("a.png", EntryType::Symlink, 0), io::empty())?;
            builder.append(&header("b.png", EntryType::Link, 0), io::empty())?;
            builder.append(&header("c.cls", EntryType::Symlink, 0), io::empty())
        });
        let contents = read(archive).unwrap();
        assert_eq!((contents.images.len(), contents.passed_over.others), (0, 3));
    }

    #[test]
    fn unsafe_paths_are_refused_whatever_they_name() {
        for path in ["../a.png", "/etc/a.png", "a/../../b.txt", "./../a.png", "a\\b.png", "/"] {
            for entry_type in [EntryType::Regular, EntryType::Directory, EntryType::Symlink] {
                let archive = built(|builder| builder.append(&header(path, entry_type, 0), io::empty()));
                let error = read(archive).unwrap_err();
                assert!(matches!(error, DatasetError::UnsafePath { .. }), "{path}: {error}");
            }
        }
        let mut archive = sample::tar(&[("a.png", vec![1])]);
        archive[0] = 0xff;
        archive[152] = b' ';
        let error = read(with_checksum(archive)).unwrap_err();
        assert!(matches!(error, DatasetError::NotUtf8 { .. }), "{error}");
    }

    /// The archive with the checksum of its first header put right.
    fn with_checksum(mut archive: Vec<u8>) -> Vec<u8> {
        let mut block = [0; 512];
        block.copy_from_slice(&archive[..512]);
        let mut header = Header::from_byte_slice(&block).clone();
        header.set_cksum();
        archive[..512].copy_from_slice(header.as_bytes());
        archive
    }

    #[test]
    fn sparse_files_are_known_in_both_formats() {
        let extended = built(|builder| {
            builder.append_pax_extensions([("GNU.sparse.major", &b"1"[..])])?;
            builder.append(&header("a.png", EntryType::Regular, 1), &[1][..])
        });
        let mut sparse = Header::new_gnu();
        sparse.set_path("b.png").unwrap();
        sparse.set_entry_type(EntryType::GNUSparse);
        sparse.set_size(0);
        sparse.as_gnu_mut().unwrap().realsize[..].copy_from_slice(b"00000000000\0");
        sparse.set_cksum();
        for archive in [extended, built(|builder| builder.append(&sparse, io::empty()))] {
            assert!(read(archive).unwrap().images[0].is_sparse);
        }
        assert!(!read(sample::tar(&[("a.png", vec![1])])).unwrap().images[0].is_sparse);
    }

    #[test]
    fn an_archive_that_was_cut_anywhere_is_incomplete() {
        let archive = sample::tar(&[("a.png", vec![1; 600]), ("b.png", vec![2; 600])]);
        assert_eq!(archive.len(), 2 * (512 + 1024) + 1024);
        for length in (0..2 * (512 + 1024)).step_by(128) {
            let error = read(archive[..length].to_vec()).unwrap_err();
            assert!(matches!(error, DatasetError::TarArchive { .. }), "{length}: {error}");
        }
    }

    #[test]
    fn sizes_beyond_the_file_and_damaged_headers_are_refused() {
        for size in [1000, u64::from(u32::MAX), 1 << 62, u64::MAX - 5] {
            let archive = built(|builder| builder.append(&header("a.png", EntryType::Regular, size), io::empty()));
            assert!(matches!(read(archive), Err(DatasetError::TarArchive { .. })), "{size}");
        }
        let mut archive = sample::tar(&[("a.png", vec![1]), ("b.png", vec![2])]);
        archive[1024 + 5] ^= 1;
        assert!(matches!(read(archive), Err(DatasetError::TarArchive { .. })));
    }

    #[test]
    fn headers_that_would_fill_the_memory_are_refused() {
        let size = 2 * MAX_HEADER_BYTES;
        let mut long_name = Header::new_gnu();
        long_name.set_entry_type(EntryType::GNULongName);
        long_name.set_size(size);
        long_name.set_cksum();
        let archive = built(|builder| {
            builder.append(&long_name, &vec![b'a'; size as usize][..])?;
            builder.append(&header("a.png", EntryType::Regular, 0), io::empty())
        });
        let error = read(archive).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("too long"), "{cause}");
    }

    #[test]
    fn a_class_file_that_holds_no_class_is_named_if_it_stands_beside_an_image() {
        for (bytes, reason) in [(&b" \n"[..], "empty"), (&[0xff], "UTF-8"), (&[b'x'; 300], "too long")] {
            let archive = sample::tar(&[("a/0.png", vec![1]), ("a/0.cls", bytes.to_vec())]);
            let error = read(archive).unwrap_err().to_string();
            assert!(error.contains("`a/0.cls`") && error.contains(reason), "{error}");
            read(sample::tar(&[("a/1.png", vec![1]), ("a/0.cls", bytes.to_vec())])).unwrap();
        }
    }

    proptest! {
        #[test]
        fn any_damage_is_met_without_a_panic(at in 0usize..4096, length in 1usize..40, byte: u8, mend: bool) {
            let mut archive = sample::tar(&[
                ("x".repeat(150) + ".png", vec![1; 10]),
                ("a.png".to_owned(), vec![2; 10]),
                ("a.cls".to_owned(), b"cat".to_vec()),
            ]);
            let end = (at + length).min(archive.len());
            archive[at.min(end)..end].fill(byte);
            let window = Window::over(if mend { with_checksum(archive) } else { archive });
            let Ok(contents) = TarContents::read(Path::new("data.tar"), &window, 1000) else { return Ok(()) };
            for image in contents.images {
                prop_assert!(image.is_sparse || window.part(image.position, image.size).is_ok());
            }
        }
    }
}
