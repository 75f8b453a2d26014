//! Max pooling and its gradient.

use rayon::prelude::*;

/// The sizes of one pooling: square windows that do not overlap, without padding. Rows and columns that do not fill a
/// window are left out, as every library does by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input rows, columns and channels.
    pub input: [usize; 3],
    /// Window side, and the step between windows.
    pub window: usize,
}

impl Geometry {
    /// Output rows, columns and channels.
    pub fn output(&self) -> [usize; 3] {
        [self.input[0] / self.window, self.input[1] / self.window, self.input[2]]
    }

    fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    fn output_len(&self) -> usize {
        self.output().iter().product()
    }

    /// The position in one image of the largest element of the window of output `(row, column)`, for one channel. Ties
    /// go to the first in reading order, as in PyTorch; a NaN wins, so that it stays visible.
    fn argmax(&self, image: &[f32], row: usize, column: usize, channel: usize) -> usize {
        let [_, width, channels] = self.input;
        let first = ((row * self.window) * width + column * self.window) * channels + channel;
        let mut best = first;
        for y in 0..self.window {
            for x in 0..self.window {
                let at = first + (y * width + x) * channels;
                if image[at] > image[best] || (image[at].is_nan() && !image[best].is_nan()) {
                    best = at;
                }
            }
        }
        best
    }

    fn for_each_output(&self, image: &[f32], mut visit: impl FnMut(usize, usize)) {
        let [rows, columns, channels] = self.output();
        for row in 0..rows {
            for column in 0..columns {
                for channel in 0..channels {
                    let output = (row * columns + column) * channels + channel;
                    visit(output, self.argmax(image, row, column, channel));
                }
            }
        }
    }
}

/// The largest element of each window of `images` (NHWC), written to `out` (NHWC).
pub fn forward(geometry: &Geometry, images: &[f32], out: &mut [f32]) {
    out.par_chunks_exact_mut(geometry.output_len())
        .zip(images.par_chunks_exact(geometry.input_len()))
        .for_each(|(out, image)| geometry.for_each_output(image, |output, input| out[output] = image[input]));
}

/// The gradient of a loss to the images: each window's gradient goes to its largest element. `out` starts as zeros.
pub fn input_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    out.par_chunks_exact_mut(geometry.input_len())
        .zip(images.par_chunks_exact(geometry.input_len()))
        .zip(gradient.par_chunks_exact(geometry.output_len()))
        .for_each(|((out, image), gradient)| {
            geometry.for_each_output(image, |output, input| out[input] += gradient[output]);
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_4x4_grid_pools_to_its_four_largest() {
        let grid = [1.0, 3.0, 2.0, 1.0, 2.0, 9.0, 1.0, 1.0, 1.0, 3.0, 2.0, 3.0, 5.0, 6.0, 1.0, 2.0];
        let mut out = [0.0; 4];
        forward(&Geometry { input: [4, 4, 1], window: 2 }, &grid, &mut out);
        assert_eq!(out, [9.0, 2.0, 6.0, 3.0]);
    }

    #[test]
    fn a_gradient_goes_to_the_largest_and_in_a_tie_to_the_first() {
        let geometry = Geometry { input: [2, 5, 1], window: 2 };
        let image = [1.0, 4.0, 7.0, 7.0, 9.0, 3.0, 2.0, 7.0, 0.0, 9.0];
        let mut out = [0.0; 10];
        input_gradient(&geometry, &image, &[0.5, -2.0], &mut out);
        assert_eq!(out, [0.0, 0.5, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn channels_are_pooled_apart_and_the_odd_row_and_column_are_left_out() {
        let geometry = Geometry { input: [3, 3, 2], window: 2 };
        let image: Vec<f32> = (0..9).flat_map(|i| [i as f32, -(i as f32)]).collect();
        let mut out = [0.0; 2];
        forward(&geometry, &image, &mut out);
        assert_eq!(out, [4.0, -0.0]);
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let mut out = [0.0; 1];
        forward(&Geometry { input: [2, 2, 1], window: 2 }, &[1.0, f32::NAN, 2.0, 3.0], &mut out);
        assert!(out[0].is_nan());
    }
}
