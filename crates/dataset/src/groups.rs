//! [`Groups`]: images that must stay on one side of a split, and why.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::natural::natural_key;
use crate::pattern::Pattern;
use crate::source::Source;
use crate::table::{ColumnRule, Table};

/// Where the name of an image's group stands, such as that of a patient or a burst. Images of one name are not divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupRule {
    /// The group `(?P<group>...)`, or the only one, of a regular expression that is searched in the image's path. It must
    /// find something for every image.
    Pattern(String),
    /// A column of a CSV file. An image whose cell is empty, or that has no row, is declared of no group.
    Csv(ColumnRule),
}

impl GroupRule {
    /// For each entry of `source` the name of its group, and the rule with the columns that were found.
    ///
    /// # Errors
    /// Where the rule does not apply.
    pub(crate) fn apply(&self, source: &dyn Source) -> Result<(Vec<Option<String>>, Self), DatasetError> {
        match self {
            Self::Pattern(pattern) => {
                let names = Pattern::new(pattern, "group")?.find_all(source)?;
                Ok((names.into_iter().map(|name| Some(name.to_owned())).collect(), self.clone()))
            }
            Self::Csv(rule) => {
                let table = Table::read(&rule.file)?;
                let column = table.column(rule, source)?;
                let mut names = Vec::with_capacity(source.entries().len());
                for value in column.values(source)?.of_entry {
                    let name = value.filter(|name| !name.is_empty());
                    if let Some(name) = name.filter(|name| !is_group_name(name)) {
                        return Err(DatasetError::GroupName { name: name.to_owned() });
                    }
                    names.push(name.map(str::to_owned));
                }
                Ok((names, Self::Csv(column.rule())))
            }
        }
    }
}

/// Whether `name` can name a group: it is shown to people.
pub(crate) fn is_group_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

/// What is known of an image when groups are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) path: &'a str,
    /// What only copies have in common: the hash.
    pub(crate) content: &'a str,
    /// The name of the group that it is declared of.
    pub(crate) declared: Option<&'a str>,
}

/// The groups of a list of images: exact copies, near-duplicates and those declared of one group are together, and what is
/// together with the same image is together.
#[derive(Debug)]
pub(crate) struct Groups {
    /// For each image the key of its group: the first of its declared names, else the smallest hash of its images. It does
    /// not change when images come that join no other group.
    pub(crate) keys: Vec<String>,
    /// For each image the number of its group, where that has several images or a declared name. Groups are counted from 0
    /// in the natural order of their first paths.
    pub(crate) numbers: Vec<Option<u32>>,
    /// For each image the number of its group of near-duplicates, counted in the same way.
    pub(crate) near_numbers: Vec<Option<u32>>,
}

impl Groups {
    /// The groups of `members`, among which the pairs of `near` are near-duplicates.
    pub(crate) fn of(members: &[Member<'_>], near: &[[usize; 2]]) -> Self {
        let mut near_sets = Sets::of(members.len());
        for &[first, second] in near {
            near_sets.join(first, second);
        }
        let mut sets = near_sets.clone();
        let (mut by_content, mut by_name) = (HashMap::new(), HashMap::new());
        for (index, member) in members.iter().enumerate() {
            sets.join(index, *by_content.entry(member.content).or_insert(index));
            if let Some(name) = member.declared {
                sets.join(index, *by_name.entry(name).or_insert(index));
            }
        }
        let roots: Vec<usize> = (0..members.len()).map(|index| sets.root(index)).collect();
        let mut names: HashMap<usize, &str> = HashMap::new();
        let mut contents: HashMap<usize, &str> = HashMap::new();
        for (member, &root) in members.iter().zip(&roots) {
            contents
                .entry(root)
                .and_modify(|content| *content = member.content.min(*content))
                .or_insert(member.content);
            if let Some(declared) = member.declared {
                names.entry(root).and_modify(|name| *name = declared.min(*name)).or_insert(declared);
            }
        }
        let key = |root| match names.get(root) {
            Some(name) => format!("name {name}"),
            None => format!("content {}", contents[root]),
        };
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_cached_key(|&index| natural_key(members[index].path));
        let near_roots: Vec<usize> = (0..members.len()).map(|index| near_sets.root(index)).collect();
        Self {
            keys: roots.iter().map(key).collect(),
            numbers: numbered(&roots, &order, |root| names.contains_key(&root)),
            near_numbers: numbered(&near_roots, &order, |_| false),
        }
    }
}

/// For each image the number of its set, counted in `order` over those of several images and those that are `named`.
fn numbered(roots: &[usize], order: &[usize], is_named: impl Fn(usize) -> bool) -> Vec<Option<u32>> {
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    for root in roots {
        *sizes.entry(*root).or_default() += 1;
    }
    let mut numbers: HashMap<usize, u32> = HashMap::new();
    for &index in order {
        let root = roots[index];
        if sizes[&root] > 1 || is_named(root) {
            let next = numbers.len() as u32;
            numbers.entry(root).or_insert(next);
        }
    }
    roots.iter().map(|root| numbers.get(root).copied()).collect()
}

/// Disjoint sets of indices (union by size, with halving of paths).
#[derive(Clone, Debug)]
struct Sets {
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl Sets {
    fn of(count: usize) -> Self {
        Self { parents: (0..count).collect(), sizes: vec![1; count] }
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.parents[index] != index {
            self.parents[index] = self.parents[self.parents[index]];
            index = self.parents[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let (large, small) = if self.sizes[a] < self.sizes[b] { (b, a) } else { (a, b) };
            self.parents[small] = large;
            self.sizes[large] += self.sizes[small];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members<'a>(list: &[(&'a str, &'a str, Option<&'a str>)]) -> Vec<Member<'a>> {
        list.iter().map(|&(path, content, declared)| Member { path, content, declared }).collect()
    }

    #[test]
    fn copies_near_duplicates_and_declared_groups_are_joined_through_common_images() {
        let members = members(&[
            ("10", "h0", None),
            ("2", "h1", Some("p")),
            ("3", "h2", Some("p")),
            ("4", "h2", None),
            ("5", "h5", None),
            ("6", "h6", Some("q")),
            ("7", "h7", None),
        ]);
        let groups = Groups::of(&members, &[[3, 0], [4, 6]]);
        assert_eq!(groups.numbers, [Some(0), Some(0), Some(0), Some(0), Some(1), Some(2), Some(1)]);
        assert_eq!(groups.near_numbers, [Some(0), None, None, Some(0), Some(1), None, Some(1)]);
        assert_eq!(groups.keys[0], "name p");
        assert_eq!(groups.keys[6], "content h5");
        assert_eq!(groups.keys[5], "name q");
    }

    #[test]
    fn an_image_by_itself_has_a_key_and_no_number() {
        let groups = Groups::of(&members(&[("a", "h0", None), ("b", "h1", None)]), &[]);
        assert_eq!(groups.keys, ["content h0", "content h1"]);
        assert_eq!(groups.numbers, [None, None]);
    }
}
