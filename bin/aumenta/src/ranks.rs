//! [`Ranks`]: training by several processes at a time, each with a GPU of its own.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::Result;
use aumenta_stream::Shard;
use aumenta_train::Exchange;
use candle_core::Device;

use crate::failure::BadUse;

/// Which of several processes this one is, and where they meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranks {
    /// Its number, counted from 0.
    pub rank: usize,
    /// How many there are.
    pub count: usize,
    /// The file through which they find each other.
    pub rendezvous: PathBuf,
}

impl Ranks {
    /// From what was asked for, of which all or nothing must be given.
    ///
    /// # Errors
    /// Where there is no such rank.
    pub fn new(rank: usize, count: usize, rendezvous: PathBuf) -> Result<Self> {
        if rank >= count {
            return Err(BadUse::message(format!("there is no rank {rank} of {count}: ranks are counted from 0")));
        }
        Ok(Self { rank, count, rendezvous })
    }

    /// Its share of the batches.
    pub fn shard(&self) -> Shard {
        Shard { index: self.rank, count: self.count }
    }

    /// Its run's folder: that of rank 0 is the run; the others keep theirs beside it.
    pub fn folder(&self, run: &Path) -> PathBuf {
        if self.rank == 0 {
            return run.to_path_buf();
        }
        let name = run.file_name().unwrap_or_default().to_string_lossy();
        run.with_file_name(format!("{name}-rank-{}", self.rank))
    }

    /// Meets the others.
    ///
    /// # Errors
    /// Where the program was built without NCCL, the device is no GPU, or the others do not come.
    #[cfg(feature = "nccl")]
    pub fn join(&self, device: &Device) -> Result<RefCell<Box<dyn Exchange>>> {
        let exchange = aumenta_nn::GradientExchange::new(device, self.rank, self.count, &self.rendezvous)?;
        Ok(RefCell::new(Box::new(exchange)))
    }

    /// Meets the others.
    ///
    /// # Errors
    /// Always: the program was built without NCCL.
    #[cfg(not(feature = "nccl"))]
    #[expect(clippy::unused_self, reason = "as where NCCL is")]
    pub fn join(&self, _: &Device) -> Result<RefCell<Box<dyn Exchange>>> {
        let advice = "several processes train together through NCCL, and this program was built without it; build it with \
                      `--features cuda,cudnn,nccl`";
        Err(BadUse::message(advice.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_has_a_share_and_a_folder_of_its_own() {
        let ranks = |rank| Ranks::new(rank, 2, "meet".into()).unwrap();
        assert_eq!(ranks(0).folder(Path::new("runs/a")), Path::new("runs/a"));
        assert_eq!(ranks(1).folder(Path::new("runs/a")), Path::new("runs/a-rank-1"));
        assert_eq!(ranks(1).shard(), Shard { index: 1, count: 2 });
        let error = Ranks::new(2, 2, "meet".into()).unwrap_err().to_string();
        assert_eq!(error, "there is no rank 2 of 2: ranks are counted from 0");
    }
}
