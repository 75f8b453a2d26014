//! Named random streams: every random number in Aumenta comes from here.
//!
//! A [`Seed`] is one number chosen by the user. [`Seed::rng`] derives from it an independent ChaCha8 generator for a
//! purpose, an epoch and a sample. A generator depends on these four values alone, never on the order in which
//! generators are asked for, so results do not change with the number of worker threads or after a resume.
//!
//! ```
//! use aumenta_seed::Seed;
//! use rand::RngExt as _;
//!
//! let seed = Seed::new(7);
//! let mut a = seed.rng("augment", 0, 41);
//! let mut b = seed.rng("augment", 0, 41);
//! let mut c = seed.rng("augment", 0, 42);
//! let (a, b, c): (u64, u64, u64) = (a.random(), b.random(), c.random());
//! assert_eq!(a, b);
//! assert_ne!(a, c);
//! ```

use std::fmt;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The generator that every stream uses: ChaCha with 8 rounds, whose output is the same on every platform.
pub type Rng = ChaCha8Rng;

/// The user's seed, from which all random streams follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A seed from the number that the user chose.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number that the user chose.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The generator for `purpose` (a short lower-case name such as `"split"` or `"init/conv1.weight"`), `epoch` and
    /// `sample`; pass 0 for what does not apply.
    ///
    /// The four values fill the 256-bit ChaCha key, so two generators are independent unless all four agree (for
    /// purposes: unless their 64-bit FNV-1a hashes agree).
    pub fn rng(self, purpose: &str, epoch: u64, sample: u64) -> Rng {
        let mut key = [0u8; 32];
        for (slot, word) in key.chunks_exact_mut(8).zip([self.0, fnv1a(purpose.as_bytes()), epoch, sample]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// The key of a counter-based stream: element `i` of step `step` is a function of this key and `i` alone.
    ///
    /// Dropout uses it, where one random number for each activation is needed on any thread without a stored mask.
    pub fn counter_key(self, purpose: &str, step: u64) -> u64 {
        use rand::RngExt as _;
        self.rng(purpose, step, 0).random()
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo; draft-eastlake-fnv).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;

    fn first(purpose: &str, epoch: u64, sample: u64) -> u64 {
        Seed::new(7).rng(purpose, epoch, sample).random()
    }

    #[test]
    fn each_coordinate_changes_the_stream() {
        let base = first("augment", 1, 2);
        assert_ne!(base, first("shuffle", 1, 2));
        assert_ne!(base, first("augment", 2, 2));
        assert_ne!(base, first("augment", 1, 3));
        assert_ne!(base, first("augment", 2, 1));
        assert_ne!(base, Seed::new(8).rng("augment", 1, 2).random::<u64>());
    }

    #[test]
    fn streams_never_change_between_versions() {
        // Written down once: a changed number here means that every published result changes with it.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(first("split", 0, 0), 2_458_806_746_647_363_386);
    }
}
