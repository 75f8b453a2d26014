//! [`Listing`]: what is in a batch, without its pixels.

use crate::epoch::Batching;
use crate::images::Images;
use crate::sampler::Draw;

/// Which images a batch has, for who has something of theirs already and needs no pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The batch's number within the epoch, counted from 0 over all shards.
    pub index: usize,
    /// The place of each image in the split, in the manifest's order.
    pub positions: Vec<usize>,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// The class of each image, an index into the manifest's classes.
    pub classes: Vec<u32>,
}

impl Listing {
    /// The batches of an epoch that has the samples `draws`.
    pub(crate) fn of_epoch(images: &Images, draws: &[Draw], batching: Batching) -> Vec<Self> {
        let listing = |place| {
            let (index, samples) = batching.batch(place);
            let positions: Vec<usize> = draws[samples].iter().map(|draw| draw.position).collect();
            let ids = positions.iter().map(|position| images.id(*position)).collect();
            let classes = positions.iter().filter_map(|position| images.record(*position)).map(|record| record.class);
            Self { index, classes: classes.collect(), ids, positions }
        };
        (0..batching.batches()).map(listing).collect()
    }
}
