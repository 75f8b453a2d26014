//! `aumenta-bench streamer`: this program as the process whose streaming is measured.

use std::io::stdin;
use std::path::PathBuf;

use anyhow::Result;
use aumenta_stream::CacheMode;
use clap::ValueEnum;

use super::say;
use crate::protocol::Greeting;
use crate::streaming::ours::{DecodeOnly, Stream};
use crate::streaming::protocol::{Answer, Ready, Streamed, Turn};
use crate::streaming::workload::Augmentation;

/// Make batches on request; `stream` starts this.
#[derive(clap::Args)]
pub struct Args {
    /// What is done.
    work: Work,
    /// The manifest of the photographs.
    #[arg(long)]
    manifest: PathBuf,
    /// What is done with a photograph.
    #[arg(long)]
    augmentation: Augmentation,
    /// Threads that make batches.
    #[arg(long)]
    threads: usize,
    /// Where decoded pixels are kept; a cache is filled before the first turn.
    #[arg(long, value_enum, default_value_t = CacheName::Off)]
    cache: CacheName,
}

/// Where decoded pixels are kept.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CacheName {
    /// Nowhere.
    Off,
    /// In memory.
    Ram,
    /// In a file beside the manifest.
    Disk,
}

impl From<CacheName> for CacheMode {
    fn from(name: CacheName) -> Self {
        match name {
            CacheName::Off => Self::Off,
            CacheName::Ram => Self::Ram,
            CacheName::Disk => Self::Disk,
        }
    }
}

/// How far the road is gone.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Work {
    /// From files to batches.
    Stream,
    /// From files to decoded images.
    Decode,
}

impl Args {
    pub fn run(self) -> Result<()> {
        match self.work {
            Work::Stream => match Stream::open(&self.manifest, self.augmentation, self.threads, self.cache.into()) {
                Ok(mut stream) => serve(|turn| stream.turn(turn)),
                Err(error) => say(&Greeting::<Ready>::Refused(format!("{error:#}"))),
            },
            Work::Decode => match DecodeOnly::open(&self.manifest, self.augmentation, self.threads) {
                Ok(decode_only) => serve(|turn| decode_only.turn(turn)),
                Err(error) => say(&Greeting::<Ready>::Refused(format!("{error:#}"))),
            },
        }
    }
}

/// Greets, and takes turns until there are no more requests.
fn serve(mut take: impl FnMut(&Turn) -> Result<Streamed>) -> Result<()> {
    let versions = [("aumenta".to_string(), env!("CARGO_PKG_VERSION").to_string())].into();
    say(&Greeting::Ready(Ready { versions }))?;
    for line in stdin().lines() {
        let turn: Turn = serde_json::from_str(&line?)?;
        let taken = take(&turn);
        say(&taken.map_or_else(|error| Answer::Refused(format!("{error:#}")), Answer::Streamed))?;
    }
    Ok(())
}
