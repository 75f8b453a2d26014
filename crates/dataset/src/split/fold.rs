//! [`Fold`]: a division for cross-validation.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::amounts::largest_remainders;

/// One of the divisions of a k-fold cross-validation: fold `fold` is for validation, the others are for training.
///
/// All folds of a repeat follow from one dealing, so that every image that is not held out is validated on once a repeat.
/// The holdout is the same in all folds and repeats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fold {
    /// Which fold is for validation, counted from 1.
    pub fold: usize,
    /// How many folds there are.
    pub folds: usize,
    /// Which dealing it is, counted from 1.
    pub repeat: usize,
    /// How many dealings there are.
    pub repeats: usize,
    /// What is kept for a test, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Holdout>,
}

/// How many images of each class are kept for a test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holdout {
    /// A share of them.
    Share(f64),
    /// So many.
    Count(usize),
}

impl Holdout {
    /// The images that are kept from a class of `available` images.
    pub(crate) fn size(self, available: usize) -> usize {
        match self {
            Self::Share(share) => largest_remainders(available, &[1.0 - share, share])[1],
            Self::Count(count) => count,
        }
    }
}

impl Fold {
    /// All folds of all repeats, in order.
    pub fn all(folds: usize, repeats: usize, holdout: Option<Holdout>) -> impl Iterator<Item = Self> {
        let of_repeat = move |repeat| (1..=folds).map(move |fold| Self { fold, folds, repeat, repeats, holdout });
        (1..=repeats).flat_map(of_repeat)
    }

    /// The folder of its manifest beside the other folds: `fold-2`, or `repeat-1/fold-2` where there are repeats.
    pub fn folder(&self) -> PathBuf {
        let fold = format!("fold-{}", self.fold);
        if self.repeats == 1 { fold.into() } else { PathBuf::from(format!("repeat-{}", self.repeat)).join(fold) }
    }

    /// What is wrong with it, if anything.
    pub(crate) fn misfit(&self) -> Option<&'static str> {
        let share = |holdout| if let Some(Holdout::Share(share)) = holdout { share } else { 0.5 };
        if self.folds < 2 {
            Some("at least two folds are needed")
        } else if !(1..=self.folds).contains(&self.fold) || !(1..=self.repeats).contains(&self.repeat) {
            Some("there is no such fold")
        } else if !(share(self.holdout) > 0.0 && share(self.holdout) < 1.0) {
            Some("the share that is held out must lie between 0 and 1")
        } else {
            None
        }
    }
}
