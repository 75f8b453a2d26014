//! The warps that only copy pixels: the identity and the two flips.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Arch, Simd, WithSimd};

use crate::{ImageRef, Matrix3, Size};

/// Which sides change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mirroring {
    left_and_right: bool,
    top_and_bottom: bool,
}

impl Mirroring {
    /// What `matrix` does with a source of the output's `size`, where it does no more than that.
    pub fn of(matrix: &Matrix3, size: Size) -> Option<Self> {
        let along_x = |mirrored: bool| if mirrored { [-1.0, 0.0, size.width as f64 - 1.0] } else { [1.0, 0.0, 0.0] };
        let along_y = |mirrored: bool| if mirrored { [0.0, -1.0, size.height as f64 - 1.0] } else { [0.0, 1.0, 0.0] };
        let all = [(false, false), (true, false), (false, true), (true, true)];
        let found = all.into_iter().find(|&(x, y)| *matrix == Matrix3::affine([along_x(x), along_y(y)]))?;
        Some(Self { left_and_right: found.0, top_and_bottom: found.1 })
    }

    /// Copies `source` to `out`, an HWC buffer of its size.
    pub fn copy(self, source: ImageRef<'_>, out: &mut [u8]) {
        if !source.pixels().is_empty() {
            Arch::new().dispatch(Copy { mirroring: self, source, out });
        }
    }
}

struct Copy<'a> {
    mirroring: Mirroring,
    source: ImageRef<'a>,
    out: &'a mut [u8],
}

impl WithSimd for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (width, height) = (self.source.width(), self.source.height());
        let source = self.source.pixels().as_chunks().0;
        for (row, out) in self.out.as_chunks_mut().0.chunks_exact_mut(width).enumerate() {
            let row = if self.mirroring.top_and_bottom { height - 1 - row } else { row };
            let from = &source[row * width..][..width];
            if self.mirroring.left_and_right { reverse(from, out) } else { out.copy_from_slice(from) }
        }
    }
}

/// Writes a row from its other end.
#[inline(always)]
fn reverse(from: &[[u8; 3]], out: &mut [[u8; 3]]) {
    let (blocks, rest) = from.as_chunks();
    let (out_rest, out_blocks) = out.as_rchunks_mut();
    for (block, out) in blocks.iter().zip(out_blocks.iter_mut().rev()) {
        *out = reversed(block);
    }
    for (pixel, out) in rest.iter().zip(out_rest.iter_mut().rev()) {
        *out = *pixel;
    }
}

/// Some pixels from the last to the first, channel by channel, of which the compiler makes a few permutes.
#[inline(always)]
fn reversed(pixels: &[[u8; 3]; 16]) -> [[u8; 3]; 16] {
    let mut planes = [[0; 16]; 3];
    for (channel, plane) in planes.iter_mut().enumerate() {
        for at in 0..16 {
            plane[at] = pixels[at][channel];
        }
        plane.reverse();
    }
    let mut reversed = [[0; 3]; 16];
    for at in 0..16 {
        reversed[at] = [planes[0][at], planes[1][at], planes[2][at]];
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Image;

    #[track_caller]
    fn check(matrix: Matrix3, expected: [u8; 6]) {
        let source = Image::from_pixels(3, 2, (1..=6).flat_map(|value| [value, value, 0]).collect());
        let mut out = [9; 18];
        Mirroring::of(&matrix, source.size()).unwrap().copy((&source).into(), &mut out);
        assert_eq!(out.to_vec(), expected.into_iter().flat_map(|value| [value, value, 0]).collect::<Vec<_>>());
    }

    #[test]
    fn flips_of_the_picture_are_copies() {
        let center = (1.0, 0.5);
        let (x, y) = (Matrix3::horizontal_flip(center), Matrix3::vertical_flip(center));
        check(Matrix3::IDENTITY, [1, 2, 3, 4, 5, 6]);
        check(x, [3, 2, 1, 6, 5, 4]);
        check(y, [4, 5, 6, 1, 2, 3]);
        check(x.then(&y), [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn long_rows_are_reversed_too() {
        let pixels: Vec<[u8; 3]> = (0..100).map(|at| [at, 100 + at, 7 * (at % 30)]).collect();
        for width in [1, 15, 16, 17, 50, 100] {
            let source = Image::from_pixels(width, 1, pixels[..width].as_flattened().to_vec());
            let matrix = Matrix3::horizontal_flip(((width as f64 - 1.0) / 2.0, 0.0));
            let mut out = vec![0; width * 3];
            Mirroring::of(&matrix, source.size()).unwrap().copy((&source).into(), &mut out);
            let expected: Vec<[u8; 3]> = pixels[..width].iter().rev().copied().collect();
            assert_eq!(out, expected.as_flattened());
        }
    }

    #[test]
    fn anything_else_is_none() {
        let size = Size { width: 3, height: 2 };
        for matrix in [
            Matrix3::shift(1.0, 0.0),
            Matrix3::horizontal_flip((1.5, 0.5)),
            Matrix3::rotation(90.0, (1.0, 0.5)),
            Matrix3::scale(2.0, 1.0, (1.0, 0.5)),
        ] {
            assert_eq!(Mirroring::of(&matrix, size), None);
        }
    }
}
