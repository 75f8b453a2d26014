//! [`Miniature`]: what is kept of a picture to recognize it.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::{Image, ImageRef};

/// A gray picture of 48x48 pixels, whatever the size and the aspect of what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Miniature {
    pixels: Box<[u8; Miniature::BYTES]>,
    /// Width by height of the picture.
    aspect: f32,
}

impl Miniature {
    /// Rows, and columns.
    pub const SIDE: usize = 48;

    /// The size of [`pixels`](Self::pixels).
    pub const BYTES: usize = Self::SIDE * Self::SIDE;

    /// The miniature of `image`: the exact mean over the area of each pixel, of the gray values of
    /// [`luma`](crate::luma()), rounded half up. An empty image gives a black one.
    pub fn of(image: &Image) -> Self {
        let mut pixels = Box::new([0; Self::BYTES]);
        let source = ImageRef::from(image);
        if source.pixels().is_empty() {
            return Self { pixels, aspect: 1.0 };
        }
        Arch::new().dispatch(AreaMean { source, out: &mut pixels });
        Self { pixels, aspect: image.width() as f32 / image.height() as f32 }
    }

    /// The miniature with these `pixels`, of a picture `aspect` times as wide as high.
    pub fn from_pixels(pixels: [u8; Self::BYTES], aspect: f32) -> Self {
        Self { pixels: Box::new(pixels), aspect }
    }

    /// The gray values, row by row.
    pub fn pixels(&self) -> &[u8; Self::BYTES] {
        &self.pixels
    }

    /// How many times as wide as high the picture was.
    pub fn aspect(&self) -> f32 {
        self.aspect
    }
}

struct AreaMean<'a> {
    source: ImageRef<'a>,
    out: &'a mut [u8; Miniature::BYTES],
}

impl WithSimd for AreaMean<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        area_mean(self.source, self.out);
    }
}

/// A side of `length` pixels is divided into `48 * length` units, of which every source pixel has 48 and every pixel of the
/// miniature `length`; so all weights are whole numbers.
#[inline(always)]
fn area_mean(source: ImageRef<'_>, out: &mut [u8; Miniature::BYTES]) {
    let (width, height) = (source.width(), source.height());
    let row_length = width * 3;
    // A sum is at most 255 for each row of the source: a picture whose sums would not fit has no memory.
    let mut sums = vec![0u32; row_length];
    for (row, out) in out.as_chunks_mut::<{ Miniature::SIDE }>().0.iter_mut().enumerate() {
        sums.fill(0);
        for (y, weight) in shares(row, height) {
            let values = &source.pixels()[y * row_length..][..row_length];
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += weight * u32::from(value);
            }
        }
        for (column, out) in out.iter_mut().enumerate() {
            let mut total = 0;
            for (x, weight) in shares(column, width) {
                let [red, green, blue] = [0, 1, 2].map(|channel| u64::from(sums[x * 3 + channel]));
                total += u64::from(weight) * (299 * red + 587 * green + 114 * blue);
            }
            let whole = 1000 * (width * height) as u64;
            *out = ((total + whole / 2) / whole) as u8;
        }
    }
}

/// The source pixels under pixel `index` of the miniature, on a side of `length` source pixels, each with its units.
#[inline(always)]
fn shares(index: usize, length: usize) -> impl Iterator<Item = (usize, u32)> {
    let (start, end) = (index * length, (index + 1) * length);
    (start / Miniature::SIDE..end.div_ceil(Miniature::SIDE)).map(move |at| {
        let from = start.max(at * Miniature::SIDE);
        let to = end.min((at + 1) * Miniature::SIDE);
        (at, (to - from) as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luma;

    #[test]
    fn blocks_become_their_mean_and_single_pixels_stay() {
        let gray = |value: u8| [value; 3];
        let pixels = |size: usize, of: &dyn Fn(usize, usize) -> [u8; 3]| {
            let all = (0..size * size).flat_map(|at| of(at % size, at / size));
            Image::from_pixels(size, size, all.collect())
        };
        let mini = Miniature::of(&pixels(96, &|x, y| gray(if x % 2 == y % 2 { 10 } else { 40 })));
        assert_eq!(mini.pixels(), &[25; Miniature::BYTES]);
        let mini = Miniature::of(&pixels(48, &|x, y| [x as u8, y as u8, 7]));
        let expected = |at: usize| luma([(at % 48) as u8, (at / 48) as u8, 7]);
        assert!(mini.pixels().iter().enumerate().all(|(at, &value)| value == expected(at)));
        // Of three columns each covers sixteen pixels.
        let mini = Miniature::of(&Image::from_pixels(3, 1, [gray(1), gray(2), gray(3)].concat()));
        assert_eq!((mini.pixels()[15], mini.pixels()[16], mini.pixels()[47], mini.aspect()), (1, 2, 3, 3.0));
    }

    #[test]
    fn pixels_on_a_border_are_shared() {
        // 72 columns: a pixel and a half each, so the second one is shared by the first two.
        let columns: Vec<u8> = (0..72).flat_map(|x| [if x == 1 { 90 } else { 0 }; 3]).collect();
        let mini = Miniature::of(&Image::from_pixels(72, 1, columns));
        assert_eq!(mini.pixels()[..3], [30, 30, 0]);
    }

    #[test]
    fn an_empty_picture_and_one_of_a_single_pixel_are_no_trouble() {
        assert_eq!(Miniature::of(&Image::default()).pixels(), &[0; Miniature::BYTES]);
        assert_eq!(Miniature::of(&Image::filled(1, 1, [200; 3])).pixels(), &[200; Miniature::BYTES]);
    }
}
