//! Images of the same bytes, of the same pixels, and those that look alike, and what they are to each other. They must not
//! stand on both sides of a split.

use std::collections::HashMap;

use crate::finding::{Cause, Finding};
use crate::natural::natural_key;
use crate::scan::Facts;

/// A sound image beside others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    pub(crate) path: &'a str,
    pub(crate) facts: &'a Facts,
    /// Its class, where classes are known: then those of all images are.
    pub(crate) class: Option<u32>,
    /// Whether it is of a test set that is there already.
    pub(crate) is_test: bool,
}

impl<'a> Content<'a> {
    fn hash(&self) -> &'a str {
        &self.facts.hash
    }

    fn pixel_hash(&self) -> Option<&'a str> {
        Some(self.facts.pixels.as_ref()?.hash.as_str())
    }

    fn finding(&self, cause: Cause) -> Finding {
        Finding { path: self.path.to_owned(), cause }
    }
}

/// In the natural order of paths, of which the first that have something in common is the one that others are said to copy.
pub(crate) fn in_natural_order(contents: &mut [Content<'_>]) {
    contents.sort_by_cached_key(|content| natural_key(content.path));
}

/// What images of the same bytes are to each other: all of them [`Cause::Conflict`] where their classes contradict each
/// other; else [`Cause::InTestSet`] those outside the test set where one is in it; and [`Cause::Copy`] the other ones that
/// are not the first. `contents` are in natural order.
pub(crate) fn copies(contents: &[Content<'_>]) -> Vec<Finding> {
    let groups = groups(contents, |content| Some(content.hash()));
    groups.iter().flat_map(|group| group.iter().filter_map(|content| copy(content, group))).collect()
}

fn copy(content: &Content<'_>, group: &[Content<'_>]) -> Option<Finding> {
    let of = |other: &Content<'_>| other.path.to_owned();
    let cause = if let Some(other) = group.iter().find(|other| other.class != content.class) {
        Cause::Conflict { of: of(other) }
    } else if let Some(test) = group.iter().find(|other| other.is_test).filter(|_| !content.is_test) {
        Cause::InTestSet { of: of(test) }
    } else if content.path == group[0].path {
        return None;
    } else {
        Cause::Copy { of: of(&group[0]) }
    };
    Some(content.finding(cause))
}

/// Images of the same pixels and other bytes, each with the first of them. `contents` are in natural order.
pub(crate) fn same_pixels(contents: &[Content<'_>]) -> Vec<Finding> {
    // Of images of the same bytes the first speaks for all.
    let by_bytes = groups(contents, |content| Some(content.hash()));
    let distinct: Vec<Content<'_>> = by_bytes.iter().map(|group| group[0]).collect();
    let finding = |first: &Content<'_>, other: &Content<'_>| {
        let (of, is_other_class) = (first.path.to_owned(), first.class != other.class);
        other.finding(Cause::SamePixels { of, is_other_class })
    };
    let groups = groups(&distinct, Content::pixel_hash);
    groups.iter().flat_map(|group| group[1..].iter().map(|other| finding(&group[0], other))).collect()
}

/// That two images look alike, unless they are copies.
pub(crate) fn near_duplicate(mut pair: [Content<'_>; 2], similarity: f32) -> Option<Finding> {
    in_natural_order(&mut pair);
    let [first, second] = pair;
    let have_same_pixels = first.pixel_hash().is_some() && first.pixel_hash() == second.pixel_hash();
    if first.hash() == second.hash() || have_same_pixels {
        return None;
    }
    let (of, is_other_class) = (first.path.to_owned(), first.class != second.class);
    Some(second.finding(Cause::NearDuplicate { of, similarity: Some(similarity), is_other_class }))
}

/// Images of one key, the groups and what is in them in the order given; those without a key are left out.
fn groups<'a>(contents: &[Content<'a>], key: impl Fn(&Content<'a>) -> Option<&'a str>) -> Vec<Vec<Content<'a>>> {
    let mut place = HashMap::new();
    let mut groups: Vec<Vec<Content<'a>>> = Vec::new();
    for content in contents {
        let Some(key) = key(content) else { continue };
        let at = *place.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(*content);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn copies_contradict_leak_or_repeat_in_this_order() {
        let [a, b, c] = ["a", "b", "c"].map(|hash| Facts { hash: hash.to_owned(), ..sample::facts() });
        let content = |(path, facts, class, is_test)| Content { path, facts, class: Some(class), is_test };
        let mut contents = [
            ("10", &a, 0, false),
            ("2", &a, 0, false),
            ("3", &a, 0, true),
            ("4", &b, 0, false),
            ("5", &b, 1, true),
            ("6", &c, 0, false),
        ]
        .map(content);
        in_natural_order(&mut contents);
        let found: Vec<String> = copies(&contents).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "2: has the same content as 3 of the test set",
                "3: has the same content as 2",
                "10: has the same content as 3 of the test set",
                "4: has the same content as 5, which is of another class",
                "5: has the same content as 4, which is of another class",
            ]
        );
        let unlabeled: Vec<Content<'_>> = contents.iter().map(|content| Content { class: None, ..*content }).collect();
        assert!(copies(&unlabeled).iter().all(|finding| !finding.cause.crosses_classes()));
    }
}
