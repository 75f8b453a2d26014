//! [`erase`] and [`grid_mask`]: parts of a picture that are painted over.

use serde::{Deserialize, Serialize};

use crate::noise::fill_with_noise;
use crate::{Image, Matrix3};

/// What hides a part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Paint {
    /// One color.
    Color([u8; 3]),
    /// A uniform random byte for each channel of each pixel, which follows from the seed.
    Noise {
        /// Any number.
        seed: u64,
    },
}

/// A rectangle of whole pixels, which may reach beyond the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first column.
    pub x: usize,
    /// The first row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Paints over `region`, or what of it lies within the picture (Zhong et al. 2017, "Random erasing data augmentation";
/// with one color, DeVries and Taylor 2017, "Improved regularization of convolutional neural networks with cutout").
///
/// ```
/// use aumenta_imgproc::{Image, Paint, Region, erase};
///
/// let mut image = Image::filled(3, 1, [9; 3]);
/// erase(&mut image, Region { x: 1, y: 0, width: 5, height: 5 }, Paint::Color([1, 2, 3]));
/// assert_eq!(image.pixels(), [9, 9, 9, 1, 2, 3, 1, 2, 3]);
/// ```
pub fn erase(image: &mut Image, region: Region, paint: Paint) {
    let (width, height) = (image.width(), image.height());
    let columns = region.x.min(width)..region.x.saturating_add(region.width).min(width);
    let rows = region.y.min(height)..region.y.saturating_add(region.height).min(height);
    if columns.is_empty() {
        return;
    }
    let pixels = image.pixels_mut().as_chunks_mut::<3>().0.chunks_exact_mut(width);
    let region = pixels.skip(rows.start).take(rows.len()).map(|row| &mut row[columns.clone()]);
    match paint {
        // One level in all channels is a fill of bytes, which takes half the time.
        Paint::Color([level, green, blue]) if level == green && level == blue => {
            region.for_each(|row| row.as_flattened_mut().fill(level));
        }
        paint => paint_over(region.flatten(), paint),
    }
}

/// A grid of square holes: the picture is divided into square units, and each has a hole at its top left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridMask {
    /// The side of a unit; 0 counts as 1.
    pub unit_pixels: usize,
    /// The part of a unit's side that is kept, from 0 (all is hidden) to 1 (nothing is); the paper's `r`.
    pub keep_fraction: f64,
    /// The columns from the picture's left edge to a unit's.
    pub x_offset_pixels: usize,
    /// The rows from the picture's top edge to a unit's.
    pub y_offset_pixels: usize,
    /// The grid's turn about the picture's center, counter-clockwise; not a number or infinite counts as 0.
    pub rotation_degrees: f64,
}

/// Paints over the holes of a grid (Chen et al. 2020, "GridMask data augmentation"): of each unit `1 - (1 - keep)^2`
/// stays visible. A hole's side is rounded to whole pixels. In a turned grid a pixel is hidden where its center lies in a hole.
///
/// ```
/// use aumenta_imgproc::{GridMask, Image, Paint, grid_mask};
///
/// let mut image = Image::filled(6, 1, [9; 3]);
/// let mask =
///     GridMask { unit_pixels: 3, keep_fraction: 0.6, x_offset_pixels: 1, y_offset_pixels: 0, rotation_degrees: 0.0 };
/// grid_mask(&mut image, &mask, Paint::Color([0; 3]));
/// assert_eq!([0, 1, 2, 3, 4, 5].map(|x| image.get(x, 0)[0]), [9, 0, 9, 9, 0, 9]);
/// ```
pub fn grid_mask(image: &mut Image, mask: &GridMask, paint: Paint) {
    let unit = mask.unit_pixels.max(1);
    let hole = (unit as f64 * (1.0 - mask.keep_fraction.clamp(0.0, 1.0))).round() as usize;
    if mask.rotation_degrees.is_finite() && mask.rotation_degrees != 0.0 {
        return turned_grid_mask(image, mask, unit, hole, paint);
    }
    let width = image.width().max(1);
    let rows = image.pixels_mut().as_chunks_mut::<3>().0.chunks_exact_mut(width).enumerate();
    let holes = rows.filter(|(y, _)| within_unit(*y, mask.y_offset_pixels, unit) < hole).flat_map(|(_, row)| {
        let columns = row.iter_mut().enumerate();
        columns.filter(|(x, _)| within_unit(*x, mask.x_offset_pixels, unit) < hole).map(|(_, pixel)| pixel)
    });
    paint_over(holes, paint);
}

/// The holes of a grid that is turned, at the centers of pixels.
fn turned_grid_mask(image: &mut Image, mask: &GridMask, unit: usize, hole: usize, paint: Paint) {
    let (width, height) = (image.width(), image.height());
    let center = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
    let turn = Matrix3::rotation(mask.rotation_degrees, center);
    let is_within = |at: f64, offset: usize| (at + 0.5 - (offset % unit) as f64).rem_euclid(unit as f64) < hole as f64;
    let pixels = image.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate();
    let holes = pixels.filter(|(at, _)| {
        let (x, y) = turn.apply((at % width) as f64, (at / width) as f64);
        is_within(x, mask.x_offset_pixels) && is_within(y, mask.y_offset_pixels)
    });
    paint_over(holes.map(|(_, pixel)| pixel), paint);
}

/// The distance of a column or row from the start of its unit.
fn within_unit(at: usize, offset: usize, unit: usize) -> usize {
    let (at, start) = (at % unit, offset % unit);
    if at >= start { at - start } else { at + (unit - start) }
}

fn paint_over<'a>(pixels: impl Iterator<Item = &'a mut [u8; 3]>, paint: Paint) {
    match paint {
        Paint::Color(rgb) => pixels.for_each(|pixel| *pixel = rgb),
        Paint::Noise { seed } => fill_with_noise(pixels, seed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::pictures;

    #[test]
    fn noise_is_uniform() {
        let mut image = Image::filled(100, 100, [0; 3]);
        erase(&mut image, Region { x: 0, y: 0, width: 100, height: 100 }, Paint::Noise { seed: 5 });
        let mut counts = [0u32; 16];
        for value in image.pixels() {
            counts[usize::from(value / 16)] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(1875) < 200), "{counts:?}");
    }

    #[test]
    fn a_grid_turned_by_an_eighth_hides_a_diamond() {
        // One hole of 3 pixels about the center, whose corners come to lie 2.1 pixels from it along the axes.
        let mut image = Image::filled(7, 7, [9; 3]);
        let mask = GridMask {
            unit_pixels: 20,
            keep_fraction: 0.85,
            x_offset_pixels: 2,
            y_offset_pixels: 2,
            rotation_degrees: 45.0,
        };
        grid_mask(&mut image, &mask, Paint::Color([0; 3]));
        for (y, x) in (0..7usize).flat_map(|y| (0..7usize).map(move |x| (y, x))) {
            let hidden = x.abs_diff(3) + y.abs_diff(3) <= 2;
            assert_eq!(image.get(x, y), if hidden { [0; 3] } else { [9; 3] }, "({x}, {y})");
        }
    }

    proptest! {
        #[test]
        fn a_grid_turned_by_quarters_is_the_turned_grid(
            side in 1usize..30, unit_pixels in 1usize..20, keep_fraction in 0.0f64..1.0,
            x_offset_pixels in 0usize..40, y_offset_pixels in 0usize..40, quarters in -3i32..=4,
        ) {
            let mask = GridMask { unit_pixels, keep_fraction, x_offset_pixels, y_offset_pixels, rotation_degrees: 0.0 };
            let (mut straight, mut turned) = (Image::filled(side, side, [9; 3]), Image::filled(side, side, [9; 3]));
            grid_mask(&mut straight, &mask, Paint::Color([1, 2, 3]));
            let mask = GridMask { rotation_degrees: 90.0 * f64::from(quarters), ..mask };
            grid_mask(&mut turned, &mask, Paint::Color([1, 2, 3]));
            for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                // A quarter turn counter-clockwise reads the pixel (side - 1 - y, x).
                let (from_x, from_y) = (0..quarters.rem_euclid(4)).fold((x, y), |(x, y), _| (side - 1 - y, x));
                prop_assert_eq!(turned.get(x, y), straight.get(from_x, from_y));
            }
        }

        #[test]
        fn exactly_the_region_is_hidden(
            image in pictures(), x in 0usize..70, y in 0usize..70, width in 0usize..70, height in prop_oneof![Just(usize::MAX), 0usize..70],
            color in prop_oneof![Just([1, 2, 3]), Just([7; 3])],
        ) {
            let mut erased = image.clone();
            erase(&mut erased, Region { x, y, width, height }, Paint::Color(color));
            for (row, column) in (0..image.height()).flat_map(|row| (0..image.width()).map(move |column| (row, column))) {
                let hidden = column >= x && column - x < width && row >= y && row - y < height;
                prop_assert_eq!(erased.get(column, row), if hidden { color } else { image.get(column, row) });
            }
        }

        #[test]
        fn exactly_the_holes_are_hidden(
            image in pictures(), unit_pixels in 1usize..20, keep_fraction in 0.0f64..1.0,
            x_offset_pixels in 0usize..40, y_offset_pixels in 0usize..40,
        ) {
            let mask = GridMask { unit_pixels, keep_fraction, x_offset_pixels, y_offset_pixels, rotation_degrees: 0.0 };
            let hole = (unit_pixels as f64 * (1.0 - keep_fraction)).round() as isize;
            let inside = |at: usize, offset: usize| (at as isize - offset as isize).rem_euclid(unit_pixels as isize) < hole;
            let mut masked = image.clone();
            grid_mask(&mut masked, &mask, Paint::Color([1, 2, 3]));
            for (y, x) in (0..image.height()).flat_map(|y| (0..image.width()).map(move |x| (y, x))) {
                let hidden = inside(x, x_offset_pixels) && inside(y, y_offset_pixels);
                prop_assert_eq!(masked.get(x, y), if hidden { [1, 2, 3] } else { image.get(x, y) });
            }
        }

        #[test]
        fn any_grid_gives_a_picture(
            image in pictures(), unit_pixels in any::<usize>(), keep_fraction in any::<f64>(),
            offset in any::<usize>(), rotation_degrees in any::<f64>(), seed in any::<u64>(),
        ) {
            let (x_offset_pixels, y_offset_pixels) = (offset, offset);
            let mask = GridMask {
                unit_pixels: unit_pixels / 2, keep_fraction, x_offset_pixels, y_offset_pixels, rotation_degrees,
            };
            grid_mask(&mut image.clone(), &mask, Paint::Noise { seed });
        }
    }
}
