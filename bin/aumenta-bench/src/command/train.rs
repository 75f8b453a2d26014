//! `aumenta-bench train`: our training step against those of other libraries.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum as _;

use super::Options;
use crate::contender::{Contender, Task};
use crate::network::Network;
use crate::report;

/// Measure a training step of Aumenta against those of other libraries, interleaved in one run.
///
/// The libraries in Python need an interpreter with the packages of bin/aumenta-bench/peers/requirements.txt.
#[derive(clap::Args)]
pub struct Args {
    /// The networks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Network::value_variants().to_vec())]
    networks: Vec<Network>,
    /// Images a step.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 32, 64])]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    batches: Vec<u16>,
    /// The contenders; all where it is not given.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contender::value_variants().to_vec())]
    only: Vec<Contender>,
    /// The Python interpreter.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let settings = self.options.settings()?;
        let mut groups = Vec::new();
        for &network in &self.networks {
            for &batch in &self.batches {
                let batch = usize::from(batch);
                let task = Task { network, batch, threads: settings.threads, python: &self.python };
                groups.push(self.only.iter().map(|&contender| (contender, task.clone())).collect());
            }
        }
        self.options.run(&groups, settings, report::training)
    }
}
