//! [`clahe`]: contrast-limited adaptive histogram equalization.

use crate::border::mirror;
use crate::{Image, luma};

/// Equalizes the brightness of `tiles` x `tiles` parts of the picture, each by its own histogram, with the contrast
/// limited (Zuiderveld 1994, "Contrast limited adaptive histogram equalization", Graphics Gems IV).
///
/// A tile's histogram is cut at `clip_limit` times its mean height, what was cut is spread evenly, and its running sum
/// is the tile's curve; a pixel takes the curves of the four nearest tiles, interpolated bilinearly. A limit of 1 hardly
/// changes anything, 2 to 4 are usual, 0 or less and NaN mean no limit. 8 tiles are usual; 0 count as 1, more than 64 as
/// 64. Tiles are equally large: a picture that does not divide is continued by its mirror image for the histograms.
///
/// The arithmetic is that of OpenCV's `createCLAHE`, on the [`luma`]; its change is then added to all three channels, so
/// that hues stay. A gray picture gives what OpenCV gives. On colors, albumentations equalizes the lightness of CIELAB
/// in the same place; the pictures look alike, their numbers differ by some levels.
///
/// ```
/// use aumenta_imgproc::{ClaheScratch, Image, clahe};
///
/// // A faint step: 100 to the left, 110 to the right.
/// let mut step = Image::from_pixels(64, 64, (0..64 * 64).flat_map(|at| [if at % 64 < 32 { 100 } else { 110 }; 3]).collect());
/// clahe(&mut step, 40.0, 1, &mut ClaheScratch::default());
/// let [left, right] = [step.get(10, 10)[0], step.get(50, 10)[0]];
/// assert!(right - left > 30, "{left} {right}");
/// ```
pub fn clahe(image: &mut Image, clip_limit: f64, tiles: usize, scratch: &mut ClaheScratch) {
    if image.pixels().is_empty() {
        return;
    }
    let tiles = tiles.clamp(1, 64);
    let (width, height) = (image.width(), image.height());
    let ClaheScratch { gray, curves, columns } = scratch;
    gray.clear();
    gray.extend(image.pixels().as_chunks::<3>().0.iter().map(|&pixel| luma(pixel)));
    // As OpenCV does it: where one side does not divide, the other is continued too, by a whole tile row if it divides.
    let divides = width.is_multiple_of(tiles) && height.is_multiple_of(tiles);
    let tile_side = |side: usize| if divides { side / tiles } else { side / tiles + 1 };
    let tile = Tile { width: tile_side(width), height: tile_side(height) };
    curves.clear();
    curves.extend(
        (0..tiles * tiles)
            .map(|at| tile.curve(gray, width, height, at % tiles * tile.width, at / tiles * tile.height, clip_limit)),
    );
    columns.clear();
    columns.extend((0..width).map(|x| Between::tiles(x, tile.width, tiles)));
    let rows = image.pixels_mut().chunks_exact_mut(width * 3).zip(gray.chunks_exact(width));
    for (y, (row, gray)) in rows.enumerate() {
        let vertical = Between::tiles(y, tile.height, tiles);
        let (above, below) = (&curves[vertical.first * tiles..][..tiles], &curves[vertical.second * tiles..][..tiles]);
        for ((pixel, &value), horizontal) in row.as_chunks_mut::<3>().0.iter_mut().zip(gray).zip(&*columns) {
            let mix = |curves: &[[u8; 256]]| {
                let at = |tile: usize| u32::from(curves[tile][usize::from(value)]);
                horizontal.mix(at(horizontal.first), at(horizontal.second))
            };
            let equalized =
                (vertical.mix(mix(above), mix(below)) + (1 << (2 * Between::BITS - 1))) >> (2 * Between::BITS);
            let change = equalized as i16 - i16::from(value);
            *pixel = pixel.map(|channel| (i16::from(channel) + change).clamp(0, 255) as u8);
        }
    }
}

/// Buffers that [`clahe`] reuses.
#[derive(Clone, Debug, Default)]
pub struct ClaheScratch {
    /// The picture's lumas.
    gray: Vec<u8>,
    /// The tiles' curves, row by row.
    curves: Vec<[u8; 256]>,
    /// Where each of the picture's columns lies.
    columns: Vec<Between>,
}

struct Tile {
    width: usize,
    height: usize,
}

impl Tile {
    /// The curve of the tile at (`left`, `top`) of a gray picture.
    fn curve(&self, gray: &[u8], width: usize, height: usize, left: usize, top: usize, clip_limit: f64) -> [u8; 256] {
        let mut counts = [0u64; 256];
        for y in top..top + self.height {
            let row = &gray[mirror(y as isize, height) * width..][..width];
            for x in left..left + self.width {
                counts[usize::from(row[mirror(x as isize, width)])] += 1;
            }
        }
        let area = (self.width * self.height) as u64;
        if clip_limit > 0.0 {
            clip(&mut counts, ((clip_limit * area as f64 / 256.0) as u64).max(1));
        }
        let mut sum = 0;
        counts.map(|count| {
            sum += count;
            ((sum * 510 + area) / (2 * area)) as u8
        })
    }
}

/// Cuts what exceeds `limit` and spreads it evenly, the remainder over evenly spaced values.
fn clip(counts: &mut [u64; 256], limit: u64) {
    let mut cut = 0;
    for count in counts.iter_mut() {
        cut += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    let (each, remainder) = (cut / 256, cut % 256);
    for count in counts.iter_mut() {
        *count += each;
    }
    let distance = 256u64.checked_div(remainder).unwrap_or(256);
    for count in counts.iter_mut().step_by(distance as usize).take(remainder as usize) {
        *count += 1;
    }
}

/// Where a pixel lies between the centres of two tiles.
#[derive(Clone, Debug)]
struct Between {
    first: usize,
    second: usize,
    /// The second one's share, in units of 2^-11.
    weight: u32,
}

impl Between {
    const BITS: u32 = 11;

    fn tiles(at: usize, tile: usize, tiles: usize) -> Self {
        // Shifted by a whole tile, so that the half tile before the first centre is not negative.
        let doubled = 2 * at + tile;
        let (after, rest) = (doubled / (2 * tile), doubled % (2 * tile));
        let weight = ((rest << Self::BITS) / (2 * tile)) as u32;
        Self { first: after.saturating_sub(1).min(tiles - 1), second: after.min(tiles - 1), weight }
    }

    fn mix(&self, first: u32, second: u32) -> u32 {
        first * ((1 << Self::BITS) - self.weight) + second * self.weight
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::pictures;

    #[test]
    fn what_is_cut_is_spread() {
        let mut counts = [0; 256];
        counts[7] = 300;
        clip(&mut counts, 42);
        // 258 were cut: one for each value, and two more, 128 apart.
        assert_eq!([counts[0], counts[1], counts[7], counts[128], counts[255]], [2, 1, 43, 2, 1]);
        assert_eq!(counts.iter().sum::<u64>(), 300);
    }

    #[test]
    fn pixels_lie_between_tile_centers() {
        let place = |at| {
            let between = Between::tiles(at, 10, 3);
            (between.first, between.second, between.weight)
        };
        assert_eq!([place(0), place(5), place(10)], [(0, 0, 1024), (0, 1, 0), (0, 1, 1024)]);
        assert_eq!([place(15), place(29)], [(1, 2, 0), (2, 2, 819)]);
    }

    #[test]
    fn hues_stay() {
        let mut image = Image::from_pixels(
            64,
            64,
            (0..64 * 64).flat_map(|at| [80 + (at % 16) as u8, 100 + (at % 16) as u8, 120]).collect(),
        );
        let before = image.clone();
        clahe(&mut image, 2.0, 2, &mut ClaheScratch::default());
        assert_ne!(image, before);
        for (after, before) in image.pixels().as_chunks::<3>().0.iter().zip(before.pixels().as_chunks::<3>().0) {
            assert_eq!(i16::from(after[1]) - i16::from(after[0]), i16::from(before[1]) - i16::from(before[0]));
        }
    }

    proptest! {
        #[test]
        fn any_setting_gives_a_picture(image in pictures(), clip_limit in any::<f64>(), tiles in any::<usize>()) {
            let (mut first, mut again, mut scratch) = (image.clone(), image.clone(), ClaheScratch::default());
            clahe(&mut first, clip_limit, tiles, &mut scratch);
            clahe(&mut image.clone(), 2.0, tiles % 20, &mut scratch);
            clahe(&mut again, clip_limit, tiles, &mut scratch);
            prop_assert_eq!(first, again, "buffers from before leave no trace");
        }
    }
}
