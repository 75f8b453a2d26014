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

/// The images to leave out so that no content is left twice: all but the first of each content, and every one where
/// their classes contradict each other.
///
/// The first is the first by order, but an image of the source's own test set goes before the others, so that results
/// on that set stay comparable.
pub(crate) fn duplicates(contents: &[Content<'_>]) -> Vec<Finding> {
    let mut groups: HashMap<&str, Vec<&Content<'_>>> = HashMap::new();
    for content in contents {
        groups.entry(content.hash).or_default().push(content);
    }
    let mut findings = Vec::new();
    for mut group in groups.into_values().filter(|group| group.len() > 1) {
        group.sort_by_key(|content| !content.is_test);
        let kept = group[0];
        let contradicting = group.iter().find(|content| content.class != kept.class);
        if let Some(other) = contradicting {
            findings.push(finding(kept, Cause::Conflict { of: other.path.to_owned() }));
        }
        findings.extend(group[1..].iter().map(|content| {
            let of = kept.path.to_owned();
            finding(content, if contradicting.is_some() { Cause::Conflict { of } } else { Cause::Duplicate { of } })
        }));
    }
    findings
}

fn finding(content: &Content<'_>, cause: Cause) -> Finding {
    Finding { path: content.path.to_owned(), cause }
}
