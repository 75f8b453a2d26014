//! Two-dimensional convolution (cross-correlation, as every deep-learning library means it) and its gradients.
//!
//! Activations are NHWC, weights OIHW. Stride one without padding is computed [straight from the image](direct), all else by
//! way of [unrolled windows](unrolled).

mod direct;
mod geometry;
mod unrolled;

use rayon::prelude::*;

pub use self::geometry::Geometry;
use super::vectors::Vectors;

/// The convolution of `images` (NHWC) with `weight` (OIHW) plus `bias` (O), written to `out` (NHWC).
pub fn forward(geometry: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::forward(vectors, geometry, images, weight, bias, out);
    } else {
        unrolled::forward(geometry, images, weight, bias, out);
    }
}

/// The gradient of a loss to the images, from its `gradient` to the output; both NHWC. `out` starts as zeros.
pub fn input_gradient(geometry: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::input_gradient(vectors, geometry, weight, gradient, out);
    } else {
        unrolled::input_gradient(geometry, weight, gradient, out);
    }
}

/// The gradient of a loss to the weights (OIHW), from the images and its `gradient` to the output, both NHWC.
pub fn weight_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    if direct::takes(vectors, geometry) {
        direct::weight_gradient(vectors, geometry, images, gradient, out);
    } else {
        unrolled::weight_gradient(geometry, images, gradient, out);
    }
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
