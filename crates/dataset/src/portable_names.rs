//! Names that not every file system can hold: two that differ in case alone, or one that Windows reserves. They harm nobody
//! within an archive, but whoever unpacks it elsewhere loses files.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::finding::{Cause, Finding};
use crate::source::Entry;

/// What Windows allows nowhere in a name, but for control characters, which no path here has.
const FORBIDDEN: [char; 9] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*'];

/// What is wrong with the names of entries, each by itself and beside the others.
pub(crate) fn name_findings(entries: &[Entry]) -> Vec<Finding> {
    let mut first_of: HashMap<String, &str> = HashMap::new();
    let mut findings = Vec::new();
    for Entry { path, .. } in entries {
        let first = *first_of.entry(folded(path)).or_insert(path);
        let collision = (first != path).then(|| Cause::NameCollision { of: first.to_owned() });
        let unportable = path.split('/').find_map(unportable).map(|reason| Cause::UnportableName { reason });
        findings
            .extend([collision, unportable].into_iter().flatten().map(|cause| Finding { path: path.clone(), cause }));
    }
    findings
}

/// What two paths have in common where some file system takes them for one: file systems compare names without case
/// (Windows, macOS), in any form of Unicode (macOS), and without dots and spaces at their ends (Windows).
///
/// Case is folded by lowercasing, which is what these file systems do but for some letters outside of the usual scripts.
pub(crate) fn folded(path: &str) -> String {
    let composed: String = path.nfc().collect();
    composed.to_lowercase().split('/').map(without_end).collect::<Vec<_>>().join("/")
}

fn without_end(name: &str) -> &str {
    name.trim_end_matches(['.', ' '])
}

/// Why Windows cannot have `name`, a part of a path, where it cannot
/// ([Naming Files](https://learn.microsoft.com/windows/win32/fileio/naming-a-file)).
pub(crate) fn unportable(name: &str) -> Option<String> {
    if let Some(character) = name.chars().find(|character| FORBIDDEN.contains(character)) {
        return Some(format!("`{name}` holds `{character}`"));
    }
    if name != without_end(name) {
        return Some(format!("`{name}` ends in a dot or a space"));
    }
    is_device(name).then(|| format!("`{name}` means a device"))
}

/// `name` with `_` for what Windows cannot have in it.
pub(crate) fn portable(name: &str) -> Cow<'_, str> {
    if unportable(name).is_none() {
        return Cow::Borrowed(name);
    }
    let mut portable = name.replace(FORBIDDEN, "_");
    let end = without_end(&portable).len();
    let cut = portable.len() - end;
    portable.replace_range(end.., &"_".repeat(cut));
    if is_device(&portable) {
        portable.insert(0, '_');
    }
    Cow::Owned(portable)
}

/// Whether a name, whatever its extension, is that of a device.
fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    const NUMBERS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "\u{b9}", "\u{b2}", "\u{b3}"];
    let stem = without_end(name.split('.').next().unwrap_or(name)).to_ascii_uppercase();
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    DEVICES.contains(&&*stem) || number.is_some_and(|number| NUMBERS.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<String> {
        let entry = |path: &&str| Entry { path: (*path).to_owned(), size: 0, crc32: None };
        name_findings(&paths.iter().map(entry).collect::<Vec<_>>()).iter().map(Finding::to_string).collect()
    }

    #[track_caller]
    fn check(name: &str, reason: &str, changed: &str) {
        assert_eq!(unportable(name).as_deref(), Some(reason));
        assert_eq!(portable(name), changed);
        assert_eq!(unportable(changed), None);
    }

    #[test]
    fn names_that_windows_cannot_have_are_told_and_changed() {
        check("what?.jpg", "`what?.jpg` holds `?`", "what_.jpg");
        check("12:30|\"a\".jpg", "`12:30|\"a\".jpg` holds `:`", "12_30__a_.jpg");
        check("cat.", "`cat.` ends in a dot or a space", "cat_");
        check("cat. .", "`cat. .` ends in a dot or a space", "cat___");
        check("con", "`con` means a device", "_con");
        check("Aux.tar.png", "`Aux.tar.png` means a device", "_Aux.tar.png");
        check("com\u{b9}", "`com\u{b9}` means a device", "_com\u{b9}");
        check("LPT1 .jpg", "`LPT1 .jpg` means a device", "_LPT1 .jpg");
        for name in ["icon.png", "com0.png", "com10.png", "console.jpg", "a b.jpg", ".hidden.png", "ä.jpg"] {
            assert_eq!((unportable(name), portable(name)), (None, Cow::Borrowed(name)));
        }
    }

    #[test]
    fn paths_that_some_file_system_takes_for_one_are_told_with_the_first_of_them() {
        let (composed, decomposed) = ("caf\u{e9}.png", "cafe\u{301}.png");
        let paths = ["Cat/1.png", "a.png", "a.png ", composed, "cat/1.PNG", "cat/2.png", decomposed];
        let one = "are one file to a disk that tells neither case nor Unicode forms apart";
        assert_eq!(
            found(&paths),
            [
                format!("a.png : its name and that of a.png {one}"),
                "a.png : Windows cannot have its name: `a.png ` ends in a dot or a space".to_owned(),
                format!("cat/1.PNG: its name and that of Cat/1.png {one}"),
                format!("{decomposed}: its name and that of {composed} {one}"),
            ]
        );
        assert!(found(&["ab/c.png", "a/bc.png", "abc.png"]).is_empty());
    }

    #[test]
    fn every_part_of_a_path_is_looked_at() {
        assert_eq!(found(&["nul/a.png"]), ["nul/a.png: Windows cannot have its name: `nul` means a device"]);
        assert_eq!(found(&["a*/b/c.png"]).len(), 1);
    }
}
