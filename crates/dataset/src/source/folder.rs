//! [`FolderSource`]: images in a folder and the folders within it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::entry_path::{EntryKind, kind};
use super::{Entry, Source, SourceKind, SourceLimits};
use crate::error::{DatasetError, EntryFault};

/// Images in a folder.
#[derive(Debug)]
pub(super) struct FolderSource {
    path: PathBuf,
    entries: Vec<Entry>,
    ignored: usize,
    max_entry_bytes: u64,
}

impl FolderSource {
    /// Lists the images below `path`. Symbolic links are followed where they lead to a file below `path`, and are
    /// passed over where they lead out of it or to a folder, which could be a circle.
    pub(super) fn open(path: &Path, limits: &SourceLimits) -> Result<Self, DatasetError> {
        let root = fs_err::canonicalize(path)?;
        let mut source =
            Self { path: path.to_owned(), entries: Vec::new(), ignored: 0, max_entry_bytes: limits.max_entry_bytes };
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
                    source.ignored += 1;
                }
            }
        }
        source.entries.sort_by(|a, b| a.path.cmp(&b.path));
        if source.entries.is_empty() {
            return Err(DatasetError::NoImages { path: path.to_owned(), ignored: source.ignored });
        }
        Ok(source)
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
            EntryKind::Archive | EntryKind::Other => self.ignored += 1,
            EntryKind::Litter => {}
        }
        Ok(())
    }
}

fn leads_to_file_below(root: &Path, link: &Path) -> bool {
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

    fn ignored(&self) -> usize {
        self.ignored
    }

    fn read(&self, index: usize, buffer: &mut Vec<u8>) -> Result<(), DatasetError> {
        let entry = &self.entries[index];
        read_file(&self.path.join(&entry.path), entry.size, self.max_entry_bytes, buffer)
            .map_err(|fault| DatasetError::Entry { path: self.path.clone(), entry: entry.path.clone(), fault })
    }
}

fn read_file(path: &Path, size: u64, limit: u64, buffer: &mut Vec<u8>) -> Result<(), EntryFault> {
    buffer.clear();
    if size > limit {
        return Err(EntryFault::TooLarge { size, limit });
    }
    fs_err::File::open(path)?.take(size + 1).read_to_end(buffer)?;
    match buffer.len() as u64 {
        got if got == size => Ok(()),
        got => Err(EntryFault::Length { expected: size, got }),
    }
}
