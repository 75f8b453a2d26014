//! Convolution of one image by way of unrolled windows: for processors without vectors that the direct kernels know, and
//! for the gradient to the images of a convolution with strides, where the direct way would multiply by zeros.
//!
//! A band of output rows at a time is unrolled into a matrix whose rows are the input windows (im2col: Chellapilla, Puri
//! and Simard 2006, *High performance convolutional neural networks for document processing*), so that each pass becomes
//! a matrix product that stays in the cache.

use super::frame::Frame;
use super::geometry::Geometry;
use super::{add_in_order, gradients};
use crate::kernel::matmul::{Matrix, MatrixMut, Store, matmul};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

/// How many unrolled elements a band aims for: 256 KiB, which fits the second-level cache beside its product.
const BAND_ELEMENTS: usize = 64 * 1024;

/// A convolution with its weights laid out for matrix products.
#[derive(Debug)]
pub struct Prepared {
    /// Window elements by output channels of each group, row-major.
    groups: Vec<Vec<f32>>,
    bias: Vec<f32>,
    limits: [f32; 2],
}

impl Prepared {
    /// The forward pass, its sums kept within `limits`; or, whatever those are, the gradient to the images.
    pub fn new(g: &Geometry, weight: &[f32], bias: Option<&[f32]>, limits: [f32; 2]) -> Self {
        let outputs = g.group()[1];
        let matrix = |group| {
            let at = |i: usize| weight[g.weight_at(group, i / outputs, i % outputs)];
            (0..g.window_len() * outputs).map(at).collect()
        };
        let bias = bias.map_or_else(|| vec![0.0; g.output[2]], <[f32]>::to_vec);
        Self { groups: (0..g.groups).map(matrix).collect(), bias, limits }
    }

    /// The rows of the output from `first` on, HWC, of an image.
    pub fn rows(&self, g: &Geometry, image: &[f32], first: usize, out: &mut [f32]) {
        let ([_, outputs], channels, window) = (g.group(), g.output[2], g.window_len());
        for pixel in out.chunks_exact_mut(channels) {
            pixel.copy_from_slice(&self.bias);
        }
        let rows = out.len() / (g.output[1] * channels);
        let mut unrolled = g.band_buffer();
        for (group, matrix) in self.groups.iter().enumerate() {
            for (row, count) in g.bands(first..first + rows) {
                let pixels = count * g.output[1];
                g.unroll(group, image, (row, count), &mut unrolled[..pixels * window]);
                let out = &mut out[(row - first) * g.output[1] * channels + group * outputs..];
                matmul(
                    MatrixMut::strided(out, pixels, outputs, channels),
                    Matrix::row_major(&unrolled, pixels, window),
                    Matrix::row_major(matrix, window, outputs),
                    Store::Add,
                );
            }
        }
        let [low, high] = self.limits;
        for value in out {
            // Unlike `max` and `min`, comparisons let a NaN pass.
            *value = if *value < low { low } else { *value };
            *value = if *value > high { high } else { *value };
        }
    }

    /// The gradient to an image from the gradient to its output, which `frame` frames.
    pub fn input_gradient(&self, g: &Geometry, frame: &Frame, gradient: &[f32], out: &mut [f32]) {
        let ([_, outputs], window) = (g.group(), g.window_len());
        out.fill(0.0);
        let mut unrolled = g.band_buffer();
        for (group, matrix) in self.groups.iter().enumerate() {
            for (row, count) in g.bands(0..g.output[0]) {
                let pixels = count * g.output[1];
                for (y, unrolled) in (row..row + count).zip(unrolled.chunks_exact_mut(g.output[1] * window)) {
                    let gradient = &gradient[frame.start() + y * frame.row_len() + group * outputs..];
                    matmul(
                        MatrixMut::strided(unrolled, g.output[1], window, window),
                        Matrix::strided(gradient, g.output[1], outputs, frame.channels),
                        Matrix::row_major(matrix, window, outputs).transposed(),
                        Store::Replace,
                    );
                }
                g.roll_up(group, &unrolled[..pixels * window], (row, count), out);
            }
        }
    }
}

/// A sum of gradients to the weights over images.
pub struct WeightSum {
    /// Window elements by output channels of each group.
    groups: Vec<Scratch>,
    outputs: usize,
}

impl gradients::WeightSum for WeightSum {
    fn zero(_vectors: Vectors, g: &Geometry, _padding: &Frame) -> Self {
        let outputs = g.group()[1];
        Self { groups: (0..g.groups).map(|_| Scratch::zeros(g.window_len() * outputs)).collect(), outputs }
    }

    /// The image has no frame here: its padding is added on the way.
    fn add(&mut self, g: &Geometry, _padding: &Frame, image: &[f32], frame: &Frame, gradient: &[f32]) {
        let (outputs, window) = (self.outputs, g.window_len());
        let mut unrolled = g.band_buffer();
        for (group, sum) in self.groups.iter_mut().enumerate() {
            for (row, count) in g.bands(0..g.output[0]) {
                let pixels = count * g.output[1];
                g.unroll(group, image, (row, count), &mut unrolled[..pixels * window]);
                for (y, unrolled) in (row..row + count).zip(unrolled.chunks_exact(g.output[1] * window)) {
                    let gradient = &gradient[frame.start() + y * frame.row_len() + group * outputs..];
                    matmul(
                        MatrixMut::strided(sum, window, outputs, outputs),
                        Matrix::row_major(unrolled, g.output[1], window).transposed(),
                        Matrix::strided(gradient, g.output[1], outputs, frame.channels),
                        Store::Add,
                    );
                }
            }
        }
    }

    fn reduce(mut sums: Vec<Self>, g: &Geometry, out: &mut [f32]) {
        for group in 0..g.groups {
            add_in_order(sums.iter_mut().map(|sum| &mut *sum.groups[group]));
        }
        let total = &sums[0];
        g.write_weights(out, |group, element, output| total.groups[group][element * total.outputs + output]);
    }
}

impl Geometry {
    fn band_rows(&self) -> usize {
        (BAND_ELEMENTS / (self.output[1] * self.window_len())).clamp(1, self.output[0])
    }

    /// The bands of the output rows in `rows`, first row and length each.
    fn bands(&self, rows: std::ops::Range<usize>) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (end, band) = (rows.end, self.band_rows());
        rows.step_by(band).map(move |first| (first, band.min(end - first)))
    }

    fn band_buffer(&self) -> Scratch {
        Scratch::of(self.band_rows() * self.output[1] * self.window_len())
    }

    /// Calls `visit(unrolled, input, len)` for every contiguous run that a band's windows of a group share with the input:
    /// element `unrolled + i` of the band's matrix is element `input + i` of the image for `i < len`.
    fn for_each_run(
        &self,
        group: usize,
        (first_row, rows): (usize, usize),
        mut visit: impl FnMut(usize, usize, usize),
    ) {
        let ([height, width, channels], [inputs, _]) = (self.input, self.group());
        let whole_rows = self.groups == 1 && self.dilation[1] == 1;
        let (run, window) = (self.kernel[1] * inputs, self.window_len());
        for row in 0..rows {
            for column in 0..self.output[1] {
                let unrolled = (row * self.output[1] + column) * window;
                // A coordinate left of or above the image wraps around to a huge number and fails the tests below.
                let x = (column * self.stride[1]).wrapping_sub(self.padding[1]);
                for ky in 0..self.kernel[0] {
                    let y = ((first_row + row) * self.stride[0] + ky * self.dilation[0]).wrapping_sub(self.padding[0]);
                    if y >= height {
                        continue;
                    }
                    let target = unrolled + ky * run;
                    if whole_rows && x < width && x + self.kernel[1] <= width {
                        visit(target, (y * width + x) * channels, run);
                        continue;
                    }
                    for kx in 0..self.kernel[1] {
                        let x = x.wrapping_add(kx * self.dilation[1]);
                        if x < width {
                            visit(target + kx * inputs, (y * width + x) * channels + group * inputs, inputs);
                        }
                    }
                }
            }
        }
    }

    /// Unrolls a band of windows into the rows of `unrolled`; what lies outside the image is zero.
    fn unroll(&self, group: usize, image: &[f32], band: (usize, usize), unrolled: &mut [f32]) {
        unrolled.fill(0.0);
        self.for_each_run(group, band, |target, source, len| {
            unrolled[target..target + len].copy_from_slice(&image[source..source + len]);
        });
    }

    /// The transpose of [`Geometry::unroll`]: adds every window element back to where it came from.
    fn roll_up(&self, group: usize, unrolled: &[f32], band: (usize, usize), image: &mut [f32]) {
        self.for_each_run(group, band, |source, target, len| {
            for (sum, value) in image[target..target + len].iter_mut().zip(&unrolled[source..source + len]) {
                *sum += value;
            }
        });
    }
}
