//! [`downscale`]: a picture with fewer, larger pixels.

use libm::round;

use crate::{Image, Size};

/// Reduces the picture to a `fraction` of its width and height by averaging areas, and enlarges it again by repeating
/// pixels, as albumentations' `Downscale` does with `INTER_AREA` and `INTER_NEAREST`; the size stays.
///
/// The reduced sides are rounded and at least 1. 1 and above change nothing; below 0 and NaN count as 0, which leaves
/// one pixel.
///
/// ```
/// use aumenta_imgproc::{DownscaleScratch, Image, downscale};
///
/// let mut image = Image::from_pixels(4, 1, [10, 20, 60, 81].iter().flat_map(|&value| [value; 3]).collect());
/// downscale(&mut image, 0.5, &mut DownscaleScratch::default());
/// assert_eq!([0, 1, 2, 3].map(|x| image.get(x, 0)[0]), [15, 15, 71, 71]);
/// ```
pub fn downscale(image: &mut Image, fraction: f64, scratch: &mut DownscaleScratch) {
    let fraction = fraction.clamp(0.0, 1.0);
    let side = |pixels: usize| (round(pixels as f64 * fraction) as usize).max(1);
    let small = Size { width: side(image.width()), height: side(image.height()) };
    if image.pixels().is_empty() || small == image.size() {
        return;
    }
    average_areas(image, small, scratch);
    repeat_pixels(&scratch.small, image);
}

/// Buffers that [`downscale`] reuses.
#[derive(Clone, Debug, Default)]
pub struct DownscaleScratch {
    /// The reduced picture.
    small: Image,
    /// Sums over the rows that one of its pixels covers.
    sums: Vec<u64>,
}

/// The mean over the area of each pixel of a picture of `size`, parts of pixels weighed by their share.
///
/// Lengths are counted in parts of a pixel so small that the borders of both grids fall between them.
fn average_areas(image: &Image, size: Size, scratch: &mut DownscaleScratch) {
    let DownscaleScratch { small: out, sums } = scratch;
    let (width, height) = (image.width(), image.height());
    out.resize_buffer(size.width, size.height);
    sums.clear();
    sums.resize(width * 3, 0);
    let area = (width * height) as u64;
    for (y, out_row) in out.pixels_mut().chunks_exact_mut(size.width * 3).enumerate() {
        sums.fill(0);
        for (row, weight) in overlaps(y, height, size.height) {
            let values = &image.pixels()[row * width * 3..][..width * 3];
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += weight * u64::from(value);
            }
        }
        for (x, pixel) in out_row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let mut totals = [0; 3];
            for (column, weight) in overlaps(x, width, size.width) {
                for (total, sum) in totals.iter_mut().zip(&sums[column * 3..]) {
                    *total += weight * sum;
                }
            }
            *pixel = totals.map(|total| ((total + area / 2) / area) as u8);
        }
    }
}

/// The pixels of `length` that number `at` of `small` covers, with the covered parts of each, of which `small` make a
/// whole one.
fn overlaps(at: usize, length: usize, small: usize) -> impl Iterator<Item = (usize, u64)> {
    let (start, end) = (at * length, (at + 1) * length);
    (start / small..end.div_ceil(small)).map(move |pixel| {
        let covered = end.min((pixel + 1) * small) - start.max(pixel * small);
        (pixel, covered as u64)
    })
}

/// Fills `out` with the pixels of `small` that lie under the centres of its own.
fn repeat_pixels(small: &Image, out: &mut Image) {
    let (width, height) = (out.width(), out.height());
    for (y, row) in out.pixels_mut().chunks_exact_mut(width * 3).enumerate() {
        let from = (2 * y + 1) * small.height() / (2 * height) * small.width();
        let source = &small.pixels().as_chunks::<3>().0[from..from + small.width()];
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            *pixel = source[(2 * x + 1) * small.width() / (2 * width)];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::pictures;

    fn downscaled(image: &Image, fraction: f64) -> Image {
        let mut out = image.clone();
        downscale(&mut out, fraction, &mut DownscaleScratch { small: Image::filled(2, 5, [1; 3]), sums: vec![9; 4] });
        out
    }

    #[test]
    fn parts_of_pixels_count_by_their_share() {
        assert_eq!(overlaps(0, 3, 2).collect::<Vec<_>>(), [(0, 2), (1, 1)]);
        assert_eq!(overlaps(1, 3, 2).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
        let image = Image::from_pixels(3, 1, [30, 60, 90].iter().flat_map(|&value| [value; 3]).collect());
        // (2 * 30 + 60) / 3 and (60 + 2 * 90) / 3.
        assert_eq!([0, 1, 2].map(|x| downscaled(&image, 0.6).get(x, 0)[0]), [40, 80, 80]);
    }

    proptest! {
        #[test]
        fn no_fraction_leaves_the_mean_color(image in pictures()) {
            let count = (image.width() * image.height()) as f64;
            for (channel, value) in downscaled(&image, 0.0).pixels().iter().take(3).enumerate() {
                let sum: f64 = image.pixels().iter().skip(channel).step_by(3).map(|&value| f64::from(value)).sum();
                prop_assert_eq!(*value, (sum / count).round() as u8);
            }
        }

        #[test]
        fn any_fraction_gives_a_picture_of_the_same_size(image in pictures(), any in any::<f64>(), fraction in 0.0f64..1.0) {
            prop_assert_eq!(downscaled(&image, any).size(), image.size());
            prop_assert_eq!(downscaled(&image, fraction).size(), image.size());
            prop_assert_eq!(downscaled(&image, 1.0), image);
        }
    }
}
