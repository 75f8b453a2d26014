//! Class folders, with copies of the images or links to them.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::{Link, for_each_image, placed};
use crate::dataset::Dataset;
use crate::error::{DatasetError, ExportFault};
use crate::scan::Progress;
use crate::source::SourceKind;

pub(super) fn write(dataset: &Dataset, link: Link, out: &Path, progress: Progress<'_>) -> Result<usize, DatasetError> {
    if link != Link::Copy && dataset.source_kind() != SourceKind::Folder {
        return Err(ExportFault::LinkSource { path: dataset.source_path().to_owned() }.into());
    }
    let source = fs_err::canonicalize(dataset.source_path())?;
    let placed = placed(dataset)?;
    let folders: HashSet<&str> = placed.iter().filter_map(|(name, _)| Some(name.rsplit_once('/')?.0)).collect();
    for folder in folders {
        fs_err::create_dir_all(out.join(folder))?;
    }
    for_each_image(dataset, &placed, progress, |name, record, bytes| {
        let (path, original) = (out.join(name), source.join(&record.path));
        let written = match link {
            Link::Copy => fs_err::write(path, bytes),
            Link::Hard => fs_err::canonicalize(original).and_then(|original| fs_err::hard_link(original, path)),
            Link::Symbolic => symbolic_link(&original, &path),
        };
        Ok(written?)
    })?;
    Ok(placed.len())
}

#[cfg(unix)]
fn symbolic_link(original: &Path, link: &Path) -> io::Result<()> {
    fs_err::os::unix::fs::symlink(original, link)
}

#[cfg(windows)]
fn symbolic_link(original: &Path, link: &Path) -> io::Result<()> {
    fs_err::os::windows::fs::symlink_file(original, link)
}

#[cfg(test)]
mod tests {
    use super::super::tests::dataset;
    use super::*;
    use crate::archive::write_zip;
    use crate::sample;
    use crate::split::Split;

    fn written(dataset: &Dataset, link: Link, out: &Path) -> Result<usize, DatasetError> {
        fs_err::create_dir(out)?;
        write(dataset, link, out, &|_, _| {})
    }

    #[test]
    fn every_record_becomes_a_file_of_the_same_bytes_whether_copied_or_linked() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        for (link, name) in [(Link::Copy, "copies"), (Link::Hard, "hard"), (Link::Symbolic, "symbolic")] {
            let out = folder.path().join(name);
            assert_eq!(written(&dataset, link, &out).unwrap(), 8);
            for split in Split::ALL {
                for record in dataset.records(split) {
                    let class = &dataset.manifest().classes[record.class as usize];
                    let file = out.join(split.name()).join(class).join(record.path.rsplit('/').next().unwrap());
                    let bytes = fs_err::read(&file).unwrap();
                    assert_eq!(record.hash, blake3::hash(&bytes).to_hex().as_str());
                    assert_eq!(file.is_symlink(), link == Link::Symbolic);
                }
            }
        }
    }

    #[test]
    fn archives_cannot_be_linked_to() {
        let (folder, _) = dataset(&sample::cats_and_dogs(4));
        let zip = folder.path().join("data.zip");
        write_zip(&zip, sample::cats_and_dogs(4)).unwrap();
        let packed = Dataset::open(folder.path(), Some(&zip)).unwrap();
        let error = written(&packed, Link::Hard, &folder.path().join("out")).unwrap_err();
        assert!(matches!(error, DatasetError::Export(ExportFault::LinkSource { .. })), "{error}");
    }
}
