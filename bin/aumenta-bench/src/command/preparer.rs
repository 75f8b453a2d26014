//! `aumenta-bench preparer`: this program as a process whose preparation is measured.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use aumenta_dataset::{Depth, NearPair, OpenOptions, open, scan};
use aumenta_imgproc::Limits;
use aumenta_seed::Seed;

use super::say;
use crate::preparation::hash_search::search_hashes;
use crate::preparation::pairs::FoundPair;
use crate::preparation::said::Said;

/// Prepare something once; `prepare` starts this.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    work: Work,
}

/// What is done.
#[derive(clap::Subcommand)]
enum Work {
    /// Find the near-duplicates in a folder.
    Near {
        /// The folder.
        folder: PathBuf,
    },
    /// Search for each of so many hashes.
    Hashes {
        /// How many.
        count: usize,
    },
}

impl Args {
    pub fn run(self) -> Result<()> {
        match self.work {
            Work::Near { folder } => say(&near(&folder)?),
            Work::Hashes { count } => say(&search_hashes(count, Seed::new(7))),
        }
    }
}

fn near(folder: &Path) -> Result<Said> {
    let started = Instant::now();
    let source = open(folder, &OpenOptions::default())?;
    let found = scan(source.as_ref(), &Limits::default(), Depth::Likeness, &|_, _| {})?.near.pairs;
    let path = |index: usize| source.entries()[index].path.clone();
    let pair = |pair: &NearPair| FoundPair {
        first: path(pair.first),
        second: path(pair.second),
        similarity: Some(f64::from(pair.correlation)),
    };
    Ok(Said {
        versions: [("aumenta".to_string(), env!("CARGO_PKG_VERSION").to_string())].into(),
        pairs: found.iter().map(pair).collect(),
        findings: Vec::new(),
        work_seconds: Some(started.elapsed().as_secs_f64()),
    })
}
