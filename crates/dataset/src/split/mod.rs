//! [`assign`]: which images are for training, for validation and for the test.

mod division;
mod fit;
mod fold;
mod hashed;

use std::fmt;

use aumenta_seed::Seed;
use serde::{Deserialize, Serialize};

use self::division::{Division, Parts};
pub use self::fold::{Fold, Holdout};
use crate::amounts::Amounts;
use crate::error::DatasetError;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// In none: the split of a group follows from its key, the seed and the ratios alone, so that files that come later
    /// change nothing for those that were there. Sizes are then what chance makes of the ratios.
    ///
    /// The one exception: where a new file joins two groups that stood apart, one of them moves to the other.
    ByHash,
}

/// An image to be assigned.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its path within the source.
    pub path: &'a str,
    /// The index of its class.
    pub class: u32,
    /// Whether it belongs to a test set that is not to be drawn.
    pub is_test: bool,
    /// The key of its group. Candidates of one group go to the same split, whatever their classes.
    pub group: &'a str,
}

/// Assigns every candidate to a split, or to none where counts leave it over.
///
/// Every class is divided by itself, so that each split holds the classes in the same proportion. A class's groups are
/// sorted by the natural order of their first members and then, where `order` says so, shuffled by the generator
/// `("split", 0, class)`; the outcome does not depend on the order of `candidates`. In that order each group goes to the
/// first split that has room for all of it.
///
/// Where that does not fill the splits of a class exactly, or where groups span classes, groups go by size instead, the
/// largest first, each to the split where it brings the counts of its classes closest to the wanted ones (by the sum of
/// squares, which for a group of one class is the split that lacks most images). Single images come last and fill what
/// is left. If all groups are of one class, no split then misses its size by as much as the largest group.
///
/// For a [`Fold`], the holdout is divided off first, shuffled by `("holdout", 0, class)`, and the rest is dealt to all
/// folds, shuffled by `("split", repeat, class)`.
///
/// # Errors
/// Where amounts contradict themselves or the order, a class has too few images or too few groups, or a split would get
/// no image of a class.
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
    amounts.check(order)?;
    let division = Division { classes, candidates, order, seed };
    let (own_test, pool): (Vec<usize>, Vec<usize>) =
        (0..candidates.len()).partition(|&index| candidates[index].is_test);
    let mut assigned = vec![None; candidates.len()];
    for &index in &own_test {
        assigned[index] = Some(Split::Test);
    }
    if !own_test.is_empty() {
        division.check_test(&own_test)?;
    }
    let Amounts::Fold(fold) = amounts else {
        let parts = division.divide(&pool, ("split", 0), &Parts::of_splits(amounts))?;
        for (index, part) in pool.into_iter().zip(parts) {
            assigned[index] = part.map(|part| Split::ALL[part]);
        }
        return Ok(assigned);
    };
    let mut rest = pool;
    if let Some(holdout) = &fold.holdout {
        let parts = division.divide(&rest, ("holdout", 0), &Parts::of_holdout(holdout))?;
        for (&index, part) in rest.iter().zip(parts) {
            assigned[index] = (part == Some(Parts::HELD_OUT)).then_some(Split::Test);
        }
        rest.retain(|&index| assigned[index].is_none());
    }
    let parts = division.divide(&rest, ("split", fold.repeat as u64), &Parts::of_folds(fold.folds))?;
    for (index, part) in rest.into_iter().zip(parts) {
        assigned[index] = Some(if part == Some(fold.fold - 1) { Split::Val } else { Split::Train });
    }
    Ok(assigned)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

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
    fn groups_that_leave_gaps_go_by_size_and_an_empty_split_is_an_error() {
        let names = names([7, 6]);
        let mut candidates = candidates(&names);
        for index in [1, 3, 5] {
            candidates[index].group = candidates[index - 1].group;
        }
        let sizes = |candidates: &[Candidate<'_>], amounts: &Amounts| {
            let assigned = assigned(candidates, amounts, Order::InOrder)?;
            let size = |split| assigned[..7].iter().filter(|to| **to == Some(split)).count();
            Ok::<_, DatasetError>(Split::ALL.map(size))
        };
        assert_eq!(sizes(&candidates, &ratios(0.5, 0.3, 0.2)).unwrap(), [4, 2, 1]);
        candidates[6].group = candidates[0].group;
        assert_eq!(sizes(&candidates, &counts(3, 2, 1)).unwrap(), [3, 2, 2]);
        candidates[5].group = candidates[0].group;
        candidates[4].group = candidates[0].group;
        let error = sizes(&candidates, &counts(3, 2, 1)).unwrap_err();
        assert!(matches!(&error, DatasetError::TooFewGroups { class, groups: 2, .. } if class == "cat"), "{error}");
    }

    #[test]
    fn a_group_of_both_classes_goes_to_one_split() {
        let names = names([10, 10]);
        let mut candidates = candidates(&names);
        for pair in [2, 5] {
            candidates[10 + pair].group = candidates[pair].group;
        }
        for order in [Order::Shuffled, Order::InOrder] {
            let assigned = assigned(&candidates, &counts(5, 3, 2), order).unwrap();
            assert_eq!((assigned[2], assigned[5]), (assigned[12], assigned[15]));
            for of_class in [&assigned[..10], &assigned[10..]] {
                let size = |split| of_class.iter().filter(|to| **to == Some(split)).count();
                assert_eq!(Split::ALL.map(size), [5, 3, 2]);
            }
        }
    }

    fn fold(fold: usize, folds: usize, repeat: usize, holdout: Option<Holdout>) -> Amounts {
        Amounts::Fold(Fold { fold, folds, repeat, repeats: 2, holdout })
    }

    #[test]
    fn every_image_is_validated_on_once_a_repeat_and_the_holdout_never() {
        let names = names([13, 11]);
        let candidates = candidates(&names);
        let holdout = Some(Holdout::Count(2));
        let (mut tests, mut dealings) = (Vec::new(), Vec::new());
        for repeat in [1, 2] {
            let mut validated = [0; 24];
            for (number, sizes) in [(1, [4, 3]), (2, [4, 3]), (3, [3, 3])] {
                let assigned = assigned(&candidates, &fold(number, 3, repeat, holdout), Order::Shuffled).unwrap();
                let is_val = |to: &Option<Split>| *to == Some(Split::Val);
                for (times, split) in validated.iter_mut().zip(&assigned) {
                    *times += usize::from(is_val(split));
                }
                let of_class = [&assigned[..13], &assigned[13..]];
                assert_eq!(of_class.map(|of_class| of_class.iter().filter(|to| is_val(to)).count()), sizes);
                tests.push(paths(&candidates, &assigned, Some(Split::Test)));
                dealings.push(paths(&candidates, &assigned, Some(Split::Val)));
            }
            assert_eq!(validated.iter().filter(|times| **times == 0).count(), 4);
            assert!(validated.iter().all(|times| *times < 2));
        }
        tests.dedup();
        assert_eq!(tests.len(), 1);
        assert_ne!(dealings[0], dealings[3]);
    }

    #[test]
    fn folds_in_order_follow_each_other() {
        let names = names([6, 6]);
        let candidates = candidates(&names);
        let one = Amounts::Fold(Fold { fold: 2, folds: 3, repeat: 1, repeats: 1, holdout: None });
        let assigned = assigned(&candidates, &one, Order::InOrder).unwrap();
        let val = paths(&candidates, &assigned, Some(Split::Val));
        assert_eq!(val, ["cat.2.jpg", "cat.3.jpg", "dog.2.jpg", "dog.3.jpg"]);
    }

    #[test]
    fn impossible_folds_say_why() {
        let names = names([4, 4]);
        let candidates = candidates(&names);
        let check = |amounts, order, message: &str| {
            let error = assigned(&candidates, &amounts, order).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        check(fold(1, 1, 1, None), Order::Shuffled, "at least two folds");
        check(fold(4, 3, 1, None), Order::Shuffled, "no such fold");
        check(fold(1, 2, 1, Some(Holdout::Share(1.0))), Order::Shuffled, "between 0 and 1");
        check(fold(1, 5, 1, None), Order::Shuffled, "fold 5 would get no image of class `cat`");
        check(fold(1, 2, 1, None), Order::InOrder, "every repeat would be the same");
        check(counts(1, 1, 1), Order::ByHash, "shares and no counts");
        check(fold(1, 2, 1, Some(Holdout::Count(1))), Order::ByHash, "shares and no counts");
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

    /// Images of two classes in groups that have these numbers of images of each.
    fn grouped(groups: &[(usize, usize)]) -> Vec<(String, u32, String)> {
        let mut names = Vec::new();
        for (number, (cats, dogs)) in groups.iter().enumerate() {
            let of_class = |class: u32, count: usize| {
                (0..count).map(move |image| (format!("{class}/{number}-{image}.png"), class, format!("group {number}")))
            };
            names.extend(of_class(0, *cats).chain(of_class(1, *dogs)));
        }
        names
    }

    fn grouped_candidates(names: &[(String, u32, String)]) -> Vec<Candidate<'_>> {
        names.iter().map(|(path, class, group)| Candidate { path, class: *class, is_test: false, group }).collect()
    }

    fn splits_of_groups<'a>(
        candidates: &[Candidate<'a>],
        assigned: &[Option<Split>],
    ) -> HashMap<&'a str, HashSet<Option<Split>>> {
        let mut splits: HashMap<&str, HashSet<Option<Split>>> = HashMap::new();
        for (candidate, split) in candidates.iter().zip(assigned) {
            splits.entry(candidate.group).or_default().insert(*split);
        }
        splits
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

        #[test]
        fn no_group_is_divided_and_classes_keep_their_shares_up_to_the_largest_group(
            pure in prop::collection::vec((1usize..9, any::<bool>()), 12..40),
            mixed in prop::collection::vec((1usize..5, 1usize..5), 0..6),
            in_order: bool, seed: u64, rotation in 0usize..50,
        ) {
            let groups: Vec<_> = pure.iter().map(|&(size, is_cat)| if is_cat { (size, 0) } else { (0, size) })
                .chain(mixed.iter().copied()).chain([(1, 0); 6]).chain([(0, 1); 6]).collect();
            let names = grouped(&groups);
            let candidates = grouped_candidates(&names);
            let order = if in_order { Order::InOrder } else { Order::Shuffled };
            let amounts = ratios(0.6, 0.2, 0.2);
            let assigned = assign(&classes(), &candidates, &amounts, order, Seed::new(seed)).unwrap();

            prop_assert!(assigned.iter().all(Option::is_some));
            prop_assert!(splits_of_groups(&candidates, &assigned).values().all(|splits| splits.len() == 1));
            let largest = groups.iter().map(|(cats, dogs)| cats + dogs).max().unwrap();
            for class in [0, 1] {
                let of_class = || candidates.iter().zip(&assigned).filter(|(candidate, _)| candidate.class == class);
                let wanted = amounts.sizes(of_class().count());
                for (split, wanted) in Split::ALL.into_iter().zip(wanted) {
                    let reached = of_class().filter(|(_, to)| **to == Some(split)).count();
                    prop_assert!(reached.abs_diff(wanted) < largest, "{reached} for {wanted}, groups to {largest}");
                }
            }

            let mut rotated = candidates.clone();
            rotated.rotate_left(rotation % candidates.len());
            let mut again = assign(&classes(), &rotated, &amounts, order, Seed::new(seed)).unwrap();
            again.rotate_right(rotation % candidates.len());
            prop_assert_eq!(assigned, again);
        }

        #[test]
        fn files_that_come_later_move_no_group_that_is_assigned_by_hash(
            cats in 60usize..90, dogs in 60usize..90, more in 1usize..40, folded: bool, seed: u64,
        ) {
            let names = names([cats + more, dogs + more]);
            let all = candidates(&names);
            let is_early = |candidate: &&Candidate<'_>| {
                let number: usize = candidate.path.split('.').nth(1).unwrap().parse().unwrap();
                number < if candidate.class == 0 { cats } else { dogs }
            };
            let early: Vec<Candidate<'_>> = all.iter().filter(is_early).copied().collect();
            let amounts = if folded { fold(2, 3, 1, Some(Holdout::Share(0.2))) } else { ratios(0.6, 0.2, 0.2) };
            let assigned = |candidates: &[Candidate<'_>]| {
                assign(&classes(), candidates, &amounts, Order::ByHash, Seed::new(seed))
            };
            let (before, after) = (assigned(&early).unwrap(), assigned(&all).unwrap());
            let kept: Vec<_> = all.iter().zip(&after).filter(|(candidate, _)| is_early(candidate)).collect();
            prop_assert!(kept.iter().map(|(_, split)| **split).eq(before));
        }
    }
}
