//! [`PassedOver`]: the files of a source that are no images.

use serde::{Deserialize, Serialize};

use super::entry_path::EntryKind;

/// The files of a source that are no images by their names, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PassedOver {
    /// What operating systems leave behind: `__MACOSX/`, `.DS_Store`, `Thumbs.db`.
    pub litter: usize,
    /// Zip archives that were not opened.
    pub archives: usize,
    /// Files of all other kinds, such as tables of labels, and links that lead out of the source.
    pub others: usize,
    /// Paths of the first archives and other files, up to 20.
    pub examples: Vec<String>,
}

/// As many examples are kept.
const MOST_EXAMPLES: usize = 20;

impl PassedOver {
    /// Archives and other files; litter is not worth counting.
    pub fn count(&self) -> usize {
        self.archives + self.others
    }

    /// Counts a file that is no image.
    pub(super) fn add(&mut self, kind: EntryKind, path: &str) {
        let count = match kind {
            EntryKind::Litter => {
                self.litter += 1;
                return;
            }
            EntryKind::Archive => &mut self.archives,
            EntryKind::Image | EntryKind::Other => &mut self.others,
        };
        *count += 1;
        // A folder lists its files in any order; the examples are the same all the same.
        let at = self.examples.partition_point(|known| known.as_str() < path);
        if at < MOST_EXAMPLES {
            self.examples.insert(at, path.to_owned());
            self.examples.truncate(MOST_EXAMPLES);
        }
    }

    /// Adds what another part of the source counted.
    pub(super) fn append(&mut self, mut other: Self) {
        self.litter += other.litter;
        self.archives += other.archives;
        self.others += other.others;
        self.examples.append(&mut other.examples);
        self.examples.sort();
        self.examples.truncate(MOST_EXAMPLES);
    }
}
