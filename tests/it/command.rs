//! Running the program, and what it said.

use std::path::{Path, PathBuf};
use std::process::Command;

use aumenta_seed::Seed;
use tempfile::TempDir;

/// A folder for one test, with an archive of drawn cats and dogs on request.
pub struct Workspace(TempDir);

impl Workspace {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `drawn.zip`: drawn images of each of two classes, of 64x64 pixels.
    pub fn draw(&self, per_class: usize) -> &Self {
        aumenta_drawn::write_zip(&self.path("drawn.zip"), per_class, 64, Seed::new(7)).unwrap();
        self
    }

    /// `split`: the split of `drawn.zip` with the given counts.
    pub fn split(&self, counts: &str) -> &Self {
        self.run(&["split", "drawn.zip", "--out", "split", "--counts", counts]).assert_code(0);
        self
    }

    pub fn write(&self, name: &str, text: &str) -> &Self {
        fs_err::write(self.path(name), text).unwrap();
        self
    }

    /// The program, to be run in the workspace.
    pub fn program(&self) -> Command {
        self.in_place(Command::new(env!("CARGO_BIN_EXE_aumenta")))
    }

    /// `command`, to be run in the workspace.
    pub fn in_place(&self, mut command: Command) -> Command {
        command.current_dir(self.0.path()).env_remove("AUMENTA_LOG").env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        self.run_with(args, &[])
    }

    /// As [`run`](Self::run), with more in the environment.
    pub fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Said {
        let output = self.program().args(args).envs(environment.iter().copied()).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// All files and folders below the workspace, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"));
        if path.is_dir() {
            collect(root, &path, found);
        }
    }
}

/// What a run of the program ended with.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Exit code, standard output and standard error as one text, for a snapshot.
    pub fn whole(&self) -> String {
        format!("exit code: {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
