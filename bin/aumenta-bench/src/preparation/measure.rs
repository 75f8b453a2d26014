//! Interleaved measuring of whole runs: in each round every contender runs once, beginning with another one each time.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use fs_err as fs;

use super::figures::Figures;
use super::whole_run::run_whole;
use crate::measure::turns;
use crate::outcome::Outcome;

/// What is run, one after the other, given an empty folder to write to.
type Commands<'a> = Box<dyn Fn(&Path) -> Vec<Command> + 'a>;

/// A contender, as it is run.
pub struct Entry<'a> {
    /// Its name.
    pub name: String,
    /// How often it runs.
    pub rounds: usize,
    /// What it runs.
    pub commands: Commands<'a>,
}

impl<'a> Entry<'a> {
    /// A contender that runs `commands` once a round, in `rounds` rounds.
    pub fn new(name: impl Into<String>, rounds: usize, commands: impl Fn(&Path) -> Vec<Command> + 'a) -> Self {
        Self { name: name.into(), rounds, commands: Box::new(commands) }
    }
}

/// What came of an [`Entry`].
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its figures, or why there are none.
    pub outcome: Outcome<Figures>,
    /// What its last command said in each run.
    pub outputs: Vec<String>,
}

/// Measures `entries` against each other, with files in `files`; what came of each, in order. `talk` hears how it goes.
///
/// An entry that fails says why, and the others go on.
pub fn measure(entries: &[Entry<'_>], files: &Path, talk: &dyn Fn(&str)) -> Vec<Measured> {
    let none = Figures { rounds: Vec::new(), peak_kib: 0, written_bytes: 0 };
    let mut measured: Vec<Measured> =
        entries.iter().map(|_| Measured { outcome: Outcome::Measured(none.clone()), outputs: Vec::new() }).collect();
    let rounds = entries.iter().map(|entry| entry.rounds).max().unwrap_or(0);
    for round in 0..rounds {
        for index in turns(entries.len(), round) {
            let (entry, measured) = (&entries[index], &mut measured[index]);
            if let (Outcome::Measured(figures), true) = (&mut measured.outcome, round < entry.rounds) {
                talk(&format!("round {} of {}: {}", round + 1, entry.rounds, entry.name));
                match take_turn(entry, figures, files) {
                    Ok(output) => measured.outputs.push(output),
                    Err(error) => {
                        talk(&format!("{} is not measured: {error:#}", entry.name));
                        measured.outcome = Outcome::Refused(format!("{error:#}"));
                    }
                }
            }
        }
    }
    measured
}

/// Runs `entry` once and adds what it took to `figures`; what it said.
fn take_turn(entry: &Entry<'_>, figures: &mut Figures, files: &Path) -> Result<String> {
    // What was written before is not to be written to the disk during this turn.
    Command::new("sync").status().context("`sync` cannot be started")?;
    let said = tempfile::tempdir_in(files)?;
    let written = tempfile::tempdir_in(files)?;
    let (mut seconds, mut output) = (0.0, String::new());
    for command in &mut (entry.commands)(written.path()) {
        let ran = run_whole(command, said.path())?;
        seconds += ran.seconds;
        figures.peak_kib = figures.peak_kib.max(ran.peak_kib);
        output = ran.output;
    }
    figures.rounds.push(seconds);
    figures.written_bytes = size_of_files(written.path())?;
    Ok(output)
}

/// The sizes of all files below `folder`.
fn size_of_files(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        sum += if kind.is_dir() { size_of_files(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &'static str) -> impl Fn(&Path) -> Vec<Command> {
        move |folder| {
            let mut command = Command::new("sh");
            command.current_dir(folder).args(["-c", script]);
            vec![command]
        }
    }

    #[test]
    fn each_runs_as_often_as_it_should_and_one_that_fails_says_why() {
        let files = tempfile::tempdir().unwrap();
        let entries = [
            Entry::new("short", 3, shell("mkdir a; printf 12345 > a/b; echo done")),
            Entry::new("long", 1, shell("printf 12 > c")),
            Entry::new("broken", 3, shell("echo 'out of luck' >&2; exit 1")),
        ];
        let measured = measure(&entries, files.path(), &|_| {});
        let figures: Vec<_> = measured.iter().map(|measured| measured.outcome.figures()).collect();
        let counts = figures.iter().map(|figures| figures.map(|figures| (figures.rounds.len(), figures.written_bytes)));
        assert_eq!(counts.collect::<Vec<_>>(), [Some((3, 5)), Some((1, 2)), None]);
        assert_eq!(measured[0].outputs, ["done\n"; 3]);
        assert!(measured[2].outcome.refusal().unwrap().ends_with("out of luck"), "{measured:?}");
        assert_eq!(fs::read_dir(files.path()).unwrap().count(), 0);
    }
}
