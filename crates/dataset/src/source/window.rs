//! [`Window`]: a stretch of a file or of memory that many threads read at once, by position.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::positional::read_at;

/// A stretch of bytes. Reads name their position and share no cursor, so they need no lock.
#[derive(Clone, Debug)]
pub(super) struct Window {
    storage: Storage,
    start: u64,
    length: u64,
}

#[derive(Clone, Debug)]
enum Storage {
    File(Arc<fs_err::File>),
    Memory(Arc<Vec<u8>>),
}

impl Window {
    /// The whole of the file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { storage: Storage::File(Arc::new(file)), start: 0, length })
    }

    /// The whole of `bytes`.
    pub(super) fn over(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { storage: Storage::Memory(Arc::new(bytes)), start: 0, length }
    }

    /// A part of this window.
    pub(super) fn part(&self, start: u64, length: u64) -> io::Result<Self> {
        self.check(start, length)?;
        Ok(Self { storage: self.storage.clone(), start: self.start + start, length })
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Fills `buffer` with the bytes from `offset`.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.check(offset, buffer.len() as u64)?;
        let from = self.start + offset;
        match &self.storage {
            Storage::File(file) => read_at(file.file(), from, buffer),
            Storage::Memory(bytes) => {
                buffer.copy_from_slice(&bytes[from as usize..from as usize + buffer.len()]);
                Ok(())
            }
        }
    }

    /// A reader with a cursor of its own, for what wants to read in sequence.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { window: self, position: 0 }
    }

    fn check(&self, offset: u64, length: u64) -> io::Result<()> {
        match offset.checked_add(length) {
            Some(end) if end <= self.length => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Opens a file for reading without allocating; the error does not name the file, so the caller must.
#[expect(clippy::disallowed_methods, reason = "fs_err allocates for each file")]
pub(super) fn open_unnamed(path: &Path) -> io::Result<std::fs::File> {
    std::fs::File::open(path)
}

/// A reader over a [`Window`].
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    window: &'a Window,
    position: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.window.length.saturating_sub(self.position)).min(buffer.len() as u64) as usize;
        self.window.read_at(self.position.min(self.window.length), &mut buffer[..count])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.window.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_part_sees_its_own_bytes_and_no_others() {
        let window = Window::over((0..100).collect()).part(10, 50).unwrap().part(5, 10).unwrap();
        let mut bytes = [0; 3];
        window.read_at(7, &mut bytes).unwrap();
        assert_eq!(bytes, [22, 23, 24]);
        assert_eq!(window.read_at(8, &mut bytes).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(window.part(0, 11).is_err());
        assert!(window.part(u64::MAX, 1).is_err());
    }

    #[test]
    fn a_cursor_seeks_from_both_ends_and_stops_at_the_last_byte() {
        let window = Window::over((0..10).collect());
        let mut cursor = window.cursor();
        let mut bytes = Vec::new();
        cursor.seek(SeekFrom::End(-3)).unwrap();
        cursor.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [7, 8, 9]);
        cursor.seek(SeekFrom::Start(99)).unwrap();
        assert_eq!(cursor.read(&mut [0; 4]).unwrap(), 0);
        assert!(cursor.seek(SeekFrom::Current(-100)).is_err());
    }
}
