//! [`assign`]: which images are for training, for validation and for the test.

use std::fmt;

use aumenta_seed::Seed;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::natural::natural_key;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Fitted to.
    Train,
    /// Watched while fitting, and used to choose.
    Val,
    /// Looked at once, at the end.
    Test,
}

impl Split {
    /// All splits, in the order in which a manifest counts its records.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// `train`, `val` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many images each split gets.
///
/// `test` is `None` where the source brings its own test set, all of which is then used, and `Some` everywhere else.
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
}

impl Amounts {
    /// Whether an amount for the test set is given.
    pub fn names_test(&self) -> bool {
        match self {
            Self::Counts { test, .. } => test.is_some(),
            Self::Ratios { test, .. } => test.is_some(),
        }
    }

    /// Checks what can be checked without images: that ratios are positive and sum to 1, within a millionth.
    ///
    /// # Errors
    /// [`DatasetError::Ratios`].
    pub fn check(&self) -> Result<(), DatasetError> {
        let Self::Ratios { train, val, test } = self else { return Ok(()) };
        let ratios: Vec<f64> = [*train, *val].into_iter().chain(*test).collect();
        let sum: f64 = ratios.iter().sum();
        if ratios.iter().all(|&ratio| ratio > 0.0) && (sum - 1.0).abs() <= 1e-6 {
            return Ok(());
        }
        Err(DatasetError::Ratios { ratios, sum })
    }

    /// The images that each split gets from a class of `available` images, without regard to whether they suffice.
    fn sizes(&self, available: usize) -> Vec<usize> {
        match *self {
            Self::Counts { train, val, test } => [train, val].into_iter().chain(test).collect(),
            Self::Ratios { train, val, test } => {
                largest_remainders(available, &[train, val].into_iter().chain(test).collect::<Vec<_>>())
            }
        }
    }
}

/// Divides `total` in proportion to `shares` (Hamilton's method): each gets its whole part, and what then remains goes
/// one by one to the largest fractions.
fn largest_remainders(total: usize, shares: &[f64]) -> Vec<usize> {
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

/// In which order the images of a class are dealt to train, val and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Shuffled by the seed.
    #[default]
    Shuffled,
    /// In natural order of their paths: the first ones for training, the next for validation, the next for the test.
    InOrder,
}

/// An image to be assigned.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its path within the source.
    pub path: &'a str,
    /// The index of its class.
    pub class: u32,
    /// Whether it belongs to a test set that the source brings along.
    pub is_test: bool,
}

/// Assigns every candidate to a split, or to none where counts leave it over.
///
/// Every class is divided by itself, so that each split holds the classes in the same proportion. A class's images are
/// sorted by natural order first and then, where `order` says so, shuffled by the generator `("split", 0, class)`: the
/// outcome does not depend on the order of `candidates`.
///
/// # Errors
/// Where ratios do not sum to 1, a class has too few images, or a split would get no image of a class.
pub fn assign(
    classes: &[String],
    candidates: &[Candidate<'_>],
    amounts: &Amounts,
    order: Order,
    seed: Seed,
) -> Result<Vec<Option<Split>>, DatasetError> {
    amounts.check()?;
    let mut assigned = vec![None; candidates.len()];
    for (class, name) in classes.iter().enumerate() {
        let of_class = (0..candidates.len()).filter(|&index| candidates[index].class as usize == class);
        let (own_test, mut pool): (Vec<usize>, Vec<usize>) = of_class.partition(|&index| candidates[index].is_test);
        pool.sort_by_cached_key(|&index| natural_key(candidates[index].path));
        if order == Order::Shuffled {
            pool.shuffle(&mut seed.rng("split", 0, class as u64));
        }
        let sizes = amounts.sizes(pool.len());
        let wanted = sizes.iter().fold(0usize, |sum, &size| sum.saturating_add(size));
        if wanted > pool.len() {
            return Err(DatasetError::TooFew { class: name.clone(), wanted, available: pool.len() });
        }
        let splits = Split::ALL.into_iter().zip(sizes).flat_map(|(split, size)| std::iter::repeat_n(split, size));
        for (&index, split) in pool.iter().zip(splits) {
            assigned[index] = Some(split);
        }
        for &index in &own_test {
            assigned[index] = Some(Split::Test);
        }
        let holds = |split| pool.iter().chain(&own_test).any(|&index| assigned[index] == Some(split));
        if let Some(split) = Split::ALL.into_iter().find(|&split| !holds(split)) {
            return Err(DatasetError::EmptySplit { split, class: name.clone(), available: pool.len() });
        }
    }
    Ok(assigned)
}
