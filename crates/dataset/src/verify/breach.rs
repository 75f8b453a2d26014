//! [`Breach`]: what a manifest promises and does not keep; [`leaks`] finds what crosses its splits.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::record::Record;
use crate::split::Split;

/// What a manifest promises and does not keep.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Breach {
    /// A file has several records.
    Path {
        /// Its records.
        images: Vec<Placed>,
    },
    /// Images of the same bytes are in several splits.
    Content {
        /// All of them.
        images: Vec<Placed>,
    },
    /// Images of one group are in several splits.
    Group {
        /// The group's number.
        group: u32,
        /// All of them.
        images: Vec<Placed>,
    },
    /// Near-duplicates are in several splits.
    Near {
        /// All of them.
        images: Vec<Placed>,
    },
    /// Images that are declared of one group are in several splits.
    Declared {
        /// The group's name.
        name: String,
        /// All of them.
        images: Vec<Placed>,
    },
    /// The source does not have an image any more.
    Missing {
        /// Its path within the source.
        path: String,
    },
    /// An image has other bytes than when the manifest was made.
    Changed {
        /// Its path within the source.
        path: String,
    },
    /// An image cannot be read.
    Unreadable {
        /// Its path within the source.
        path: String,
        /// Why not.
        reason: String,
    },
    /// An image is in another split than in an earlier manifest.
    Moved {
        /// Its path within the source.
        path: String,
        /// The earlier split.
        from: Split,
        /// The present one.
        to: Split,
    },
    /// A fold has no manifest beside the others.
    FoldMissing {
        /// The repeat, counted from 1.
        repeat: usize,
        /// The fold, counted from 1.
        fold: usize,
    },
    /// An image is not validated on once in the folds of a repeat, or not in none of them where it is held out.
    Validated {
        /// Its path within the source.
        path: String,
        /// The repeat, counted from 1.
        repeat: usize,
        /// The folds that validate on it.
        folds: Vec<usize>,
    },
}

/// An image and its split.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Placed {
    /// The image's path within the source.
    pub path: String,
    /// Its split.
    pub split: Split,
}

/// Everything that stands in several splits of `manifest`, and files that have several records.
pub(crate) fn leaks(manifest: &Manifest) -> Vec<Breach> {
    let crossing = |images: &Vec<Placed>| images.iter().any(|image| image.split != images[0].split);
    let of = |breach: fn(Vec<Placed>) -> Breach, sets: Vec<Vec<Placed>>| sets.into_iter().map(breach);
    let paths = sets(manifest, |record| Some(&record.path)).into_values().filter(|images| images.len() > 1).collect();
    let contents = sets(manifest, |record| Some(&record.hash)).into_values().filter(crossing).collect();
    let near = sets(manifest, |record| record.near).into_values().filter(crossing).collect();
    let groups = sets(manifest, |record| record.group).into_iter().filter(|(_, images)| crossing(images));
    let declared = sets(manifest, |record| record.declared.as_ref()).into_iter().filter(|(_, images)| crossing(images));
    let mut leaks: Vec<Breach> = of(|images| Breach::Path { images }, paths)
        .chain(of(|images| Breach::Content { images }, contents))
        .chain(of(|images| Breach::Near { images }, near))
        .chain(groups.map(|(group, images)| Breach::Group { group, images }))
        .chain(declared.map(|(name, images)| Breach::Declared { name: name.clone(), images }))
        .collect();
    leaks.sort_by_cached_key(ToString::to_string);
    leaks
}

/// The records by what they have in common.
fn sets<'a, K: Hash + Eq>(manifest: &'a Manifest, key: impl Fn(&'a Record) -> Option<K>) -> HashMap<K, Vec<Placed>> {
    let mut sets: HashMap<K, Vec<Placed>> = HashMap::new();
    for split in Split::ALL {
        for record in manifest.records(split) {
            if let Some(key) = key(record) {
                sets.entry(key).or_default().push(Placed { path: record.path.clone(), split });
            }
        }
    }
    sets
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { images } => write!(f, "one file has several records: {}", Listed(images)),
            Self::Content { images } => write!(f, "the same content is in several splits: {}", Listed(images)),
            Self::Near { images } => write!(f, "near-duplicates are in several splits: {}", Listed(images)),
            Self::Group { group, images } => write!(f, "group {group} is in several splits: {}", Listed(images)),
            Self::Declared { name, images } => {
                write!(f, "the declared group `{name}` is in several splits: {}", Listed(images))
            }
            Self::Missing { path } => write!(f, "{path} is not in the source"),
            Self::Changed { path } => write!(f, "{path} has changed since the manifest was made"),
            Self::Unreadable { path, reason } => write!(f, "{path} cannot be read: {reason}"),
            Self::Moved { path, from, to } => write!(f, "{path} was in {from} and is in {to}"),
            Self::FoldMissing { repeat, fold } => write!(f, "fold {fold} of repeat {repeat} is missing"),
            Self::Validated { path, repeat, folds } if folds.is_empty() => {
                write!(f, "{path} is in no validation split of repeat {repeat}")
            }
            Self::Validated { path, repeat, folds } => {
                let folds: Vec<String> = folds.iter().map(ToString::to_string).collect();
                write!(f, "{path} is in the validation splits of folds {} of repeat {repeat}", folds.join(", "))
            }
        }
    }
}

struct Listed<'a>(&'a [Placed]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Placed { path, split }) in self.0.iter().enumerate() {
            write!(f, "{}{path} ({split})", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
