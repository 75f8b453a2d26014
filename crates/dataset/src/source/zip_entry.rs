//! [`Place`]: where an entry of a zip archive lies, and how its bytes are got from there.

use flate2::Crc;
use zip::CompressionMethod;
use zip::read::ZipFileEntry;

use super::read_buffer::ReadBuffer;
use super::window::Window;
use crate::error::EntryFault;

/// What an archive's table of contents says of an entry, all of which may be a lie.
#[derive(Clone, Debug)]
pub(super) struct Place {
    header_start: u64,
    packed: u64,
    size: u64,
    crc32: u32,
    method: CompressionMethod,
    is_encrypted: bool,
}

impl Place {
    pub(super) fn of(file: &ZipFileEntry<'_>) -> Self {
        Self {
            header_start: file.header_start(),
            packed: file.compressed_size(),
            size: file.size(),
            crc32: file.crc32(),
            method: file.compression(),
            is_encrypted: file.encrypted(),
        }
    }

    /// The first byte, and a byte that the entry reaches up to at least.
    pub(super) fn extent(&self) -> (u64, u64) {
        (self.header_start, self.header_start.saturating_add(self.packed))
    }

    /// Fills `buffer` with the unpacked bytes, checked against their size and CRC-32.
    pub(super) fn unpack(
        &self,
        archive: &Window,
        max_bytes: u64,
        max_ratio: u64,
        buffer: &mut ReadBuffer,
    ) -> Result<(), EntryFault> {
        let ReadBuffer { bytes, inflater, .. } = buffer;
        if self.size > max_bytes {
            return Err(EntryFault::TooLarge { size: self.size, limit: max_bytes });
        }
        if self.size > 1 << 20 && self.packed.saturating_mul(max_ratio) < self.size {
            return Err(EntryFault::Ratio { packed: self.packed, size: self.size });
        }
        // The extent is checked before memory is taken for what a header promises.
        let packed = self.packed_bytes(archive)?;
        match self.method {
            CompressionMethod::Stored if self.packed == self.size => {
                bytes.resize(self.size as usize, 0);
                packed.read_at(0, bytes)?;
            }
            CompressionMethod::Stored => {
                return Err(EntryFault::Length { expected: self.size, got: self.packed });
            }
            CompressionMethod::Deflated => {
                // A byte more than announced shows that there are more.
                bytes.resize(self.size as usize + 1, 0);
                let written = inflater.inflate(&packed, bytes)?;
                bytes.truncate(written);
            }
            method => return Err(EntryFault::Method { method: method.to_string() }),
        }
        if bytes.len() as u64 != self.size {
            return Err(EntryFault::Length { expected: self.size, got: bytes.len() as u64 });
        }
        let mut crc = Crc::new();
        crc.update(bytes);
        if crc.sum() != self.crc32 {
            return Err(EntryFault::Checksum { expected: self.crc32, got: crc.sum() });
        }
        Ok(())
    }

    /// The unpacked bytes as a window: of the archive itself where they are stored, else of memory.
    pub(super) fn window(&self, archive: &Window, max_bytes: u64, max_ratio: u64) -> Result<Window, EntryFault> {
        if self.method == CompressionMethod::Stored {
            return self.packed_bytes(archive);
        }
        let mut buffer = ReadBuffer::default();
        self.unpack(archive, max_bytes, max_ratio, &mut buffer)?;
        Ok(Window::over(buffer.bytes))
    }

    /// The bytes as they are packed, which begin behind a local header of unknown length.
    fn packed_bytes(&self, archive: &Window) -> Result<Window, EntryFault> {
        if self.is_encrypted {
            return Err(EntryFault::Encrypted);
        }
        let mut header = [0; 30];
        archive.read_at(self.header_start, &mut header)?;
        if header[..4] != *b"PK\x03\x04" {
            return Err(EntryFault::Header);
        }
        let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
        Ok(archive.part(self.header_start + 30 + length(26) + length(28), self.packed)?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use zip::CompressionMethod::{Deflated, Stored};
    use zip::ZipArchive;

    use super::*;
    use crate::sample;

    /// Unpacks the first entry, which may have up to `max_bytes`.
    fn unpack_under(max_bytes: u64, archive: &[u8]) -> Result<Vec<u8>, EntryFault> {
        let metadata = ZipArchive::new(Cursor::new(archive)).unwrap().metadata();
        let place = Place::of(&metadata.entry(0).unwrap());
        let mut buffer = ReadBuffer::default();
        place.unpack(&Window::over(archive.to_vec()), max_bytes, 200, &mut buffer)?;
        Ok(buffer.bytes)
    }

    fn unpack(archive: &[u8]) -> Result<Vec<u8>, EntryFault> {
        unpack_under(1 << 30, archive)
    }

    /// Writes `value` at `local` bytes into the local header and at `central` bytes into the central one.
    fn patched(archive: &[u8], local: usize, central: usize, value: &[u8]) -> Vec<u8> {
        let mut archive = archive.to_vec();
        let directory = sample::positions(&archive, b"PK\x01\x02")[0];
        for at in [local, directory + central] {
            archive[at..][..value.len()].copy_from_slice(value);
        }
        archive
    }

    #[test]
    fn stored_and_deflated_bytes_come_back_as_they_were() {
        for method in [Stored, Deflated] {
            assert_eq!(unpack(&sample::zip(method, &[("a.png", sample::png(1))])).unwrap(), sample::png(1));
            assert_eq!(unpack(&sample::zip(method, &[("empty.png", Vec::new())])).unwrap(), Vec::<u8>::new());
        }
    }

    #[test]
    fn encrypted_entries_and_unknown_methods_are_faults() {
        let archive = sample::zip(Stored, &[("a.png", sample::png(1))]);
        assert!(matches!(unpack(&patched(&archive, 6, 8, &[1])), Err(EntryFault::Encrypted)));
        match unpack(&patched(&archive, 8, 10, &[14])) {
            Err(EntryFault::Method { method }) => assert_eq!(method, "Lzma"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn damaged_bytes_and_headers_are_faults() {
        for method in [Stored, Deflated] {
            let mut archive = sample::zip(method, &[("a.png", sample::png(1))]);
            archive[30 + "a.png".len() + 25] ^= 0xff;
            assert!(unpack(&archive).is_err());
        }
        let mut archive = sample::zip(Stored, &[("a.png", sample::png(1))]);
        archive[0] = b'X';
        assert!(matches!(unpack(&archive), Err(EntryFault::Header)));
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_a_fault() {
        let archive = sample::zip(Stored, &[("a.png", sample::png(1))]);
        assert!(matches!(unpack(&patched(&archive, 14, 16, &[0; 4])), Err(EntryFault::Checksum { expected: 0, .. })));
    }

    #[test]
    fn sizes_that_lie_are_faults() {
        for method in [Stored, Deflated] {
            let archive = sample::zip(method, &[("a.png", sample::png(1))]);
            for size in [5u32, 100_000] {
                let fault = unpack(&patched(&archive, 22, 24, &size.to_le_bytes())).unwrap_err();
                assert!(matches!(fault, EntryFault::Length { expected, .. } if expected == u64::from(size)), "{fault}");
            }
        }
        // More packed bytes than there are in the file.
        let archive = sample::zip(Stored, &[("a.png", sample::png(1))]);
        let archive = patched(&archive, 18, 20, &[0xff, 0xff, 0xff, 0x7f]);
        assert!(matches!(unpack(&archive), Err(EntryFault::Read(_))));
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_before_memory_is_taken() {
        let archive = sample::zip(Deflated, &[("a.bmp", vec![0; 3 << 20])]);
        assert!(matches!(unpack(&archive), Err(EntryFault::Ratio { .. })));
        assert!(matches!(unpack_under(1000, &archive), Err(EntryFault::TooLarge { limit: 1000, .. })));
    }
}
