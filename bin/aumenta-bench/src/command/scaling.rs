//! `aumenta-bench scaling`: our training step over batch sizes.

use std::path::Path;

use anyhow::Result;

use super::Options;
use crate::contender::{Contender, Task};
use crate::network::Network;
use crate::report;

/// Measure our own training step over batch sizes, interleaved: its time should grow in proportion.
#[derive(clap::Args)]
pub struct Args {
    /// The networks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Network::Mnist, Network::CatsDogs])]
    networks: Vec<Network>,
    /// Images a step.
    #[arg(long, value_delimiter = ',', default_values_t = [8, 16, 32, 64, 128, 256])]
    batches: Vec<usize>,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let settings = self.options.settings()?;
        let mut groups = Vec::new();
        for &network in &self.networks {
            let task = |&batch| Task { network, batch, threads: settings.threads, python: Path::new("python3") };
            groups.push(self.batches.iter().map(|batch| (Contender::Ours, task(batch))).collect());
        }
        self.options.run(&groups, settings, report::SCALING, report::scaling)
    }
}
