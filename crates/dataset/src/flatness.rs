//! [`Flatness`]: whether a picture shows anything.

use aumenta_imgproc::{Image, luma};

/// How much of a picture is of one color.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flatness {
    /// Standard deviation of the pixels' luma, in levels of 255; 0 for a picture of one gray.
    pub deviation: f32,
    /// The share of the pixels whose color is the most frequent one, colors counted in steps of 16 levels a channel.
    pub share: f32,
}

/// Memory that measurements share, one after the other.
#[derive(Debug, Default)]
pub struct FlatnessScratch {
    /// How often each color occurs, four bits a channel.
    counts: Vec<u32>,
}

/// About as many pixels are looked at, in whole rows from top to bottom.
const LOOKED_AT: usize = 1 << 15;

/// Below this deviation all pixels are looked at, so that nothing small is missed in a picture called blank.
const NEARLY_BLANK: f32 = 3.0;

impl FlatnessScratch {
    /// Measures a picture; one without pixels is flat. Of a large one some rows are looked at, unless these show next to
    /// nothing.
    pub fn measure(&mut self, image: &Image) -> Flatness {
        let step = (image.pixels().len() / 3 / LOOKED_AT).clamp(1, image.height().max(1));
        let flatness = self.measure_rows(image, step);
        if step > 1 && flatness.deviation < NEARLY_BLANK { self.measure_rows(image, 1) } else { flatness }
    }

    /// Measures each row whose number is a multiple of `step`.
    fn measure_rows(&mut self, image: &Image, step: usize) -> Flatness {
        self.counts.clear();
        self.counts.resize(1 << 12, 0);
        let (mut count, mut sum, mut squares) = (0u64, 0u64, 0u64);
        for row in image.pixels().chunks_exact((3 * image.width()).max(1)).step_by(step) {
            for &[red, green, blue] in row.as_chunks().0 {
                let gray = u64::from(luma([red, green, blue]));
                count += 1;
                sum += gray;
                squares += gray * gray;
                let color = usize::from(red >> 4) << 8 | usize::from(green >> 4) << 4 | usize::from(blue >> 4);
                self.counts[color] += 1;
            }
        }
        let count = count.max(1) as f64;
        let mean = sum as f64 / count;
        let variance = (squares as f64 / count - mean * mean).max(0.0);
        let most = self.counts.iter().copied().max().unwrap_or(0);
        Flatness { deviation: variance.sqrt() as f32, share: (f64::from(most) / count) as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_color_is_flat_and_two_halves_are_not() {
        let mut scratch = FlatnessScratch::default();
        let mut image = Image::filled(4, 2, [100; 3]);
        assert_eq!(scratch.measure(&image), Flatness { deviation: 0.0, share: 1.0 });
        for x in 0..4 {
            image.set(x, 1, [120; 3]);
        }
        assert_eq!(scratch.measure(&image), Flatness { deviation: 10.0, share: 0.5 });
        assert_eq!(scratch.measure(&Image::default()), Flatness::default());
    }

    #[test]
    fn of_a_large_picture_some_rows_are_enough_unless_they_show_nothing() {
        let mut scratch = FlatnessScratch::default();
        let mut image = Image::filled(400, 400, [90; 3]);
        for x in 0..400 {
            image.set(x, 5, [250; 3]);
        }
        // Row 5 is none of those that are looked at first.
        let deviation = scratch.measure(&image).deviation;
        assert!((7.9..8.1).contains(&deviation), "{deviation}");
        for y in 200..400 {
            for x in 0..400 {
                image.set(x, y, [110; 3]);
            }
        }
        assert_eq!(scratch.measure(&image), Flatness { deviation: 10.0, share: 0.5 });
    }
}
