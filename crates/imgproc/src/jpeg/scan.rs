//! [`ScanData`]: the data of a scan as its codes were written, without what the file format puts between them.

use std::ops::Range;

use super::JpegError;
use super::bits::{Bits, PADDING};

/// The data of one scan, divided at its restart markers.
#[derive(Debug, Default)]
pub struct ScanData {
    /// Every interval with its padding.
    bytes: Vec<u8>,
    intervals: Vec<Range<usize>>,
}

impl ScanData {
    /// Reads up to the first marker that is no restart marker; what begins with it, which is nothing where the file ends
    /// without one.
    ///
    /// # Errors
    /// Where restart markers don't follow each other.
    pub fn read<'a>(&mut self, data: &'a [u8]) -> Result<&'a [u8], JpegError> {
        self.bytes.clear();
        self.intervals.clear();
        let (mut rest, mut start) = (data, 0);
        loop {
            let at = find_marker_prefix(rest).unwrap_or(rest.len());
            let (run, marker) = rest.split_at(at);
            match *marker {
                // Zeros are stuffed behind bytes that would be a marker's first.
                [_, 0x00, ..] => {
                    self.bytes.extend_from_slice(&rest[..=at]);
                    rest = &marker[2..];
                }
                [_, 0xff, ..] => {
                    self.bytes.extend_from_slice(run);
                    rest = &marker[1..];
                }
                [_, number @ 0xd0..=0xd7, ..] => {
                    let expected = (self.intervals.len() % 8) as u8;
                    if number - 0xd0 != expected {
                        let at = data.len() - marker.len();
                        return Err(JpegError::RestartMarker { expected, found: number - 0xd0, at });
                    }
                    self.bytes.extend_from_slice(run);
                    start = self.end_interval(start);
                    rest = &marker[2..];
                }
                _ => {
                    self.bytes.extend_from_slice(run);
                    self.end_interval(start);
                    // Half of a marker is none.
                    return Ok(if marker.len() < 2 { &[] } else { marker });
                }
            }
        }
    }

    /// Ends the interval that began at `start`; where the next one begins.
    fn end_interval(&mut self, start: usize) -> usize {
        self.bytes.extend_from_slice(&[0; PADDING]);
        self.intervals.push(start..self.bytes.len());
        self.bytes.len()
    }

    /// How many intervals there are.
    pub fn intervals(&self) -> usize {
        self.intervals.len()
    }

    /// The bits of an interval.
    pub fn bits(&self, interval: usize) -> Bits<'_> {
        Bits::new(&self.bytes[self.intervals[interval].clone()])
    }
}

/// A place in a scan as it was read: so many bytes into an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub interval: usize,
    pub byte: usize,
}

impl Place {
    /// Where the place is in the `data` that the scan was read from.
    pub fn in_data(self, data: &[u8]) -> usize {
        let (mut interval, mut byte, mut at) = (0, 0, 0);
        while (interval, byte) != (self.interval, self.byte) && at < data.len() {
            match data[at..] {
                [0xff, 0x00, ..] => (byte, at) = (byte + 1, at + 2),
                [0xff, 0xff, ..] => at += 1,
                [0xff, 0xd0..=0xd7, ..] if interval < self.interval => (interval, byte, at) = (interval + 1, 0, at + 2),
                [0xff, ..] => return at,
                _ => (byte, at) = (byte + 1, at + 1),
            }
        }
        at
    }
}

/// The place of the first byte that can begin a marker.
pub fn find_marker_prefix(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    let holds_one = |chunk: &[u8; 32]| chunk.iter().copied().fold(0, u8::max) == 0xff;
    let (start, few) = match chunks.iter().position(holds_one) {
        Some(chunk) => (chunk * 32, &chunks[chunk][..]),
        None => (chunks.len() * 32, rest),
    };
    few.iter().position(|&byte| byte == 0xff).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_and_markers_are_taken_out() {
        let mut scan = ScanData::default();
        let long = [7; 100];
        let data = [&long[..], b"\xff\x00\x01\xff\xff\xd0\x02\xff\xff\x00\xff\xd1\xff\xd9rest"].concat();
        assert_eq!(scan.read(&data).unwrap(), b"\xff\xd9rest");
        let bytes = |at: usize| {
            let interval = &scan.bytes[scan.intervals[at].clone()];
            &interval[..interval.len() - PADDING]
        };
        assert_eq!(scan.intervals(), 3);
        assert_eq!(bytes(0), [&long[..], b"\xff\x01"].concat());
        assert_eq!(bytes(1), b"\x02\xff");
        assert_eq!(bytes(2), b"");
    }

    #[test]
    fn data_without_an_end_is_read_as_far_as_it_goes() {
        let mut scan = ScanData::default();
        for (data, bytes) in
            [(&b""[..], &b""[..]), (b"\xff", b""), (b"abc\xff\x00", b"abc\xff"), (b"abc\xff\xff", b"abc")]
        {
            assert_eq!(scan.read(data).unwrap(), b"");
            assert_eq!(scan.bytes, [bytes, &[0; PADDING]].concat(), "{data:?}");
        }
    }

    #[test]
    fn a_place_is_found_again_in_the_file() {
        let data = b"ab\xff\x00c\xff\xff\xd0de\xff\xd1\xff\xd9";
        let places =
            [(0, 0, 0), (0, 2, 2), (0, 3, 4), (0, 4, 5), (0, 9, 6), (1, 0, 8), (1, 1, 9), (1, 2, 10), (1, 3, 10)];
        for (interval, byte, at) in places {
            assert_eq!(Place { interval, byte }.in_data(data), at, "{interval} {byte}");
        }
        let error = ScanData::default().read(b"abc\xff\xd1\xff\xd9").unwrap_err();
        assert!(matches!(error, JpegError::RestartMarker { expected: 0, found: 1, at: 3 }));
    }
}
