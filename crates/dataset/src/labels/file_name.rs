//! Classes from the names of files.

/// The label in a file's name: what stands before the last separator and number.
pub(super) fn file_label(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (stem, _) = name.rsplit_once('.')?;
    let stem = stem.strip_suffix(')').unwrap_or(stem);
    let before = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let label = before.trim_end_matches(['.', '_', '-', ' ', '(']);
    let is_known_form = before.len() < stem.len() && label.len() < before.len() && !label.is_empty();
    is_known_form.then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_file_names_give_what_stands_before_the_number() {
        for (path, label) in [
            ("train/cat.0.jpg", Some("cat")),
            ("cat_001.png", Some("cat")),
            ("cat-1.jpg", Some("cat")),
            ("cat (12).jpg", Some("cat")),
            ("n0123_45.JPEG", Some("n0123")),
            ("great dane.7.jpg", Some("great dane")),
            ("1.jpg", None),
            ("IMG1234.jpg", None),
            (".5.jpg", None),
            ("cat.jpg", None),
        ] {
            assert_eq!(file_label(path), label, "{path}");
        }
    }
}
