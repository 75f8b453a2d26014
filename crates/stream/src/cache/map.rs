//! [`Map`]: a file as memory.

#![allow(unsafe_code, reason = "a mapping is memory that the system fills from a file")]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// The contents of a file that this process has locked.
#[derive(Debug)]
pub(super) struct Map(Mmap);

impl Map {
    /// Maps the file, which must have its final length and must stay locked for as long as the map lives.
    pub fn of(file: &File) -> io::Result<Self> {
        // SAFETY: A mapping is undefined behavior where bytes that a reference leads to change, or where the file becomes
        // shorter. The caller holds the file's exclusive lock, by which every process of this program leaves it alone; this
        // process never shortens it, writes each byte at most once, and gives out references to bytes only after they were
        // written (`DiskCache::get`). A program that ignores the lock can break that, as it can write to this process'
        // memory by other means of the system.
        unsafe { Mmap::map(file) }.map(Self)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn a_map_shows_what_reading_shows_and_what_is_written_later() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(5000).unwrap();
        file.write_all(b"first").unwrap();
        let map = Map::of(&file).unwrap();
        assert_eq!(&map.bytes()[..6], b"first\0");
        file.seek(io::SeekFrom::Start(4096)).unwrap();
        file.write_all(b"later").unwrap();
        let mut read = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut read).unwrap();
        assert_eq!(map.bytes(), read);
    }
}
