//! [`FolderSource`]: images in a folder and the folders within it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::entry_path::{EntryKind, kind};
use super::read_buffer::ReadBuffer;
use super::window::open_unnamed;
use super::{Entry, PassedOver, Source, SourceKind, SourceLimits};
use crate::error::{DatasetError, EntryFault};

/// Images in a folder.
#[derive(Debug)]
pub(super) struct FolderSource {
    path: PathBuf,
    entries: Vec<Entry>,
    passed_over: PassedOver,
    max_entry_bytes: u64,
}

impl FolderSource {
    /// Lists the images below `path`. Symbolic links are followed where they lead to a file below `path`, and are
    /// passed over where they lead out of it or to a folder, which could be a circle.
    pub(super) fn open(path: &Path, limits: &SourceLimits) -> Result<Self, DatasetError> {
        let root = fs_err::canonicalize(path)?;
        let mut source = Self {
            path: path.to_owned(),
            entries: Vec::new(),
            passed_over: PassedOver::default(),
            max_entry_bytes: limits.max_entry_bytes,
        };
        let mut seen = 0;
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for item in fs_err::read_dir(path.join(&folder))? {
                let item = item?;
                seen += 1;
                if seen > limits.max_entries {
                    let (found, limit) = (seen, limits.max_entries);
                    return Err(DatasetError::TooMuch { path: path.to_owned(), what: "entries", found, limit });
                }
                let relative = folder.join(item.file_name());
                let file_type = item.file_type()?;
                if file_type.is_dir() {
                    folders.push(relative);
                } else if file_type.is_file() || leads_to_file_below(&root, &item.path()) {
                    source.add(relative)?;
                } else {
                    source.passed_over.add(EntryKind::Other, &relative.to_string_lossy());
                }
            }
        }
        source.entries.sort_by(|a, b| a.path.cmp(&b.path));
        if source.entries.is_empty() {
            return Err(DatasetError::NoImages { path: path.to_owned(), ignored: source.ignored() });
        }
        Ok(source)
    }

    /// The files at `paths`, whatever their names, each once and in the order of paths.
    pub(super) fn of_files(paths: &[PathBuf], limits: &SourceLimits) -> Result<Self, DatasetError> {
        let entry = |path: &PathBuf| {
            let text = path.to_str().ok_or_else(|| DatasetError::NotUtf8 { path: path.clone() })?;
            Ok(Entry { path: text.to_owned(), size: fs_err::metadata(path)?.len(), crc32: None })
        };
        let mut entries = paths.iter().map(entry).collect::<Result<Vec<_>, DatasetError>>()?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup();
        let (path, passed_over) = (PathBuf::from("."), PassedOver::default());
        Ok(Self { path, entries, passed_over, max_entry_bytes: limits.max_entry_bytes })
    }

    fn add(&mut self, relative: PathBuf) -> Result<(), DatasetError> {
        let parts: Option<Vec<&str>> = relative.iter().map(std::ffi::OsStr::to_str).collect();
        let Some(parts) = parts else { return Err(DatasetError::NotUtf8 { path: self.path.join(relative) }) };
        let entry_path = parts.join("/");
        match kind(&entry_path) {
            EntryKind::Image if super::is_safe(&entry_path) => {
                let size = fs_err::metadata(self.path.join(&relative))?.len();
                self.entries.push(Entry { path: entry_path, size, crc32: None });
            }
            EntryKind::Image => return Err(DatasetError::UnsafePath { path: self.path.clone(), entry: entry_path }),
            kind => self.passed_over.add(kind, &entry_path),
        }
        Ok(())
    }
}

pub(super) fn leads_to_file_below(root: &Path, link: &Path) -> bool {
    fs_err::canonicalize(link).is_ok_and(|target| target.starts_with(root) && target.is_file())
}

impl Source for FolderSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Folder
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        let entry = &self.entries[index];
        let ReadBuffer { bytes, path, .. } = buffer;
        path.clear();
        path.push(&self.path);
        path.push(&entry.path);
        read_file(path, entry.size, self.max_entry_bytes, bytes).map_err(|fault| DatasetError::Entry {
            path: self.path.clone(),
            entry: entry.path.clone(),
            fault,
        })
    }
}

fn read_file(path: &Path, size: u64, limit: u64, bytes: &mut Vec<u8>) -> Result<(), EntryFault> {
    if size > limit {
        return Err(EntryFault::TooLarge { size, limit });
    }
    // A byte more than announced shows that there are more.
    bytes.resize(size as usize + 1, 0);
    let got = fill(open_unnamed(path)?, bytes)?;
    bytes.truncate(got);
    if got as u64 == size { Ok(()) } else { Err(EntryFault::Length { expected: size, got: got as u64 }) }
}

/// Reads until `buffer` is full or the file ends; says how many bytes there were.
fn fill(mut file: std::fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn paths(source: &FolderSource) -> Vec<&str> {
        source.entries().iter().map(|entry| entry.path.as_str()).collect()
    }

    #[test]
    fn images_of_all_folders_are_listed_in_one_order() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["dog/b.png", "cat/deep/a.png", "cat/a.PNG", "cat/notes.txt", "cat/.DS_Store", "z.png"];
        sample::write_files(folder.path(), &files.map(|name| (name, sample::png(name.len()))));
        let source = FolderSource::open(folder.path(), &SourceLimits::default()).unwrap();
        assert_eq!(paths(&source), ["cat/a.PNG", "cat/deep/a.png", "dog/b.png", "z.png"]);
        assert_eq!(source.ignored(), 1);
        let mut buffer = ReadBuffer::default();
        source.read(1, &mut buffer).unwrap();
        assert_eq!(buffer.bytes(), sample::png("cat/deep/a.png".len()));
    }

    #[test]
    #[cfg(unix)]
    fn links_that_leave_the_folder_or_turn_in_circles_are_passed_over() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let secret = sample::write(outside.path(), "secret.png", &sample::png(1));
        sample::write_files(folder.path(), &[("cat/a.png", sample::png(2))]);
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        link(&secret, "leaves.png");
        link(Path::new("cat/a.png"), "stays.png");
        link(Path::new("."), "circle");
        link(Path::new("nowhere"), "dangles.png");
        let source = FolderSource::open(folder.path(), &SourceLimits::default()).unwrap();
        assert_eq!(paths(&source), ["cat/a.png", "stays.png"]);
        assert_eq!(source.ignored(), 3);
    }

    #[test]
    fn a_file_that_grew_or_vanished_is_a_fault_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "a.png", &sample::png(1));
        let source = FolderSource::open(folder.path(), &SourceLimits::default()).unwrap();
        fs_err::write(&path, vec![0; 5000]).unwrap();
        let error = source.read(0, &mut ReadBuffer::default()).unwrap_err();
        assert!(matches!(error, DatasetError::Entry { fault: EntryFault::Length { .. }, .. }), "{error}");
        fs_err::remove_file(&path).unwrap();
        let error = source.read(0, &mut ReadBuffer::default()).unwrap_err();
        assert!(error.to_string().contains("`a.png`"), "{error}");
    }

    #[test]
    fn a_folder_without_images_says_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), "a.txt", b"");
        let error = FolderSource::open(folder.path(), &SourceLimits::default()).unwrap_err();
        assert!(matches!(error, DatasetError::NoImages { ignored: 1, .. }), "{error}");
    }
}
