//! Average pooling and its gradient.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

pub use super::pool2d::Geometry;
use super::vectors::Vectors;

/// Whether padding counts as zeros in a window's mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingCount {
    /// The mean goes over the window's pixels within the image, as in TensorFlow and Keras.
    #[default]
    Excluded,
    /// The sum is divided by the whole window's area: PyTorch's default, `count_include_pad=True`.
    Included,
}

/// The mean of each window of `images` (NHWC), written to `out` (NHWC).
pub fn forward(geometry: &Geometry, padding_count: PaddingCount, images: &[f32], out: &mut [f32]) {
    let (vectors, [rows, columns, channels]) = (Vectors::widest(), geometry.output());
    out.par_chunks_exact_mut(columns * channels).enumerate().for_each(|(i, out)| {
        let image = &images[i / rows * geometry.input_len()..][..geometry.input_len()];
        vectors.run(Means { geometry, padding_count, image, row: i % rows, out });
    });
}

/// The gradient of a loss to the images: each window's gradient in equal shares, written to `out`. An image is one task,
/// since its windows may overlap.
pub fn input_gradient(geometry: &Geometry, padding_count: PaddingCount, gradient: &[f32], out: &mut [f32]) {
    let vectors = Vectors::widest();
    let images = out.par_chunks_exact_mut(geometry.input_len());
    images.zip(gradient.par_chunks_exact(geometry.output_len())).for_each(|(out, gradient)| {
        vectors.run(Spread { geometry, padding_count, gradient, out });
    });
}

/// What the elements of the window of output `(row, column)` are multiplied by.
#[inline(always)]
fn share(geometry: &Geometry, padding_count: PaddingCount, row: usize, column: usize) -> f32 {
    let pixels = match padding_count {
        PaddingCount::Excluded => geometry.pixel_count(row, column),
        PaddingCount::Included => geometry.window[0] * geometry.window[1],
    };
    1.0 / pixels as f32
}

/// One row of the output of one image.
struct Means<'a> {
    geometry: &'a Geometry,
    padding_count: PaddingCount,
    image: &'a [f32],
    row: usize,
    out: &'a mut [f32],
}

impl WithSimd for Means<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.geometry.input[2];
        for (column, mean) in self.out.chunks_exact_mut(channels).enumerate() {
            mean.fill(0.0);
            for (_, at) in self.geometry.pixels(self.row, column) {
                for (mean, value) in mean.iter_mut().zip(&self.image[at..at + channels]) {
                    *mean += value;
                }
            }
            let share = share(self.geometry, self.padding_count, self.row, column);
            for mean in mean {
                *mean *= share;
            }
        }
    }
}

/// The gradient to one image.
struct Spread<'a> {
    geometry: &'a Geometry,
    padding_count: PaddingCount,
    gradient: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let [_, columns, channels] = self.geometry.output();
        self.out.fill(0.0);
        for (i, gradient) in self.gradient.chunks_exact(channels).enumerate() {
            let (row, column) = (i / columns, i % columns);
            let share = share(self.geometry, self.padding_count, row, column);
            for (_, at) in self.geometry.pixels(row, column) {
                for (out, gradient) in self.out[at..at + channels].iter_mut().zip(gradient) {
                    *out += gradient * share;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_counts_its_padding_or_not() {
        let geometry = Geometry { input: [2, 2, 1], window: [2, 2], stride: [1, 1], padding: [1, 0, 1, 0] };
        let image = [4.0, 8.0, 12.0, 16.0];
        let mut out = [f32::NAN; 4];
        forward(&geometry, PaddingCount::Excluded, &image, &mut out);
        assert_eq!(out, [4.0, 6.0, 8.0, 10.0]);
        forward(&geometry, PaddingCount::Included, &image, &mut out);
        assert_eq!(out, [1.0, 3.0, 4.0, 10.0]);

        let mut to_image = [f32::NAN; 4];
        input_gradient(&geometry, PaddingCount::Excluded, &[1.0, 2.0, 4.0, 8.0], &mut to_image);
        assert_eq!(to_image, [1.0 + 1.0 + 2.0 + 2.0, 1.0 + 2.0, 2.0 + 2.0, 2.0]);
    }

    #[test]
    fn both_passes_equal_the_definition_for_any_channels_and_windows() {
        for (input, window, stride, padding) in [
            ([1, 1, 1], [1, 1], [1, 1], [0; 4]),
            ([7, 9, 5], [2, 2], [2, 2], [0; 4]),
            ([7, 9, 17], [3, 3], [2, 2], [1, 1, 1, 1]),
            ([6, 5, 33], [3, 2], [1, 2], [0, 1, 1, 0]),
            ([8, 7, 3], [2, 1], [3, 2], [0; 4]),
            ([3, 3, 2], [5, 5], [1, 2], [3, 4, 2, 4]),
        ] {
            for padding_count in [PaddingCount::Excluded, PaddingCount::Included] {
                check(&Geometry { input, window, stride, padding }, padding_count);
            }
        }
    }

    #[track_caller]
    fn check(geometry: &Geometry, padding_count: PaddingCount) {
        let (input, [rows, columns, channels]) = (geometry.input, geometry.output());
        let images: Vec<f32> = (0..2 * geometry.input_len()).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let gradient: Vec<f32> = (0..2 * geometry.output_len()).map(|i| (i * 29 % 97) as f32 / 48.0 - 1.0).collect();
        let (mut expected, mut to_images) = (Vec::new(), vec![0.0f64; images.len()]);
        for (i, gradient) in gradient.iter().enumerate() {
            let (channel, column, row) = (i % channels, i / channels % columns, i / channels / columns % rows);
            let first = i / geometry.output_len() * geometry.input_len() + channel;
            let mut pixels = Vec::new();
            for (y, x) in (0..geometry.window[0]).flat_map(|y| (0..geometry.window[1]).map(move |x| (y, x))) {
                let y = (row * geometry.stride[0] + y).wrapping_sub(geometry.padding[0]);
                let x = (column * geometry.stride[1] + x).wrapping_sub(geometry.padding[2]);
                if y < input[0] && x < input[1] {
                    pixels.push(first + (y * input[1] + x) * channels);
                }
            }
            let count = match padding_count {
                PaddingCount::Excluded => pixels.len(),
                PaddingCount::Included => geometry.window.iter().product(),
            };
            expected.push(pixels.iter().map(|at| f64::from(images[*at])).sum::<f64>() / count as f64);
            for at in pixels {
                to_images[at] += f64::from(*gradient) / count as f64;
            }
        }
        let (mut out, mut got) = (vec![f32::NAN; gradient.len()], vec![f32::NAN; images.len()]);
        forward(geometry, padding_count, &images, &mut out);
        input_gradient(geometry, padding_count, &gradient, &mut got);
        for (got, expected) in out.iter().zip(&expected).chain(got.iter().zip(&to_images)) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{geometry:?}: {got} instead of {expected}");
        }
    }

    #[test]
    fn one_two_and_five_threads_and_every_kind_of_vectors_give_the_same_bytes() {
        let geometry = Geometry { input: [17, 13, 19], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
        let images: Vec<f32> = (0..7 * geometry.input_len()).map(|i| (i * 37 % 101) as f32 / 7.0).collect();
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (mut out, mut to_images) = (vec![0.0; 7 * geometry.output_len()], vec![0.0; images.len()]);
                forward(&geometry, PaddingCount::Excluded, &images, &mut out);
                input_gradient(&geometry, PaddingCount::Excluded, &out, &mut to_images);
                (out, to_images)
            })
        };
        let (out, to_images) = run(1);
        assert!((&out, &to_images) == (&run(2).0, &run(2).1) && (&out, &to_images) == (&run(5).0, &run(5).1));
        for vectors in Vectors::available() {
            let gradient = &out[..geometry.output_len()];
            let mut got = vec![0.0; geometry.input_len()];
            let padding_count = PaddingCount::Excluded;
            vectors.run(Spread { geometry: &geometry, padding_count, gradient, out: &mut got });
            assert!(got == to_images[..got.len()], "{vectors:?}");
        }
    }
}
