//! [`Place`]: the programs that take part, and where files lie for them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::contender::peers;
use crate::environment::libraries_choose_kernels;

/// The programs that take part, and where files lie for them.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program `aumenta`.
    pub aumenta: PathBuf,
    /// The Python interpreter.
    pub python: PathBuf,
    /// A folder for all files, which goes when the program ends.
    pub files: PathBuf,
}

impl Place {
    /// `aumenta` with its arguments still to come.
    pub fn aumenta(&self) -> Command {
        Command::new(&self.aumenta)
    }

    /// The Python program `script` with its arguments still to come.
    pub fn python(&self, script: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(peers().join(script));
        libraries_choose_kernels(&mut command);
        command
    }

    /// This program as the one that does `work`, with its arguments still to come.
    pub fn preparer(work: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into()));
        command.args(["preparer", work]);
        command
    }

    /// The path `name` among the files.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.files.join(name)
    }
}
