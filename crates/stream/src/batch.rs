//! [`Batch`]: what a stream delivers.

use aumenta_augment::Plan;

/// Images with their classes, in the order of the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Values in `[0, 1]`, NHWC.
    pub pixels: Vec<f32>,
    /// The class of each image, an index into the manifest's classes.
    pub classes: Vec<u32>,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// What was done to each image; the identity in evaluation.
    pub plans: Vec<Plan>,
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
}
