//! [`HuffmanTable`]: what the next bits of a scan mean.
//!
//! A code announces how many bits of a number follow. One look at the next bits tells most codes and their numbers at once.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use super::bits::Bits;
use super::block::Fault;
use super::header::HuffmanCodes;

/// Bits that one look decides on; most codes are shorter, and their numbers fit in too.
pub const LOOK: u32 = 10;

/// The most bits of a code.
const LONGEST: usize = 16;

/// A run that ends a block, beyond any that leads to a frequency.
pub const END_OF_BLOCK: u32 = 128;

/// Which numbers a table's codes announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// Differences of a block's mean from the one before; a symbol is a count of bits.
    Means,
    /// Frequencies behind a run of zeros; a symbol holds the run's length and a count of bits.
    Frequencies,
}

/// The meaning of any bits, by the codes of one table of a file.
#[derive(Clone, Debug)]
pub struct HuffmanTable {
    counts: [u8; LONGEST],
    symbols: Vec<u8>,
    coded: Coded,
    /// What the next [`LOOK`] bits mean.
    looks: Box<[Meaning; 1 << LOOK]>,
    /// For each length, what 16 bits are below if their code is no longer.
    limits: [u32; LONGEST],
    /// For each length, what leads from a code to the place of its symbol.
    offsets: [i32; LONGEST],
}

/// What bits mean, packed.
///
/// Where they hold a code and its number: the bits of both (8), the run before the number (8), the number (16). Where
/// they hold a code alone: 0 (8), the run (8), the number's bits (4), the code's bits (5). Where they hold no code: 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Meaning(u32);

impl Meaning {
    #[inline(always)]
    fn is_whole(self) -> bool {
        self.bits() != 0
    }

    /// The bits of a code and its number.
    #[inline(always)]
    fn bits(self) -> u32 {
        self.0 & 0xff
    }

    #[inline(always)]
    fn run(self) -> u32 {
        self.0 >> 8 & 0xff
    }

    #[inline(always)]
    fn number(self) -> i32 {
        self.0 as i32 >> 16
    }

    /// A code of `bits` bits whose number follows.
    fn of_code(bits: u32, symbol: u8, coded: Coded) -> Self {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let run = match (coded, run, size) {
            (Coded::Means, 0, 0..=11) | (Coded::Frequencies, _, 1..=10) | (Coded::Frequencies, 15, 0) => run,
            (Coded::Frequencies, 0, 0) => END_OF_BLOCK,
            _ => return Self::default(),
        };
        Self(run << 8 | size << 16 | bits << 20)
    }

    #[inline(always)]
    fn size(self) -> u32 {
        self.0 >> 16 & 15
    }

    #[inline(always)]
    fn code_bits(self) -> u32 {
        self.0 >> 20
    }

    /// A code with the number that the rest of `look` holds, where it does.
    fn with_number(self, look: u32) -> Self {
        let (bits, size) = (self.code_bits(), self.size());
        if self == Self::default() || bits + size > LOOK {
            return self;
        }
        let number = number_of_bits(look >> (LOOK - bits - size) & ((1 << size) - 1), size);
        Self((bits + size) | self.run() << 8 | (number as u32) << 16)
    }
}

/// The number that `size` bits stand for: those that begin with 0 are negative (T.81, figure F.12).
#[inline(always)]
fn number_of_bits(bits: u32, size: u32) -> i32 {
    let is_negative = bits >> size.saturating_sub(1) == 0;
    bits as i32 - if is_negative { (1 << size) - 1 } else { 0 }
}

/// A file's codes of a table are not all different from each other's beginnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a Huffman table has more codes of {bits} bits than there can be")]
pub struct TooManyCodes {
    bits: usize,
}

impl HuffmanTable {
    /// # Errors
    /// Where the codes leave no room for each other.
    pub fn new(codes: &HuffmanCodes<'_>, coded: Coded) -> Result<Self, TooManyCodes> {
        let mut table = Self {
            counts: *codes.counts,
            symbols: codes.symbols.to_vec(),
            coded,
            looks: Box::new([Meaning::default(); 1 << LOOK]),
            limits: [0; LONGEST],
            offsets: [0; LONGEST],
        };
        let (mut code, mut place) = (0u32, 0usize);
        for (bits, &count) in (1..=LONGEST).zip(codes.counts) {
            let end = code + u32::from(count);
            if end > 1 << bits {
                return Err(TooManyCodes { bits });
            }
            table.limits[bits - 1] = end << (LONGEST - bits);
            table.offsets[bits - 1] = place as i32 - code as i32;
            if bits <= LOOK as usize {
                let span = 1 << (LOOK as usize - bits);
                for (code, &symbol) in (code as usize..).zip(&codes.symbols[place..place + usize::from(count)]) {
                    let meaning = Meaning::of_code(bits as u32, symbol, coded);
                    for look in code * span..(code + 1) * span {
                        table.looks[look] = meaning.with_number(look as u32);
                    }
                }
            }
            place += usize::from(count);
            code = end << 1;
        }
        Ok(table)
    }

    /// Whether this table is of the same codes.
    pub fn is_of(&self, codes: &HuffmanCodes<'_>) -> bool {
        self.counts == *codes.counts && self.symbols == codes.symbols
    }

    /// The meaning of a code that no look holds.
    #[cold]
    fn long_code(&self, bits: u32) -> Meaning {
        // A code that a look holds is here only if it announces nothing.
        let is_short = bits < self.limits[LOOK as usize - 1];
        let found = (LOOK as usize..LONGEST).find(|&at| bits < self.limits[at]);
        let Some(at) = found.filter(|_| !is_short) else {
            return Meaning::default();
        };
        let code = bits >> (LONGEST - 1 - at);
        let symbol = usize::try_from(self.offsets[at] + code as i32).ok().and_then(|place| self.symbols.get(place));
        symbol.map_or_else(Meaning::default, |&symbol| Meaning::of_code(at as u32 + 1, symbol, self.coded))
    }

    /// Reads a code and its number: the run before the number, and the number. At least [`LOOK`] bits must be there.
    ///
    /// # Errors
    /// Where the bits are no code.
    #[inline(always)]
    pub fn read(&self, bits: &mut Bits<'_>) -> Result<(u32, i32), Fault> {
        let meaning = self.looks[bits.peek(LOOK) as usize];
        if !meaning.is_whole() {
            return self.read_slowly(meaning, bits);
        }
        bits.skip(meaning.bits());
        Ok((meaning.run(), meaning.number()))
    }

    /// Reads a code and its number where they are longer than a look.
    #[inline(always)]
    fn read_slowly(&self, meaning: Meaning, bits: &mut Bits<'_>) -> Result<(u32, i32), Fault> {
        bits.refill();
        let meaning = if meaning == Meaning::default() { self.long_code(bits.peek(16)) } else { meaning };
        if meaning == Meaning::default() {
            return Err(Fault::NoCode);
        }
        bits.skip(meaning.code_bits());
        let size = meaning.size();
        let number = if size == 0 { 0 } else { number_of_bits(bits.peek(size), size) };
        bits.skip(size);
        bits.refill();
        Ok((meaning.run(), number))
    }
}
