//! The mean over all pixels of an image, channel by channel, and its gradient.

use rayon::prelude::*;

/// The mean of each channel over the `area` pixels of each image, from `images` (NHWC) to `out` (`[n, channels]`). Sums are
/// f64.
pub fn forward(area: usize, channels: usize, images: &[f32], out: &mut [f32]) {
    out.par_chunks_exact_mut(channels).zip(images.par_chunks_exact(area * channels)).for_each_init(
        || vec![0.0f64; channels],
        |sums, (out, image)| {
            sums.fill(0.0);
            for pixel in image.chunks_exact(channels) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += f64::from(*value);
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = (*sum / area as f64) as f32;
            }
        },
    );
}

/// The gradient of a loss to the images, from its `gradient` to the means: an equal share for each pixel.
pub fn input_gradient(area: usize, channels: usize, gradient: &[f32], out: &mut [f32]) {
    let share = 1.0 / area as f32;
    out.par_chunks_exact_mut(area * channels).zip(gradient.par_chunks_exact(channels)).for_each(|(out, gradient)| {
        for pixel in out.chunks_exact_mut(channels) {
            for (out, gradient) in pixel.iter_mut().zip(gradient) {
                *out = gradient * share;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_and_its_gradient_by_hand() {
        let (mut out, mut to_images) = ([f32::NAN; 4], [f32::NAN; 8]);
        forward(2, 2, &[1.0, 10.0, 3.0, 20.0, -1.0, 0.0, -2.0, 4.0], &mut out);
        assert_eq!(out, [2.0, 15.0, -1.5, 2.0]);
        input_gradient(2, 2, &[2.0, 4.0, 6.0, 8.0], &mut to_images);
        assert_eq!(to_images, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
    }

    #[test]
    fn a_mean_over_many_pixels_loses_nothing() {
        let mut out = [0.0];
        forward(1_000_000, 1, &[1e4, 1e4 + 1.0].repeat(500_000), &mut out);
        assert_eq!(out, [10_000.5]);
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        let images: Vec<f32> = (0..11 * 35 * 13).map(|i| (i * 37 % 101) as f32 / 7.0).collect();
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let (mut out, mut to_images) = (vec![f32::NAN; 11 * 13], vec![f32::NAN; images.len()]);
                forward(35, 13, &images, &mut out);
                input_gradient(35, 13, &out, &mut to_images);
                (out, to_images)
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }
}
