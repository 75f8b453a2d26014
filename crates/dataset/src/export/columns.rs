//! What a table of a data set holds: a row an image, by id.

use crate::manifest::Manifest;
use crate::record::Record;
use crate::split::Split;

/// The names of the columns.
pub(super) const HEADER: [&str; 12] =
    ["id", "split", "path", "class", "label", "width", "height", "size", "hash", "group", "near", "declared"];

/// Every record with its split and the name of its class.
pub(super) fn rows(manifest: &Manifest) -> impl Iterator<Item = (Split, &str, &Record)> {
    Split::ALL.into_iter().flat_map(move |split| {
        let label = |record: &Record| manifest.classes[record.class as usize].as_str();
        manifest.records(split).iter().map(move |record| (split, label(record), record))
    })
}
