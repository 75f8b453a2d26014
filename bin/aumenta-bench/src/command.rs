//! The subcommands, one a file.

pub mod augment;
pub mod augmenter;
pub mod contender;
pub mod gpu;
pub mod gpu_trainer;
pub mod prepare;
pub mod preparer;
pub mod scaling;
pub mod stream;
pub mod streamer;
pub mod train;

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Result, ensure};
use fs_err as fs;
use serde::Serialize;

use crate::contender::{Contender, Task};
use crate::machine::Machine;
use crate::measure::measure;
use crate::outcome::Outcome;
use crate::output::print;
use crate::report::{Section, with_section};
use crate::results::{Results, Settings};

/// What `docs/benchmarks.md` says before its first section.
const OPENING: &str = "# Benchmarks\n\n\
    Each section comes from the command that stands in it, and is replaced when that command is run again with `--write` and \
    the name of this file.\n";

/// How to measure training and where to put the results.
#[derive(clap::Args)]
pub struct Options {
    /// Rounds in which every contender takes its steps once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Steps that a contender takes in a round.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    steps: u16,
    /// Threads of each contender; as many as cores where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    destination: Destination,
}

/// Where to put results, beside standard output.
#[derive(clap::Args)]
pub struct Destination {
    /// Replace the section of this Markdown file.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write the results as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    fn settings(&self) -> Result<Settings> {
        let threads = match self.threads {
            Some(threads) => usize::from(threads),
            None => available_parallelism()?.get(),
        };
        let (rounds, steps) = (usize::from(self.rounds), usize::from(self.steps));
        Ok(Settings { threads, rounds, steps, warm_up: 3, pause: 300 })
    }

    /// Measures the groups one after the other, each interleaved in itself, and puts the results where they belong.
    fn run(
        &self,
        groups: &[Vec<(Contender, Task<'_>)>],
        settings: Settings,
        sections: fn(&Results) -> Vec<Section>,
    ) -> Result<()> {
        let mut results = Results {
            command: shown_command(),
            machine: Machine::read()?,
            versions: [("rustc".to_string(), env!("RUSTC_VERSION").to_string())].into(),
            settings,
            rows: Vec::new(),
        };
        for group in groups {
            results.rows.extend(measure(group, &settings, &mut results.versions, &|line| eprintln!("{line}")));
        }
        self.destination.put(&results, &sections(&results))?;
        let refused = results.rows.iter().filter(|row| matches!(row.outcome, Outcome::Refused(_))).count();
        ensure!(refused == 0, "{refused} of {} rows were not measured; the report says why", results.rows.len());
        Ok(())
    }
}

impl Destination {
    /// Prints `sections`, and writes them and the results where that is asked for.
    fn put(&self, results: &impl Serialize, sections: &[Section]) -> Result<()> {
        for section in sections {
            print(&section.text)?;
        }
        if let Some(path) = &self.json {
            fs::write(path, serde_json::to_string_pretty(results)? + "\n")?;
        }
        if let Some(path) = &self.write {
            let document = if path.exists() { fs::read_to_string(path)? } else { OPENING.to_string() };
            fs::write(path, sections.iter().fold(document, |document, section| with_section(&document, section)))?;
        }
        Ok(())
    }
}

/// Says a line of the protocol to the process that started this one.
fn say(message: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string(message)? + "\n"))
}

/// The command line as the report shows it.
fn shown_command() -> String {
    std::env::args().map(shown).collect::<Vec<_>>().join(" ")
}

/// An argument of the command line, without the folders of the program and of whole paths, which say nothing elsewhere.
fn shown(argument: String) -> String {
    let path = Path::new(&argument);
    match path.file_name().map(|name| name.to_string_lossy().into_owned()) {
        Some(name) if name == env!("CARGO_BIN_NAME") || path.is_absolute() => name,
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_say_nothing_elsewhere_are_not_shown() {
        for (argument, expected) in [
            ("target/release/aumenta-bench", "aumenta-bench"),
            ("/data/pets.zip", "pets.zip"),
            ("venv/bin/python", "venv/bin/python"),
            ("--rounds", "--rounds"),
        ] {
            assert_eq!(shown(argument.to_string()), expected);
        }
    }
}
