//! Where the windows of a convolution lie in an image.

use super::super::geometry::Geometry;

/// The windows of one group in an NHWC image that has its padding around it. A window is a list of runs, each contiguous
/// in the image; without dilation and groups, a run is a whole row of the window.
#[derive(Clone, Debug)]
pub struct Windows {
    /// From a row of windows to the next, in elements of the image.
    pub row: usize,
    /// From a window to the next.
    pub pixel: usize,
    /// Where each run begins, from the window's first element on.
    pub runs: Vec<usize>,
    /// The length of each run.
    pub run: usize,
    /// How many windows lie in a row.
    pub columns: usize,
}

impl Windows {
    /// The windows over an image whose rows have `row_len` elements.
    pub fn new(g: &Geometry, row_len: usize) -> Self {
        let [inputs, _] = g.group();
        let rows = (0..g.kernel[0]).map(|ky| ky * g.dilation[0] * row_len);
        let whole_rows = g.groups == 1 && (g.dilation[1] == 1 || g.kernel[1] == 1);
        let (runs, run) = if whole_rows {
            (rows.collect(), g.kernel[1] * inputs)
        } else {
            let elements = rows.flat_map(|row| (0..g.kernel[1]).map(move |kx| row + kx * g.dilation[1] * g.input[2]));
            (elements.collect(), inputs)
        };
        Self { row: g.stride[0] * row_len, pixel: g.stride[1] * g.input[2], runs, run, columns: g.output[1] }
    }

    /// `count` windows of one pixel each, one after the other.
    pub fn pixels(channels: usize, count: usize) -> Self {
        Self { row: 0, pixel: channels, runs: vec![0], run: channels, columns: count }
    }
}
