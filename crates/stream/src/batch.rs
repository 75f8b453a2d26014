//! [`Batch`]: what a stream delivers.

use std::sync::Arc;

use aumenta_augment::{Mix, Plan};
use aumenta_imgproc::{Channels, Size};

use crate::fault::Fault;
use crate::layout::{Layout, Shape};
use crate::memory::Memory;
use crate::pool::Pool;

/// The values of a batch, in the type of its layout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    /// Normalized numbers.
    Floats(&'a [f32]),
    /// From 0 to 255, to be normalized.
    Bytes(&'a [u8]),
}

/// Images with their classes, in the order of the epoch.
///
/// Its memory goes back to the stream when it is dropped, which uses it for a later batch.
#[derive(Debug)]
pub struct Batch {
    /// Its number within the epoch, counted from 0 over all shards.
    pub index: usize,
    /// The form of each image.
    pub shape: Shape,
    /// The class of each image, an index into the manifest's classes.
    pub classes: Vec<u32>,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// Which view of the image each is, see [`Draw`](crate::Draw).
    pub views: Vec<u32>,
    /// What was done to each image; the identity in evaluation.
    pub plans: Vec<Plan>,
    /// What was then mixed into each image, if anything; nothing in evaluation.
    pub mixes: Vec<Option<Mix>>,
    /// Images that should have been in it.
    pub faults: Vec<Fault>,
    pub(crate) memory: Memory,
    pub(crate) pool: Option<Arc<Pool>>,
}

impl Batch {
    /// How many images it holds.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The dimensions of its pixels, in the order of its layout.
    pub fn dimensions(&self) -> [usize; 4] {
        self.shape.dimensions(self.len())
    }

    /// The normalized values of all images, in the order of [`dimensions`](Self::dimensions); in `[0, 1]` by default.
    ///
    /// # Panics
    /// Where the layout is [`Layout::U8Nhwc`].
    pub fn floats(&self) -> &[f32] {
        assert_ne!(self.shape.layout, Layout::U8Nhwc, "a batch of bytes has no floats");
        &self.memory.floats()[..self.len() * self.shape.len()]
    }

    /// The bytes of all images, in the order of [`dimensions`](Self::dimensions).
    ///
    /// # Panics
    /// Where the layout is not [`Layout::U8Nhwc`].
    pub fn bytes(&self) -> &[u8] {
        assert_eq!(self.shape.layout, Layout::U8Nhwc, "a batch of floats has no bytes");
        self.raw()
    }

    /// The values of all images, in the order of [`dimensions`](Self::dimensions), whatever the layout.
    pub fn values(&self) -> Values<'_> {
        match self.shape.layout {
            Layout::U8Nhwc => Values::Bytes(self.bytes()),
            Layout::F32Nhwc | Layout::F32Nchw => Values::Floats(self.floats()),
        }
    }

    /// The bytes of all values, whatever they are.
    fn raw(&self) -> &[u8] {
        &self.memory.bytes()[..self.len() * self.shape.bytes()]
    }

    /// Whether any image is mixed, so that classes alone do not say what is right.
    pub fn is_mixed(&self) -> bool {
        self.mixes.iter().any(Option::is_some)
    }

    /// The share of each of `classes` classes in what is right for each image, `[n, classes]`; the shares of an image sum
    /// to 1.
    ///
    /// # Panics
    /// Where a class is not below `classes`.
    pub fn soft_targets(&self, classes: usize) -> Vec<f32> {
        let mut targets = vec![0.0; self.len() * classes];
        for (at, row) in targets.chunks_exact_mut(classes).enumerate() {
            match &self.mixes[at] {
                Some(mix) => row.copy_from_slice(&mix.shares(self.classes[at], self.classes[mix.partner], classes)),
                None => row[self.classes[at] as usize] = 1.0,
            }
        }
        targets
    }

    /// The class with the larger share in each image, which is its own where nothing is mixed into it.
    pub fn larger_classes(&self) -> Vec<u32> {
        let larger = |(own, mix): (&u32, &Option<Mix>)| match mix {
            Some(mix) => mix.larger(*own, self.classes[mix.partner]),
            None => *own,
        };
        self.classes.iter().zip(&self.mixes).map(larger).collect()
    }

    /// Empties it, but for its memory.
    pub(crate) fn clear(&mut self) {
        self.classes.clear();
        self.ids.clear();
        self.views.clear();
        self.mixes.clear();
        self.faults.clear();
    }
}

impl Default for Batch {
    fn default() -> Self {
        let shape = Shape { size: Size::default(), channels: Channels::Rgb, layout: Layout::default() };
        Self {
            index: 0,
            shape,
            classes: Vec::new(),
            ids: Vec::new(),
            views: Vec::new(),
            plans: Vec::new(),
            mixes: Vec::new(),
            faults: Vec::new(),
            memory: Memory::default(),
            pool: None,
        }
    }
}

/// Two batches are equal where all that they deliver is, their values bit for bit.
impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.shape) == (other.index, other.shape)
            && (&self.classes, &self.ids, &self.views) == (&other.classes, &other.ids, &other.views)
            && (&self.plans, &self.mixes, &self.faults) == (&other.plans, &other.mixes, &other.faults)
            && self.raw() == other.raw()
    }
}

#[cfg(test)]
mod tests {
    use aumenta_augment::Blend;

    use super::*;

    #[test]
    fn targets_hold_both_classes_of_a_mix() {
        let mix = |partner, lambda| Some(Mix { partner, lambda, blend: Blend::Mixup {} });
        let mut batch = Batch::default();
        batch.classes = vec![2, 0, 0];
        batch.ids = vec![5, 6, 7];
        batch.mixes = vec![mix(1, 0.25), None, mix(0, 0.75)];
        assert!(batch.is_mixed());
        assert_eq!(batch.soft_targets(3), [0.75, 0.0, 0.25, 1.0, 0.0, 0.0, 0.75, 0.0, 0.25]);
        assert_eq!(batch.larger_classes(), [0, 0, 0]);
    }
}
