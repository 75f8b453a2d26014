//! [`Index`]: what there is in a cache's file, as a file of its own.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The version of the format.
const FORMAT: u32 = 1;

/// No honest index is larger; one that is will not be read into memory.
const MAX_BYTES: u64 = 1 << 30;

/// Where the pixels of one image are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// BLAKE3 hash of the encoded file, as in the manifest.
    pub hash: String,
    /// 1, 2, 4 or 8.
    pub divisor: usize,
    /// The first byte of the pixels.
    pub offset: u64,
    /// How many bytes there are.
    pub len: u64,
    /// BLAKE3 hash of the pixels.
    pub checksum: String,
}

/// The first line of an index.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    decoder: String,
    /// BLAKE3 hash of all that follows.
    checksum: String,
}

/// Why an index is not used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// There is none.
    Missing,
    /// It was written with another decoder, whose pixels may differ.
    OtherDecoder,
    /// It is no index, or not the one that was written.
    Damaged,
}

/// Reads the index at `path` if it is whole and was written with `decoder`.
pub(super) fn read(path: &Path, decoder: &str) -> Result<Vec<Entry>, Unusable> {
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.len() <= MAX_BYTES => {}
        Ok(_) => return Err(Unusable::Damaged),
        Err(_) => return Err(Unusable::Missing),
    }
    let text = fs_err::read_to_string(path).map_err(|_| Unusable::Damaged)?;
    let (header, lines) = text.split_once('\n').ok_or(Unusable::Damaged)?;
    let header: Header = serde_json::from_str(header).map_err(|_| Unusable::Damaged)?;
    if header.checksum != checksum(lines.as_bytes()) {
        return Err(Unusable::Damaged);
    }
    if (header.format, header.decoder.as_str()) != (FORMAT, decoder) {
        return Err(Unusable::OtherDecoder);
    }
    lines.lines().map(|line| serde_json::from_str(line).map_err(|_| Unusable::Damaged)).collect()
}

/// The text of an index.
pub(super) fn to_text(decoder: &str, entries: &[Entry]) -> serde_json::Result<String> {
    let mut lines = String::new();
    for entry in entries {
        lines.push_str(&serde_json::to_string(entry)?);
        lines.push('\n');
    }
    let header = Header { format: FORMAT, decoder: decoder.to_owned(), checksum: checksum(lines.as_bytes()) };
    Ok(format!("{}\n{lines}", serde_json::to_string(&header)?))
}

pub(super) fn checksum(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_reads_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        assert_eq!(read(&path, "a"), Err(Unusable::Missing));
        let entry = |offset| Entry { hash: "f".repeat(64), divisor: 2, offset, len: 9, checksum: checksum(b"") };
        let entries = [entry(0), entry(64)];
        let text = to_text("a", &entries).unwrap();
        fs_err::write(&path, &text).unwrap();
        assert_eq!(read(&path, "a").unwrap(), entries);
        assert_eq!(read(&path, "b"), Err(Unusable::OtherDecoder));
        for length in 0..text.len() {
            fs_err::write(&path, &text[..length]).unwrap();
            assert_eq!(read(&path, "a"), Err(Unusable::Damaged), "cut to {length}");
        }
        fs_err::write(&path, text.replacen("64,", "63,", 1)).unwrap();
        assert_eq!(read(&path, "a"), Err(Unusable::Damaged));
    }
}
