//! The order of an epoch's samples.

use aumenta_seed::Seed;
use rand::seq::SliceRandom as _;

/// The positions `0..len` in the order in which epoch `epoch` delivers them: a shuffle that depends on the seed and the
/// epoch alone, so that the whole epoch is known before it starts.
///
/// ```
/// use aumenta_seed::Seed;
/// use aumenta_stream::order;
///
/// let mut first = order(5, 0, Seed::new(7));
/// assert_ne!(first, order(5, 1, Seed::new(7)));
/// first.sort_unstable();
/// assert_eq!(first, [0, 1, 2, 3, 4]);
/// ```
pub fn order(len: usize, epoch: u64, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut seed.rng("shuffle", epoch, 0));
    order
}
