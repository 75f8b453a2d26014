//! [`Component`]: brightness or one of the differences of color, from the blocks of a scan to rows of samples.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::geometry::Units;
use super::header::{FrameComponent, Header};
use super::idct::{self, Batch, LANES};
use super::upsample;
use crate::aligned::Aligned;

/// How the samples of a component become as many as the picture has pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Upsampling {
    doubles_columns: bool,
    doubles_rows: bool,
    /// New samples lie between their neighbors instead of repeating them.
    is_smooth: bool,
}

/// One component of a picture that is being decoded.
#[derive(Debug, Default)]
pub struct Component {
    /// Blocks of a unit, along both axes.
    pub horizontal: usize,
    pub vertical: usize,
    /// The samples that a block becomes along either axis: 8, 4, 2 or 1.
    side: usize,
    upsampling: Upsampling,
    /// The samples of the whole picture.
    width: usize,
    height: usize,
    /// The first column and row of the plane in the picture.
    left: usize,
    top: usize,
    stride: usize,
    plane: Vec<u8>,
    /// The blocks of a row of units, row by row of blocks.
    batches: Vec<Batch>,
    batches_in_row: usize,
    /// For each batch, the last place in zigzag order with a frequency.
    lasts: Vec<u8>,
    /// A row of samples as many as pixels.
    doubled: Vec<u8>,
}

impl Component {
    /// Prepares for the picture of `header` at `side` pixels a block, and the `units` of it.
    pub fn begin(&mut self, frame: FrameComponent, header: &Header<'_>, side: usize, units: &Units) {
        let components = header.components.as_slice();
        let most = |sampling: fn(&FrameComponent) -> usize| components.iter().map(sampling).max().unwrap_or(1);
        let (most_horizontal, most_vertical) = (most(|other| other.horizontal), most(|other| other.vertical));
        // A block may become more samples than one of a finer component, in place of being doubled.
        let fits = |double: usize| {
            let fits = |most: usize, own: usize| (most * side).is_multiple_of(own * double);
            double <= 8 && fits(most_horizontal, frame.horizontal) && fits(most_vertical, frame.vertical)
        };
        self.side = side;
        while fits(2 * self.side) {
            self.side *= 2;
        }
        let samples = |full: usize, own: usize, most: usize| (full * own * self.side).div_ceil(most * 8);
        self.width = samples(header.size.width, frame.horizontal, most_horizontal);
        self.height = samples(header.size.height, frame.vertical, most_vertical);
        let doubles_columns = frame.horizontal * self.side < most_horizontal * side;
        let doubles_rows = frame.vertical * self.side < most_vertical * side;
        let is_smooth = side > 1 && (!doubles_columns || self.width > 2);
        self.upsampling = Upsampling { doubles_columns, doubles_rows, is_smooth };

        // A component alone comes block by block.
        let is_alone = components.len() == 1;
        (self.horizontal, self.vertical) = if is_alone { (1, 1) } else { (frame.horizontal, frame.vertical) };
        self.left = units.columns.start * self.horizontal * self.side;
        self.top = units.rows.start * self.vertical * self.side;
        self.batches_in_row = (units.columns.len() * self.horizontal).div_ceil(LANES);
        self.stride = self.batches_in_row * LANES * self.side;
        let rows = units.rows.len() * self.vertical * self.side;
        self.plane.resize(self.stride * rows, 0);
        // A damaged file before may have left something.
        self.batches.clear();
        self.batches.resize(self.batches_in_row * self.vertical, Aligned([0; _]));
        self.lasts.clear();
        self.lasts.resize(self.batches.len(), 0);
    }

    /// The batch and lane of a block in the current row of units; columns are counted from the first unit.
    #[inline(always)]
    pub fn block(&mut self, column: usize, row: usize) -> (&mut Batch, &mut u8, usize) {
        let at = row * self.batches_in_row + column / LANES;
        (&mut self.batches[at], &mut self.lasts[at], column % LANES)
    }

    #[inline(always)]
    fn transform(&mut self, unit_row: usize) {
        let first = unit_row * self.vertical * self.side;
        let rows = self.plane[first * self.stride..].chunks_exact_mut(self.stride * self.side);
        let batches = self.batches.chunks_exact(self.batches_in_row).zip(self.lasts.chunks_exact(self.batches_in_row));
        for (rows, (batches, lasts)) in rows.zip(batches) {
            for (at, (batch, &last)) in batches.iter().zip(lasts).enumerate() {
                idct::inverse(batch, last, self.side, &mut rows[at * LANES * self.side..], self.stride);
            }
        }
        self.clear();
    }

    #[inline(always)]
    fn clear(&mut self) {
        for (batch, last) in self.batches.iter_mut().zip(&mut self.lasts) {
            idct::clear(batch, std::mem::take(last));
        }
    }

    /// How many pixels above the end of what is transformed wait for the samples below.
    pub fn rows_waiting(&self) -> usize {
        usize::from(self.upsampling.doubles_rows && self.upsampling.is_smooth)
    }

    /// The samples of `columns` of a row of the picture.
    #[inline(always)]
    pub fn row(&mut self, y: usize, columns: &Range<usize>) -> &[u8] {
        let Upsampling { doubles_columns, doubles_rows, is_smooth } = self.upsampling;
        let near = if doubles_rows { y / 2 } else { y };
        let far = match (doubles_rows && is_smooth, y % 2) {
            (false, _) => near,
            (true, 0) => near.saturating_sub(1),
            (true, _) => (near + 1).min(self.height - 1),
        };
        // One sample more on both sides, which the outermost ones within the columns look at.
        let samples = if doubles_columns {
            (columns.start / 2).saturating_sub(1)..(columns.end.div_ceil(2) + 1).min(self.width)
        } else {
            columns.clone()
        };
        let row = |y: usize| {
            &self.plane[(y - self.top) * self.stride..][..self.stride][samples.start - self.left..][..samples.len()]
        };
        let (near, far) = (row(near), row(far));
        if !(doubles_columns || doubles_rows && is_smooth) {
            return near;
        }
        self.doubled.resize(2 * samples.len(), 0);
        match (doubles_columns, doubles_rows, is_smooth) {
            (true, true, true) => upsample::double_both(near, far, &mut self.doubled),
            (true, false, true) => upsample::double_columns(near, &mut self.doubled),
            (true, _, false) => upsample::repeat_columns(near, &mut self.doubled),
            (false, ..) => upsample::between_rows(near, far, y % 2 == 1, &mut self.doubled),
        }
        let skipped = if doubles_columns { columns.start - 2 * samples.start } else { 0 };
        &self.doubled[skipped..][..columns.len()]
    }
}

/// Makes samples of the blocks of a row of units, counted from the first one, and zeros of the blocks.
pub struct TransformRow<'a> {
    pub component: &'a mut Component,
    pub row: usize,
}

impl WithSimd for TransformRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.component.transform(self.row);
    }
}
