//! [`Part`]: what is measured.

use clap::ValueEnum;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Looking for near-duplicates.
    Near,
    /// Looking for hashes that differ in few bits.
    Hashes,
}
