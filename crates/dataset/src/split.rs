//! [`assign`]: which images are for training, for validation and for the test.

use std::collections::HashMap;
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
    /// Candidates of one class and one group go to the same split.
    pub group: &'a str,
}

/// Assigns every candidate to a split, or to none where counts leave it over.
///
/// Every class is divided by itself, so that each split holds the classes in the same proportion. A class's groups are
/// sorted by the natural order of their first members and then, where `order` says so, shuffled by the generator
/// `("split", 0, class)`; the outcome does not depend on the order of `candidates`. In that order each group goes to the
/// first split that has room for all of it.
///
/// # Errors
/// Where ratios do not sum to 1, a class has too few images, groups are too large for the amounts to be met exactly, or
/// a split would get no image of a class.
///
/// # Panics
/// Where a candidate's class is not an index into `classes`.
pub fn assign(
    classes: &[String],
    candidates: &[Candidate<'_>],
    amounts: &Amounts,
    order: Order,
    seed: Seed,
) -> Result<Vec<Option<Split>>, DatasetError> {
    amounts.check()?;
    let mut of_class = vec![Vec::new(); classes.len()];
    for (index, candidate) in candidates.iter().enumerate() {
        of_class[candidate.class as usize].push(index);
    }
    let mut assigned = vec![None; candidates.len()];
    for (class, members) in of_class.into_iter().enumerate() {
        let (own_test, pool): (Vec<usize>, Vec<usize>) =
            members.into_iter().partition(|&index| candidates[index].is_test);
        let mut groups = groups(candidates, &pool);
        if order == Order::Shuffled {
            groups.shuffle(&mut seed.rng("split", 0, class as u64));
        }
        let sizes = amounts.sizes(pool.len());
        check_sizes(&classes[class], &sizes, pool.len(), own_test.len())?;
        let Some(splits) = deal(&groups, &sizes) else {
            return Err(DatasetError::GroupsMisfit { class: classes[class].clone() });
        };
        for (group, split) in groups.iter().zip(splits) {
            for &index in group {
                assigned[index] = split;
            }
        }
        for index in own_test {
            assigned[index] = Some(Split::Test);
        }
    }
    Ok(assigned)
}

/// The members of `pool` by group, both in natural order.
fn groups(candidates: &[Candidate<'_>], pool: &[usize]) -> Vec<Vec<usize>> {
    let mut sorted = pool.to_vec();
    sorted.sort_by_cached_key(|&index| natural_key(candidates[index].path));
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in sorted {
        let place = *places.entry(candidates[index].group).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

fn check_sizes(class: &str, sizes: &[usize], available: usize, own_test: usize) -> Result<(), DatasetError> {
    let wanted = sizes.iter().fold(0usize, |sum, &size| sum.saturating_add(size));
    if wanted > available {
        return Err(DatasetError::TooFew { class: class.to_owned(), wanted, available });
    }
    let sizes = sizes.iter().chain(std::iter::repeat(&own_test));
    match Split::ALL.into_iter().zip(sizes).find(|(_, size)| **size == 0) {
        Some((split, _)) => Err(DatasetError::EmptySplit { split, class: class.to_owned(), available }),
        None => Ok(()),
    }
}

/// Deals each group to the first split with room for all of it, or to none where room for the unused is left; `None` if
/// that does not fill every split exactly.
fn deal(groups: &[Vec<usize>], sizes: &[usize]) -> Option<Vec<Option<Split>>> {
    let total: usize = groups.iter().map(Vec::len).sum();
    let mut unused = total - sizes.iter().sum::<usize>();
    let mut room: Vec<(Split, usize)> = Split::ALL.into_iter().zip(sizes.iter().copied()).collect();
    let mut splits = Vec::with_capacity(groups.len());
    for group in groups {
        if let Some((split, left)) = room.iter_mut().find(|(_, left)| *left >= group.len()) {
            *left -= group.len();
            splits.push(Some(*split));
        } else {
            unused = unused.checked_sub(group.len())?;
            splits.push(None);
        }
    }
    room.iter().all(|(_, left)| *left == 0).then_some(splits)
}
