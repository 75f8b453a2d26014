//! `aumenta-bench stream`: our streaming against that of other libraries.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum as _;

use super::{Destination, shown_command};
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::streaming::contender::{Contender, Task};
use crate::streaming::measure::measure;
use crate::streaming::ours::write_manifest;
use crate::streaming::photographs::{Facts, Origin, write_folder};
use crate::streaming::report::streaming;
use crate::streaming::results::{Results, Settings};
use crate::streaming::workload::{BATCH, Workload};
use crate::streaming::writer::Writer;

/// Measure the whole road from files to batches by Aumenta against other libraries, with the same threads on the same files.
///
/// It needs an interpreter with the packages of bin/aumenta-bench/peers/requirements.txt.
#[derive(clap::Args)]
pub struct Args {
    /// The workloads; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Workload::value_variants().to_vec())]
    workloads: Vec<Workload>,
    /// The contenders; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contender::value_variants().to_vec())]
    only: Vec<Contender>,
    /// The Python interpreter.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Another build of this program, with the feature `turbo`, which takes part as `ours-turbo`.
    #[arg(long, value_name = "PROGRAM")]
    turbo: Option<PathBuf>,
    /// A folder or archive of JPEGs to stream in place of drawn ones, such as the photographs of Kaggle's Dogs vs. Cats.
    #[arg(long, value_name = "PATH")]
    photographs: Option<PathBuf>,
    /// How many photographs there are, a multiple of the batch.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..))]
    files: u16,
    /// Threads of each contender.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Rounds in which every contender takes its turn once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn lasts at least, in milliseconds.
    #[arg(long, default_value_t = 3000)]
    turn_milliseconds: u64,
    #[command(flatten)]
    destination: Destination,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let count = usize::from(self.files);
        ensure!(count.is_multiple_of(BATCH), "`--files` must be a multiple of {BATCH}, got {count}");
        let settings = Settings {
            threads: usize::from(self.threads),
            rounds: usize::from(self.rounds),
            turn_milliseconds: self.turn_milliseconds,
            inspected_batches: 4,
            drained_batches: 12,
        };
        let mut results = Results {
            command: shown_command(),
            machine: Machine::read()?,
            versions: [("rustc".to_string(), env!("RUSTC_VERSION").to_string())].into(),
            settings,
            origin: None,
            photographs: BTreeMap::new(),
            rows: Vec::new(),
        };
        let origin = match &self.photographs {
            Some(path) => Origin::find(path, count)?,
            None => Origin::Drawn,
        };
        results.origin = origin.name().map(str::to_string);
        let files = tempfile::tempdir()?;
        let mut writer = Writer::start(&self.python, files.path())?;
        for &workload in &self.workloads {
            let task = Task {
                workload,
                threads: settings.threads,
                python: &self.python,
                turbo: self.turbo.as_deref(),
                files: files.path(),
            };
            let which = workload.photographs();
            if !results.photographs.contains_key(which.name()) {
                talk(&format!("writing {count} {} photographs", which.name()));
                let facts = write_folder(&task.folder(), &origin, which, count, &mut writer)?;
                results.photographs.insert(which.name().to_string(), facts);
            }
            let (contenders, facts) = (self.contenders(workload), &results.photographs[which.name()]);
            for contender in contenders.iter().filter(|contender| contender.is_ours()) {
                prepare(*contender, &task, &origin, facts, &mut writer)?;
            }
            results.rows.extend(measure(&contenders, &task, &settings, &mut results.versions, &talk));
        }
        self.destination.put(&results, &[streaming(&results)])?;
        let refused = results.rows.iter().filter(|row| matches!(row.outcome, Outcome::Refused(_))).count();
        ensure!(refused == 0, "{refused} of {} rows were not measured; the report says why", results.rows.len());
        Ok(())
    }

    /// Those that take part in `workload`.
    fn contenders(&self, workload: Workload) -> Vec<Contender> {
        let takes_part = |contender: &&Contender| {
            self.only.contains(contender) && (self.turbo.is_some() || **contender != Contender::OursTurbo)
        };
        Contender::of(workload).iter().filter(takes_part).copied().collect()
    }
}

/// Writes the archive and the manifest that a process of ours reads, where they are not there yet.
fn prepare(contender: Contender, task: &Task<'_>, origin: &Origin, facts: &Facts, writer: &mut Writer) -> Result<()> {
    let (source, manifest) = (contender.source(task), contender.manifest(task));
    if let (Some(packing), false) = (contender.packing(), source.exists()) {
        talk(&format!("packing {}", packing.file_name()));
        writer.archive(packing, &task.folder(), &source)?;
    }
    if !manifest.exists() {
        write_manifest(&source, &manifest, origin.smallest_class(facts.files), facts.copies)?;
    }
    Ok(())
}

fn talk(line: &str) {
    eprintln!("{line}");
}
