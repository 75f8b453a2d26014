//! `aumenta-bench scaling`: our training step over batch sizes.

use std::path::Path;

use anyhow::{Result, bail};

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
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    batches: Vec<u16>,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub fn run(self) -> Result<()> {
        if let Some(network) = self.networks.iter().find(|network| !network.is_trained()) {
            bail!("{} is not trained here, only evaluated: leave it out", network.name());
        }
        let settings = self.options.settings()?;
        let mut groups = Vec::new();
        for &network in &self.networks {
            let entry = |&batch: &u16| {
                let (batch, python) = (usize::from(batch), Path::new("python3"));
                (Contender::Ours, Task { network, batch, threads: settings.threads, python })
            };
            groups.push(self.batches.iter().map(entry).collect());
        }
        self.options.run(&groups, settings, report::scaling)
    }
}
