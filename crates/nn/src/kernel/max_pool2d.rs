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

    /// The window of output `(row, column)`: where each of its pixels begins in one image, in reading order.
    fn window(&self, row: usize, column: usize) -> impl Iterator<Item = usize> + use<> {
        let ([_, width, channels], window) = (self.input, self.window);
        let first = (row * window * width + column * window) * channels;
        (0..window).flat_map(move |y| (0..window).map(move |x| first + (y * width + x) * channels))
    }

    /// Row and column of each output pixel, in reading order.
    fn pixels(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [rows, columns, _] = self.output();
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
    }
}

/// Whether `value` takes the place of the largest so far. Ties go to the first in reading order, as in PyTorch; a NaN
/// wins, so that it stays visible.
fn is_larger(value: f32, largest: f32) -> bool {
    (value > largest) | (value.is_nan() & !largest.is_nan())
}

/// The largest element of each window of `images` (NHWC), written to `out` (NHWC).
pub fn forward(geometry: &Geometry, images: &[f32], out: &mut [f32]) {
    let channels = geometry.input[2];
    out.par_chunks_exact_mut(geometry.output_len()).zip(images.par_chunks_exact(geometry.input_len())).for_each(
        |(out, image)| {
            for ((row, column), largest) in geometry.pixels().zip(out.chunks_exact_mut(channels)) {
                let mut window = geometry.window(row, column).map(|at| &image[at..at + channels]);
                largest.copy_from_slice(window.next().unwrap_or_default());
                for pixel in window {
                    for (largest, value) in largest.iter_mut().zip(pixel) {
                        *largest = if is_larger(*value, *largest) { *value } else { *largest };
                    }
                }
            }
        },
    );
}

/// The gradient of a loss to the images: each window's gradient goes to its largest element. `out` starts as zeros.
pub fn input_gradient(geometry: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let channels = geometry.input[2];
    out.par_chunks_exact_mut(geometry.input_len())
        .zip(images.par_chunks_exact(geometry.input_len()))
        .zip(gradient.par_chunks_exact(geometry.output_len()))
        .for_each_init(
            || (vec![0.0; channels], vec![0; channels]),
            |(largest, winner), ((out, image), gradient)| {
                for ((row, column), gradient) in geometry.pixels().zip(gradient.chunks_exact(channels)) {
                    for (place, at) in (0u32..).zip(geometry.window(row, column)) {
                        let pixel = &image[at..at + channels];
                        if place == 0 {
                            largest.copy_from_slice(pixel);
                            winner.fill(0);
                            continue;
                        }
                        for ((largest, winner), value) in largest.iter_mut().zip(&mut *winner).zip(pixel) {
                            let larger = is_larger(*value, *largest);
                            *largest = if larger { *value } else { *largest };
                            *winner = if larger { place } else { *winner };
                        }
                    }
                    // Windows do not overlap, so every element is written once.
                    for (place, at) in (0u32..).zip(geometry.window(row, column)) {
                        for ((out, gradient), winner) in out[at..at + channels].iter_mut().zip(gradient).zip(&*winner) {
                            *out = if *winner == place { *gradient } else { 0.0 };
                        }
                    }
                }
            },
        );
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

    #[test]
    fn both_passes_equal_the_definition_for_any_channels_and_windows() {
        for (input, window) in
            [([1, 1, 1], 1), ([2, 2, 3], 2), ([7, 9, 5], 2), ([6, 6, 17], 3), ([5, 4, 32], 2), ([9, 8, 33], 4)]
        {
            let geometry = Geometry { input, window };
            // Few distinct values, so that there are many ties.
            let mut images: Vec<f32> = (0..2 * geometry.input_len()).map(|i| (i * 37 % 101 % 7) as f32).collect();
            images.iter_mut().step_by(19).for_each(|value| *value = f32::NAN);
            let gradient: Vec<f32> = (1..=2 * geometry.output_len()).map(|i| i as f32).collect();
            let (mut out, mut to_images) = (vec![0.0; gradient.len()], vec![0.0; images.len()]);
            forward(&geometry, &images, &mut out);
            input_gradient(&geometry, &images, &gradient, &mut to_images);

            let [rows, columns, channels] = geometry.output();
            let mut expected = vec![0.0; images.len()];
            for (i, gradient) in gradient.iter().enumerate() {
                let (channel, column, row) = (i % channels, i / channels % columns, i / channels / columns % rows);
                let first = i / geometry.output_len() * geometry.input_len() + channel;
                let window = geometry.window(row, column).map(|at| first + at);
                let best = window.reduce(|best, at| if is_larger(images[at], images[best]) { at } else { best });
                expected[best.unwrap()] = *gradient;
                assert_eq!(out[i].to_bits(), images[best.unwrap()].to_bits(), "{geometry:?}, output {i}");
            }
            assert_eq!(to_images, expected, "{geometry:?}");
        }
    }
}
