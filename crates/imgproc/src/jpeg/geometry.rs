//! [`Geometry`]: what of a picture is read, transformed and written.

use std::ops::Range;

use super::header::Header;
use crate::{Scale, Size, Window};

/// What lies between samples is seen up to two pixels from where it is halfway.
const MARGIN: usize = 3;

/// What of a picture is read, transformed and written, in units of its scan.
pub struct Geometry {
    /// The pixels that a block of the finest component becomes, along either axis.
    pub side: usize,
    /// The pixels of a unit.
    pub unit: Size,
    /// The units of the picture.
    pub columns: usize,
    pub rows: usize,
    /// Those around the window.
    pub transformed: Units,
    pub window: Window,
}

impl Geometry {
    pub fn new(header: &Header<'_>, scale: Scale, window: Window) -> Self {
        let side = 8 / scale.divisor();
        let (horizontal, vertical) = match header.components.as_slice() {
            [_] => (1, 1),
            components => {
                components.iter().fold((1, 1), |most, one| (most.0.max(one.horizontal), most.1.max(one.vertical)))
            }
        };
        let unit = Size { width: horizontal * side, height: vertical * side };
        let size = scale.of(header.size);
        let (columns, rows) = (size.width.div_ceil(unit.width), size.height.div_ceil(unit.height));
        let around = |from: usize, to: usize, unit: usize, all: usize| {
            from.saturating_sub(MARGIN) / unit..(to + MARGIN).div_ceil(unit).min(all)
        };
        let transformed = Units {
            columns: around(window.left, window.right, unit.width, columns),
            rows: around(window.top, window.bottom, unit.height, rows),
        };
        Self { side, unit, columns, rows, transformed, window }
    }

    /// How many units the picture has.
    pub fn units(&self) -> usize {
        self.columns * self.rows
    }
}

/// A part of a picture's units.
#[derive(Clone, Debug)]
pub struct Units {
    pub columns: Range<usize>,
    pub rows: Range<usize>,
}
