//! The batches of an epoch, from wherever they come.

use aumenta_runs::LoaderShares;
use aumenta_stream::{Cursor, Fault, Listing};
use candle_core::Device;

use crate::error::TrainError;
use crate::features::Rows;
use crate::feed::{Images, Loading};
use crate::tensors::Examples;

/// The rest of a pass over the training split.
pub(crate) enum Pass<'a> {
    /// Its images.
    Images(Box<Images>),
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
    classes: usize,
    device: &'a Device,
}

impl<'a> RowPass<'a> {
    /// From the batch at `cursor` on, of the batches `listings` of its epoch, for a network of `classes` classes.
    pub fn new(rows: &'a Rows, listings: Vec<Listing>, cursor: Cursor, classes: usize, device: &'a Device) -> Self {
        Self { rows, epoch: cursor.epoch, listings, next: cursor.batch, classes, device }
    }

    fn next(&mut self) -> Option<Result<Examples, TrainError>> {
        let listing = self.listings.get(self.next)?.clone();
        self.next += 1;
        // Views take turns from epoch to epoch.
        let view = (self.epoch % self.rows.views() as u64) as usize;
        let rows = self.rows.tensor(view, &listing.positions);
        let examples = rows.and_then(|rows| Examples::of_rows(listing, &rows, self.classes, self.device));
        Some(examples.map_err(TrainError::from))
    }
}

impl Pass<'_> {
    /// The next batch.
    pub fn next(&mut self) -> Option<Result<Examples, TrainError>> {
        match self {
            Self::Images(images) => images.next(),
            Self::Rows(pass) => pass.next(),
        }
    }

    /// Behind the last batch.
    pub fn cursor(&self) -> Cursor {
        match self {
            Self::Images(images) => images.cursor(),
            Self::Rows(pass) => Cursor { epoch: pass.epoch, batch: pass.next },
        }
    }

    /// How many batches the epoch has, from its beginning.
    pub fn batch_count(&self) -> usize {
        match self {
            Self::Images(images) => images.batch_count(),
            Self::Rows(pass) => pass.listings.len(),
        }
    }

    /// Images that could not be used so far.
    pub fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Images(images) => images.faults(),
            Self::Rows(_) => Vec::new(),
        }
    }

    /// How the time was spent so far; features that lie in memory take none.
    pub fn loading(&self) -> Loading {
        match self {
            Self::Images(images) => images.loading(),
            Self::Rows(_) => Loading { data_wait_share: 0.0, shares: LoaderShares::default() },
        }
    }
}
