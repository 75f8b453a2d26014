//! [`Packing`]: what a source is, before it is opened.

use std::io;
use std::path::Path;

use super::entry_path::is_compressed_tar;
use super::window::Window;
use crate::error::DatasetError;

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Folder,
    /// A file that begins with the header of a tar archive.
    Tar,
    /// Any other file: a zip archive can begin with anything, so its reader decides.
    Zip,
}

impl Packing {
    /// What lies at `path`, a file by its content.
    ///
    /// # Errors
    /// Where there is nothing, or a compressed tar archive.
    pub(crate) fn of(path: &Path) -> Result<Self, DatasetError> {
        let metadata = match fs_err::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DatasetError::SourceMissing { path: path.to_owned() });
            }
            Err(error) => return Err(error.into()),
        };
        if !metadata.is_file() {
            return Ok(Self::Folder);
        }
        let mut block = [0; 512];
        if Window::open(path)?.read_at(0, &mut block).is_ok() && is_tar_header(&block) {
            return Ok(Self::Tar);
        }
        if is_compressed_tar(&path.to_string_lossy()) {
            return Err(DatasetError::CompressedTar { path: path.to_owned() });
        }
        Ok(Self::Zip)
    }
}

/// Whether the checksum of a header fits, which it has in every version of the format.
fn is_tar_header(block: &[u8; 512]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let bytes = (0..block.len()).map(|at| if CHECKSUM.contains(&at) { b' ' } else { block[at] });
    let sum: u32 = bytes.map(u32::from).sum();
    tar::Header::from_byte_slice(block).cksum().is_ok_and(|checksum| checksum == sum)
}

#[cfg(test)]
mod tests {
    use zip::CompressionMethod::Stored;

    use super::*;
    use crate::sample;

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: Packing) {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Packing::of(&sample::write(folder.path(), name, bytes)).unwrap(), expected);
    }

    #[test]
    fn archives_are_told_apart_by_content_whatever_their_names() {
        let tar = sample::tar(&[("a.png", sample::png(1))]);
        let zip = sample::zip(Stored, &[("a.png", sample::png(1))]);
        check("data.tar", &tar, Packing::Tar);
        check("data.zip", &tar, Packing::Tar);
        check("data.tar.gz", &tar, Packing::Tar);
        check("data.tar", &zip, Packing::Zip);
        // The table of contents of the inner archive stands almost at the end of the outer one.
        check("data", &sample::tar(&[("train.zip", zip)]), Packing::Tar);
        check("data", b"neither", Packing::Zip);
        check("data", &[0; 1024], Packing::Zip);
    }

    #[test]
    fn compressed_tar_archives_are_refused_by_name_with_advice() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "data.tar.gz", b"\x1f\x8b\x08");
        let error = Packing::of(&path).unwrap_err();
        assert!(matches!(error, DatasetError::CompressedTar { .. }), "{error}");
        assert!(error.to_string().ends_with("data.tar.gz` is a compressed tar archive, within which nothing can be read in place: decompress it first"), "{error}");
    }
}
