//! [`ColorMap`]: numbers as colors, and pictures that numbers are laid over, with a scale.

use aumenta_imgproc::{Image, Size, luma, resize};

use crate::text::{self, CHARACTER_WIDTH, LINE_HEIGHT};

/// Colors for numbers from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorMap {
    /// From dark violet over green to yellow: equal steps look equal, also without color (matplotlib's default).
    Viridis,
    /// From blue over green and yellow to red, as most published maps are drawn.
    Jet,
    /// From blue over white, at one half, to red: for numbers of both signs.
    Diverging,
}

/// Every tenth color of matplotlib's viridis.
const VIRIDIS: [[u8; 3]; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];

/// Blue, cyan, yellow and red, between dark ends.
const JET: [[u8; 3]; 9] = [
    [0, 0, 128],
    [0, 0, 255],
    [0, 128, 255],
    [0, 255, 255],
    [128, 255, 128],
    [255, 255, 0],
    [255, 128, 0],
    [255, 0, 0],
    [128, 0, 0],
];

/// Five colors of `ColorBrewer`'s `RdBu`, turned around.
const DIVERGING: [[u8; 3]; 5] = [[5, 113, 176], [146, 197, 222], [247, 247, 247], [244, 165, 130], [202, 0, 32]];

impl ColorMap {
    /// The color of a number from 0 to 1; numbers outside take that of the nearer end, and what is no number that of 0.
    ///
    /// ```
    /// use aumenta_report::ColorMap;
    ///
    /// assert_eq!(ColorMap::Viridis.color(1.0), [253, 231, 37]);
    /// assert_eq!(ColorMap::Diverging.color(0.5), [247, 247, 247]);
    /// ```
    pub fn color(self, value: f32) -> [u8; 3] {
        let anchors: &[[u8; 3]] = match self {
            Self::Viridis => &VIRIDIS,
            Self::Jet => &JET,
            Self::Diverging => &DIVERGING,
        };
        let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
        let place = value * (anchors.len() - 1) as f32;
        let first = (place as usize).min(anchors.len() - 2);
        mix(anchors[first], anchors[first + 1], place - first as f32)
    }
}

/// A color between two, at `share` of the way.
fn mix(a: [u8; 3], b: [u8; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|channel| (f32::from(a[channel]) * (1.0 - share) + f32::from(b[channel]) * share).round() as u8)
}

/// Numbers over a picture.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'a> {
    /// The picture, of which the brightness alone shows through; none where the numbers are a picture of their own.
    pub image: Option<&'a Image>,
    /// The numbers, row by row.
    pub values: &'a [f32],
    /// The numbers' rows and columns, which are the picture's.
    pub size: Size,
    /// The numbers that have the colors of 0 and of 1.
    pub range: [f32; 2],
    /// Their colors.
    pub colors: ColorMap,
}

/// How much of a color there is over a picture.
const OPACITY: f32 = 0.55;

/// Width of the scale's bar, and what is free at its left and right, in pixels.
const BAR: usize = 12;
const GAP: usize = 6;

/// Characters of the numbers at the scale, at most; so all overlays of a size are equally wide.
const LABEL: usize = 7;

/// Width of the scale with what is around it, in pixels.
const SCALE: usize = GAP + BAR + GAP + LABEL * CHARACTER_WIDTH;

/// Color of what is around the scale, and of its numbers.
const PAPER: [u8; 3] = [248, 248, 246];
const INK: [u8; 3] = [32, 32, 32];

impl Overlay<'_> {
    /// The picture with a scale at its right, which says which numbers the ends of the colors are.
    ///
    /// # Panics
    /// Where there are not as many numbers as pixels, or the picture has another size.
    ///
    /// ```
    /// use aumenta_imgproc::{Image, Size};
    /// use aumenta_report::{ColorMap, Overlay};
    ///
    /// let image = Image::filled(60, 60, [128; 3]);
    /// let (values, size) = (vec![0.5; 3600], Size::square(60));
    /// let drawn = Overlay { image: Some(&image), values: &values, size, range: [0.0, 1.0], colors: ColorMap::Viridis }.draw();
    /// assert!(drawn.width() > 60 && drawn.height() == 60);
    /// ```
    pub fn draw(&self) -> Image {
        let Size { width, height } = self.size;
        assert_eq!(self.values.len(), width * height, "a number a pixel");
        let labels = self.range.map(|end| label(end, self.range));
        let mut drawn = Image::filled(width + SCALE, height, PAPER);
        for y in 0..height {
            for x in 0..width {
                drawn.set(x, y, self.pixel(x, y));
            }
            let share = 1.0 - y as f32 / (height - 1).max(1) as f32;
            (0..BAR).for_each(|x| drawn.set(width + GAP + x, y, self.colors.color(share)));
        }
        let left = width + GAP + BAR + GAP;
        text::draw(&mut drawn, &labels[1], left, 0, INK);
        text::draw(&mut drawn, &labels[0], left, height.saturating_sub(LINE_HEIGHT), INK);
        drawn
    }

    fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let [low, high] = self.range;
        let span = if high > low { high - low } else { 1.0 };
        let color = self.colors.color((self.values[y * self.size.width + x] - low) / span);
        match self.image {
            Some(image) => mix([luma(image.get(x, y)); 3], color, OPACITY),
            None => color,
        }
    }
}

/// An end of a scale, with as many digits as its ends need to be told apart.
fn label(end: f32, [low, high]: [f32; 2]) -> String {
    let largest = low.abs().max(high.abs());
    if end == 0.0 {
        "0".to_owned()
    } else if (0.01..1000.0).contains(&largest) {
        format!("{end:.2}")
    } else {
        format!("{end:.1e}")
    }
}

/// A picture without a scale, as wide as an [`Overlay`] over it is, to stand beside one.
pub fn without_scale(image: &Image) -> Image {
    let mut framed = Image::filled(image.width() + SCALE, image.height(), PAPER);
    for (y, x) in (0..image.height()).flat_map(|y| (0..image.width()).map(move |x| (y, x))) {
        framed.set(x, y, image.get(x, y));
    }
    framed
}

/// A picture and its numbers at least `side` pixels large along the longer side: as it is where it is as large already.
pub fn enlarged(image: &Image, side: usize) -> Image {
    let longer = image.width().max(image.height()).max(1);
    if longer >= side {
        return image.clone();
    }
    let scale = |length: usize| (length * side).div_ceil(longer);
    resize(image, Size { width: scale(image.width()), height: scale(image.height()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_go_from_end_to_end_and_stay_there() {
        for (map, first, last) in [
            (ColorMap::Viridis, [68, 1, 84], [253, 231, 37]),
            (ColorMap::Jet, [0, 0, 128], [128, 0, 0]),
            (ColorMap::Diverging, [5, 113, 176], [202, 0, 32]),
        ] {
            assert_eq!([map.color(0.0), map.color(-3.0), map.color(f32::NAN)], [first; 3], "{map:?}");
            assert_eq!([map.color(1.0), map.color(9.0)], [last; 2], "{map:?}");
        }
        assert_eq!(ColorMap::Jet.color(0.5), [128, 255, 128]);
        assert_eq!(ColorMap::Viridis.color(0.05), [70, 19, 101]);
    }

    #[test]
    fn viridis_grows_brighter_all_the_way() {
        let brightness: Vec<u8> = (0..=20_u8).map(|at| luma(ColorMap::Viridis.color(f32::from(at) / 20.0))).collect();
        assert!(brightness.windows(2).all(|pair| pair[0] < pair[1]), "{brightness:?}");
    }

    fn overlay(values: &[f32], range: [f32; 2], image: Option<&Image>) -> Image {
        let size = Size { width: values.len() / 40, height: 40 };
        Overlay { image, values, size, range, colors: ColorMap::Jet }.draw()
    }

    #[test]
    fn the_scale_says_what_its_ends_are() {
        let plain = overlay(&[0.0; 400], [0.0, 1.0], None);
        assert_eq!(plain.width(), 10 + 6 + 12 + 6 + 7 * CHARACTER_WIDTH);
        assert_eq!(without_scale(&Image::filled(10, 40, [0, 0, 128])).width(), plain.width());
        assert_eq!((plain.get(16, 0), plain.get(16, 39)), ([128, 0, 0], [0, 0, 128]));
        assert_eq!((plain.get(0, 0), plain.get(11, 5)), ([0, 0, 128], PAPER));
        let ends = |range| [label(range, [0.0, range]), label(0.0, [0.0, range])];
        assert_eq!(ends(0.5), ["0.50", "0"]);
        assert_eq!(ends(1.5e-5), ["1.5e-5", "0"]);
    }

    #[test]
    fn the_picture_shines_through_by_its_brightness() {
        let image = Image::from_pixels(1, 40, [[0; 3], [255; 3]].concat().repeat(20));
        let drawn = overlay(&[1.0; 40], [0.0, 1.0], Some(&image));
        assert_eq!((drawn.get(0, 0), drawn.get(0, 1)), ([70, 0, 0], [185, 115, 115]));
        // A map that is the same everywhere has no range.
        assert_eq!(overlay(&[2.0; 40], [2.0, 2.0], None).get(0, 0), [0, 0, 128]);
    }

    #[test]
    fn small_pictures_are_enlarged_to_a_side() {
        let size = |width, height| {
            let image = enlarged(&Image::filled(width, height, [9; 3]), 100);
            (image.width(), image.height())
        };
        assert_eq!([size(28, 28), size(10, 40), size(300, 20)], [(100, 100), (25, 100), (300, 20)]);
    }
}
