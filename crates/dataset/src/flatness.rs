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

impl FlatnessScratch {
    /// Measures a picture; one without pixels is flat.
    pub fn measure(&mut self, image: &Image) -> Flatness {
        self.counts.clear();
        self.counts.resize(1 << 12, 0);
        let (mut sum, mut squares) = (0u64, 0u64);
        let pixels = image.pixels().as_chunks::<3>().0;
        for &[red, green, blue] in pixels {
            let gray = u64::from(luma([red, green, blue]));
            sum += gray;
            squares += gray * gray;
            let color = usize::from(red >> 4) << 8 | usize::from(green >> 4) << 4 | usize::from(blue >> 4);
            self.counts[color] += 1;
        }
        let count = pixels.len().max(1) as f64;
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
}
