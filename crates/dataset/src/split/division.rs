//! [`Division`]: images into parts, groups whole and classes in proportion.

use std::collections::{HashMap, HashSet};

use aumenta_seed::Seed;
use rand::seq::SliceRandom as _;

use super::fit::{Unit, deal, fit};
use super::fold::Holdout;
use super::hashed;
use super::{Candidate, Order, Split};
use crate::amounts::{Amounts, largest_remainders};
use crate::error::DatasetError;
use crate::natural::natural_key;

/// What is divided, and what the outcome follows from.
pub(super) struct Division<'a> {
    pub(super) classes: &'a [String],
    pub(super) candidates: &'a [Candidate<'a>],
    pub(super) order: Order,
    pub(super) seed: Seed,
}

/// Into what is divided: the parts' names in messages, and how much of each class they get.
pub(super) struct Parts {
    names: Vec<String>,
    sizes: Sizes,
}

enum Sizes {
    /// Images of each class; what remains goes to no part.
    Counts(Vec<usize>),
    /// Shares of each class.
    Shares(Vec<f64>),
    /// All but so many of each class, and these.
    AllBut(usize),
}

impl Parts {
    /// The part of [`Parts::of_holdout`] that is held out.
    pub(super) const HELD_OUT: usize = 1;

    /// Train, val and, where the amounts name it, test.
    pub(super) fn of_splits(amounts: &Amounts) -> Self {
        let sizes = match *amounts {
            Amounts::Counts { train, val, test } => Sizes::Counts([train, val].into_iter().chain(test).collect()),
            Amounts::Ratios { train, val, test } => Sizes::Shares([train, val].into_iter().chain(test).collect()),
            Amounts::Fold(_) => unreachable!("a fold is divided into folds"),
        };
        Self { names: Split::ALL.map(|split| format!("the {split} split")).into(), sizes }
    }

    /// What is divided further, and what is held out.
    pub(super) fn of_holdout(holdout: &Holdout) -> Self {
        let names = ["the rest for the folds".to_owned(), "the test split".to_owned()].into();
        let sizes = match *holdout {
            Holdout::Share(share) => Sizes::Shares(vec![1.0 - share, share]),
            Holdout::Count(count) => Sizes::AllBut(count),
        };
        Self { names, sizes }
    }

    /// So many folds of one size.
    pub(super) fn of_folds(folds: usize) -> Self {
        let names = (1..=folds).map(|fold| format!("fold {fold}")).collect();
        Self { names, sizes: Sizes::Shares(vec![1.0; folds]) }
    }

    /// The images that each part gets from a class of `available` images, without regard to whether they suffice.
    fn sizes(&self, available: usize) -> Vec<usize> {
        match &self.sizes {
            Sizes::Counts(counts) => counts.clone(),
            Sizes::Shares(shares) => largest_remainders(available, shares),
            Sizes::AllBut(count) => vec![available.saturating_sub(*count), *count],
        }
    }
}

impl Division<'_> {
    /// For each image of `pool` its part, as [`assign`](super::assign) describes it. Shuffling follows from the
    /// generators of `stream` for each class.
    pub(super) fn divide(
        &self,
        pool: &[usize],
        stream: (&str, u64),
        parts: &Parts,
    ) -> Result<Vec<Option<usize>>, DatasetError> {
        let of_class = self.count(pool);
        let sizes: Vec<Vec<usize>> = of_class.iter().map(|&available| parts.sizes(available)).collect();
        for (class, available) in of_class.into_iter().enumerate() {
            self.check_sizes(class, &sizes[class], available, parts)?;
        }
        let units = self.units(pool);
        let part_of_unit = match (&parts.sizes, self.order) {
            (Sizes::Shares(shares), Order::ByHash) => {
                let key = |unit: &Unit| self.candidates[unit.members[0]].group;
                units.iter().map(|unit| Some(hashed::part(key(unit), shares, self.seed, stream))).collect()
            }
            _ => self.deal_or_fit(&units, &sizes, stream),
        };
        let mut part_of = HashMap::with_capacity(pool.len());
        for (unit, part) in units.iter().zip(part_of_unit) {
            part_of.extend(unit.members.iter().map(|&index| (index, part)));
        }
        let assigned: Vec<Option<usize>> = pool.iter().map(|index| part_of[index]).collect();
        for (part, name) in parts.names.iter().take(sizes.first().map_or(0, Vec::len)).enumerate() {
            let members: Vec<usize> =
                pool.iter().zip(&assigned).filter(|(_, to)| **to == Some(part)).map(|(&index, _)| index).collect();
            self.check_filled(name, &members)?;
        }
        Ok(assigned)
    }

    /// That a test set that is there already has an image of each class.
    pub(super) fn check_test(&self, members: &[usize]) -> Result<(), DatasetError> {
        match self.count(members).iter().position(|count| *count == 0) {
            None => Ok(()),
            Some(class) => Err(DatasetError::TestClass { class: self.classes[class].clone() }),
        }
    }

    /// That there is an image of each class among `members`.
    fn check_filled(&self, part: &str, members: &[usize]) -> Result<(), DatasetError> {
        match self.count(members).iter().position(|count| *count == 0) {
            None => Ok(()),
            Some(class) => {
                let of_class = self.candidates.iter().filter(|candidate| candidate.class as usize == class);
                let groups: HashSet<&str> = of_class.map(|candidate| candidate.group).collect();
                let (part, class) = (part.to_owned(), self.classes[class].clone());
                Err(DatasetError::TooFewGroups { part, class, groups: groups.len() })
            }
        }
    }

    fn check_sizes(&self, class: usize, sizes: &[usize], available: usize, parts: &Parts) -> Result<(), DatasetError> {
        let class = self.classes[class].clone();
        let wanted = sizes.iter().fold(0usize, |sum, &size| sum.saturating_add(size));
        if wanted > available {
            return Err(DatasetError::TooFew { class, wanted, available });
        }
        match parts.names.iter().zip(sizes).find(|(_, size)| **size == 0) {
            Some((part, _)) => Err(DatasetError::EmptySplit { part: part.clone(), class, available }),
            None => Ok(()),
        }
    }

    /// How many images of each class there are among `members`.
    fn count(&self, members: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &index in members {
            counts[self.candidates[index].class as usize] += 1;
        }
        counts
    }

    /// The members of `pool` by group, both in natural order.
    fn units(&self, pool: &[usize]) -> Vec<Unit> {
        let mut sorted = pool.to_vec();
        sorted.sort_by_cached_key(|&index| natural_key(self.candidates[index].path));
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut units: Vec<Unit> = Vec::new();
        for index in sorted {
            let Candidate { group, class, .. } = self.candidates[index];
            let place = *places.entry(group).or_insert(units.len());
            if place == units.len() {
                units.push(Unit::default());
            }
            units[place].add(index, class as usize);
        }
        units
    }

    /// For each unit its part: class by class as they come where that fills all parts exactly, else by size.
    fn deal_or_fit(&self, units: &[Unit], sizes: &[Vec<usize>], (purpose, number): (&str, u64)) -> Vec<Option<usize>> {
        let mut part_of_unit = vec![None; units.len()];
        let mut is_joined = vec![false; self.classes.len()];
        for unit in units.iter().filter(|unit| unit.counts.len() > 1) {
            for (class, _) in &unit.counts {
                is_joined[*class] = true;
            }
        }
        let shuffled = |mut of_class: Vec<usize>, class: usize| {
            if self.order == Order::Shuffled {
                of_class.shuffle(&mut self.seed.rng(purpose, number, class as u64));
            }
            of_class
        };
        let own =
            |class: usize| (0..units.len()).filter(move |&unit| units[unit].only_class() == Some(class)).collect();
        let mut joined = Vec::new();
        for class in 0..self.classes.len() {
            let own = shuffled(own(class), class);
            if is_joined[class] {
                joined.extend(own);
                continue;
            }
            let dealt = deal(own.iter().map(|&unit| units[unit].members.len()), &sizes[class]);
            for (&unit, part) in own.iter().zip(dealt.unwrap_or_else(|| fit(units, &own, sizes))) {
                part_of_unit[unit] = part;
            }
        }
        let spanning = (0..units.len()).filter(|&unit| units[unit].only_class().is_none()).collect();
        joined.extend(shuffled(spanning, self.classes.len()));
        for (&unit, part) in joined.iter().zip(fit(units, &joined, sizes)) {
            part_of_unit[unit] = part;
        }
        part_of_unit
    }
}
