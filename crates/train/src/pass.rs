//! The batches of an epoch, from wherever they come.

use aumenta_runs::LoaderShares;
use aumenta_stream::{Cursor, Epoch, Fault, Listing};
use candle_core::Device;

use crate::error::TrainError;
use crate::features::Rows;
use crate::tensors::Examples;

/// The rest of a pass over the training split.
pub(crate) enum Pass<'a> {
    /// Its images.
    Images(Epoch),
    /// What the frozen layers have made of them.
    Rows(RowPass<'a>),
}

/// A pass over features.
pub(crate) struct RowPass<'a> {
    rows: &'a Rows,
    epoch: u64,
    listings: Vec<Listing>,
    /// The next batch.
    next: usize,
}

/// How the loader kept up with a pass over the training split.
pub(crate) struct Loading {
    pub data_wait_share: f64,
    pub shares: LoaderShares,
}

impl<'a> RowPass<'a> {
    /// From the batch at `cursor` on, of the batches `listings` of its epoch.
    pub fn new(rows: &'a Rows, listings: Vec<Listing>, cursor: Cursor) -> Self {
        Self { rows, epoch: cursor.epoch, listings, next: cursor.batch }
    }

    fn next(&mut self, classes: usize, device: &Device) -> Option<Result<Examples, TrainError>> {
        let listing = self.listings.get(self.next)?.clone();
        self.next += 1;
        // Views take turns from epoch to epoch.
        let view = (self.epoch % self.rows.views() as u64) as usize;
        let rows = self.rows.tensor(view, &listing.positions);
        Some(rows.and_then(|rows| Examples::of_rows(listing, &rows, classes, device)).map_err(TrainError::from))
    }
}

impl Pass<'_> {
    /// The next batch, for a network of `classes` classes.
    pub fn next(&mut self, classes: usize, device: &Device) -> Option<Result<Examples, TrainError>> {
        match self {
            Self::Images(epoch) => {
                let batch = epoch.next()?;
                Some(batch.map_err(TrainError::from).and_then(|batch| Ok(Examples::of_batch(&batch, classes, device)?)))
            }
            Self::Rows(pass) => pass.next(classes, device),
        }
    }

    /// Behind the last batch.
    pub fn cursor(&self) -> Cursor {
        match self {
            Self::Images(epoch) => epoch.cursor(),
            Self::Rows(pass) => Cursor { epoch: pass.epoch, batch: pass.next },
        }
    }

    /// How many batches the epoch has, from its beginning.
    pub fn batch_count(&self) -> usize {
        match self {
            Self::Images(epoch) => epoch.batch_count(),
            Self::Rows(pass) => pass.listings.len(),
        }
    }

    /// Images that could not be used so far.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Images(epoch) => epoch.faults(),
            Self::Rows(_) => &[],
        }
    }

    /// How the time was spent so far; features that lie in memory take none.
    pub fn loading(&self) -> Loading {
        let Self::Images(epoch) = self else {
            return Loading { data_wait_share: 0.0, shares: LoaderShares::default() };
        };
        let stalls = epoch.stalls();
        let [read, decode, augment, collate, channel] = stalls.stage_shares();
        let shares = LoaderShares { read, decode, augment, collate, channel };
        Loading { data_wait_share: stalls.share(), shares }
    }
}
