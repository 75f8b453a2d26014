//! Classes from the names of folders.

use crate::source::{Source, is_tar};

/// The last level at which all entries have a folder and the folders' names differ.
pub(super) fn varying_level(source: &dyn Source) -> Option<usize> {
    (0..depth(source)).rev().find(|&level| {
        let mut names = folder_names(source, level);
        let first = names.next();
        names.any(|name| Some(name) != first)
    })
}

/// The last level at which all images have a folder.
pub(super) fn last_level(source: &dyn Source) -> Option<usize> {
    depth(source).checked_sub(1)
}

/// At how many levels all images have a folder.
fn depth(source: &dyn Source) -> usize {
    let folders = |path: &str| path.split('/').count() - 1;
    source.entries().iter().map(|entry| folders(&entry.path)).min().unwrap_or(0)
}

/// Whether the folders at `level` divide the images into splits or shards, and say nothing of classes.
pub(super) fn all_named_like_parts(source: &dyn Source, level: usize) -> bool {
    folder_names(source, level).all(|name| {
        let name = name.to_ascii_lowercase();
        let is_split = matches!(
            name.trim_end_matches(|c: char| c.is_ascii_digit()),
            "train" | "training" | "val" | "valid" | "validation" | "test" | "testing"
        );
        is_split || is_tar(&name)
    })
}

fn folder_names(source: &dyn Source, level: usize) -> impl Iterator<Item = &str> {
    source.entries().iter().filter_map(move |entry| entry.path.split('/').nth(level))
}
