//! [`EntryFault`]: what is wrong with one file of a source.

use std::io;

/// What is wrong with one file of a source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// A password would be needed.
    #[error("it is encrypted: unpack the archive with its password and use the folder")]
    Encrypted,

    /// Neither stored nor deflated.
    #[error("its compression method {method} is not supported: pack the archive with deflate")]
    Method {
        /// The method's name.
        method: String,
    },

    /// Stored with its runs of zeros left out.
    #[error("it is stored as a sparse file: pack the archive without sparse files")]
    Sparse,

    /// Larger than allowed.
    #[error("it holds {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its uncompressed size.
        size: u64,
        /// The limit.
        limit: u64,
    },

    /// Compressed more than images can be.
    #[error("{packed} bytes would unpack to {size}, which no image does: do not trust this archive")]
    Ratio {
        /// Its size in the archive.
        packed: u64,
        /// Its uncompressed size.
        size: u64,
    },

    /// The place where the file should begin holds something else.
    #[error("its header is damaged")]
    Header,

    /// The bytes cannot be read or inflated.
    #[error("its bytes cannot be read")]
    Read(#[from] io::Error),

    /// More or fewer bytes than announced.
    #[error("it should hold {expected} bytes and holds {got}")]
    Length {
        /// Announced.
        expected: u64,
        /// Found.
        got: u64,
    },

    /// The checksum of the archive does not fit.
    #[error("its checksum is {got:08x} and should be {expected:08x}: its bytes are damaged")]
    Checksum {
        /// CRC-32 as the archive gives it.
        expected: u32,
        /// CRC-32 of what was read.
        got: u32,
    },

    /// The content is another than when the manifest was made.
    #[error("it has changed since the manifest was made: restore it or prepare the data set again")]
    Changed,

    /// The bytes are not an image that can be decoded.
    #[error(transparent)]
    Decode(#[from] aumenta_imgproc::DecodeError),
}

impl EntryFault {
    /// The message with those of its causes, in one line.
    pub(crate) fn reason(&self) -> String {
        let mut reason = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            cause = error.source();
        }
        reason
    }
}
