//! [`Variant`]: what makes a near-duplicate of a photograph.

use anyhow::Result;
use aumenta_imgproc::{Fill, Image, Matrix3, Sampling, Size, encode_jpeg, resize};
use aumenta_seed::Rng;
use rand::RngExt as _;
use serde::Serialize;

use super::tile::{crop, moved};

/// The quality of the JPEGs of variants that are not about quality.
const QUALITY: u8 = 90;

/// What makes a near-duplicate of a photograph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Quality 50.
    Recompressed,
    /// 60 % of the width and height.
    Resized,
    /// 20 % brighter, and cut off at white.
    Brightened,
    /// The mirror image.
    Mirrored,
    /// A window of 90 % of the width and height, anywhere.
    Cropped,
    /// Turned by 5 degrees, either way, with black corners.
    Turned,
    /// A window, mirrored, at quality 50.
    Mixed,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Recompressed, Self::Resized, Self::Brightened, Self::Mirrored, Self::Cropped, Self::Turned, Self::Mixed];

    /// Its name in tables and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recompressed => "quality-50",
            Self::Resized => "resized",
            Self::Brightened => "brighter",
            Self::Mirrored => "mirrored",
            Self::Cropped => "cropped",
            Self::Turned => "turned",
            Self::Mixed => "mixed",
        }
    }

    /// The variant of `image`, as a JPEG.
    ///
    /// # Errors
    /// Where it cannot be encoded.
    pub fn make(self, image: &Image, rng: &mut Rng) -> Result<Vec<u8>> {
        let (image, quality) = match self {
            Self::Recompressed => (image.clone(), 50),
            Self::Resized => (resize(image, part(image.size(), 0.6)), QUALITY),
            Self::Brightened => (brightened(image), QUALITY),
            Self::Mirrored => (mirrored(image), QUALITY),
            Self::Cropped => (window(image, rng), QUALITY),
            Self::Turned => (turned(image, if rng.random() { 5.0 } else { -5.0 }), QUALITY),
            Self::Mixed => (mirrored(&window(image, rng)), 50),
        };
        Ok(encode_jpeg(&image, quality)?)
    }
}

fn part(size: Size, share: f64) -> Size {
    let of = |length: usize| ((length as f64 * share).round() as usize).max(1);
    Size { width: of(size.width), height: of(size.height) }
}

fn brightened(image: &Image) -> Image {
    let mut brighter = image.clone();
    for value in brighter.pixels_mut() {
        *value = (f64::from(*value) * 1.2).round().min(255.0) as u8;
    }
    brighter
}

fn mirrored(image: &Image) -> Image {
    moved(image, &Matrix3::horizontal_flip(middle(image)), Sampling::default(), image.size())
}

fn window(image: &Image, rng: &mut Rng) -> Image {
    let (whole, size) = (image.size(), part(image.size(), 0.9));
    let mut start = |whole: usize, part: usize| rng.random_range(0..=whole - part);
    let corner = (start(whole.width, size.width), start(whole.height, size.height));
    crop(image, corner, size)
}

fn turned(image: &Image, degrees: f64) -> Image {
    let black = Sampling { fill: Fill::Constant([0; 3]), ..Sampling::default() };
    moved(image, &Matrix3::rotation(degrees, middle(image)), black, image.size())
}

fn middle(image: &Image) -> (f64, f64) {
    ((image.width() as f64 - 1.0) / 2.0, (image.height() as f64 - 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{Limits, decode};
    use aumenta_seed::Seed;

    use super::*;

    #[test]
    fn variants_change_sizes_and_pixels_as_they_say() {
        let pixels = (0..200 * 100).flat_map(|at| [(at % 200) as u8, (at / 200) as u8, 40]);
        let image = Image::from_pixels(200, 100, pixels.collect());
        let made = Variant::ALL.map(|variant| {
            let file = variant.make(&image, &mut Seed::new(7).rng("variant", 0, 0)).unwrap();
            decode(&file, &Limits::default()).unwrap()
        });
        let sizes = made.each_ref().map(|image| (image.width(), image.height()));
        let (whole, window) = ((200, 100), (180, 90));
        assert_eq!(sizes, [whole, (120, 60), whole, whole, window, whole, window]);
        let near = |image: &Image, x, y, expected: u8| {
            let red = image.get(x, y)[0];
            assert!(red.abs_diff(expected) <= 12, "{red} at {x}, {y}, expected {expected}");
        };
        near(&made[1], 60, 30, 100);
        near(&made[2], 150, 50, 180);
        near(&made[3], 0, 50, 199);
        near(&made[5], 0, 0, 0);
        near(&made[5], 100, 50, 100);
    }

    #[test]
    fn the_same_generator_makes_the_same_variant() {
        let image = Image::from_pixels(40, 30, (0..40 * 30 * 3).map(|at| (at * 7) as u8).collect());
        for variant in Variant::ALL {
            let make = |sample| variant.make(&image, &mut Seed::new(7).rng("variant", 0, sample)).unwrap();
            assert_eq!(make(1), make(1), "{variant:?}");
        }
    }
}
