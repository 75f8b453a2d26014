//! How units find room in parts of given sizes: [`deal`] in their order and exactly, [`fit`] by size and as well as it goes.

use std::cmp::Reverse;

/// Images that stay together: a group, or an image by itself.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Indices of its images, in natural order of their paths.
    pub(super) members: Vec<usize>,
    /// How many of them are of each class that there is among them.
    pub(super) counts: Vec<(usize, usize)>,
}

impl Unit {
    pub(super) fn add(&mut self, index: usize, class: usize) {
        self.members.push(index);
        match self.counts.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((class, 1)),
        }
    }

    /// Its class, where all images are of one.
    pub(super) fn only_class(&self) -> Option<usize> {
        if let [(class, _)] = self.counts[..] { Some(class) } else { None }
    }
}

/// Deals each unit, given by its number of images, to the first part with room for all of it, or to none where room for
/// the unused is left; `None` if that does not fill every part exactly.
pub(super) fn deal(units: impl ExactSizeIterator<Item = usize> + Clone, sizes: &[usize]) -> Option<Vec<Option<usize>>> {
    let total: usize = units.clone().sum();
    let mut unused = total - sizes.iter().sum::<usize>();
    let mut room = sizes.to_vec();
    let mut parts = Vec::with_capacity(units.len());
    for size in units {
        let part = room.iter().position(|left| *left >= size);
        match part {
            Some(part) => room[part] -= size,
            None => unused = unused.checked_sub(size)?,
        }
        parts.push(part);
    }
    room.iter().all(|left| *left == 0).then_some(parts)
}

/// The part of each of the `chosen` units, or none. Those of several images come first, the largest of them before the
/// others; each goes where the counts of its classes come closest to `sizes`, which has a list of part sizes for each
/// class. Images by themselves fill the parts from the first to the last.
pub(super) fn fit(units: &[Unit], chosen: &[usize], sizes: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut available = vec![0; sizes.len()];
    for (class, count) in chosen.iter().flat_map(|&unit| &units[unit].counts) {
        available[*class] += count;
    }
    // What each part lacks of each class; behind the last part stands what is not to be used.
    let unused = |class: usize| available[class].saturating_sub(sizes[class].iter().sum());
    let mut lacking: Vec<Vec<isize>> = (0..sizes.len())
        .map(|class| sizes[class].iter().copied().chain([unused(class)]).map(|size| size as isize).collect())
        .collect();
    let parts = sizes.first().map_or(0, Vec::len);
    let mut place_of = vec![parts; chosen.len()];
    let mut by_size: Vec<usize> = (0..chosen.len()).collect();
    by_size.sort_by_key(|&place| Reverse(units[chosen[place]].members.len()));
    for place in by_size {
        let unit = &units[chosen[place]];
        // Adding counts c to parts that lack l changes the sum of squares by c² - 2cl.
        let gain = |part: usize| -> isize {
            unit.counts.iter().map(|&(class, count)| count as isize * lacking[class][part]).sum()
        };
        let is_single = unit.members.len() == 1;
        let first_with_room = (0..=parts).find(|&part| is_single && gain(part) > 0);
        let part = first_with_room.or_else(|| (0..=parts).rev().max_by_key(|&part| gain(part))).unwrap_or(parts);
        for &(class, count) in &unit.counts {
            lacking[class][part] -= count as isize;
        }
        place_of[place] = part;
    }
    place_of.into_iter().map(|part| (part < parts).then_some(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units that have these numbers of images of each class.
    fn units(counts: &[&[usize]]) -> Vec<Unit> {
        let unit = |counts: &&[usize]| {
            let mut unit = Unit::default();
            for (class, &count) in counts.iter().enumerate() {
                (0..count).for_each(|_| unit.add(0, class));
            }
            unit
        };
        counts.iter().map(unit).collect()
    }

    #[track_caller]
    fn check(counts: &[&[usize]], sizes: &[&[usize]], expected: &[Option<usize>]) {
        let sizes: Vec<Vec<usize>> = sizes.iter().map(|sizes| sizes.to_vec()).collect();
        let chosen: Vec<usize> = (0..counts.len()).collect();
        assert_eq!(fit(&units(counts), &chosen, &sizes), expected);
    }

    #[test]
    fn dealing_goes_to_the_first_part_with_room_and_is_exact_or_nothing() {
        let deal = |units: &[usize], sizes| deal(units.iter().copied(), sizes);
        assert_eq!(deal(&[1, 2, 1, 1], &[2, 2]), Some(vec![Some(0), Some(1), Some(0), None]));
        assert_eq!(deal(&[2, 2, 2], &[3, 3]), None);
    }

    #[test]
    fn large_groups_go_where_most_is_lacking_and_single_images_fill_up() {
        check(&[&[1], &[2], &[3], &[1], &[1]], &[&[4, 2, 2]], &[Some(0), Some(1), Some(0), Some(2), Some(2)]);
        // The largest overshoots, the others go elsewhere.
        check(&[&[2], &[2], &[6]], &[&[5, 3, 2]], &[Some(1), Some(2), Some(0)]);
        // What is not used is a part as well.
        check(&[&[5], &[1], &[1]], &[&[1, 1]], &[None, Some(0), Some(1)]);
    }

    #[test]
    fn a_group_of_two_classes_goes_where_both_come_closest() {
        check(&[&[2, 2], &[2, 0], &[0, 2]], &[&[2, 2], &[2, 2]], &[Some(0), Some(1), Some(1)]);
        check(&[&[1, 4], &[4, 1]], &[&[4, 1], &[1, 4]], &[Some(1), Some(0)]);
    }
}
