//! [`Geometry`]: the sizes of one pooling, largest element or mean.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::ops::Range;

/// The sizes of one pooling. Every window has at least one pixel of the image, and at most 65,536 pixels in all. Rows and
/// columns at the end that do not fill a window are left out, as every library does by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input rows, columns and channels.
    pub input: [usize; 3],
    /// Window rows and columns.
    pub window: [usize; 2],
    /// Step between windows, down and across.
    pub stride: [usize; 2],
    /// Rows or columns added at the top, bottom, left and right.
    pub padding: [usize; 4],
}

impl Geometry {
    /// Output rows, columns and channels.
    pub fn output(&self) -> [usize; 3] {
        let ([height, width, channels], [top, bottom, left, right]) = (self.input, self.padding);
        let rows = (height + top + bottom - self.window[0]) / self.stride[0] + 1;
        let columns = (width + left + right - self.window[1]) / self.stride[1] + 1;
        [rows, columns, channels]
    }

    pub(super) fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    pub(super) fn output_len(&self) -> usize {
        self.output().iter().product()
    }

    /// Whether the windows cover the image like tiles: each pixel lies in one window, or in none at the lower and right
    /// edges.
    pub(super) fn is_tiling(&self) -> bool {
        self.stride == self.window && self.padding == [0; 4]
    }

    /// The pixels of the image in the window of output `(row, column)`, in reading order: the place of each in the whole
    /// window, and where it begins in the image.
    #[inline(always)]
    pub(super) fn pixels(&self, row: usize, column: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let ([_, width, channels], across) = (self.input, self.window[1]);
        let (top, left) = (self.padding[0], self.padding[2]);
        let (first_row, first_column) = (row * self.stride[0], column * self.stride[1]);
        let columns = self.inside(1, column);
        self.inside(0, row).flat_map(move |y| {
            columns.clone().map(move |x| {
                let place = (y + top - first_row) * across + x + left - first_column;
                (place, (y * width + x) * channels)
            })
        })
    }

    /// How many pixels of the image the window of output `(row, column)` has.
    #[inline(always)]
    pub(super) fn pixel_count(&self, row: usize, column: usize) -> usize {
        self.inside(0, row).len() * self.inside(1, column).len()
    }

    /// The rows (axis 0) or columns (axis 1) of the image that window `index` along this axis has.
    #[inline(always)]
    fn inside(&self, axis: usize, index: usize) -> Range<usize> {
        let (before, first) = (self.padding[2 * axis], index * self.stride[axis]);
        first.saturating_sub(before)..(first + self.window[axis] - before).min(self.input[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_in_the_corner_has_only_the_pixels_of_the_image() {
        let geometry = Geometry { input: [4, 5, 2], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
        assert_eq!(geometry.output(), [2, 3, 2]);
        assert_eq!(geometry.pixels(0, 0).collect::<Vec<_>>(), [(4, 0), (5, 2), (7, 10), (8, 12)]);
        assert_eq!(geometry.pixels(1, 2).map(|(place, _)| place).collect::<Vec<_>>(), [0, 1, 3, 4, 6, 7]);
        assert_eq!((geometry.pixel_count(0, 0), geometry.pixel_count(1, 1)), (4, 9));
    }
}
