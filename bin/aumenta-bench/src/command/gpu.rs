//! `aumenta-bench gpu`: operations on a GPU against the CPU, and training there against PyTorch.

use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::{Result, bail, ensure};
use aumenta_nn::Precision;
use clap::ValueEnum as _;

use super::{Destination, shown_command};
use crate::gpu::card::Card;
use crate::gpu::contender::{Contender, Task};
use crate::gpu::device::{gpu, libraries};
use crate::gpu::measure::{check, measure};
use crate::gpu::part::Part;
use crate::gpu::pictures;
use crate::gpu::report::on_gpu;
use crate::gpu::results::{Results, Settings};
use crate::gpu::workload::{Trained, Workload};
use crate::machine::Machine;
use crate::streaming::photographs::Origin;

/// Check what a GPU computes against the CPU, and measure training there against PyTorch with cuDNN.
///
/// It needs an NVIDIA GPU, a build with `--features cuda,cudnn` (and `nccl`, for the check of it), and for training an interpreter with
/// PyTorch for CUDA. It fails where a check does.
#[derive(clap::Args)]
pub struct Args {
    /// What is done.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::value_variants().to_vec())]
    parts: Vec<Part>,
    /// The networks that are trained.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Trained::value_variants().to_vec())]
    networks: Vec<Trained>,
    /// Images a step [default: 32, 64 and 256 for cats-dogs, 64 for lite0-whole].
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..))]
    batches: Vec<u16>,
    /// The arithmetic of convolutions: f32, tf32 or bf16.
    #[arg(long, value_delimiter = ',', value_parser = precision, default_value = "f32,tf32,bf16")]
    precisions: Vec<Precision>,
    /// The contenders; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contender::value_variants().to_vec())]
    only: Vec<Contender>,
    /// The Python interpreter.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// A folder or archive of JPEGs to train on in place of drawn ones, such as the photographs of Kaggle's Dogs vs. Cats.
    #[arg(long, value_name = "PATH")]
    photographs: Option<PathBuf>,
    /// How many photographs there are.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(6..))]
    files: u16,
    /// How often each stands in the data set, so that an epoch is long enough to be timed.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    copies: u16,
    /// Threads that make batches; as many as cores where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Rounds in which every contender takes its turn once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn lasts at least, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    turn_milliseconds: u64,
    #[command(flatten)]
    destination: Destination,
}

/// The precision named `name`.
pub fn precision(name: &str) -> Result<Precision> {
    match name {
        "f32" => Ok(Precision::F32),
        "tf32" => Ok(Precision::Tf32),
        "bf16" => Ok(Precision::Bf16),
        _ => bail!("there are f32, tf32 and bf16"),
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        // Whether there is one, before anything is prepared.
        gpu()?;
        let count = usize::from(self.files);
        let origin = match &self.photographs {
            Some(path) => Origin::find(path, count)?,
            None => Origin::Drawn,
        };
        let mut results = Results {
            command: shown_command(),
            machine: Machine::read()?,
            card: Card::read()?,
            versions: libraries()
                .into_iter()
                .chain([("rustc".to_string(), env!("RUSTC_VERSION").to_string())])
                .collect(),
            settings: Settings {
                threads: self.threads.map_or_else(|| available_parallelism().map(usize::from), |n| Ok(n.into()))?,
                rounds: usize::from(self.rounds),
                turn_milliseconds: self.turn_milliseconds,
                photographs: count,
                copies: usize::from(self.copies),
                origin: origin.name().map(str::to_string),
            },
            checks: Vec::new(),
            rows: Vec::new(),
        };
        // The device is let go of before contenders, who need its memory.
        if self.parts.contains(&Part::Checks) {
            results.checks = check(&gpu()?, &self.precisions, &talk);
        }
        if self.parts.contains(&Part::Training) {
            self.train(&origin, &mut results)?;
        }
        self.destination.put(&results, &on_gpu(&results))?;
        let (failed, checks) = (results.failed_checks(), results.checks.len());
        ensure!(failed == 0, "{failed} of {checks} checks failed; the report says which");
        let refused = results.rows.iter().filter(|row| row.figures().is_none()).count();
        ensure!(refused == 0, "{refused} of {} rows were not measured; the report says why", results.rows.len());
        Ok(())
    }

    fn train(&self, origin: &Origin, results: &mut Results) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let Settings { photographs, copies, threads, .. } = results.settings;
        talk(&format!("writing {photographs} photographs"));
        let manifest = pictures::write(folder.path(), origin, photographs, copies)?;
        for workload in self.workloads() {
            let task = Task { workload, threads, python: &self.python, manifest: &manifest };
            results.rows.extend(measure(&self.only, &task, &results.settings, &mut results.versions, &talk));
        }
        Ok(())
    }

    /// All networks with their batches, each in all precisions.
    fn workloads(&self) -> Vec<Workload> {
        let asked: Vec<usize> = self.batches.iter().map(|&batch| usize::from(batch)).collect();
        let batches = |network: Trained| if asked.is_empty() { network.batches().to_vec() } else { asked.clone() };
        let pairs =
            self.networks.iter().flat_map(|&network| batches(network).into_iter().map(move |batch| (network, batch)));
        let workloads = pairs.flat_map(|(network, batch)| {
            self.precisions.iter().map(move |&precision| Workload { network, batch, precision })
        });
        workloads.collect()
    }
}

fn talk(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn workloads(line: &[&str]) -> Vec<(Trained, usize, Precision)> {
        let args = Line::parse_from(["gpu"].iter().chain(line)).args;
        let workloads = args.workloads().into_iter();
        workloads.map(|Workload { network, batch, precision }| (network, batch, precision)).collect()
    }

    #[test]
    fn a_run_has_each_network_with_its_batches_in_all_precisions() {
        assert_eq!(workloads(&[]).len(), 12);
        assert_eq!(
            workloads(&["--networks", "lite0-whole", "--precisions", "bf16"]),
            [(Trained::Lite0Whole, 64, Precision::Bf16)]
        );
        assert_eq!(
            workloads(&["--batches", "16,8", "--precisions", "f32", "--networks", "cats-dogs"]),
            [(Trained::CatsDogs, 16, Precision::F32), (Trained::CatsDogs, 8, Precision::F32),]
        );
    }

    #[test]
    fn precisions_have_the_names_that_configurations_give_them() {
        for name in ["f32", "tf32", "bf16"] {
            assert_eq!(precision(name).unwrap().name(), name);
        }
        assert!(precision("f16").is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_for_the_cpu_says_how_to_make_another() {
        let error = Line::parse_from(["gpu"]).args.run().unwrap_err().to_string();
        assert!(error.contains("a build with `--features cuda,cudnn,nccl`"), "{error}");
    }
}
