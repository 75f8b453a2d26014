//! [`Geometry`]: the sizes of one convolution.

use std::ops::Range;

/// Into how many parts a batch is divided where sums go over its images. It is fixed, so that the order of summation does
/// not depend on the number of threads.
const PARTS: usize = 8;

/// The sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input rows, columns and channels.
    pub input: [usize; 3],
    /// Output rows, columns and channels.
    pub output: [usize; 3],
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// Step between windows, down and across.
    pub stride: [usize; 2],
    /// Zero rows above and zero columns to the left of the input. Those below and to the right follow from the output
    /// size.
    pub padding: [usize; 2],
}

impl Geometry {
    pub(super) fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    pub(super) fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    /// The length of one unrolled window.
    pub(super) fn window_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.input[2]
    }

    /// The ranges of images that are summed up on their own before the sums are added in order.
    pub(super) fn parts(&self, images: &[f32]) -> Vec<Range<usize>> {
        let count = images.len() / self.input_len();
        let parts = PARTS.min(count);
        (0..parts).map(|part| part * count / parts..(part + 1) * count / parts).collect()
    }
}
