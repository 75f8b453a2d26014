//! [`HammingIndex`]: which of very many hashes differ from one in few bits.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

/// The bits of a word.
const BITS: usize = 16;

/// The words of a hash.
const WORDS: usize = 4;

/// Hashes of 64 bits, in which those within [`RADIUS`](Self::RADIUS) bits of another are found without a look at all of them.
///
/// This is multi-index hashing (Norouzi, Punjani and Fleet 2012): of two hashes that differ in at most 11 bits, one of the
/// four words of 16 bits differs in at most two. So the hashes lie in four tables, sorted by one word each, and a search
/// looks in each at the 137 places whose word is that close. It finds every hash in range.
///
/// It holds 12 bytes for each hash in each of four tables, and searches need no memory and no lock.
///
/// ```
/// use aumenta_dataset::HammingIndex;
///
/// let index = HammingIndex::new(&[(10, 0b1011), (11, u64::MAX), (12, 0b1000)]);
/// let mut found = Vec::new();
/// index.search(0b1001, |id, distance| found.push((id, distance)));
/// found.sort();
/// assert_eq!(found, [(10, 1), (12, 1)]);
/// ```
#[derive(Clone, Debug)]
pub struct HammingIndex {
    tables: [Table; WORDS],
}

/// The hashes in the order of one of their words.
#[derive(Clone, Debug)]
struct Table {
    /// Where the hashes with each word begin, and where the last ones end.
    starts: Vec<u32>,
    hashes: Vec<u64>,
    ids: Vec<u32>,
}

impl HammingIndex {
    /// The bits in which hashes may differ.
    pub const RADIUS: u32 = 11;

    /// Bits in which one of the words differs at most.
    const WORD_RADIUS: u32 = Self::RADIUS / WORDS as u32;

    /// An index of hashes, each with a number to tell it by.
    pub fn new(hashes: &[(u32, u64)]) -> Self {
        Self { tables: [0, 1, 2, 3].map(|place| Table::new(hashes, place)) }
    }

    /// Calls `found` with the number of each hash within the radius and with the bits in which it differs, in no order.
    pub fn search(&self, hash: u64, found: impl FnMut(u32, u32)) {
        Arch::new().dispatch(Search { tables: &self.tables, hash, found });
    }
}

impl Table {
    fn new(hashes: &[(u32, u64)], place: usize) -> Self {
        let mut starts = vec![0; (1 << BITS) + 1];
        for &(_, hash) in hashes {
            starts[word(hash, place) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut table = Self { starts, hashes: vec![0; hashes.len()], ids: vec![0; hashes.len()] };
        for &(id, hash) in hashes {
            let at = &mut next[word(hash, place)];
            table.hashes[*at as usize] = hash;
            table.ids[*at as usize] = id;
            *at += 1;
        }
        table
    }
}

fn word(hash: u64, place: usize) -> usize {
    (hash >> (place * BITS)) as usize & 0xffff
}

struct Search<'a, F> {
    tables: &'a [Table; WORDS],
    hash: u64,
    found: F,
}

impl<F: FnMut(u32, u32)> WithSimd for Search<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        for (place, table) in self.tables.iter().enumerate() {
            self.visit(table, place, 0);
            for first in 0..BITS {
                self.visit(table, place, 1 << first);
                for second in 0..first {
                    self.visit(table, place, 1 << first | 1 << second);
                }
            }
        }
    }
}

impl<F: FnMut(u32, u32)> Search<'_, F> {
    /// Looks at the hashes whose word at `place` differs from that of the searched one in the bits of `difference`.
    #[inline(always)]
    fn visit(&mut self, table: &Table, place: usize, difference: usize) {
        let bucket = word(self.hash, place) ^ difference;
        for at in table.starts[bucket] as usize..table.starts[bucket + 1] as usize {
            let bits = table.hashes[at] ^ self.hash;
            let distance = bits.count_ones();
            if distance <= HammingIndex::RADIUS && !is_found_earlier(bits, place) {
                (self.found)(table.ids[at], distance);
            }
        }
    }
}

/// Whether one of the words before `place` is close too, so that its table has shown the hash.
#[inline(always)]
fn is_found_earlier(bits: u64, place: usize) -> bool {
    (0..place).any(|earlier| word(bits, earlier).count_ones() <= HammingIndex::WORD_RADIUS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(index: &HammingIndex, hash: u64) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        index.search(hash, |id, distance| found.push((id, distance)));
        found.sort_unstable();
        found
    }

    #[test]
    fn an_empty_index_finds_nothing_and_copies_are_all_found() {
        assert_eq!(found(&HammingIndex::new(&[]), 5), []);
        let index = HammingIndex::new(&[(3, 7), (4, 7), (5, !7)]);
        assert_eq!(found(&index, 7), [(3, 0), (4, 0)]);
    }

    proptest! {
        /// Hashes that differ from the searched one in up to 16 bits, wherever these lie.
        #[test]
        fn every_hash_in_range_is_found_once_and_no_other(
            hash: u64, changes in prop::collection::vec(prop::collection::vec(0u32..64, 0..17), 0..40),
        ) {
            let change = |bits: &Vec<u32>| bits.iter().fold(hash, |hash, bit| hash ^ 1 << bit);
            let hashes: Vec<(u32, u64)> = (0..).zip(changes.iter().map(change)).collect();
            let expected: Vec<(u32, u32)> = hashes
                .iter()
                .map(|&(id, other)| (id, (hash ^ other).count_ones()))
                .filter(|&(_, distance)| distance <= HammingIndex::RADIUS)
                .collect();
            prop_assert_eq!(found(&HammingIndex::new(&hashes), hash), expected);
        }
    }
}
