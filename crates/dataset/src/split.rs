//! [`assign`]: which images are for training, for validation and for the test.

use std::collections::HashMap;
use std::fmt;

use aumenta_seed::Seed;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::amounts::Amounts;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classes() -> Vec<String> {
        vec!["cat".to_owned(), "dog".to_owned()]
    }

    fn names(counts: [usize; 2]) -> Vec<(String, u32)> {
        let class = |class: u32, name: &str| {
            (0..counts[class as usize]).map(|n| (format!("{name}.{n}.jpg"), class)).collect::<Vec<_>>()
        };
        [class(0, "cat"), class(1, "dog")].concat()
    }

    fn candidates(names: &[(String, u32)]) -> Vec<Candidate<'_>> {
        names.iter().map(|(path, class)| Candidate { path, class: *class, is_test: false, group: path }).collect()
    }

    fn counts(train: usize, val: usize, test: usize) -> Amounts {
        Amounts::Counts { train, val, test: Some(test) }
    }

    fn ratios(train: f64, val: f64, test: f64) -> Amounts {
        Amounts::Ratios { train, val, test: Some(test) }
    }

    fn assigned(
        candidates: &[Candidate<'_>],
        amounts: &Amounts,
        order: Order,
    ) -> Result<Vec<Option<Split>>, DatasetError> {
        assign(&classes(), candidates, amounts, order, Seed::new(7))
    }

    /// Paths assigned to `split`, in the order of the candidates.
    fn paths<'a>(candidates: &[Candidate<'a>], assigned: &[Option<Split>], split: Option<Split>) -> Vec<&'a str> {
        candidates.iter().zip(assigned).filter(|(_, to)| **to == split).map(|(candidate, _)| candidate.path).collect()
    }

    #[test]
    fn in_order_means_the_natural_order_of_names() {
        let names = names([12, 12]);
        let mut candidates = candidates(&names);
        candidates.reverse();
        let assigned = assigned(&candidates, &counts(10, 1, 1), Order::InOrder).unwrap();
        assert_eq!(paths(&candidates, &assigned, Some(Split::Val)), ["dog.10.jpg", "cat.10.jpg"]);
        assert_eq!(paths(&candidates, &assigned, Some(Split::Test)), ["dog.11.jpg", "cat.11.jpg"]);
    }

    #[test]
    fn shuffling_follows_from_the_seed_and_not_from_the_order_of_candidates() {
        let names = names([50, 50]);
        let forward = candidates(&names);
        let backward: Vec<_> = forward.iter().rev().copied().collect();
        let amounts = counts(20, 10, 10);
        let train = |candidates: &[Candidate<'_>], seed| {
            let assigned = assign(&classes(), candidates, &amounts, Order::Shuffled, Seed::new(seed)).unwrap();
            let mut paths: Vec<String> =
                paths(candidates, &assigned, Some(Split::Train)).into_iter().map(str::to_owned).collect();
            paths.sort();
            paths
        };
        assert_eq!(train(&forward, 1), train(&backward, 1));
        assert_ne!(train(&forward, 1), train(&forward, 2));
        let in_order = assigned(&forward, &amounts, Order::InOrder).unwrap();
        assert_ne!(train(&forward, 1), paths(&forward, &in_order, Some(Split::Train)));
    }

    #[test]
    fn a_change_in_one_class_leaves_the_others_as_they_were() {
        let (few, many) = (names([20, 20]), names([20, 25]));
        let cats = |names: &[(String, u32)]| {
            let candidates = candidates(names);
            let assigned = assigned(&candidates, &counts(10, 5, 5), Order::Shuffled).unwrap();
            assigned[..20].to_vec()
        };
        assert_eq!(cats(&few), cats(&many));
    }

    #[test]
    fn copies_go_to_one_split_and_counts_stay_exact() {
        let names = names([10, 10]);
        let mut candidates = candidates(&names);
        // The copy of cat.1 would go to validation by itself.
        candidates[6].group = candidates[1].group;
        let assigned = assigned(&candidates, &counts(5, 3, 2), Order::InOrder).unwrap();
        let cats = |split| paths(&candidates[..10], &assigned, Some(split));
        assert_eq!(cats(Split::Train), ["cat.0.jpg", "cat.1.jpg", "cat.2.jpg", "cat.3.jpg", "cat.6.jpg"]);
        assert_eq!(cats(Split::Val), ["cat.4.jpg", "cat.5.jpg", "cat.7.jpg"]);
        assert_eq!(cats(Split::Test), ["cat.8.jpg", "cat.9.jpg"]);
    }

    #[test]
    fn copies_that_leave_a_gap_are_an_error_that_names_the_class() {
        let names = names([6, 6]);
        let mut candidates = candidates(&names);
        for index in [1, 3, 5] {
            candidates[index].group = candidates[index - 1].group;
        }
        let error = assigned(&candidates, &counts(3, 2, 1), Order::InOrder).unwrap_err();
        assert!(matches!(&error, DatasetError::GroupsMisfit { class } if class == "cat"), "{error}");
    }

    #[test]
    fn a_test_set_that_is_brought_along_is_used_whole() {
        let names = names([10, 10]);
        let mut candidates = candidates(&names);
        for index in [8, 9, 19] {
            candidates[index].is_test = true;
        }
        let amounts = Amounts::Ratios { train: 0.75, val: 0.25, test: None };
        let assigned = assigned(&candidates, &amounts, Order::Shuffled).unwrap();
        assert_eq!(paths(&candidates, &assigned, Some(Split::Test)), ["cat.8.jpg", "cat.9.jpg", "dog.9.jpg"]);
        assert_eq!(paths(&candidates, &assigned, Some(Split::Train)).len(), 6 + 7);
    }

    #[test]
    fn impossible_amounts_name_the_class_and_the_numbers() {
        let names = names([10, 4]);
        let candidates = candidates(&names);
        let error = |amounts| assigned(&candidates, &amounts, Order::Shuffled).unwrap_err().to_string();
        assert!(error(counts(5, 1, 1)).contains("class `dog` has 4 usable images, 7 are wanted"));
        assert!(error(counts(usize::MAX, 1, 1)).contains("class `cat` has 10"));
        assert!(error(counts(2, 1, 0)).contains("the test split would get no image of class `cat`"));
        assert!(error(ratios(0.9, 0.05, 0.05)).contains("the test split would get no image of class `cat`"));
        assert!(error(ratios(0.6, 0.2, 0.1)).contains("the ratios 0.6, 0.2, 0.1 must"));
        assert!(error(ratios(1.5, -0.25, -0.25)).contains("above 0"));
        assert!(error(ratios(f64::NAN, 0.5, 0.5)).contains("NaN"));
    }

    proptest! {
        #[test]
        fn counts_are_exact_and_ratios_use_every_image(
            cats in 10usize..60, dogs in 10usize..60, train in 1usize..5, val in 1usize..4, test in 1usize..3, seed: u64,
        ) {
            let names = names([cats, dogs]);
            let candidates = candidates(&names);
            let total = (train + val + test) as f64;
            let shares = ratios(train as f64 / total, val as f64 / total, test as f64 / total);
            for amounts in [counts(train, val, test), shares] {
                let assigned = assign(&classes(), &candidates, &amounts, Order::Shuffled, Seed::new(seed)).unwrap();
                for (class, available) in [(0, cats), (1, dogs)] {
                    let of_class = candidates.iter().zip(&assigned).filter(|(candidate, _)| candidate.class == class);
                    let splits: Vec<_> = of_class.map(|(_, split)| *split).collect();
                    let sizes = Split::ALL.map(|split| splits.iter().filter(|to| **to == Some(split)).count());
                    if matches!(amounts, Amounts::Counts { .. }) {
                        prop_assert_eq!(sizes, [train, val, test]);
                    } else {
                        prop_assert_eq!(sizes.iter().sum::<usize>(), available);
                        for (size, wanted) in sizes.into_iter().zip([train, val, test]) {
                            prop_assert!((size as f64 - available as f64 * wanted as f64 / total).abs() < 1.0);
                        }
                    }
                }
            }
        }
    }
}
