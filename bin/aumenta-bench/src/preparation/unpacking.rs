//! [`Unpacking`]: what unpacks a zip for those who cannot read in one.

use std::path::Path;
use std::process::Command;

use super::place::Place;

/// What unpacks a zip for those who cannot read in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacking {
    /// `unzip`.
    Unzip,
    /// Python's `zipfile`, where there is no `unzip`.
    Zipfile,
}

impl Unpacking {
    /// What there is on this machine.
    pub fn find() -> Self {
        match Command::new("unzip").arg("-v").output() {
            Ok(_) => Self::Unzip,
            Err(_) => Self::Zipfile,
        }
    }

    /// Unpacks `zip` into `folder`.
    pub fn command(self, place: &Place, zip: &Path, folder: &Path) -> Command {
        match self {
            Self::Unzip => {
                let mut command = Command::new("unzip");
                command.arg("-q").arg(zip).arg("-d").arg(folder);
                command
            }
            Self::Zipfile => {
                let mut command = Command::new(&place.python);
                command.args(["-m", "zipfile", "-e"]).arg(zip).arg(folder);
                command
            }
        }
    }

    /// Its name and version, where it has one of its own.
    pub fn version(self) -> Option<(String, String)> {
        if self == Self::Zipfile {
            return None;
        }
        // The first line is `UnZip 6.00 of 20 April 2009, by ...`.
        let told = Command::new("unzip").arg("-v").output().ok()?.stdout;
        let version = String::from_utf8_lossy(&told).split_whitespace().nth(1)?.to_string();
        Some(("unzip".to_string(), version))
    }
}
