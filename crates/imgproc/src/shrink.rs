//! [`shrink`]: the box average that stands before a resampling that would skip pixels.

use crate::Image;

/// Writes to `out` the mean colour of each block of `columns` x `rows` pixels of `source`, rounded half up.
///
/// Blocks start at the top left; the last ones of a row or column average what is there, so nothing is cut off and
/// `out` is `ceil(width / columns)` x `ceil(height / rows)`. Its buffer is reused where it is large enough.
///
/// # Panics
/// Where `columns` or `rows` is 0.
///
/// ```
/// use aumenta_imgproc::{Image, shrink};
///
/// let source = Image::from_pixels(3, 1, vec![10, 10, 10, 21, 21, 21, 7, 7, 7]);
/// let mut half = Image::default();
/// shrink(&source, 2, 2, &mut half);
/// assert_eq!(half, Image::from_pixels(2, 1, vec![16, 16, 16, 7, 7, 7]));
/// ```
pub fn shrink(source: &Image, columns: usize, rows: usize, out: &mut Image) {
    let (width, height) = (source.width(), source.height());
    // A block larger than the image is the whole image.
    let (columns, rows) = (columns.min(width.max(1)), rows.min(height.max(1)));
    let size = (width.div_ceil(columns), height.div_ceil(rows));
    out.resize_buffer(size.0, size.1);
    if source.pixels().is_empty() {
        return;
    }
    let bands = source.pixels().chunks(width * 3 * rows);
    for (band, out_row) in bands.zip(out.pixels_mut().chunks_exact_mut(size.0 * 3)) {
        let band_rows = band.len() / (width * 3);
        for (block, out_pixel) in out_row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let first = block * columns;
            let last = (first + columns).min(width);
            let mut sums = [0u64; 3];
            for row in band.chunks_exact(width * 3) {
                for pixel in row[first * 3..last * 3].as_chunks::<3>().0 {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += u64::from(value);
                    }
                }
            }
            let count = ((last - first) * band_rows) as u64;
            *out_pixel = sums.map(|sum| ((sum + count / 2) / count) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(width: usize, height: usize, values: &[u8]) -> Image {
        Image::from_pixels(width, height, values.iter().flat_map(|&value| [value; 3]).collect())
    }

    #[track_caller]
    fn check(source: &Image, columns: usize, rows: usize, expected: &Image) {
        let mut out = Image::filled(9, 9, [1, 2, 3]);
        shrink(source, columns, rows, &mut out);
        assert_eq!(&out, expected);
    }

    #[test]
    fn blocks_are_averaged_and_rounded_half_up() {
        let source = gray(3, 3, &[1, 2, 9, 3, 4, 11, 100, 103, 255]);
        check(&source, 2, 2, &gray(2, 2, &[3, 10, 102, 255]));
        check(&source, 3, 1, &gray(1, 3, &[4, 6, 153]));
        check(&source, 1, 3, &gray(3, 1, &[35, 36, 92]));
        check(&source, 1, 1, &source);
        check(&source, 50, 50, &gray(1, 1, &[54]));
    }

    #[test]
    fn channels_stay_apart() {
        let source = Image::from_pixels(2, 1, vec![0, 100, 200, 2, 104, 206]);
        check(&source, 2, 1, &Image::from_pixels(1, 1, vec![1, 102, 203]));
    }

    #[test]
    fn an_empty_image_stays_empty() {
        check(&Image::default(), 2, 2, &Image::default());
    }
}
