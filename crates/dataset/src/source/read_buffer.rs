//! [`ReadBuffer`]: the bytes of one entry, and the memory that it takes to get them.

use std::path::PathBuf;

use super::inflater::Inflater;

/// The bytes of the entry that was read last, with the memory that reading needs.
///
/// A thread keeps one and hands it to every read. When it has seen the largest entry, reading allocates nothing more.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    pub(super) bytes: Vec<u8>,
    pub(super) inflater: Inflater,
    /// For a source that opens a file for each entry.
    pub(super) path: PathBuf,
}

impl ReadBuffer {
    /// The bytes of the last entry; after a read that failed, nothing that has a meaning.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Empties the buffer, for a [`Source`](super::Source) to put an entry's bytes in.
    pub fn cleared(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        &mut self.bytes
    }
}
