//! The archive that is split: pictures in a folder for each class, in a zip whose entries are stored as they are.

use std::path::Path;

use anyhow::Result;
use aumenta_dataset::write_zip;
use fs_err as fs;

use super::photographs::Photographs;
use super::pictures::{Facts, Wanted, write_pictures};

/// Writes the zip at `path` of as many different pictures as are wanted, by way of a folder in `files`.
///
/// # Errors
/// Where a photograph cannot be read, or a file not be written.
pub fn write_archive(path: &Path, photographs: &Photographs, wanted: Wanted, files: &Path) -> Result<Facts> {
    let folder = tempfile::tempdir_in(files)?;
    let all: Vec<usize> = (0..photographs.len()).collect();
    let mut paths = Vec::with_capacity(wanted.count);
    let facts = write_pictures(folder.path(), photographs, &all, wanted, &mut |path| paths.push(path))?;
    pack(path, folder.path(), &paths)?;
    Ok(facts)
}

/// Packs the files at `paths` below `folder` into the zip at `path`.
///
/// # Errors
/// Where a file cannot be read or written.
pub fn pack(path: &Path, folder: &Path, paths: &[String]) -> Result<()> {
    // An archive is written from first to last, so what cannot be read is met before.
    let mut failure = None;
    let entries = paths.iter().map_while(|path| match fs::read(folder.join(path)) {
        Ok(bytes) => Some((path.clone(), bytes)),
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    write_zip(path, entries)?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

#[cfg(test)]
mod tests {
    use aumenta_dataset::{OpenOptions, open};
    use aumenta_seed::Seed;

    use super::*;

    #[test]
    fn an_archive_holds_the_pictures_and_their_folder_is_gone() {
        let files = tempfile::tempdir().unwrap();
        let zip = files.path().join("pictures.zip");
        let wanted = Wanted { count: 6, side: 24, seed: Seed::new(7) };
        let facts = write_archive(&zip, &Photographs::open(&[]).unwrap(), wanted, files.path()).unwrap();
        assert_eq!(facts.files, 6);
        let source = open(&zip, &OpenOptions::default()).unwrap();
        let paths: Vec<&str> = source.entries().iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!((paths.len(), paths[0]), (6, "cat/000001.jpg"));
        assert_eq!(fs::read_dir(files.path()).unwrap().count(), 1);
        assert!(pack(&zip, files.path(), &["missing.jpg".to_string()]).is_err());
    }
}
