//! Convolution by way of unrolled windows, for any stride and padding; the reference of the direct kernels.
//!
//! A band of output rows at a time is unrolled into a matrix whose rows are the input windows (im2col: Chellapilla, Puri
//! and Simard 2006, *High performance convolutional neural networks for document processing*), so that each pass becomes
//! a matrix product that stays in the cache.

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::kernel::matmul::{Matrix, Store, matmul};

/// How many unrolled elements a band aims for: 256 KiB, which fits the second-level cache beside its product.
const BAND_ELEMENTS: usize = 64 * 1024;

/// As [`super::forward`].
pub(super) fn forward(geometry: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let (matrix, channels) = (geometry.window_major(weight), geometry.output[2]);
    out.par_chunks_exact_mut(geometry.output_len()).zip(images.par_chunks_exact(geometry.input_len())).for_each_init(
        || geometry.band_buffer(),
        |unrolled, (out, image)| {
            for pixel in out.chunks_exact_mut(channels) {
                pixel.copy_from_slice(bias);
            }
            for band in geometry.bands() {
                let (pixels, window) = (band.1 * geometry.output[1], geometry.window_len());
                let unrolled = &mut unrolled[..pixels * window];
                geometry.unroll(image, band, unrolled);
                let first = band.0 * geometry.output[1] * channels;
                matmul(
                    &mut out[first..first + pixels * channels],
                    Matrix::row_major(unrolled, pixels, window),
                    Matrix::row_major(&matrix, window, channels),
                    Store::Add,
                );
            }
        },
    );
}

/// As [`super::input_gradient`].
pub(super) fn input_gradient(geometry: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (matrix, channels) = (geometry.window_major(weight), geometry.output[2]);
    out.par_chunks_exact_mut(geometry.input_len()).zip(gradient.par_chunks_exact(geometry.output_len())).for_each_init(
        || geometry.band_buffer(),
        |unrolled, (out, gradient)| {
            for band in geometry.bands() {
                let (pixels, window) = (band.1 * geometry.output[1], geometry.window_len());
                let unrolled = &mut unrolled[..pixels * window];
                let first = band.0 * geometry.output[1] * channels;
                matmul(
                    unrolled,
                    Matrix::row_major(&gradient[first..first + pixels * channels], pixels, channels),
                    Matrix::row_major(&matrix, window, channels).transposed(),
                    Store::Replace,
                );
                geometry.roll_up(unrolled, band, out);
            }
        },
    );
}

/// As [`super::weight_gradient`].
pub(super) fn weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let channels = geometry.output[2];
    let parts: Vec<Vec<f32>> = geometry
        .parts(images)
        .into_par_iter()
        .map(|part| {
            let (mut sum, mut unrolled) = (vec![0.0; out.len()], geometry.band_buffer());
            for n in part {
                let image = &images[n * geometry.input_len()..][..geometry.input_len()];
                let gradient = &gradient[n * geometry.output_len()..][..geometry.output_len()];
                for band in geometry.bands() {
                    let (pixels, window) = (band.1 * geometry.output[1], geometry.window_len());
                    let unrolled = &mut unrolled[..pixels * window];
                    geometry.unroll(image, band, unrolled);
                    let first = band.0 * geometry.output[1] * channels;
                    matmul(
                        &mut sum,
                        Matrix::row_major(unrolled, pixels, window).transposed(),
                        Matrix::row_major(&gradient[first..first + pixels * channels], pixels, channels),
                        Store::Add,
                    );
                }
            }
            sum
        })
        .collect();
    let mut total = vec![0.0f32; out.len()];
    for part in &parts {
        for (sum, value) in total.iter_mut().zip(part) {
            *sum += value;
        }
    }
    geometry.for_each_weight(|oihw, window_major| out[oihw] = total[window_major]);
}

impl Geometry {
    fn band_rows(&self) -> usize {
        (BAND_ELEMENTS / (self.output[1] * self.window_len())).clamp(1, self.output[0])
    }

    /// The bands of output rows, first row and length each.
    fn bands(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (rows, band) = (self.output[0], self.band_rows());
        (0..rows).step_by(band).map(move |first| (first, band.min(rows - first)))
    }

    fn band_buffer(&self) -> Vec<f32> {
        vec![0.0; self.band_rows() * self.output[1] * self.window_len()]
    }

    /// Calls `visit(unrolled, input, len)` for every contiguous run that a band's windows share with the input: element
    /// `unrolled + i` of the band's matrix is element `input + i` of the image for `i < len`.
    fn for_each_run(&self, (first_row, rows): (usize, usize), mut visit: impl FnMut(usize, usize, usize)) {
        let [height, width, channels] = self.input;
        let (run, window) = (self.kernel[1] * channels, self.window_len());
        for row in 0..rows {
            for column in 0..self.output[1] {
                let unrolled = (row * self.output[1] + column) * window;
                // A coordinate left of or above the image wraps around to a huge number and fails the test below.
                let x = (column * self.stride[1]).wrapping_sub(self.padding[1]);
                for ky in 0..self.kernel[0] {
                    let y = ((first_row + row) * self.stride[0] + ky).wrapping_sub(self.padding[0]);
                    if y >= height {
                        continue;
                    }
                    let target = unrolled + ky * run;
                    if x < width && x + self.kernel[1] <= width {
                        visit(target, (y * width + x) * channels, run);
                    } else {
                        for kx in 0..self.kernel[1] {
                            let x = x.wrapping_add(kx);
                            if x < width {
                                visit(target + kx * channels, (y * width + x) * channels, channels);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Unrolls a band of windows into the rows of `unrolled`; what lies outside the image is zero.
    fn unroll(&self, image: &[f32], band: (usize, usize), unrolled: &mut [f32]) {
        unrolled.fill(0.0);
        self.for_each_run(band, |target, source, len| {
            unrolled[target..target + len].copy_from_slice(&image[source..source + len]);
        });
    }

    /// The transpose of [`Geometry::unroll`]: adds every window element back to where it came from.
    fn roll_up(&self, unrolled: &[f32], band: (usize, usize), image: &mut [f32]) {
        self.for_each_run(band, |source, target, len| {
            for (sum, value) in image[target..target + len].iter_mut().zip(&unrolled[source..source + len]) {
                *sum += value;
            }
        });
    }

    /// OIHW weights as a row-major matrix of window elements by output channels.
    fn window_major(&self, weight: &[f32]) -> Vec<f32> {
        let mut matrix = vec![0.0; weight.len()];
        self.for_each_weight(|oihw, window_major| matrix[window_major] = weight[oihw]);
        matrix
    }

    /// Calls `visit` with the position of each weight in OIHW and in the window-major matrix.
    fn for_each_weight(&self, mut visit: impl FnMut(usize, usize)) {
        let [outputs, inputs, area] = [self.output[2], self.input[2], self.kernel[0] * self.kernel[1]];
        for o in 0..outputs {
            for i in 0..inputs {
                for k in 0..area {
                    visit((o * inputs + i) * area + k, (k * inputs + i) * outputs + o);
                }
            }
        }
    }
}
