//! [`Bits`]: the bits of a scan between two markers, one after the other.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

/// Bytes behind the data that a refill may look at.
pub const PADDING: usize = 8;

/// A place in the bits of some bytes, with the next of them at hand.
#[derive(Clone, Copy)]
pub struct Bits<'a> {
    /// The data and its [`PADDING`].
    bytes: &'a [u8],
    /// The first byte that is not counted in `count`.
    at: usize,
    /// The next bits, from the highest.
    next: u64,
    /// How many of them are sure to be there.
    count: u32,
}

impl<'a> Bits<'a> {
    /// `bytes` ends in [`PADDING`] bytes that are no data.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, next: 0, count: 0 }
    }

    /// Provides at least 56 bits. Behind the data they are zeros.
    #[inline(always)]
    pub fn refill(&mut self) {
        let window = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>()).unwrap_or(&[0; 8]);
        self.next |= u64::from_be_bytes(*window) >> self.count;
        let bytes = (63 - self.count) / 8;
        self.at += bytes as usize;
        self.count += bytes * 8;
    }

    /// The next `count` bits, 1 to 32 of them.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u32 {
        (self.next >> (64 - count)) as u32
    }

    /// Leaves `count` bits behind, of those that are sure to be there.
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.next <<= count;
        self.count -= count;
    }

    /// How many bytes are read, begun ones too.
    pub fn bytes_read(&self) -> usize {
        (self.at - self.count as usize / 8).min(self.bytes.len() - PADDING)
    }

    /// The bits of the data that are left; negative where more were read than there are.
    pub fn left(&self) -> i64 {
        (self.bytes.len() as i64 - PADDING as i64 - self.at as i64) * 8 + i64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_from_the_highest_and_are_counted() {
        let bytes = [&[0b1010_0110, 0xff, 0x01][..], &[0; PADDING]].concat();
        let mut bits = Bits::new(&bytes);
        bits.refill();
        assert_eq!((bits.peek(3), bits.left()), (0b101, 24));
        bits.skip(3);
        assert_eq!((bits.peek(6), bits.left()), (0b00_1101, 21));
        bits.skip(20);
        bits.refill();
        assert_eq!((bits.peek(1), bits.left()), (1, 1));
        bits.skip(5);
        bits.refill();
        assert_eq!((bits.peek(32), bits.left()), (0, -4));
        for _ in 0..9 {
            bits.skip(50);
            bits.refill();
        }
        assert_eq!((bits.peek(32), bits.left()), (0, -454));
    }
}
