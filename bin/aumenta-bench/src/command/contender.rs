//! `aumenta-bench contender`: this program as one of the processes that are measured.

use std::collections::BTreeMap;
use std::io::stdin;
use std::time::Instant;

use anyhow::Result;

use super::say;
use crate::contender::Contender;
use crate::memory::{Figure, figure_kib};
use crate::network::Network;
use crate::peer::{Peer, build};
use crate::protocol::{Greeting, Ready, Request, Times};

/// Take steps on request; `train` and `scaling` start this.
#[derive(clap::Args)]
pub struct Args {
    /// The library.
    contender: Contender,
    /// The network.
    #[arg(long)]
    network: Network,
    /// Images a step.
    #[arg(long)]
    batch: usize,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let baseline_kib = figure_kib("self", Figure::Resident)?;
        let mut peer = match build(self.contender, self.network, self.batch) {
            Ok(peer) => peer,
            Err(error) => return say(&Greeting::<Ready>::Refused(format!("{error:#}"))),
        };
        let (versions, parameters) = (self.versions(), peer.parameters());
        say(&Greeting::Ready(Ready { versions, parameters, baseline_kib }))?;
        for line in stdin().lines() {
            let request: Request = serde_json::from_str(&line?)?;
            say(&Times { milliseconds: timed(&mut *peer, request.steps)? })?;
        }
        Ok(())
    }

    fn versions(&self) -> BTreeMap<String, String> {
        let candle = ("candle", env!("CANDLE_VERSION"));
        let versions = match self.contender {
            Contender::Ours => vec![("aumenta", env!("CARGO_PKG_VERSION")), candle],
            Contender::Burn => vec![("burn", env!("BURN_VERSION"))],
            _ => vec![candle],
        };
        versions.into_iter().map(|(name, version)| (name.to_string(), version.to_string())).collect()
    }
}

fn timed(peer: &mut dyn Peer, steps: usize) -> Result<Vec<f64>> {
    let milliseconds = (0..steps).map(|_| {
        let started = Instant::now();
        peer.step()?;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    });
    milliseconds.collect()
}
