//! What the path of an entry says: whether it is an image, an archive or litter, and whether it is safe.

/// What an entry is, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Image,
    Archive,
    Other,
    /// What operating systems leave behind; not worth counting.
    Litter,
}

/// What the entry at `path` is, by its parts and its extension.
pub(super) fn kind(path: &str) -> EntryKind {
    if path.split('/').any(is_litter) {
        return EntryKind::Litter;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, extension)) = name.rsplit_once('.') else { return EntryKind::Other };
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "pbm" | "pgm" | "ppm"
        | "pnm" => EntryKind::Image,
        "zip" => EntryKind::Archive,
        _ => EntryKind::Other,
    }
}

fn is_litter(part: &str) -> bool {
    // A name that begins with `._` is the resource fork that macOS writes beside a file, under the image's extension.
    matches!(part, "__MACOSX" | ".DS_Store" | "Thumbs.db" | "desktop.ini") || part.starts_with("._")
}

/// Whether `path` names a tar archive, such as a shard.
pub(crate) fn is_tar(path: &str) -> bool {
    has_ending(path, &[".tar"])
}

/// Whether `path` names a tar archive that was compressed as a whole.
pub(super) fn is_compressed_tar(path: &str) -> bool {
    has_ending(path, &[".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"])
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    let path = path.to_ascii_lowercase();
    endings.iter().any(|ending| path.ends_with(ending))
}

/// Whether `path` stays below the folder that it is joined to, on every platform.
pub(crate) fn is_safe(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && !begins_with_drive(path)
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
}

/// Whether `path` begins as in `C:`. A colon further on, as in a time of day, leads nowhere.
fn begins_with_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_from_extension_and_parts() {
        assert_eq!(kind("train/cat.0.jpg"), EntryKind::Image);
        assert_eq!(kind("A/B.JPEG"), EntryKind::Image);
        assert_eq!(kind("train.zip"), EntryKind::Archive);
        assert_eq!(kind("labels.csv"), EntryKind::Other);
        assert_eq!(kind("README"), EntryKind::Other);
        assert_eq!(kind("__MACOSX/train/cat.0.jpg"), EntryKind::Litter);
        assert_eq!(kind("train/._cat.0.jpg"), EntryKind::Litter);
        assert_eq!(kind("train/.DS_Store"), EntryKind::Litter);
    }

    #[test]
    fn tar_archives_are_known_by_their_names() {
        assert!(is_tar("train-000000.tar") && is_tar("A.TAR") && !is_tar("a.tar.gz") && !is_tar("tar"));
        assert!(is_compressed_tar("a.tar.gz") && is_compressed_tar("A.TGZ") && !is_compressed_tar("a.gz"));
    }

    #[test]
    fn paths_that_leave_the_folder_are_unsafe() {
        for path in ["a.jpg", "a/b.jpg", "..a/b..jpg", "a b/ä.jpg", "a/12:30.jpg", "1:a.jpg"] {
            assert!(is_safe(path), "{path}");
        }
        for path in ["", "/a.jpg", "../a.jpg", "a/../b.jpg", "a//b.jpg", "./a.jpg", "C:/a.jpg", "a\\b.jpg", "a\n.jpg"] {
            assert!(!is_safe(path), "{path}");
        }
    }
}
