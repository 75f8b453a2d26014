//! Two-dimensional convolution (cross-correlation, as every deep-learning library means it) and its gradients.
//!
//! Activations are NHWC, weights OIHW `[outputs, inputs / groups, rows, columns]`. Where the processor has vectors, all
//! passes are computed [straight from the image](direct), those of 3x3 windows with [fewer products](winograd); else, and
//! for the gradient to the images of a convolution with strides, by way of [unrolled windows](unrolled).
//!
//! An activation that cuts its input off at two [limits](NO_LIMITS), such as ReLU, is part of the passes, and so is the
//! [2x2 max pooling](pooled) that often follows.

mod direct;
mod forward;
mod frame;
mod geometry;
mod gradients;
mod pooled;
mod unrolled;
mod winograd;

use rayon::prelude::*;

pub use self::forward::Forward;
use self::frame::Frame;
pub use self::geometry::Geometry;
pub use self::gradients::{OutputGradient, Wanted, bias_gradient, gradients};
use super::vectors::Vectors;

/// The limits of an activation that leaves its input as it is.
pub const NO_LIMITS: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

/// The convolution of `images` (NHWC) with `weight` plus `bias`, written to `out` (NHWC); values below the first of
/// `limits` or above the second are replaced by it.
pub fn forward(
    vectors: Vectors,
    geometry: &Geometry,
    images: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    limits: [f32; 2],
    out: &mut [f32],
) {
    Forward::new(vectors, geometry, weight, bias, limits).run(images, out);
}

/// As [`forward`], then 2x2 max pooling with stride 2: `out` is the pooled output, `winners` the place of each largest
/// element within its window, 0 to 3 in reading order. A last odd row or column is left out.
#[allow(clippy::too_many_arguments, reason = "operands, limits and destinations of a fused operation")]
pub fn forward_pooled(
    vectors: Vectors,
    geometry: &Geometry,
    images: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    limits: [f32; 2],
    out: &mut [f32],
    winners: &mut [u8],
) {
    Forward::pooled(vectors, geometry, weight, bias, limits).run_pooled(images, out, winners);
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Unrolled,
    Direct,
    Winograd,
}

impl Way {
    fn of(vectors: Vectors, g: &Geometry) -> Self {
        match vectors.lanes() {
            1 => Self::Unrolled,
            _ if winograd::takes(g) => Self::Winograd,
            _ => Self::Direct,
        }
    }
}

/// The padding around an image, so that its windows, or whole tiles of them, lie inside.
fn padding(g: &Geometry, way: Way) -> Frame {
    let outer = match way {
        Way::Unrolled | Way::Direct => g.covered(),
        Way::Winograd => [g.output[0], g.output[1]].map(|size| size.next_multiple_of(2) + 2),
    };
    Frame { inner: [g.input[0], g.input[1]], outer, offset: g.padding, channels: g.input[2] }.or_none()
}

/// Adds all sums to the first, one after the other.
fn add_in_order<'a>(mut sums: impl Iterator<Item = &'a mut [f32]>) {
    const CHUNK: usize = 1 << 13;
    let Some(total) = sums.next() else { return };
    let others: Vec<&[f32]> = sums.map(|sum| &*sum).collect();
    total.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, total)| {
        for other in &others {
            for (total, value) in total.iter_mut().zip(&other[chunk * CHUNK..]) {
                *total += value;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, in f64: one product a weight, one output at a time.
    fn naive(g: &Geometry, images: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
        let ([height, width, channels], [rows, columns, outputs]) = (g.input, g.output);
        let [inputs, group_outputs] = g.group();
        let mut result = Vec::new();
        for image in images.chunks_exact(g.input_len()) {
            for (row, column, o) in
                (0..rows).flat_map(|r| (0..columns).flat_map(move |c| (0..outputs).map(move |o| (r, c, o))))
            {
                let mut sum = f64::from(bias[o]);
                for (ky, kx, i) in (0..g.kernel[0])
                    .flat_map(|y| (0..g.kernel[1]).flat_map(move |x| (0..inputs).map(move |i| (y, x, i))))
                {
                    let y = (row * g.stride[0] + ky * g.dilation[0]).wrapping_sub(g.padding[0]);
                    let x = (column * g.stride[1] + kx * g.dilation[1]).wrapping_sub(g.padding[1]);
                    if y < height && x < width {
                        let weight = weight[((o * inputs + i) * g.kernel[0] + ky) * g.kernel[1] + kx];
                        let channel = o / group_outputs * inputs + i;
                        sum += f64::from(image[(y * width + x) * channels + channel]) * f64::from(weight);
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

    fn weight_len(g: &Geometry) -> usize {
        g.window_len() * g.output[2]
    }

    /// A convolution with stride one and no padding.
    fn plain(input: [usize; 3], channels: usize, kernel: [usize; 2]) -> Geometry {
        Geometry {
            input,
            output: [input[0] + 1 - kernel[0], input[1] + 1 - kernel[1], channels],
            kernel,
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
        }
    }

    /// The convolution with padding `[top, bottom, left, right]` and the rest of `options`.
    fn general(options: Geometry, [top, bottom, left, right]: [usize; 4]) -> Geometry {
        let padded = [options.input[0] + top + bottom, options.input[1] + left + right];
        let size = |axis: usize| (padded[axis] - options.reach()[axis] - 1) / options.stride[axis] + 1;
        Geometry { output: [size(0), size(1), options.output[2]], padding: [top, left], ..options }
    }

    /// One pixel, rows that end within a tile, channels that end within a block; strides, padding on one side alone, more
    /// padding than the window reaches, dilation, groups; rows and columns that no window reaches.
    fn geometries() -> Vec<Geometry> {
        vec![
            plain([1, 1, 1], 1, [1, 1]),
            plain([3, 3, 5], 3, [3, 3]),
            plain([4, 17, 1], 17, [3, 3]),
            plain([6, 15, 3], 32, [3, 2]),
            plain([5, 31, 17], 33, [1, 3]),
            plain([7, 16, 32], 5, [5, 1]),
            plain([9, 4, 33], 1, [2, 4]),
            plain([12, 45, 16], 16, [3, 3]),
            plain([8, 9, 65], 40, [1, 1]),
            general(Geometry { stride: [2, 2], ..plain([8, 9, 5], 7, [3, 3]) }, [1; 4]),
            general(Geometry { stride: [2, 3], ..plain([9, 9, 3], 18, [3, 3]) }, [0, 1, 0, 1]),
            general(plain([6, 6, 2], 17, [5, 5]), [2; 4]),
            plain([6, 6, 8], 8, [3, 3]),
            plain([9, 8, 17], 33, [3, 3]),
            general(plain([4, 5, 9], 16, [3, 3]), [1; 4]),
            general(plain([5, 6, 16], 9, [3, 3]), [2, 0, 1, 2]),
            general(plain([3, 3, 8], 8, [3, 3]), [3, 3, 0, 4]),
            general(plain([4, 3, 2], 3, [2, 2]), [3, 0, 0, 4]),
            general(Geometry { dilation: [2, 3], ..plain([9, 11, 3], 6, [3, 2]) }, [1, 0, 2, 0]),
            general(Geometry { groups: 2, ..plain([6, 7, 6], 8, [3, 3]) }, [1; 4]),
            general(Geometry { groups: 4, stride: [2, 1], ..plain([7, 6, 4], 4, [3, 3]) }, [1, 0, 0, 1]),
            general(Geometry { groups: 3, dilation: [1, 2], ..plain([5, 9, 51], 60, [3, 3]) }, [0; 4]),
        ]
    }

    #[track_caller]
    fn assert_close(what: &str, g: &Geometry, got: &[f32], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        let scale = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            // An element that was not written is a NaN, and fails too.
            let close = (f64::from(*got) - expected).abs() <= 1e-5 * scale;
            assert!(close, "{what}, element {i}: {got} instead of {expected} for {g:?}");
        }
    }

    fn unwritten(len: usize) -> Vec<f32> {
        vec![f32::NAN; len]
    }

    #[test]
    fn a_vertical_edge_gives_0_30_30_0() {
        let image: Vec<f32> = [10.0, 10.0, 10.0, 0.0, 0.0, 0.0].repeat(6);
        let edge = [1.0, 0.0, -1.0].repeat(3);
        let mut out = [0.0; 16];
        forward(Vectors::widest(), &plain([6, 6, 1], 1, [3, 3]), &image, &edge, None, NO_LIMITS, &mut out);
        assert_eq!(out.to_vec(), [0.0, 30.0, 30.0, 0.0].repeat(4));
    }

    #[test]
    fn the_forward_pass_equals_the_definition_on_every_kind_of_vectors() {
        for (vectors, g) in Vectors::available().flat_map(|v| geometries().into_iter().map(move |g| (v, g))) {
            let (images, weight) = (ramp(3 * g.input_len(), 7), ramp(weight_len(&g), 11));
            let bias = ramp(g.output[2], 3);
            let mut out = unwritten(3 * g.output_len());
            forward(vectors, &g, &images, &weight, Some(&bias), NO_LIMITS, &mut out);
            let expected = naive(&g, &images, &weight, &bias);
            assert_close("forward", &g, &out, &expected);

            forward(vectors, &g, &images, &weight, Some(&bias), [0.0, 0.5], &mut out);
            let expected: Vec<f64> = expected.iter().map(|value| value.clamp(0.0, 0.5)).collect();
            assert_close("forward within limits", &g, &out, &expected);
        }
    }

    /// A convolution is linear in its images and in its weights, so the gradient of `sum(gradient * output)` to element
    /// `i` is that sum with the operand replaced by the unit vector `i`.
    fn linear_gradient(gradient: &[f32], len: usize, output: impl Fn(&[f32]) -> Vec<f64>) -> Vec<f64> {
        (0..len)
            .map(|i| {
                let mut unit = vec![0.0; len];
                unit[i] = 1.0;
                output(&unit).iter().zip(gradient).map(|(output, gradient)| output * f64::from(*gradient)).sum()
            })
            .collect()
    }

    #[test]
    fn all_gradients_equal_the_definition_on_every_kind_of_vectors() {
        for g in geometries().into_iter().filter(|g| weight_len(g) * g.output_len() < 1 << 20) {
            let (images, weight) = (ramp(2 * g.input_len(), 7), ramp(weight_len(&g), 11));
            let (gradient, zero) = (ramp(2 * g.output_len(), 13), vec![0.0; g.output[2]]);
            let first = &images[..g.input_len()];
            let to_first = linear_gradient(&gradient[..g.output_len()], first.len(), |x| naive(&g, x, &weight, &zero));
            let to_weight = linear_gradient(&gradient, weight.len(), |weight| naive(&g, &images, weight, &zero));
            let to_bias =
                (0..g.output[2]).map(|o| gradient.iter().skip(o).step_by(g.output[2]).copied().map(f64::from).sum());
            let to_bias: Vec<f64> = to_bias.collect();
            for vectors in Vectors::available() {
                let (mut x, mut w, mut b) = (unwritten(images.len()), unwritten(weight.len()), unwritten(g.output[2]));
                let wanted = Wanted { images: Some(&mut x), weight: Some(&mut w), bias: Some(&mut b) };
                gradients(vectors, &g, &images, &weight, OutputGradient::Plain(&gradient), wanted);
                assert_close("gradient to the images", &g, &x[..g.input_len()], &to_first);
                assert!(x[g.input_len()..].iter().all(|value| !value.is_nan()));
                assert_close("gradient to the weights", &g, &w, &to_weight);
                assert_close("gradient to the bias", &g, &b, &to_bias);
                let mut alone = unwritten(g.output[2]);
                bias_gradient(vectors, g.output[1] * g.output[2], &gradient, &mut alone);
                assert_close("gradient to the bias alone", &g, &alone, &to_bias);
            }
        }
    }

    /// The same sums, pooled afterwards.
    fn pool(g: &Geometry, sums: &[f32], [low, high]: [f32; 2]) -> (Vec<f32>, Vec<u8>) {
        let ([rows, columns, channels], [pooled_rows, pooled_columns]) = (g.output, g.pooled());
        let (mut values, mut winners) = (Vec::new(), Vec::new());
        for image in sums.chunks_exact(rows * columns * channels) {
            for (y, x, c) in (0..pooled_rows)
                .flat_map(|y| (0..pooled_columns).flat_map(move |x| (0..channels).map(move |c| (y, x, c))))
            {
                let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
                let window = window.map(|(dy, dx)| image[((2 * y + dy) * columns + 2 * x + dx) * channels + c]);
                let winner = (1..4).fold(0, |best, place| if window[place] > window[best] { place } else { best });
                values.push(window[winner].clamp(low, high));
                winners.push(winner as u8);
            }
        }
        (values, winners)
    }

    #[test]
    fn pooling_on_the_way_equals_pooling_afterwards_with_its_gradients() {
        let limits = [0.0, 6.0];
        let shapes = [
            plain([4, 4, 3], 5, [3, 3]),
            plain([7, 9, 3], 32, [3, 3]),
            plain([40, 43, 2], 33, [3, 2]),
            plain([16, 17, 32], 40, [3, 3]),
            general(plain([9, 11, 9], 8, [3, 3]), [1, 2, 2, 1]),
            general(plain([5, 6, 4], 17, [3, 3]), [1; 4]),
            general(Geometry { stride: [2, 2], ..plain([13, 11, 3], 8, [3, 3]) }, [0, 1, 0, 1]),
        ];
        for (vectors, g) in Vectors::available().flat_map(|v| shapes.map(|g| (v, g))) {
            let (images, weight, bias) = (ramp(3 * g.input_len(), 7), ramp(weight_len(&g), 11), ramp(g.output[2], 3));
            let mut sums = unwritten(3 * g.output_len());
            forward(vectors, &g, &images, &weight, Some(&bias), NO_LIMITS, &mut sums);
            let (expected, expected_winners) = pool(&g, &sums, limits);
            let (mut out, mut winners) = (unwritten(expected.len()), vec![9; expected.len()]);
            forward_pooled(vectors, &g, &images, &weight, Some(&bias), limits, &mut out, &mut winners);
            assert_eq!(out, expected, "{g:?}");
            assert_eq!(winners, expected_winners, "{g:?}");

            // The gradient to the sums, whole, for comparison.
            let gradient = ramp(expected.len(), 13);
            let mut whole = vec![0.0; sums.len()];
            let ([rows, columns, channels], [pooled_rows, pooled_columns]) = (g.output, g.pooled());
            for (i, gradient) in gradient.iter().enumerate() {
                let (c, x, y) =
                    (i % channels, i / channels % pooled_columns, i / channels / pooled_columns % pooled_rows);
                let n = i / (channels * pooled_columns * pooled_rows);
                let (dy, dx) = (usize::from(winners[i]) / 2, usize::from(winners[i]) % 2);
                if out[i] > limits[0] && out[i] < limits[1] {
                    whole[((n * rows + 2 * y + dy) * columns + 2 * x + dx) * channels + c] = *gradient;
                }
            }
            let run = |source: OutputGradient<'_>| {
                let (mut x, mut w, mut b) = (unwritten(images.len()), unwritten(weight.len()), unwritten(g.output[2]));
                let wanted = Wanted { images: Some(&mut x), weight: Some(&mut w), bias: Some(&mut b) };
                gradients(vectors, &g, &images, &weight, source, wanted);
                [x, w, b]
            };
            let pooled = OutputGradient::Pooled { gradient: &gradient, pooled: &out, winners: &winners, limits };
            assert_eq!(run(pooled), run(OutputGradient::Plain(&whole)), "{g:?}");
        }
    }

    #[test]
    fn a_limited_output_passes_its_gradient_between_the_limits_alone() {
        let g = plain([2, 3, 1], 1, [1, 1]);
        let source = OutputGradient::Limited {
            gradient: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            output: &[0.0, 0.5, 6.0, 3.0, 5.9, 0.0],
            limits: [0.0, 6.0],
        };
        let mut x = unwritten(6);
        let wanted = Wanted { images: Some(&mut x), ..Wanted::default() };
        gradients(Vectors::widest(), &g, &[], &[1.0], source, wanted);
        assert_eq!(x, [0.0, 2.0, 0.0, 4.0, 5.0, 0.0]);
        let source = OutputGradient::Limited {
            gradient: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            output: &[f32::INFINITY, 0.0, f32::NAN, 1.0, 2.0, 3.0],
            limits: [0.0, f32::INFINITY],
        };
        let wanted = Wanted { images: Some(&mut x), ..Wanted::default() };
        gradients(Vectors::widest(), &g, &[], &[1.0], source, wanted);
        assert_eq!(x, [1.0, 0.0, 3.0, 4.0, 5.0, 6.0], "what no limit cut off has its gradient");
    }

    #[test]
    fn a_nan_is_not_hidden_by_limits_or_pooling() {
        let g = plain([2, 2, 1], 1, [1, 1]);
        for vectors in Vectors::available() {
            let mut out = [0.0; 4];
            forward(vectors, &g, &[1.0, f32::NAN, -1.0, 9.0], &[1.0], None, [0.0, 6.0], &mut out);
            assert!(out[1].is_nan());
            assert_eq!([out[0], out[2], out[3]], [1.0, 0.0, 6.0]);
            let (mut pooled, mut winners) = ([0.0], [0]);
            let image = [1.0, f32::NAN, -1.0, 9.0];
            forward_pooled(vectors, &g, &image, &[1.0], None, [0.0, 6.0], &mut pooled, &mut winners);
            assert!(pooled[0].is_nan());
            assert_eq!(winners, [1]);
        }
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        let g = general(plain([40, 33, 3], 16, [3, 3]), [1, 0, 1, 0]);
        let (images, weight) = (ramp(11 * g.input_len(), 7), ramp(weight_len(&g), 11));
        for vectors in Vectors::available() {
            let run = |threads| {
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                    let len = 11 * g.pooled()[0] * g.pooled()[1] * 16;
                    let (mut out, mut winners) = (unwritten(len), vec![0; len]);
                    forward_pooled(vectors, &g, &images, &weight, None, [0.0, 1.0], &mut out, &mut winners);
                    let (mut x, mut w, mut b) = (unwritten(images.len()), unwritten(weight.len()), unwritten(16));
                    let source =
                        OutputGradient::Pooled { gradient: &out, pooled: &out, winners: &winners, limits: [0.0, 1.0] };
                    let wanted = Wanted { images: Some(&mut x), weight: Some(&mut w), bias: Some(&mut b) };
                    gradients(vectors, &g, &images, &weight, source, wanted);
                    [out, x, w, b]
                })
            };
            assert_eq!(run(1), run(2));
            assert_eq!(run(1), run(5));
        }
    }
}
