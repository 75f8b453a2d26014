//! Convolution with stride one and without padding, straight from the image.
//!
//! No window is unrolled: a tile of sums, a few pixels by one or two vectors of channels, stays in registers while the
//! window's elements run by (Georganas et al. 2018, *Anatomy of high-performance deep learning convolutions on SIMD
//! architectures*). The gradient to the images is the same kernel, with the weights turned by half a turn, over the
//! gradient in a border of zeros.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

mod convolution;
mod packed;
mod tile;
mod weight_gradient;

use rayon::prelude::*;

use self::convolution::Convolution;
use self::packed::Packed;
use self::weight_gradient::WeightGradient;
use super::geometry::Geometry;
use crate::kernel::vectors::Vectors;

/// Whether a convolution has stride one and no padding, and the processor has vectors.
pub fn takes(vectors: Vectors, geometry: &Geometry) -> bool {
    let covered = [0, 1].map(|axis| geometry.output[axis] + geometry.kernel[axis] - 1);
    vectors.lanes() > 1 && geometry.stride == [1, 1] && geometry.padding == [0, 0] && covered == geometry.input[..2]
}

/// As [`super::forward`].
pub fn forward(vectors: Vectors, g: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let area = g.kernel[0] * g.kernel[1];
    let weight = Packed::from_fn(vectors, [g.window_len(), g.output[2]], |element, output| {
        weight[(output * g.input[2] + element % g.input[2]) * area + element / g.input[2]]
    });
    let bias = Packed::from_fn(vectors, [1, g.output[2]], |_, output| bias[output]);
    out.par_chunks_exact_mut(g.output_len()).zip(images.par_chunks_exact(g.input_len())).for_each(|(out, image)| {
        vectors.run(Convolution {
            input: [g.input[1], g.input[2]],
            columns: g.output[1],
            kernel: g.kernel,
            image,
            weight: &weight,
            bias: &bias,
            out,
        });
    });
}

/// As [`super::input_gradient`].
pub fn input_gradient(vectors: Vectors, g: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (area, [_, _, inputs], [rows, columns, outputs]) = (g.kernel[0] * g.kernel[1], g.input, g.output);
    let turned = Packed::from_fn(vectors, [area * outputs, inputs], |element, input| {
        weight[(element % outputs * inputs + input) * area + area - 1 - element / outputs]
    });
    let bias = Packed::zeros(vectors, 1, inputs);
    let border = g.kernel.map(|size| size - 1);
    let (width, row_len) = (columns + 2 * border[1], columns * outputs);
    out.par_chunks_exact_mut(g.input_len()).zip(gradient.par_chunks_exact(g.output_len())).for_each_init(
        || vec![0.0; (rows + 2 * border[0]) * width * outputs],
        |bordered, (out, gradient)| {
            let inner = bordered.chunks_exact_mut(width * outputs).skip(border[0]);
            for (bordered, row) in inner.zip(gradient.chunks_exact(row_len)) {
                bordered[border[1] * outputs..][..row_len].copy_from_slice(row);
            }
            vectors.run(Convolution {
                input: [width, outputs],
                columns: g.input[1],
                kernel: g.kernel,
                image: bordered,
                weight: &turned,
                bias: &bias,
                out,
            });
        },
    );
}

/// As [`super::weight_gradient`].
pub fn weight_gradient(vectors: Vectors, g: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let sums: Vec<Packed> = g
        .parts(images)
        .into_par_iter()
        .map(|part| {
            let (mut sum, mut band) = (Packed::zeros(vectors, g.window_len(), g.output[2]), Vec::new());
            for n in part {
                vectors.run(WeightGradient {
                    input: [g.input[1], g.input[2]],
                    output: [g.output[0], g.output[1]],
                    kernel: g.kernel,
                    image: &images[n * g.input_len()..][..g.input_len()],
                    gradient: &gradient[n * g.output_len()..][..g.output_len()],
                    sum: &mut sum,
                    band: &mut band,
                });
            }
            sum
        })
        .collect();
    let (area, inputs) = (g.kernel[0] * g.kernel[1], g.input[2]);
    out.par_chunks_exact_mut(area * inputs).enumerate().for_each(|(output, out)| {
        for (i, out) in out.iter_mut().enumerate() {
            let (input, place) = (i / area, i % area);
            *out = sums.iter().map(|sum| sum.values[sum.position(place * inputs + input, output)]).sum();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::unrolled;
    use super::*;

    /// Input sizes, output channels and window: one pixel, rows that end within a tile, channels that end within a block.
    const SHAPES: [([usize; 3], usize, [usize; 2]); 10] = [
        ([1, 1, 1], 1, [1, 1]),
        ([3, 3, 5], 3, [3, 3]),
        ([4, 17, 1], 17, [3, 3]),
        ([6, 15, 3], 32, [3, 2]),
        ([5, 31, 17], 33, [1, 3]),
        ([7, 16, 32], 5, [5, 1]),
        ([9, 4, 33], 1, [2, 4]),
        ([12, 45, 16], 16, [3, 3]),
        ([40, 30, 3], 64, [3, 3]),
        ([11, 9, 65], 40, [3, 3]),
    ];

    fn geometry(([height, width, inputs], outputs, kernel): ([usize; 3], usize, [usize; 2])) -> Geometry {
        Geometry {
            input: [height, width, inputs],
            output: [height - kernel[0] + 1, width - kernel[1] + 1, outputs],
            kernel,
            stride: [1, 1],
            padding: [0, 0],
        }
    }

    fn ramp(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * step + 5) % 29) as f32 / 14.0 - 1.0).collect()
    }

    #[track_caller]
    fn assert_equal(len: usize, direct: impl FnOnce(&mut [f32]), unrolled: impl FnOnce(&mut [f32])) {
        let (mut got, mut expected) = (vec![f32::NAN; len], vec![0.0; len]);
        direct(&mut got);
        unrolled(&mut expected);
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            // A NaN that was not overwritten fails too.
            let close = (got - expected).abs() <= 1e-5 * expected.abs().max(20.0);
            assert!(close, "element {i}: {got} instead of {expected}");
        }
    }

    #[test]
    fn all_passes_equal_those_over_unrolled_windows_on_every_kind_of_vectors() {
        for (vectors, shape) in Vectors::available().flat_map(|v| SHAPES.map(|shape| (v, shape))) {
            let g = geometry(shape);
            let (images, weight) = (ramp(3 * g.input_len(), 7), ramp(g.window_len() * g.output[2], 11));
            let (gradient, bias) = (ramp(3 * g.output_len(), 13), ramp(g.output[2], 3));
            assert_equal(
                gradient.len(),
                |out| forward(vectors, &g, &images, &weight, &bias, out),
                |out| unrolled::forward(&g, &images, &weight, &bias, out),
            );
            assert_equal(
                images.len(),
                |out| input_gradient(vectors, &g, &weight, &gradient, out),
                |out| unrolled::input_gradient(&g, &weight, &gradient, out),
            );
            assert_equal(
                weight.len(),
                |out| weight_gradient(vectors, &g, &images, &gradient, out),
                |out| unrolled::weight_gradient(&g, &images, &gradient, out),
            );
        }
    }

    #[test]
    fn strides_padding_and_rows_that_no_window_reaches_are_left_to_the_unrolled_way() {
        let vectors = Vectors::widest();
        let plain = geometry(([6, 6, 2], 3, [3, 3]));
        assert_eq!(takes(vectors, &plain), vectors.lanes() > 1);
        assert!(!takes(vectors, &Geometry { stride: [1, 2], ..plain }));
        assert!(!takes(vectors, &Geometry { padding: [1, 0], ..plain }));
        // Padding below alone makes more output rows than the image itself has windows.
        assert!(!takes(vectors, &Geometry { output: [5, 4, 3], ..plain }));
    }
}
