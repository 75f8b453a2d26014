//! [`Turn`]: from the picture that a camera stored to the one that it saw.

use image::metadata::Orientation;

use crate::{Image, Scale, Size};

/// One of the eight ways to lay a rectangle onto another: first mirrored, then with rows for columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Columns come from the right.
    mirrors_columns: bool,
    /// Rows come from below.
    mirrors_rows: bool,
    /// Columns become rows.
    swaps_sides: bool,
}

impl Turn {
    /// The picture as it is.
    pub const NONE: Self = Self { mirrors_columns: false, mirrors_rows: false, swaps_sides: false };

    pub fn of_orientation(orientation: Orientation) -> Self {
        let (mirrors_columns, mirrors_rows, swaps_sides) = match orientation {
            Orientation::NoTransforms => (false, false, false),
            Orientation::FlipHorizontal => (true, false, false),
            Orientation::Rotate180 => (true, true, false),
            Orientation::FlipVertical => (false, true, false),
            Orientation::Rotate90FlipH => (false, false, true),
            Orientation::Rotate90 => (false, true, true),
            Orientation::Rotate270FlipH => (true, true, true),
            Orientation::Rotate270 => (true, false, true),
        };
        Self { mirrors_columns, mirrors_rows, swaps_sides }
    }

    /// The size of a turned picture.
    pub fn of(self, size: Size) -> Size {
        if self.swaps_sides { Size { width: size.height, height: size.width } } else { size }
    }

    /// Whether a picture of `size` may be scaled before it is turned: blocks are counted from the top left, so along an
    /// axis that is mirrored none may be cut off.
    pub fn keeps_blocks(self, size: Size, scale: Scale) -> bool {
        let divides = |side: usize| side.is_multiple_of(scale.divisor());
        (!self.mirrors_columns || divides(size.width)) && (!self.mirrors_rows || divides(size.height))
    }

    /// Writes the turned `source` to `out`, whose buffer is reused where it is large enough.
    pub fn apply(self, source: &Image, out: &mut Image) {
        let Size { width, height } = self.of(source.size());
        out.resize_buffer(width, height);
        if out.pixels().is_empty() {
            return;
        }
        let (columns, rows) = (source.width(), source.height());
        let first_column = if self.mirrors_columns { columns - 1 } else { 0 };
        let first_row = if self.mirrors_rows { rows - 1 } else { 0 };
        let right = if self.mirrors_columns { -1 } else { 1 };
        let down = if self.mirrors_rows { -(columns as isize) } else { columns as isize };
        let (along, across) = if self.swaps_sides { (down, right) } else { (right, down) };
        let pixels = source.pixels().as_chunks::<3>().0;
        let mut row_start = first_row * columns + first_column;
        for row in out.pixels_mut().as_chunks_mut::<3>().0.chunks_exact_mut(width) {
            let mut at = row_start;
            for pixel in row {
                *pixel = pixels[at];
                at = at.wrapping_add_signed(along);
            }
            row_start = row_start.wrapping_add_signed(across);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_turns_as_it_is_defined() {
        let source = Image::from_pixels(3, 2, (0..6).flat_map(|value| [value; 3]).collect());
        // EXIF 2.3, tag 274: where the stored picture's pixels 0 1 2 / 3 4 5 stand in the displayed one.
        let expected: [(u8, usize, [u8; 6]); 8] = [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
        ];
        let mut out = Image::filled(9, 9, [99; 3]);
        for (tag, width, values) in expected {
            let turn = Turn::of_orientation(Orientation::from_exif(tag).unwrap());
            turn.apply(&source, &mut out);
            let pixels = values.iter().flat_map(|&value| [value; 3]).collect();
            assert_eq!(out, Image::from_pixels(width, 6 / width, pixels), "orientation {tag}");
        }
    }

    #[test]
    fn a_mirrored_side_must_hold_whole_blocks() {
        let size = Size { width: 16, height: 21 };
        let keeps = [1, 2, 3, 4, 5, 6, 7, 8]
            .map(|tag| Turn::of_orientation(Orientation::from_exif(tag).unwrap()).keeps_blocks(size, Scale::Half));
        assert_eq!(keeps, [true, true, false, false, true, false, false, true]);
    }
}
