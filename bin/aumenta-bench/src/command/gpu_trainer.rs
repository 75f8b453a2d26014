//! `aumenta-bench gpu-trainer`: this program as the process whose training on a GPU is measured.

use std::collections::BTreeMap;
use std::io::{Lines, StdinLock, stdin};
use std::path::PathBuf;

use anyhow::{Result, bail};
use aumenta_nn::Precision;

use super::gpu::precision;
use super::say;
use crate::gpu::contender::Contender;
use crate::gpu::device::{gpu, libraries};
use crate::gpu::ours::{self, Resident, Streamed};
use crate::gpu::protocol::{Answer, Ready, Trained, Turn};
use crate::gpu::workload::{self, Workload};
use crate::protocol::Greeting;

/// Train on request; `gpu` starts this.
#[derive(clap::Args)]
pub struct Args {
    /// In which way.
    contender: Contender,
    /// The manifest of the photographs.
    #[arg(long)]
    manifest: PathBuf,
    /// Threads that make batches.
    #[arg(long)]
    threads: usize,
    /// The network.
    #[arg(long)]
    network: workload::Trained,
    /// Images a step.
    #[arg(long)]
    batch: usize,
    /// The arithmetic of convolutions.
    #[arg(long, value_parser = precision)]
    precision: Precision,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let mut contender = match self.build() {
            Ok(contender) => contender,
            Err(error) => return say(&Greeting::<Ready>::Refused(format!("{error:#}"))),
        };
        let versions = [("aumenta", env!("CARGO_PKG_VERSION")), ("candle", env!("CANDLE_VERSION"))];
        let versions = versions.map(|(name, version)| (name.to_string(), version.to_string()));
        let versions: BTreeMap<_, _> = versions.into_iter().chain(libraries()).collect();
        say(&Greeting::Ready(Ready { versions, parameters: contender.parameters() }))?;
        let mut requests = stdin().lines();
        match contender.train(&mut |trained| next(trained, &mut requests)) {
            Ok(()) => Ok(()),
            Err(error) => say(&Answer::Refused(format!("{error:#}"))),
        }
    }

    fn build(&self) -> Result<Box<dyn ours::Contender>> {
        let Self { network, batch, precision, .. } = *self;
        let workload = Workload { network, batch, precision };
        match self.contender {
            Contender::Ours => Ok(Box::new(Streamed::open(workload, &self.manifest, self.threads, gpu()?)?)),
            Contender::OursResident => Ok(Box::new(Resident::build(workload, gpu()?)?)),
            Contender::Torch | Contender::TorchCompile => bail!("`{}` is not written in Rust", self.contender.name()),
        }
    }
}

/// Answers with what a turn brought, and waits for the next one.
fn next(trained: Option<Trained>, requests: &mut Lines<StdinLock<'static>>) -> Result<Option<Turn>> {
    if let Some(trained) = trained {
        say(&Answer::Trained(trained))?;
    }
    let Some(line) = requests.next() else { return Ok(None) };
    Ok(Some(serde_json::from_str(&line?)?))
}
