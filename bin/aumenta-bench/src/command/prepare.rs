//! `aumenta-bench prepare`: our preparation of data sets against that of other libraries.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use aumenta_seed::Seed;
use clap::ValueEnum as _;

use super::{Destination, shown_command};
use crate::machine::Machine;
use crate::preparation::growth::measure_growth;
use crate::preparation::hashes::measure_hashes;
use crate::preparation::inspect::{Contender as Inspector, InspectConfig, measure_inspect};
use crate::preparation::near::{Contender as NearContender, NearConfig, measure_near};
use crate::preparation::part::Part;
use crate::preparation::photographs::Photographs;
use crate::preparation::pictures::Wanted;
use crate::preparation::place::Place;
use crate::preparation::report::preparing;
use crate::preparation::results::Results;
use crate::preparation::settings::Settings;
use crate::preparation::split::{Contender as Splitter, measure_split};

/// The width and height of the pictures that are split and inspected.
const SIDE: usize = 200;

/// The seed of all that is drawn, cut and planted.
const SEED: Seed = Seed::new(7);

/// Measure the preparation of data sets by Aumenta against other libraries, on the same files.
///
/// It needs an interpreter with the packages of bin/aumenta-bench/peers/requirements.txt.
#[derive(clap::Args)]
pub struct Args {
    /// What is measured; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::value_variants().to_vec())]
    parts: Vec<Part>,
    /// The program `aumenta`; the one beside this program where it is not given.
    #[arg(long, value_name = "PROGRAM")]
    aumenta: Option<PathBuf>,
    /// The Python interpreter.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Leave other libraries out.
    #[arg(long)]
    alone: bool,
    /// A folder or archive of JPEGs to make pictures from, in place of drawn ones; it can be given several times.
    #[arg(long, value_name = "PATH")]
    photographs: Vec<PathBuf>,
    /// How many pictures there are.
    #[arg(long, default_value_t = 25_000)]
    files: usize,
    /// How many pictures have each fault.
    #[arg(long, default_value_t = 50)]
    planted: usize,
    /// How many photographs have near-duplicates planted.
    #[arg(long, default_value_t = 300)]
    originals: usize,
    /// How many hashes are searched for.
    #[arg(long, default_value_t = 1_000_000)]
    hashes: usize,
    /// How many pictures are split to see what more of them cost.
    #[arg(long, value_delimiter = ',', default_values_t = [2500, 25_000, 250_000])]
    growth: Vec<usize>,
    /// Runs of each contender.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Runs of contenders that take long.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    slow_rounds: u16,
    #[command(flatten)]
    destination: Destination,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let files = tempfile::tempdir()?;
        let place = Place { aumenta: self.aumenta()?, python: self.python.clone(), files: files.path().to_owned() };
        let photographs = Photographs::open(&self.photographs)?;
        let settings = Settings { rounds: self.rounds.into(), slow_rounds: self.slow_rounds.into() };
        let mut results = Results {
            command: shown_command(),
            machine: Machine::read()?,
            versions: BTreeMap::from([("rustc".to_string(), env!("RUSTC_VERSION").to_string())]),
            settings,
            photographs: photographs.names(),
            split: None,
            inspect: None,
            near: None,
            hashes: None,
            growth: None,
        };
        let wanted = Wanted { count: self.files, side: SIDE, seed: SEED };
        for part in &self.parts {
            match part {
                Part::Split => {
                    let contenders = if self.alone { &Splitter::ALL[1..] } else { &Splitter::ALL };
                    let how = (contenders, wanted, settings.rounds);
                    results.split = Some(measure_split(&place, &photographs, how, &mut results.versions, &talk)?);
                }
                Part::Inspect => {
                    let contenders: &[Inspector] = if self.alone { &[Inspector::Ours] } else { &Inspector::ALL };
                    let config = InspectConfig { contenders, wanted, each: self.planted, settings };
                    results.inspect =
                        Some(measure_inspect(&place, &photographs, &config, &mut results.versions, &talk)?);
                }
                Part::Near => {
                    let config = NearConfig {
                        contenders: if self.alone { &[NearContender::Ours] } else { &NearContender::ALL },
                        originals: self.originals,
                        files: self.files,
                        rounds: settings.slow_rounds,
                        seed: SEED,
                    };
                    results.near = Some(measure_near(&place, &photographs, &config, &mut results.versions, &talk)?);
                }
                Part::Hashes => results.hashes = Some(measure_hashes(&place, self.hashes, settings.rounds, &talk)?),
                Part::Growth => {
                    let counts = (&self.growth[..], SEED);
                    results.growth = Some(measure_growth(&place, &photographs, counts, &settings, &talk)?);
                }
            }
        }
        self.destination.put(&results, &[preparing(&results)])?;
        let refused = results.refusals().len();
        ensure!(refused == 0, "{refused} rows were not measured; the report says why");
        Ok(())
    }

    /// The program `aumenta`.
    fn aumenta(&self) -> Result<PathBuf> {
        match &self.aumenta {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?.parent().context("this program lies in a folder")?.join("aumenta")),
        }
    }
}

fn talk(line: &str) {
    eprintln!("{line}");
}
