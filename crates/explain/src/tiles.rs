//! Numbers as pictures, and many small pictures as one.

use aumenta_imgproc::Image;

/// Columns of a [`tiles`] picture, as in the book.
pub const COLUMNS: usize = 16;

/// Numbers of any range as levels of gray: `(value - mean) / deviation * 64 + 128`, cut to 0 to 255 and rounded down. Numbers
/// that do not deviate by more than `least` are all black.
pub(crate) fn shown(values: &[f32], least: f64) -> Vec<u8> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    let deviation = variance.sqrt();
    if deviation <= least * mean.abs().min(1.0) || deviation == 0.0 {
        return vec![0; values.len()];
    }
    values.iter().map(|value| ((f64::from(*value) - mean) / deviation * 64.0 + 128.0).clamp(0.0, 255.0) as u8).collect()
}

/// Pictures of one size, 16 a row with a pixel between them, each of them enlarged by the same whole factor until its longer side
/// has at least `least_side` pixels.
///
/// ```
/// use aumenta_explain::tiles;
/// use aumenta_imgproc::Image;
///
/// let pictures = vec![Image::filled(3, 2, [255; 3]); 18];
/// let grid = tiles(&pictures, 6);
/// assert_eq!((grid.width(), grid.height()), (16 * 7 - 1, 2 * 5 - 1));
/// ```
pub fn tiles(pictures: &[Image], least_side: usize) -> Image {
    let Some(first) = pictures.first() else { return Image::default() };
    let factor = least_side.div_ceil(first.width().max(first.height()).max(1)).max(1);
    let (width, height) = (first.width() * factor, first.height() * factor);
    let (columns, rows) = (pictures.len().min(COLUMNS), pictures.len().div_ceil(COLUMNS));
    let mut grid = Image::filled(columns * (width + 1) - 1, rows * (height + 1) - 1, BETWEEN);
    for (at, picture) in pictures.iter().enumerate() {
        let (left, top) = (at % COLUMNS * (width + 1), at / COLUMNS * (height + 1));
        for y in 0..height {
            for x in 0..width {
                grid.set(left + x, top + y, picture.get(x / factor, y / factor));
            }
        }
    }
    grid
}

/// The color between pictures, which none of gray has.
const BETWEEN: [u8; 3] = [52, 62, 82];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_spread_around_the_middle_gray() {
        assert_eq!(shown(&[-1.0, 1.0], 1e-5), [64, 192]);
        assert_eq!(shown(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0], 1e-5)[9], 255);
        assert_eq!(shown(&[7.0; 4], 1e-5), [0; 4]);
        assert!(shown(&[], 1e-5).is_empty());
    }

    #[test]
    fn tiles_stand_side_by_side() {
        let pictures: Vec<Image> = (0..17).map(|gray| Image::filled(2, 2, [gray; 3])).collect();
        let grid = tiles(&pictures, 1);
        assert_eq!((grid.width(), grid.height()), (47, 5));
        assert_eq!((grid.get(1, 1), grid.get(2, 1), grid.get(3, 1)), ([0; 3], BETWEEN, [1; 3]));
        assert_eq!((grid.get(0, 3), grid.get(3, 3)), ([16; 3], BETWEEN));
        assert_eq!(tiles(&[], 1), Image::default());
    }
}
