//! [`Part`]: what is measured.

use clap::ValueEnum;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Splitting an archive into train, val and test.
    Split,
    /// Looking for faulty images.
    Inspect,
    /// Looking for near-duplicates.
    Near,
    /// Looking for hashes that differ in few bits.
    Hashes,
    /// What more images cost.
    Growth,
}
