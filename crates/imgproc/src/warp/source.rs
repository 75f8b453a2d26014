//! The source picture, as the samplers read it: packed colours at any whole coordinates.

use std::hint::black_box;
use std::ops::Range;

use super::Lanes;
use crate::{Fill, ImageRef};

/// A picture of at least one pixel.
///
/// A packed colour has red in its lowest byte, then green and blue; its highest byte is unspecified.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pixels: &'a [u8],
    pub width: i32,
    pub height: i32,
}

impl<'a> Source<'a> {
    /// A view of `image`. One of less than eight bytes is copied to `small`, because colours are read by words.
    pub fn new(image: ImageRef<'a>, small: &'a mut [u8; 16]) -> Self {
        let pixels = image.pixels();
        assert!(u32::try_from(pixels.len()).is_ok(), "a picture of 4 GiB or more cannot be warped");
        let (width, height) = (image.width() as i32, image.height() as i32);
        if pixels.len() >= 8 {
            return Self { pixels, width, height };
        }
        small[..pixels.len()].copy_from_slice(pixels);
        Self { pixels: small, width, height }
    }

    /// Where the pixel at a column and a row inside of the picture begins, in bytes.
    #[inline(always)]
    pub fn start(&self, x: i32, y: i32) -> u32 {
        (y as u32).wrapping_mul(self.row_bytes()).wrapping_add(3 * x as u32)
    }

    /// From the start of a pixel to that of the one below.
    #[inline(always)]
    pub fn row_bytes(&self) -> u32 {
        3 * self.width as u32
    }

    /// Reads a byte of each line of the cache that some rows lie in, so that they are there when points are read in any
    /// order: memory gives lines fastest one after the other.
    pub fn fetch(&self, rows: Range<usize>) {
        let row_bytes = self.row_bytes() as usize;
        let bytes = &self.pixels[rows.start * row_bytes..rows.end * row_bytes];
        black_box(bytes.iter().step_by(LINE_BYTES).fold(0, |all, byte| all ^ byte));
    }

    /// Reads the colours of the pixels that start at these bytes (in the lowest three bytes) and of the next ones, whatever
    /// those are.
    #[inline(always)]
    pub fn pairs(&self, starts: &Lanes<u32>, pairs: &mut Lanes<u64>) {
        for (pair, &start) in pairs.iter_mut().zip(starts) {
            let start = start as usize;
            let Some(bytes) = self.pixels.get(start..start + 8) else { return self.last_pairs(starts, pairs) };
            *pair = word(bytes);
        }
    }

    /// The pairs of which some have no eight bytes.
    #[cold]
    #[inline(never)]
    fn last_pairs(&self, starts: &Lanes<u32>, pairs: &mut Lanes<u64>) {
        for (pair, &start) in pairs.iter_mut().zip(starts) {
            let start = start as usize;
            *pair = self.pixels.get(start..start + 8).map_or_else(|| self.last_bytes(start), word);
        }
    }

    /// The colour of the pixel that starts at this byte.
    #[inline(always)]
    fn color(&self, start: u32) -> u32 {
        let start = start as usize;
        match self.pixels.get(start..start + 4) {
            Some(&[red, green, blue, _]) => u32::from_le_bytes([red, green, blue, 0]),
            _ => self.last_bytes(start) as u32,
        }
    }

    /// The bytes from `at` on of which there are no eight left, moved to where a word has its first ones.
    #[cold]
    fn last_bytes(&self, at: usize) -> u64 {
        let start = self.pixels.len() - 8;
        word(&self.pixels[start..]) >> (8 * (at - start))
    }

    /// The colour at a column and a row that [`inside`] gave; [`OUTSIDE`] reads `constant`.
    #[inline(always)]
    pub fn color_or(&self, x: i32, y: i32, constant: u32) -> u32 {
        if x == OUTSIDE || y == OUTSIDE { constant } else { self.color(self.start(x, y)) }
    }
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// Bytes of a line of the cache.
pub const LINE_BYTES: usize = 64;

/// The coordinate of what lies outside and has a constant colour.
pub const OUTSIDE: i32 = -1;

/// The colour of what lies [`OUTSIDE`], packed.
pub fn constant(fill: Fill) -> u32 {
    match fill {
        Fill::Constant([red, green, blue]) | Fill::ConstantBeyondCenters([red, green, blue]) => {
            u32::from_le_bytes([red, green, blue, 0])
        }
        Fill::Nearest | Fill::Reflect | Fill::Wrap | Fill::WrapOverlapping => 0,
    }
}

/// The columns below `length` that show at columns anywhere (rows likewise).
#[inline(always)]
pub fn inside(fill: Fill, at: Lanes<i32>, length: i32) -> Lanes<i32> {
    let mut inside = at;
    match fill {
        Fill::Nearest | Fill::ConstantBeyondCenters(_) | Fill::WrapOverlapping => {
            for at in &mut inside {
                *at = (*at).clamp(0, length - 1);
            }
        }
        Fill::Constant(_) => {
            for at in &mut inside {
                *at = if (*at as u32) < length as u32 { *at } else { OUTSIDE };
            }
        }
        Fill::Reflect => {
            if is_within_a_period(at, length) {
                for at in &mut inside {
                    let mirrored = if *at < 0 { -1 - *at } else { *at };
                    *at = mirrored.min(2 * length - 1 - mirrored);
                }
            } else {
                fold_far(&mut inside, 2 * length);
                for at in &mut inside {
                    *at = (*at).min(2 * length - 1 - *at);
                }
            }
        }
        Fill::Wrap => {
            if is_within_a_period(at, length) {
                for at in &mut inside {
                    let raised = if *at < 0 { *at + length } else { *at };
                    *at = if raised < length { raised } else { raised - length };
                }
            } else {
                fold_far(&mut inside, length);
            }
        }
    }
    inside
}

/// Moves coordinates by whole periods into the first one; out of line, since its divisions are rarely needed and long.
#[cold]
#[inline(never)]
fn fold_far(at: &mut Lanes<i32>, period: i32) {
    for at in at {
        *at = at.rem_euclid(period);
    }
}

#[inline(always)]
fn is_within_a_period(at: Lanes<i32>, length: i32) -> bool {
    let mut within = true;
    for at in at {
        within &= -length <= at && at < 2 * length;
    }
    within
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Image;
    use crate::warp::LANES;

    #[track_caller]
    fn check(fill: Fill, expected: [i32; 10]) {
        for (at, expected) in (-3..7).zip(expected) {
            assert_eq!(inside(fill, [at; LANES], 4)[0], expected, "{fill:?} at {at}");
        }
    }

    #[test]
    fn fills_continue_a_row_as_documented() {
        check(Fill::Nearest, [0, 0, 0, 0, 1, 2, 3, 3, 3, 3]);
        check(Fill::Reflect, [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]);
        check(Fill::Wrap, [1, 2, 3, 0, 1, 2, 3, 0, 1, 2]);
        check(Fill::Constant([0; 3]), [-1, -1, -1, 0, 1, 2, 3, -1, -1, -1]);
    }

    #[track_caller]
    fn check_reads(image: &Image) {
        let (mut small, mut pairs) = ([0; 16], [0; LANES]);
        let source = Source::new(image.into(), &mut small);
        for (start, pixel) in (0..).step_by(3).zip(image.pixels().as_chunks().0) {
            let [red, green, blue] = *pixel;
            let expected = u32::from_le_bytes([red, green, blue, 0]);
            assert_eq!(source.color(start) & 0xff_ffff, expected, "from {start} on");
            // A lane with the last pixel sends all others the longer way.
            for other in [0, image.pixels().len() as u32 - 3] {
                let mut starts = [start; LANES];
                starts[LANES - 1] = other;
                source.pairs(&starts, &mut pairs);
                assert_eq!(pairs[0] as u32 & 0xff_ffff, expected, "from {start} on");
                if let Some(&[red, green, blue]) = image.pixels()[start as usize + 3..].first_chunk() {
                    assert_eq!((pairs[0] >> 24) as u32 & 0xff_ffff, u32::from_le_bytes([red, green, blue, 0]));
                }
            }
        }
    }

    #[test]
    fn all_pixels_are_read_and_nothing_behind_the_last() {
        check_reads(&Image::from_pixels(3, 2, (1..=18).collect()));
        check_reads(&Image::from_pixels(2, 1, (1..=6).collect()));
        check_reads(&Image::filled(1, 1, [7, 8, 9]));
    }

    proptest! {
        #[test]
        fn one_lane_far_away_changes_no_other(at in -9i32..9, length in 1i32..5, far in any::<i32>()) {
            for fill in [Fill::Reflect, Fill::Wrap] {
                let mut lanes = [at.clamp(-length, 2 * length - 1); LANES];
                let near = inside(fill, lanes, length)[0];
                lanes[1] = far >> 3;
                let mixed = inside(fill, lanes, length);
                prop_assert_eq!(mixed[0], near);
                prop_assert!((0..length).contains(&mixed[1]));
            }
        }
    }
}
