//! [`BlockReader`]: the frequencies of a block, out of the bits of a scan.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use super::bits::Bits;
use super::huffman::{END_OF_BLOCK, HuffmanTable, LOOK};
use super::idct::{Batch, LANES};

/// As many looks as the bits after a refill are good for.
const LOOKS: u32 = 56 / LOOK;

/// Where the frequencies stand in a block, row by row, in the order of a file.
#[rustfmt::skip]
const ZIGZAG: [u16; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10,
    17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34,
    27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46,
    53, 60, 61, 54, 47, 55, 62, 63,
];

/// For each frequency in zigzag order, where it stands in a [`Batch`] and what its number is a multiple of.
pub struct Steps([Step; 64]);

#[derive(Clone, Copy, Default)]
struct Step {
    place: u16,
    size: i16,
}

impl Steps {
    /// Of sizes in zigzag order.
    pub fn new(sizes: &[u16; 64]) -> Self {
        let mut steps = [Step::default(); 64];
        for ((step, place), &size) in steps.iter_mut().zip(ZIGZAG).zip(sizes) {
            *step = Step { place: place * LANES as u16, size: size as i16 };
        }
        Self(steps)
    }
}

/// What is wrong with the bits of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bits that no code begins with, or a code that announces nothing.
    #[error("bits that are no code")]
    NoCode,
    /// A run of zeros that leads out of the block.
    #[error("a run of coefficients beyond the end of a block")]
    LongRun,
    /// The codes go on where the data is at its end.
    #[error("the end of the data")]
    EndOfData,
}

/// The tables and steps that blocks of a component are read by.
pub struct BlockReader<'a> {
    pub means: &'a HuffmanTable,
    pub frequencies: &'a HuffmanTable,
    pub steps: Steps,
}

impl BlockReader<'_> {
    /// Reads one block into a lane of a batch of zeros; the place of its last frequency in zigzag order.
    ///
    /// `mean` is the number of the block before, and becomes this one's.
    #[inline(always)]
    pub fn read(&self, bits: &mut Bits<'_>, mean: &mut i32, batch: &mut Batch, lane: usize) -> Result<u8, Fault> {
        let mut set = |at: usize, number: i32| {
            let Step { place, size } = self.steps.0[at % 64];
            batch.0[(usize::from(place) + lane) % (64 * LANES)] = (number as i16).wrapping_mul(size);
        };
        bits.refill();
        let (_, difference) = self.means.read(bits)?;
        *mean = mean.wrapping_add(difference);
        set(0, *mean);
        let mut next = 1;
        loop {
            bits.refill();
            for _ in 0..LOOKS {
                let (run, number) = self.frequencies.read(bits)?;
                let at = next + run;
                if at > 63 {
                    return if at >= END_OF_BLOCK { Ok((next - 1) as u8) } else { Err(Fault::LongRun) };
                }
                set(at as usize, number);
                next = at + 1;
                if next > 63 {
                    return Ok(63);
                }
            }
        }
    }
}
