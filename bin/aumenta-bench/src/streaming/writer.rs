//! Files that our own encoders do not write: JPEGs of half the colors (4:2:0), as cameras write them, and archives of other
//! packings. A process in Python writes them, with Pillow.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use aumenta_imgproc::Image;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::protocol::Ready;
use crate::contender::peers;
use crate::process::Process;
use crate::protocol::Greeting;

/// How the photographs are packed into one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    /// A zip archive whose entries are stored as they are.
    ZipStored,
    /// A zip archive whose entries are compressed once more.
    ZipDeflated,
    /// A tar archive.
    Tar,
}

impl Packing {
    /// The name of the archive's file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::ZipStored => "stored.zip",
            Self::ZipDeflated => "deflated.zip",
            Self::Tar => "photographs.tar",
        }
    }
}

/// The process that writes.
#[derive(Debug)]
pub struct Writer {
    process: Process,
    /// Where pixels lie for it.
    pixels: PathBuf,
}

/// Asks for a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Request<'a> {
    /// A JPEG of the bytes in the file `pixels`, uint8 HWC.
    Jpeg { path: &'a Path, width: usize, height: usize, pixels: &'a Path },
    /// An archive of all files in `folder`.
    Archive { path: &'a Path, packing: Packing, folder: &'a Path },
}

/// The answer to a [`Request`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Written,
}

impl Writer {
    /// Starts the process, which keeps a file of pixels in `folder`.
    ///
    /// # Errors
    /// Where it cannot be started, as where Pillow is missing.
    pub fn start(python: &Path, folder: &Path) -> Result<Self> {
        let script = peers().join("photographs_writer.py");
        let started = Process::start::<Ready>(Command::new(python).arg(script));
        match started.context("photographs are written by Pillow")? {
            (process, Greeting::Ready(_)) => Ok(Self { process, pixels: folder.join("pixels.rgb") }),
            (_, Greeting::Refused(reason)) => bail!(reason),
        }
    }

    /// Writes `image` as a JPEG of quality 70 to `path`.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn jpeg(&mut self, image: &Image, path: &Path) -> Result<()> {
        fs::write(&self.pixels, image.pixels())?;
        let (width, height) = (image.width(), image.height());
        let request = Request::Jpeg { path, width, height, pixels: &self.pixels };
        let Answer::Written = self.process.ask(&request)?;
        Ok(())
    }

    /// Packs `folder` into the archive at `path`.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub fn archive(&mut self, packing: Packing, folder: &Path, path: &Path) -> Result<()> {
        let Answer::Written = self.process.ask(&Request::Archive { path, packing, folder })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_what_the_process_reads() {
        let [path, other] = ["a.jpg", "pixels.rgb"].map(Path::new);
        let request = Request::Jpeg { path, width: 4, height: 3, pixels: other };
        let line = r#"{"jpeg":{"path":"a.jpg","width":4,"height":3,"pixels":"pixels.rgb"}}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        let request = Request::Archive { path, packing: Packing::ZipStored, folder: other };
        let line = r#"{"archive":{"path":"a.jpg","packing":"zip-stored","folder":"pixels.rgb"}}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), line);
        assert!(serde_json::from_str::<Answer>("\"written\"").is_ok());
    }

    #[test]
    fn the_process_is_there() {
        assert!(peers().join("photographs_writer.py").is_file());
    }
}
