//! Images of the same content, which must not stand on both sides of a split.

use std::collections::HashMap;

use crate::finding::{Cause, Finding};

/// A sound image in the search for duplicates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    pub(crate) path: &'a str,
    pub(crate) hash: &'a str,
    pub(crate) class: u32,
    pub(crate) is_test: bool,
}

/// The images to leave out because of others of the same content: all of them where their classes contradict each
/// other, and those that stand in the source's own test set too.
///
/// Other copies stay; they go to the same split.
pub(crate) fn contradictions_and_leaks(contents: &[Content<'_>]) -> Vec<Finding> {
    let mut groups: HashMap<&str, Vec<&Content<'_>>> = HashMap::new();
    for content in contents {
        groups.entry(content.hash).or_default().push(content);
    }
    groups
        .into_values()
        .flat_map(|group| group.iter().filter_map(|content| judge(content, &group)).collect::<Vec<_>>())
        .collect()
}

fn judge(content: &Content<'_>, group: &[&Content<'_>]) -> Option<Finding> {
    let cause = if let Some(other) = group.iter().find(|other| other.class != content.class) {
        Cause::Conflict { of: other.path.to_owned() }
    } else if content.is_test {
        return None;
    } else {
        let other = group.iter().find(|other| other.is_test)?;
        Cause::InTestSet { of: other.path.to_owned() }
    };
    Some(Finding { path: content.path.to_owned(), cause })
}
