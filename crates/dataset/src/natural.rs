//! The natural order of names, in which `cat.2.jpg` stands before `cat.10.jpg`.

/// A key whose order is the natural order: runs of digits compare as numbers of any length, the rest as text.
///
/// Keys of different names differ, so sorting by key gives one order only.
pub(crate) fn natural_key(name: &str) -> (Vec<Part<'_>>, &str) {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        parts.push(if is_number {
            let digits = run.trim_start_matches('0');
            Part::Number { length: digits.len(), digits }
        } else {
            Part::Text(run)
        });
        rest = tail;
    }
    (parts, name)
}

/// A run of a name. Numbers stand before text.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part<'a> {
    /// Digits without leading zeros: a longer number is a larger one.
    Number { length: usize, digits: &'a str },
    /// Anything else.
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_and_text_by_bytes() {
        let mut names =
            ["dog.1", "cat.10", "cat.9", "cat.09", "cat.100000000000000000000000", "cat", "cat.2", "2", "cat.2b"];
        names.sort_by(|a, b| natural_key(a).cmp(&natural_key(b)));
        let expected =
            ["2", "cat", "cat.2", "cat.2b", "cat.09", "cat.9", "cat.10", "cat.100000000000000000000000", "dog.1"];
        assert_eq!(names, expected);
    }
}
