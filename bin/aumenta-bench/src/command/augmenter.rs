//! `aumenta-bench augmenter`: this program as the process whose augmentation is measured.

use std::io::stdin;
use std::path::PathBuf;

use anyhow::Result;

use super::say;
use crate::augmentation::ours::Ours;
use crate::augmentation::photographs::Photographs;
use crate::augmentation::protocol::{Answer, Ready, Turn};
use crate::protocol::Greeting;

/// Augment photographs on request; `augment` starts this.
#[derive(clap::Args)]
pub struct Args {
    /// The folder with the photographs.
    #[arg(long)]
    photographs: PathBuf,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let mut ours = Ours::new(Photographs::read(&self.photographs)?)?;
        let versions = [("aumenta".to_string(), env!("CARGO_PKG_VERSION").to_string())].into();
        say(&Greeting::Ready(Ready { versions, operations: ours.operations() }))?;
        for line in stdin().lines() {
            let turn: Turn = serde_json::from_str(&line?)?;
            let timed = ours.run(turn.operation, turn.passes);
            say(&timed.map_or_else(|error| Answer::Refused(format!("{error:#}")), Answer::Timed))?;
        }
        Ok(())
    }
}
