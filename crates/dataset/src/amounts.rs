//! [`Amounts`]: how many images go to each split.

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::split::{Fold, Holdout, Order};

/// How many images each split gets.
///
/// `test` is `None` where there is a test set already, all of which is then used, and `Some` everywhere else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Amounts {
    /// Images of each class; what remains is not used.
    Counts {
        /// For training.
        train: usize,
        /// For validation.
        val: usize,
        /// For the test.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        test: Option<usize>,
    },
    /// Shares of each class, which sum to 1; fractions of images go to the largest remainders, for a tie to the earlier
    /// split.
    Ratios {
        /// For training.
        train: f64,
        /// For validation.
        val: f64,
        /// For the test.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        test: Option<f64>,
    },
    /// One fold for validation, the others for training, and what is held out for the test.
    Fold(Fold),
}

impl Amounts {
    /// Whether an amount for the test set is given.
    pub fn names_test(&self) -> bool {
        match self {
            Self::Counts { test, .. } => test.is_some(),
            Self::Ratios { test, .. } => test.is_some(),
            Self::Fold(fold) => fold.holdout.is_some(),
        }
    }

    /// Checks what can be checked without images: that ratios are positive and sum to 1 within a millionth, that a fold is
    /// one of its folds, and that the order can serve them.
    ///
    /// # Errors
    /// [`DatasetError::Ratios`], [`DatasetError::Fold`] or [`DatasetError::CountsByHash`].
    pub fn check(&self, order: Order) -> Result<(), DatasetError> {
        match self {
            Self::Counts { .. } if order == Order::ByHash => Err(DatasetError::CountsByHash),
            Self::Counts { .. } => Ok(()),
            Self::Ratios { train, val, test } => {
                let ratios: Vec<f64> = [*train, *val].into_iter().chain(*test).collect();
                let sum: f64 = ratios.iter().sum();
                let are_sound = ratios.iter().all(|&ratio| ratio > 0.0) && (sum - 1.0).abs() <= 1e-6;
                if are_sound { Ok(()) } else { Err(DatasetError::Ratios { ratios, sum }) }
            }
            Self::Fold(Fold { holdout: Some(Holdout::Count(_)), .. }) if order == Order::ByHash => {
                Err(DatasetError::CountsByHash)
            }
            Self::Fold(fold) if fold.repeats > 1 && order == Order::InOrder => {
                Err(DatasetError::Fold { reason: "in order, every repeat would be the same" })
            }
            Self::Fold(fold) => fold.misfit().map_or(Ok(()), |reason| Err(DatasetError::Fold { reason })),
        }
    }

    /// The images that train, val and, where an amount for it is given, test are to get from a class of `available` images
    /// beside those of a test set that is there already, without regard to whether they suffice.
    pub fn sizes(&self, available: usize) -> Vec<usize> {
        match *self {
            Self::Counts { train, val, test } => [train, val].into_iter().chain(test).collect(),
            Self::Ratios { train, val, test } => {
                largest_remainders(available, &[train, val].into_iter().chain(test).collect::<Vec<_>>())
            }
            Self::Fold(Fold { fold, folds, holdout, .. }) => {
                let held_out = holdout.map(|holdout| holdout.size(available));
                let rest = available.saturating_sub(held_out.unwrap_or(0));
                let val = largest_remainders(rest, &vec![1.0; folds])[fold - 1];
                [rest - val, val].into_iter().chain(held_out).collect()
            }
        }
    }
}

/// Divides `total` in proportion to `shares` (Hamilton's method): each gets its whole part, and what then remains goes
/// one by one to the largest fractions.
pub(crate) fn largest_remainders(total: usize, shares: &[f64]) -> Vec<usize> {
    let sum: f64 = shares.iter().sum();
    let exact: Vec<f64> = shares.iter().map(|share| total as f64 * share / sum).collect();
    let mut sizes: Vec<usize> = exact.iter().map(|size| size.floor() as usize).collect();
    let mut by_fraction: Vec<usize> = (0..shares.len()).collect();
    by_fraction.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let rest = total.saturating_sub(sizes.iter().sum());
    for &index in by_fraction.iter().take(rest) {
        sizes[index] += 1;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_images_go_to_the_largest_remainders() {
        assert_eq!(largest_remainders(10, &[0.7, 0.15, 0.15]), [7, 2, 1]);
        assert_eq!(largest_remainders(100, &[0.29, 0.29, 0.42]), [29, 29, 42]);
        assert_eq!(largest_remainders(11, &[0.6, 0.2, 0.2]), [7, 2, 2]);
        assert_eq!(largest_remainders(0, &[0.5, 0.5]), [0, 0]);
    }

    #[test]
    fn a_fold_has_what_the_holdout_leaves() {
        let sizes = |fold, holdout| Amounts::Fold(Fold { fold, folds: 3, repeat: 1, repeats: 1, holdout }).sizes(11);
        assert_eq!(sizes(1, None), [7, 4]);
        assert_eq!(sizes(3, None), [8, 3]);
        assert_eq!(sizes(1, Some(Holdout::Share(0.2))), [6, 3, 2]);
        assert_eq!(sizes(3, Some(Holdout::Count(4))), [5, 2, 4]);
    }
}
