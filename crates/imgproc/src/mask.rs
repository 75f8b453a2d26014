//! [`Mask`]: a label for each pixel of a picture.

use crate::Size;

/// Labels of pixels, such as the classes of a segmentation, rows from the top, one byte each.
///
/// Labels are names and not amounts: nothing may blend them.
///
/// ```
/// use aumenta_imgproc::Mask;
///
/// let mut mask = Mask::filled(4, 2, 0);
/// mask.set(3, 1, 7);
/// assert_eq!(mask.labels(), [0, 0, 0, 0, 0, 0, 0, 7]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    labels: Vec<u8>,
}

impl Mask {
    /// A mask of one label.
    pub fn filled(width: usize, height: usize, label: u8) -> Self {
        Self { width, height, labels: vec![label; width * height] }
    }

    /// A mask over `labels`, row by row.
    ///
    /// # Panics
    /// Where `labels` does not hold `width * height` bytes.
    pub fn from_labels(width: usize, height: usize, labels: Vec<u8>) -> Self {
        assert_eq!(labels.len(), width * height, "a mask of {width}x{height} needs one byte a pixel");
        Self { width, height, labels }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// All labels, row by row.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The label in column `x` and row `y`.
    pub fn get(&self, x: usize, y: usize) -> u8 {
        self.labels[y * self.width + x]
    }

    /// Writes the label in column `x` and row `y`.
    pub fn set(&mut self, x: usize, y: usize, label: u8) {
        self.labels[y * self.width + x] = label;
    }
}
