//! [`Damage`]: what is wrong with the bytes of an image, told apart as data.

use std::fmt;

/// What is wrong with the bytes of an image of a known format. Places are counted in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The file ends before its picture does, as after a broken download.
    Truncated {
        /// Where the data ends.
        at: u64,
        /// The rows that are there, where the format tells.
        rows: Option<RowsRead>,
    },
    /// Every row is there, but not the marker that ends the file.
    NoEnd {
        /// Where the data ends.
        at: u64,
    },
    /// Bytes that cannot stand where they stand.
    Corrupt {
        /// The first of them, where it is known.
        at: Option<u64>,
    },
    /// Every pixel is there, and after them more data than an encoder fills up with. Decoders meant for viewing read
    /// such files with a warning.
    LeftOver {
        /// Where it begins.
        at: u64,
        /// How much.
        bytes: u64,
    },
}

/// How much of a picture is there, in rows as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsRead {
    /// The rows that are there.
    pub read: u32,
    /// The rows that should be.
    pub of: u32,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { at, rows: Some(RowsRead { read, of }) } => {
                write!(f, "ends at byte {at}, after {read} of {of} rows")
            }
            Self::Truncated { at, rows: None } => write!(f, "ends at byte {at}, before its picture does"),
            Self::NoEnd { at } => write!(f, "ends at byte {at} with all of its rows, but without its end marker"),
            Self::Corrupt { at: Some(at) } => write!(f, "is damaged at byte {at}"),
            Self::Corrupt { at: None } => f.write_str("is damaged"),
            Self::LeftOver { at, bytes } => write!(f, "has {bytes} bytes of data at byte {at} that no pixel needs"),
        }
    }
}
