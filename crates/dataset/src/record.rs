//! [`Record`]: what a manifest knows of one image.

use serde::{Deserialize, Serialize};

/// One image of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Record {
    /// Its place in the manifest, counted over train, val and test in this order.
    pub id: u32,
    /// Its path within the source, with `/` between the parts.
    pub path: String,
    /// The index of its class in the manifest's `classes`.
    pub class: u32,
    /// Width in pixels, as displayed (after EXIF orientation).
    pub width: u32,
    /// Height in pixels, as displayed (after EXIF orientation).
    pub height: u32,
    /// Size of the encoded image in bytes.
    pub size: u64,
    /// CRC-32 of the encoded image, where the source has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
    /// BLAKE3 hash of the encoded image, 64 hexadecimal digits.
    pub hash: String,
    /// The number of its group, which no split divides, where that has other images or a declared name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The number of its group of near-duplicates, if it has any; all of them are of one `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<u32>,
    /// The name of the group that it is declared of, if any; all images of that name are of one `group`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
}
