//! Max pooling and its gradient.
//!
//! The gradient finds the largest pixel of each window again, so that nothing is kept from the forward pass.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

pub use super::pool2d::Geometry;
use super::vectors::Vectors;

/// The largest element of each window of `images` (NHWC), written to `out` (NHWC). Padding never wins.
pub fn forward(geometry: &Geometry, images: &[f32], out: &mut [f32]) {
    let (vectors, [rows, columns, channels]) = (Vectors::widest(), geometry.output());
    out.par_chunks_exact_mut(columns * channels).enumerate().for_each(|(i, out)| {
        let image = image_of(geometry, images, i / rows);
        vectors.run(Largest { geometry, image, row: i % rows, out });
    });
}

/// The gradient of a loss to the images: each window's gradient goes to its largest element, written to `out`. An image is
/// one task, since its windows may overlap.
pub fn input_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (vectors, channels) = (Vectors::widest(), geometry.input[2]);
    out.par_chunks_exact_mut(geometry.input_len())
        .zip(images.par_chunks_exact(geometry.input_len()))
        .zip(gradient.par_chunks_exact(geometry.output_len()))
        .for_each_init(
            || (vec![0.0; channels], vec![0; channels]),
            |(largest, winner), ((out, image), gradient)| {
                vectors.run(Spread { geometry, image, gradient, out, largest, winner });
            },
        );
}

fn image_of<'a>(geometry: &Geometry, images: &'a [f32], index: usize) -> &'a [f32] {
    &images[index * geometry.input_len()..][..geometry.input_len()]
}

/// Whether `value` takes the place of the largest so far. Ties go to the first in reading order, as in PyTorch; a NaN
/// wins, so that it stays visible.
#[inline(always)]
fn is_larger(value: f32, largest: f32) -> bool {
    (value > largest) | (value.is_nan() & !largest.is_nan())
}

/// One row of the output of one image.
struct Largest<'a> {
    geometry: &'a Geometry,
    image: &'a [f32],
    row: usize,
    out: &'a mut [f32],
}

impl WithSimd for Largest<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let channels = self.geometry.input[2];
        for (column, largest) in self.out.chunks_exact_mut(channels).enumerate() {
            let mut window = self.geometry.pixels(self.row, column).map(|(_, at)| &self.image[at..at + channels]);
            largest.copy_from_slice(window.next().unwrap_or_default());
            for pixel in window {
                for (largest, value) in largest.iter_mut().zip(pixel) {
                    *largest = if is_larger(*value, *largest) { *value } else { *largest };
                }
            }
        }
    }
}

/// The largest element of one window of an image in each channel, and its place in the window.
#[inline(always)]
fn find_winners(
    geometry: &Geometry,
    image: &[f32],
    [row, column]: [usize; 2],
    largest: &mut [f32],
    winner: &mut [u16],
) {
    let channels = geometry.input[2];
    let mut window = geometry.pixels(row, column).map(|(place, at)| (place as u16, &image[at..at + channels]));
    let (place, pixel) = window.next().unwrap_or_default();
    largest.copy_from_slice(pixel);
    winner.fill(place);
    for (place, pixel) in window {
        for ((largest, winner), value) in largest.iter_mut().zip(&mut *winner).zip(pixel) {
            let larger = is_larger(*value, *largest);
            *largest = if larger { *value } else { *largest };
            *winner = if larger { place } else { *winner };
        }
    }
}

/// The gradient to one image.
struct Spread<'a> {
    geometry: &'a Geometry,
    image: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [f32],
    /// Room for one pixel.
    largest: &'a mut [f32],
    /// Room for one pixel.
    winner: &'a mut [u16],
}

impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) {
        // Tiles write every element once but those that they leave out; windows that overlap or leave gaps add to zeros.
        if self.geometry.is_tiling() {
            self.clear_edges();
            self.run(|out, gradient| *out = gradient);
        } else {
            self.out.fill(0.0);
            self.run(|out, gradient| *out += gradient);
        }
    }
}

impl Spread<'_> {
    #[inline(always)]
    fn run(self, give: impl Fn(&mut f32, f32)) {
        let [_, columns, channels] = self.geometry.output();
        for (i, gradient) in self.gradient.chunks_exact(channels).enumerate() {
            let at = [i / columns, i % columns];
            find_winners(self.geometry, self.image, at, self.largest, self.winner);
            for (place, at) in self.geometry.pixels(at[0], at[1]) {
                let place = place as u16;
                for ((out, gradient), winner) in self.out[at..at + channels].iter_mut().zip(gradient).zip(&*self.winner)
                {
                    give(out, if *winner == place { *gradient } else { 0.0 });
                }
            }
        }
    }

    /// Zeroes the rows and columns that no tile covers.
    #[inline(always)]
    fn clear_edges(&mut self) {
        let ([_, width, channels], [rows, columns, _]) = (self.geometry.input, self.geometry.output());
        let covered = [rows * self.geometry.window[0], columns * self.geometry.window[1]];
        let (above, below) = self.out.split_at_mut(covered[0] * width * channels);
        below.fill(0.0);
        for row in above.chunks_exact_mut(width * channels) {
            row[covered[1] * channels..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(input: [usize; 3], window: usize) -> Geometry {
        Geometry { input, window: [window; 2], stride: [window; 2], padding: [0; 4] }
    }

    #[test]
    fn a_4x4_grid_pools_to_its_four_largest() {
        let grid = [1.0, 3.0, 2.0, 1.0, 2.0, 9.0, 1.0, 1.0, 1.0, 3.0, 2.0, 3.0, 5.0, 6.0, 1.0, 2.0];
        let mut out = [f32::NAN; 4];
        forward(&tiles([4, 4, 1], 2), &grid, &mut out);
        assert_eq!(out, [9.0, 2.0, 6.0, 3.0]);
    }

    #[test]
    fn a_gradient_goes_to_the_largest_and_in_a_tie_to_the_first() {
        let image = [1.0, 4.0, 7.0, 7.0, 9.0, 3.0, 2.0, 7.0, 0.0, 9.0];
        let mut out = [f32::NAN; 10];
        input_gradient(&tiles([2, 5, 1], 2), &image, &[0.5, -2.0], &mut out);
        assert_eq!(out, [0.0, 0.5, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_of_windows_that_overlap_add_up() {
        let geometry = Geometry { input: [1, 5, 1], window: [1, 3], stride: [1, 1], padding: [0; 4] };
        let (image, mut to_image) = ([0.0, 2.0, 5.0, 1.0, 1.0], [f32::NAN; 5]);
        input_gradient(&geometry, &image, &[1.0, 10.0, 100.0], &mut to_image);
        assert_eq!(to_image, [0.0, 0.0, 111.0, 0.0, 0.0]);
    }

    #[test]
    fn padding_never_wins() {
        let geometry = Geometry { input: [2, 2, 1], window: [2, 2], stride: [2, 2], padding: [1, 1, 1, 1] };
        let (image, mut out, mut to_image) = ([-4.0, -3.0, f32::NEG_INFINITY, -1.0], [f32::NAN; 4], [f32::NAN; 4]);
        forward(&geometry, &image, &mut out);
        assert_eq!(out, image);
        input_gradient(&geometry, &image, &[1.0, 2.0, 3.0, 4.0], &mut to_image);
        assert_eq!(to_image, [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn channels_are_pooled_apart_and_the_odd_row_and_column_are_left_out() {
        let image: Vec<f32> = (0..9).flat_map(|i| [i as f32, -(i as f32)]).collect();
        let mut out = [f32::NAN; 2];
        forward(&tiles([3, 3, 2], 2), &image, &mut out);
        assert_eq!(out, [4.0, -0.0]);
    }

    #[test]
    fn a_nan_is_not_hidden() {
        let mut out = [0.0; 1];
        forward(&tiles([2, 2, 1], 2), &[1.0, f32::NAN, 2.0, 3.0], &mut out);
        assert!(out[0].is_nan());
    }

    /// Images with many ties and some NaN, and a gradient of small integers, whose sums are exact.
    fn two_images(geometry: &Geometry) -> (Vec<f32>, Vec<f32>) {
        let mut images: Vec<f32> = (0..2 * geometry.input_len()).map(|i| (i * 37 % 101 % 7) as f32).collect();
        images.iter_mut().step_by(19).for_each(|value| *value = f32::NAN);
        (images, (1..=2 * geometry.output_len()).map(|i| i as f32).collect())
    }

    /// The bits of the output, and the gradient to the images.
    fn both_passes(geometry: &Geometry) -> (Vec<u32>, Vec<f32>) {
        let (images, gradient) = two_images(geometry);
        let (mut out, mut to_images) = (vec![f32::NAN; gradient.len()], vec![f32::NAN; images.len()]);
        forward(geometry, &images, &mut out);
        input_gradient(geometry, &images, &gradient, &mut to_images);
        (out.iter().map(|value| value.to_bits()).collect(), to_images)
    }

    #[test]
    fn both_passes_equal_the_definition_for_any_channels_and_windows() {
        for (input, window, stride, padding) in [
            ([1, 1, 1], [1, 1], [1, 1], [0; 4]),
            ([2, 2, 3], [2, 2], [2, 2], [0; 4]),
            ([7, 9, 5], [2, 2], [2, 2], [0; 4]),
            ([6, 6, 17], [3, 3], [3, 3], [0; 4]),
            ([9, 8, 33], [4, 4], [4, 4], [0; 4]),
            ([7, 9, 5], [3, 3], [2, 2], [1, 1, 1, 1]),
            ([6, 5, 16], [3, 2], [1, 2], [0, 1, 1, 0]),
            ([8, 7, 3], [2, 1], [3, 2], [0; 4]),
            ([3, 3, 1], [5, 5], [1, 2], [3, 4, 2, 4]),
        ] {
            let geometry = Geometry { input, window, stride, padding };
            let (images, gradient) = two_images(&geometry);
            let (out, to_images) = both_passes(&geometry);
            let [rows, columns, channels] = geometry.output();
            let mut expected = vec![0.0; images.len()];
            for (i, gradient) in gradient.iter().enumerate() {
                let (channel, column, row) = (i % channels, i / channels % columns, i / channels / columns % rows);
                let first = i / geometry.output_len() * geometry.input_len() + channel;
                let mut best: Option<usize> = None;
                for (y, x) in (0..window[0]).flat_map(|y| (0..window[1]).map(move |x| (y, x))) {
                    let y = (row * stride[0] + y).wrapping_sub(padding[0]);
                    let x = (column * stride[1] + x).wrapping_sub(padding[2]);
                    if y < input[0] && x < input[1] {
                        let at = first + (y * input[1] + x) * channels;
                        best = best.filter(|best| !is_larger(images[at], images[*best])).or(Some(at));
                    }
                }
                expected[best.unwrap()] += *gradient;
                assert_eq!(out[i], images[best.unwrap()].to_bits(), "{geometry:?}, output {i}");
            }
            assert_eq!(to_images, expected, "{geometry:?}");
        }
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        let geometry = Geometry { input: [17, 13, 19], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| both_passes(&geometry))
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }

    #[test]
    fn every_kind_of_vectors_gives_the_same_bytes() {
        let geometry = Geometry { input: [5, 9, 37], window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] };
        let (images, gradient) = two_images(&geometry);
        let run = |vectors: Vectors| {
            let (image, mut out) = (&images[..geometry.input_len()], vec![0.0; 5 * 37]);
            vectors.run(Largest { geometry: &geometry, image, row: 1, out: &mut out });
            let gradient = &gradient[..geometry.output_len()];
            let (mut to_image, mut largest, mut winner) = (vec![0.0; image.len()], vec![0.0; 37], vec![0; 37]);
            let (largest, winner) = (&mut largest, &mut winner);
            vectors.run(Spread { geometry: &geometry, image, gradient, out: &mut to_image, largest, winner });
            (out.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), to_image)
        };
        assert!(Vectors::available().all(|vectors| run(vectors) == run(Vectors::widest())));
    }
}
