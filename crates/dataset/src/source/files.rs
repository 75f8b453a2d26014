//! [`open_images`]: archives, folders and single files, in whatever mixture a user names them.

use std::path::{Path, PathBuf};

use super::folder::FolderSource;
use super::packing::Packing;
use super::{OpenOptions, Source, open};
use crate::error::DatasetError;

/// Opens what `paths` name: each archive or folder as a source of its own, as [`open`] does, and single image files that
/// stand beside each other as one, whose entries are named as they are given here, sorted. A file is an archive where its
/// content or its extension `.zip` says so, and else taken for an image, whatever its name.
///
/// # Errors
/// As [`open`]; [`DatasetError::SourceMissing`] where a file is missing, [`DatasetError::NotUtf8`] where its name is no text.
///
/// ```
/// use aumenta_dataset::{OpenOptions, open_images, write_zip};
///
/// let folder = tempfile::tempdir()?;
/// let (zip, file) = (folder.path().join("test.zip"), folder.path().join("cat.png"));
/// write_zip(&zip, [("1.jpg".to_owned(), vec![0; 9])])?;
/// std::fs::write(&file, [0; 9])?;
/// let sources = open_images(&[zip, file.clone(), file], &OpenOptions::default())?;
/// assert_eq!(sources.iter().map(|source| source.entries().len()).collect::<Vec<_>>(), [1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_images(paths: &[PathBuf], options: &OpenOptions) -> Result<Vec<Box<dyn Source>>, DatasetError> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    let mut files: Vec<PathBuf> = Vec::new();
    let gathered = |files: &mut Vec<PathBuf>| -> Result<Option<Box<dyn Source>>, DatasetError> {
        let files = std::mem::take(files);
        Ok(if files.is_empty() { None } else { Some(Box::new(FolderSource::of_files(&files, &options.limits)?)) })
    };
    for path in paths {
        if is_file_of_one_image(path)? {
            files.push(path.clone());
        } else {
            sources.extend(gathered(&mut files)?);
            sources.push(open(path, options)?);
        }
    }
    sources.extend(gathered(&mut files)?);
    Ok(sources)
}

fn is_file_of_one_image(path: &Path) -> Result<bool, DatasetError> {
    let is_named_zip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    Ok(Packing::of(path)? == Packing::Zip && !is_named_zip && !begins_as_zip(path)?)
}

/// Whether a file begins as a zip archive does, an empty one included.
fn begins_as_zip(path: &Path) -> Result<bool, DatasetError> {
    use std::io::Read as _;

    let mut start = Vec::new();
    fs_err::File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(matches!(start.as_slice(), b"PK\x03\x04" | b"PK\x05\x06"))
}

#[cfg(test)]
mod tests {
    use zip::CompressionMethod::Stored;

    use super::*;
    use crate::sample;
    use crate::source::ReadBuffer;

    #[test]
    fn archives_folders_and_files_keep_their_order_and_files_beside_each_other_are_one_source() {
        let folder = tempfile::tempdir().unwrap();
        let png = sample::png(1);
        let b = sample::write(folder.path(), "b.png", &png);
        let a = sample::write(folder.path(), "a.of-no-known-extension", &png);
        let zip = sample::write(folder.path(), "images", &sample::zip(Stored, &[("z.png", png.clone())]));
        sample::write_files(&folder.path().join("more"), &[("x.png", png.clone()), ("y.png", png.clone())]);
        let paths = [b.clone(), a.clone(), zip, folder.path().join("more"), a.clone()];
        let sources = open_images(&paths, &OpenOptions::default()).unwrap();
        let named: Vec<Vec<&str>> =
            sources.iter().map(|source| source.entries().iter().map(|entry| entry.path.as_str()).collect()).collect();
        let [a, b] = [a, b].map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(named, [vec![a.as_str(), &b], vec!["z.png"], vec!["x.png", "y.png"], vec![&a]]);
        let mut buffer = ReadBuffer::default();
        sources[0].read(1, &mut buffer).unwrap();
        assert_eq!(buffer.bytes(), png);
    }

    #[test]
    fn a_missing_file_is_named_before_anything_is_read() {
        let error = open_images(&["nowhere.png".into()], &OpenOptions::default()).unwrap_err();
        assert!(matches!(&error, DatasetError::SourceMissing { path } if path.ends_with("nowhere.png")), "{error}");
    }
}
