//! Two-dimensional convolution (cross-correlation, as every deep-learning library means it) and its two gradients.
//!
//! Activations are NHWC, weights OIHW. A band of output rows at a time is unrolled into a matrix whose rows are the
//! input windows (im2col: Chellapilla, Puri and Simard 2006, *High performance convolutional neural networks for
//! document processing*), so that each pass becomes a matrix product that stays in the cache. Stride one without padding,
//! which needs no unrolling, goes to [`super::direct_conv2d`].

use rayon::prelude::*;

use super::direct_conv2d as direct;
use super::matmul::{Matrix, Store, matmul};
use super::vectors::Vectors;

/// How many unrolled elements a band aims for: 256 KiB, which fits the second-level cache beside its product.
const BAND_ELEMENTS: usize = 64 * 1024;

/// Into how many parts the batch is divided for the weight gradient. It is fixed, so that the order of summation does
/// not depend on the number of threads.
const WEIGHT_GRADIENT_PARTS: usize = 8;

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

/// The convolution of `images` (NHWC) with `weight` (OIHW) plus `bias` (O), written to `out` (NHWC).
pub fn forward(geometry: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::forward(vectors, geometry, images, weight, bias, out);
    } else {
        unrolled_forward(geometry, images, weight, bias, out);
    }
}

/// [`forward`] by way of unrolled windows, for any stride and padding.
pub(super) fn unrolled_forward(geometry: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
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

/// The gradient of a loss to the images, from its `gradient` to the output; both NHWC. `out` starts as zeros.
pub fn input_gradient(geometry: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::input_gradient(vectors, geometry, weight, gradient, out);
    } else {
        unrolled_input_gradient(geometry, weight, gradient, out);
    }
}

/// [`input_gradient`] by way of unrolled windows, for any stride and padding.
pub(super) fn unrolled_input_gradient(geometry: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
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

/// The gradient of a loss to the weights (OIHW), from the images and its `gradient` to the output, both NHWC.
pub fn weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::weight_gradient(vectors, geometry, images, gradient, out);
    } else {
        unrolled_weight_gradient(geometry, images, gradient, out);
    }
}

/// [`weight_gradient`] by way of unrolled windows, for any stride and padding.
pub(super) fn unrolled_weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (count, channels) = (images.len() / geometry.input_len(), geometry.output[2]);
    let parts: Vec<Vec<f32>> = (0..WEIGHT_GRADIENT_PARTS.min(count))
        .into_par_iter()
        .map(|part| {
            let (mut sum, mut unrolled) = (vec![0.0; out.len()], geometry.band_buffer());
            let parts = WEIGHT_GRADIENT_PARTS.min(count);
            for n in part * count / parts..(part + 1) * count / parts {
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

/// The gradient of a loss to a bias: the sum of `gradient` over all but its last axis, which is as long as `out`.
pub fn bias_gradient(gradient: &[f32], out: &mut [f32]) {
    // Sums of a few thousand pixels in f32, then of those sums in f64: no long chain of roundings.
    const PIXELS: usize = 4096;
    let channels = out.len();
    let parts: Vec<Vec<f32>> = gradient
        .par_chunks(PIXELS * channels)
        .map(|part| {
            let mut sum = vec![0.0f32; channels];
            for pixel in part.chunks_exact(channels) {
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
            sum
        })
        .collect();
    for (channel, out) in out.iter_mut().enumerate() {
        *out = parts.iter().map(|part| f64::from(part[channel])).sum::<f64>() as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in f64: one product a weight, one output at a time.
    fn naive(g: &Geometry, images: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
        let ([height, width, inputs], [rows, columns, outputs]) = (g.input, g.output);
        let mut result = Vec::new();
        for image in images.chunks_exact(g.input_len()) {
            for (row, column, o) in
                (0..rows).flat_map(|r| (0..columns).flat_map(move |c| (0..outputs).map(move |o| (r, c, o))))
            {
                let mut sum = f64::from(bias[o]);
                for (ky, kx, i) in (0..g.kernel[0])
                    .flat_map(|y| (0..g.kernel[1]).flat_map(move |x| (0..inputs).map(move |i| (y, x, i))))
                {
                    let y = (row * g.stride[0] + ky).wrapping_sub(g.padding[0]);
                    let x = (column * g.stride[1] + kx).wrapping_sub(g.padding[1]);
                    if y < height && x < width {
                        let weight = weight[((o * inputs + i) * g.kernel[0] + ky) * g.kernel[1] + kx];
                        sum += f64::from(image[(y * width + x) * inputs + i]) * f64::from(weight);
                    }
                }
                result.push(sum);
            }
        }
        result
    }

    fn ramp(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * step + 5) % 29) as f32 / 14.0 - 1.0).collect()
    }

    fn geometry(input: [usize; 3], channels: usize, kernel: usize, stride: usize, padding: usize) -> Geometry {
        let out = |size: usize| (size + 2 * padding - kernel) / stride + 1;
        Geometry {
            input,
            output: [out(input[0]), out(input[1]), channels],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
        }
    }

    const SHAPES: [([usize; 3], usize, usize, usize, usize); 7] = [
        ([3, 3, 1], 1, 3, 1, 0),
        ([1, 1, 2], 3, 1, 1, 0),
        ([7, 5, 3], 4, 3, 1, 0),
        ([8, 9, 5], 7, 3, 2, 1),
        ([6, 6, 2], 17, 5, 1, 2),
        ([40, 70, 3], 32, 3, 1, 0),
        ([90, 40, 16], 8, 3, 1, 1),
    ];

    #[track_caller]
    fn assert_close(got: &[f32], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            let error = (f64::from(*got) - expected).abs();
            assert!(error <= 1e-5 * expected.abs().max(10.0), "element {i}: {got} instead of {expected}");
        }
    }

    #[test]
    fn a_vertical_edge_gives_0_30_30_0() {
        let image: Vec<f32> = [10.0, 10.0, 10.0, 0.0, 0.0, 0.0].repeat(6);
        let edge = [1.0, 0.0, -1.0].repeat(3);
        let mut out = [0.0; 16];
        forward(&geometry([6, 6, 1], 1, 3, 1, 0), &image, &edge, &[0.0], &mut out);
        assert_eq!(out.to_vec(), [0.0, 30.0, 30.0, 0.0].repeat(4));
    }

    #[test]
    fn forward_equals_the_definition() {
        for (input, channels, kernel, stride, padding) in SHAPES {
            let g = geometry(input, channels, kernel, stride, padding);
            let (images, weight) = (ramp(3 * g.input_len(), 7), ramp(channels * g.window_len(), 11));
            let bias = ramp(channels, 3);
            let mut out = vec![0.0; 3 * g.output_len()];
            forward(&g, &images, &weight, &bias, &mut out);
            assert_close(&out, &naive(&g, &images, &weight, &bias));
        }
    }

    /// A convolution is linear in its images and in its weights, so the gradient of `sum(gradient * output)` to element
    /// `i` is that sum with the operand replaced by the unit vector `i`.
    fn linear_gradient(
        g: &Geometry,
        gradient: &[f32],
        len: usize,
        output: impl Fn(&Geometry, &[f32]) -> Vec<f64>,
    ) -> Vec<f64> {
        (0..len)
            .map(|i| {
                let mut unit = vec![0.0; len];
                unit[i] = 1.0;
                output(g, &unit).iter().zip(gradient).map(|(output, gradient)| output * f64::from(*gradient)).sum()
            })
            .collect()
    }

    #[test]
    fn both_gradients_equal_the_definition() {
        for (input, channels, kernel, stride, padding) in SHAPES.into_iter().take(5) {
            let g = geometry(input, channels, kernel, stride, padding);
            let (images, weight) = (ramp(2 * g.input_len(), 7), ramp(channels * g.window_len(), 11));
            let (gradient, zero) = (ramp(2 * g.output_len(), 13), vec![0.0; channels]);

            let mut got = vec![0.0; images.len()];
            input_gradient(&g, &weight, &gradient, &mut got);
            assert_close(&got, &linear_gradient(&g, &gradient, images.len(), |g, x| naive(g, x, &weight, &zero)));

            let mut got = vec![0.0; weight.len()];
            weight_gradient(&g, &images, &gradient, &mut got);
            assert_close(&got, &linear_gradient(&g, &gradient, weight.len(), |g, w| naive(g, &images, w, &zero)));
        }
    }

    #[test]
    fn a_bias_gradient_sums_over_all_pixels() {
        let mut out = [0.0; 3];
        bias_gradient(&[1.0, 2.0, 3.0].repeat(10_000), &mut out);
        assert_eq!(out, [10_000.0, 20_000.0, 30_000.0]);
    }

    #[test]
    fn one_thread_and_five_give_the_same_bytes() {
        let g = geometry([40, 33, 3], 16, 3, 1, 0);
        let (images, weight) = (ramp(11 * g.input_len(), 7), ramp(16 * g.window_len(), 11));
        let gradient = ramp(11 * g.output_len(), 13);
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (mut x, mut w) = (vec![0.0; images.len()], vec![0.0; weight.len()]);
                input_gradient(&g, &weight, &gradient, &mut x);
                weight_gradient(&g, &images, &gradient, &mut w);
                (x, w)
            })
        };
        assert_eq!(run(1), run(5));
    }
}
