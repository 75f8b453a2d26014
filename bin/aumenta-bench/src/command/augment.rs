//! `aumenta-bench augment`: our augmentation against that of other libraries.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum as _;

use super::{Destination, shown_command};
use crate::augmentation::contender::Contender;
use crate::augmentation::measure::Contest;
use crate::augmentation::operation::Operation;
use crate::augmentation::photographs::Photographs;
use crate::augmentation::report::augmentation;
use crate::augmentation::results::{Results, Settings};
use crate::machine::Machine;
use crate::outcome::Outcome;

/// Measure augmentation by Aumenta against other libraries, one thread each, on the same decoded photographs.
///
/// The libraries in Python need an interpreter with the packages of bin/aumenta-bench/peers/requirements.txt.
#[derive(clap::Args)]
pub struct Args {
    /// The operations; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Operation::value_variants().to_vec())]
    operations: Vec<Operation>,
    /// The contenders; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contender::value_variants().to_vec())]
    only: Vec<Contender>,
    /// The Python interpreter.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Rounds in which every contender takes its turn once.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Photographs in a pass.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    photographs: u16,
    /// How long a turn lasts at least, in milliseconds.
    #[arg(long, default_value_t = 50)]
    turn_milliseconds: u64,
    #[command(flatten)]
    destination: Destination,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            rounds: usize::from(self.rounds),
            photographs: usize::from(self.photographs),
            turn_milliseconds: self.turn_milliseconds,
            pause_milliseconds: 50,
        };
        let machine = Machine::read()?;
        let talk = |line: &str| eprintln!("{line}");
        let folder = tempfile::tempdir()?;
        talk(&format!("drawing {} photographs", settings.photographs));
        Photographs::draw(settings.photographs).write(folder.path())?;
        let mut contest = Contest::start(&self.only, &self.python, folder.path(), settings, &talk);
        let mut cells = Vec::new();
        for &operation in &self.operations {
            talk(&operation.name());
            cells.extend(contest.measure(operation));
        }
        let mut versions = contest.versions;
        versions.insert("rustc".to_string(), env!("RUSTC_VERSION").to_string());
        let results = Results { command: shown_command(), machine, versions, settings, absent: contest.absent, cells };
        self.destination.put(&results, &[augmentation(&results)])?;
        let refused = results.cells.iter().filter(|cell| matches!(cell.outcome, Outcome::Refused(_))).count();
        let absent = results.absent.len();
        ensure!(
            refused + absent == 0,
            "{absent} contenders and {refused} of {} cells were not measured; the report says why",
            results.cells.len()
        );
        Ok(())
    }
}
