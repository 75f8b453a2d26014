//! [`Pattern`]: a regular expression over the paths of images, one group of which is what they are asked for.

use regex::Regex;

use crate::error::DatasetError;
use crate::source::Source;

/// A regular expression with the group that is asked for. It is matched in time linear in the length of a path, whatever
/// the expression.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    group: usize,
}

impl Pattern {
    /// The expression `pattern`, in which the group named `name` is asked for; without one of that name its only group.
    pub(crate) fn new(pattern: &str, name: &'static str) -> Result<Self, DatasetError> {
        let regex = compile(pattern)?;
        let named = regex.capture_names().position(|group| group == Some(name));
        let only = (regex.captures_len() == 2).then_some(1);
        match named.or(only) {
            Some(group) => Ok(Self { regex, group }),
            None => {
                Err(DatasetError::PatternGroup { pattern: pattern.to_owned(), name, groups: regex.captures_len() - 1 })
            }
        }
    }

    /// What the group holds for each image of `source`.
    ///
    /// # Errors
    /// [`DatasetError::PatternMisfit`] where the expression does not match all paths, or the group nothing of them.
    pub(crate) fn find_all<'a>(&self, source: &'a dyn Source) -> Result<Vec<&'a str>, DatasetError> {
        let find = |path: &'a str| self.regex.captures(path)?.get(self.group).map(|found| found.as_str());
        let found: Vec<Option<&str>> =
            source.entries().iter().map(|entry| find(&entry.path).filter(|found| !found.is_empty())).collect();
        let missing = found.iter().filter(|found| found.is_none()).count();
        match found.iter().position(Option::is_none) {
            None => Ok(found.into_iter().flatten().collect()),
            Some(first) => Err(DatasetError::PatternMisfit {
                pattern: self.regex.as_str().to_owned(),
                entry: source.entries()[first].path.clone(),
                missing,
                images: found.len(),
            }),
        }
    }
}

/// A regular expression as a person gave it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, DatasetError> {
    Regex::new(pattern).map_err(|source| DatasetError::Pattern { pattern: pattern.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::source::{OpenOptions, open};

    fn found(pattern: &str) -> Result<Vec<String>, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let files = [("p1/scan-a.png", sample::png(1)), ("p2/scan-b.png", sample::png(2))];
        sample::write_files(folder.path(), &files);
        let source = open(folder.path(), &OpenOptions::default()).unwrap();
        let found = Pattern::new(pattern, "class")?.find_all(source.as_ref())?;
        Ok(found.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn the_named_group_or_the_only_one_is_found() {
        assert_eq!(found("^([^/]+)/").unwrap(), ["p1", "p2"]);
        assert_eq!(found(r"^(p\d)/scan-(?P<class>\w)").unwrap(), ["a", "b"]);
        assert_eq!(found(r"(?<class>scan|\d)").unwrap(), ["1", "2"]);
    }

    #[test]
    fn expressions_that_do_not_serve_say_why() {
        let text = |pattern| found(pattern).unwrap_err().to_string();
        assert!(text("p(").contains("`p(` is no regular expression"), "{}", text("p("));
        assert!(text("p.").contains("has 0 groups"), "{}", text("p."));
        assert!(text("(p)(.)").contains("has 2 groups, none of them named `class`"), "{}", text("(p)(.)"));
        let misfit = text("^(p1)/");
        assert!(misfit.contains("finds nothing in the paths of 1 of 2 images, such as `p2/scan-b.png`"), "{misfit}");
        assert!(text("^p(x?)").contains("2 of 2 images"), "{}", text("^p(x?)"));
    }
}
