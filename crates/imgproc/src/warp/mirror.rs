//! The warps that only copy pixels: the identity and the two flips.

use crate::{Image, Matrix3, Size};

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
    pub fn copy(self, source: &Image, out: &mut [u8]) {
        let bytes = source.width() * 3;
        if bytes == 0 {
            return;
        }
        let height = source.height();
        for (row, out) in out.chunks_exact_mut(bytes).enumerate() {
            let row = if self.top_and_bottom { height - 1 - row } else { row };
            let from = &source.pixels()[row * bytes..][..bytes];
            if self.left_and_right {
                for (out, from) in out.as_chunks_mut::<3>().0.iter_mut().zip(from.as_chunks::<3>().0.iter().rev()) {
                    *out = *from;
                }
            } else {
                out.copy_from_slice(from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(matrix: Matrix3, expected: [u8; 6]) {
        let source = Image::from_pixels(3, 2, (1..=6).flat_map(|value| [value, value, 0]).collect());
        let mut out = [9; 18];
        Mirroring::of(&matrix, source.size()).unwrap().copy(&source, &mut out);
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
