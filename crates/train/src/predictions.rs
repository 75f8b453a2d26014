//! [`Predictions`]: what a network says of each image of a split.

use std::cmp::Ordering;

use aumenta_metrics::{Scored, predicted_class};

/// What a network says of each image of a split, in the order of the stream.
///
/// It holds `images * (classes + 1)` floats, from which every measure follows, and no pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The number of classes.
    pub classes: usize,
    /// The record of each image in the manifest.
    pub ids: Vec<u32>,
    /// The true class of each image.
    pub truth: Vec<usize>,
    /// The probability of each class, `[images, classes]`; a row sums to 1.
    pub probabilities: Vec<f32>,
    /// The loss of each image.
    pub losses: Vec<f32>,
}

impl Predictions {
    /// No predictions yet, with room for so many images.
    pub(crate) fn with_capacity(classes: usize, images: usize) -> Self {
        Self {
            classes,
            ids: Vec::with_capacity(images),
            truth: Vec::with_capacity(images),
            probabilities: Vec::with_capacity(images * classes),
            losses: Vec::with_capacity(images),
        }
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The probability of each class for image `index`.
    ///
    /// # Panics
    /// Where there is no such image.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.probabilities[index * self.classes..][..self.classes]
    }

    /// The class with the largest probability for image `index`, the first of equals.
    ///
    /// # Panics
    /// Where there is no such image.
    pub fn predicted(&self, index: usize) -> usize {
        predicted_class(self.row(index))
    }

    /// Probabilities and true classes, to be measured.
    pub fn scored(&self) -> Scored<'_> {
        Scored::new(self.classes, &self.truth, &self.probabilities)
    }

    /// The indices of the `count` images with the largest losses, the largest first; of equals the first image.
    pub fn hardest(&self, count: usize) -> Vec<usize> {
        let by_loss = |a: &usize, b: &usize| self.losses[*b].partial_cmp(&self.losses[*a]).unwrap_or(Ordering::Equal);
        let mut indices: Vec<usize> = (0..self.len()).collect();
        indices.sort_by(by_loss);
        indices.truncate(count);
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardest_images_come_by_loss_and_then_in_order() {
        let losses = vec![0.5, 2.0, 0.1, 2.0];
        let predictions =
            Predictions { ids: vec![0; 4], truth: vec![0; 4], losses, ..Predictions::with_capacity(2, 4) };
        assert_eq!(predictions.hardest(3), [1, 3, 0]);
        assert_eq!(predictions.hardest(9), [1, 3, 0, 2]);
    }
}
