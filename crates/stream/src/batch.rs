//! [`Batch`]: what a stream delivers.

use aumenta_augment::{Mix, Plan};

/// Images with their classes, in the order of the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalized values, in `[0, 1]` by default; NHWC.
    pub pixels: Vec<f32>,
    /// The class of each image, an index into the manifest's classes.
    pub classes: Vec<u32>,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// What was done to each image; the identity in evaluation.
    pub plans: Vec<Plan>,
    /// What was then mixed into each image, if anything; nothing in evaluation.
    pub mixes: Vec<Option<Mix>>,
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
}

#[cfg(test)]
mod tests {
    use aumenta_augment::Blend;

    use super::*;

    #[test]
    fn targets_hold_both_classes_of_a_mix() {
        let mix = |partner, lambda| Some(Mix { partner, lambda, blend: Blend::Mixup {} });
        let batch = Batch {
            pixels: Vec::new(),
            classes: vec![2, 0, 0],
            ids: vec![5, 6, 7],
            plans: vec![Plan::identity(); 3],
            mixes: vec![mix(1, 0.25), None, mix(0, 0.75)],
        };
        assert!(batch.is_mixed());
        assert_eq!(batch.soft_targets(3), [0.75, 0.0, 0.25, 1.0, 0.0, 0.0, 0.75, 0.0, 0.25]);
        assert_eq!(batch.larger_classes(), [0, 0, 0]);
    }
}
