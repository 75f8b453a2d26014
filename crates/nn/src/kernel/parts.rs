//! Into which parts a batch is divided where sums go over it.

use std::ops::Range;

/// How many there are at most. It is fixed, so that the order of summation does not depend on the number of threads.
const PARTS: usize = 8;

/// The parts of `count` images or pixels, which are summed up on their own before the sums are added in order.
pub fn parts(count: usize) -> Vec<Range<usize>> {
    let parts = PARTS.min(count);
    (0..parts).map(|part| part * count / parts..(part + 1) * count / parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_in_order_and_differ_by_one_at_most() {
        for count in [0, 1, 7, 8, 20, 33] {
            let parts = parts(count);
            assert!(parts.len() <= 8);
            assert!(parts.iter().flat_map(Clone::clone).eq(0..count));
            assert!(
                parts.iter().all(|part| part.len() == count / parts.len() || part.len() == count / parts.len() + 1)
            );
        }
    }
}
