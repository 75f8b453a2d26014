//! [`Baseline`]: our own decoder, for the files that nearly all photographs are: sequential, in Huffman codes, of 8 bits,
//! in one scan.
//!
//! Its pixels are libjpeg-turbo's (with its defaults: exact integer transforms, smooth enlargement) to the last bit, at all
//! scales. A row of units, which are blocks of all components that cover the same pixels, is read as a whole, then
//! transformed sixteen blocks at a time, and then the rows of pixels are made for which all samples are there.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::component::{Component, TransformRow};
use super::geometry::Geometry;
use super::header::{Colors, Header};
use super::scan::ScanData;
use super::tables::Tables;
use super::units::{ReadRow, UnitReader};
use super::{DecodeJpeg, Jpeg, JpegError, color, end_of_image};
use crate::{DecodeError, Image, Size, View, Window};

/// Decodes the files that it [reads](Self::reads), with memory that it keeps from file to file.
#[derive(Debug, Default)]
pub struct Baseline {
    scan: ScanData,
    tables: Tables,
    components: [Component; 3],
}

impl Baseline {
    /// Whether a file is of this decoder's kind.
    pub fn reads(header: &Header<'_>) -> bool {
        let components = header.components.as_slice();
        let is_halved_at_most = |horizontal: usize, vertical: usize| horizontal <= 2 && vertical <= 2;
        header.process <= 1
            && header.precision == 8
            && header.scan.as_slice().len() == components.len()
            && match components {
                [_] => true,
                [_, _, _] => components.iter().all(|one| is_halved_at_most(one.horizontal, one.vertical)),
                _ => false,
            }
    }
}

impl DecodeJpeg for Baseline {
    fn follows_views(&self) -> bool {
        true
    }

    fn decode(&mut self, jpeg: &Jpeg<'_>, view: &View, image: &mut Image) -> Result<(), DecodeError> {
        self.decode_checked(&jpeg.header, view, image).map_err(|error| error.in_file(jpeg.bytes, &jpeg.header))
    }
}

impl Baseline {
    fn decode_checked(&mut self, header: &Header<'_>, view: &View, image: &mut Image) -> Result<(), JpegError> {
        let is_ended = end_of_image(self.scan.read(header.data)?).is_some();
        let Size { width, height } = view.scale.of(header.size);
        image.resize_buffer(width, height);
        let whole = Window { left: 0, top: 0, right: width, bottom: height };
        // How much is missing shows when all that is there is read.
        let window = view.window.filter(|_| is_ended).unwrap_or(whole);
        let window = Window { right: window.right.min(width), bottom: window.bottom.min(height), ..window };
        if window.left >= window.right || window.top >= window.bottom {
            return if is_ended { Ok(()) } else { Err(JpegError::NoEnd) };
        }
        let geometry = Geometry::new(header, view.scale, window);
        let expected =
            if header.restart_interval == 0 { 1 } else { geometry.units().div_ceil(header.restart_interval) };
        if self.scan.intervals() > expected || is_ended && self.scan.intervals() != expected {
            return Err(JpegError::Intervals { expected, found: self.scan.intervals() });
        }
        for (component, &frame) in self.components.iter_mut().zip(header.components.as_slice()) {
            component.begin(frame, header, geometry.side, &geometry.transformed);
        }
        let readers = self.tables.readers(header)?;
        let components = &mut self.components[..header.components.as_slice().len()];
        let mut units = UnitReader::new(&self.scan, header, &geometry, components, readers);
        decode_rows(&mut units, components, header.colors, &geometry, image)?;
        if is_ended { Ok(()) } else { Err(JpegError::NoEnd) }
    }
}

/// Reads, transforms and writes row after row. Each step is compiled by itself for each instruction set.
fn decode_rows(
    units: &mut UnitReader<'_>,
    components: &mut [Component],
    colors: Colors,
    geometry: &Geometry,
    image: &mut Image,
) -> Result<(), JpegError> {
    let arch = Arch::new();
    let mut done = geometry.window.top;
    for row in 0..geometry.transformed.rows.end {
        arch.dispatch(ReadRow { units, components, row })?;
        if !geometry.transformed.rows.contains(&row) {
            continue;
        }
        for component in &mut *components {
            arch.dispatch(TransformRow { component, row: row - geometry.transformed.rows.start });
        }
        let waiting = components.iter().map(Component::rows_waiting).max().unwrap_or(0);
        let whole = (row + 1) * geometry.unit.height;
        let end = if row + 1 == geometry.rows { whole } else { whole - waiting };
        let rows = done..end.min(geometry.window.bottom);
        done = done.max(rows.end);
        arch.dispatch(WriteRows {
            components,
            colors,
            columns: geometry.window.left..geometry.window.right,
            rows,
            image,
        });
    }
    if geometry.transformed.rows.end == geometry.rows { units.check_end() } else { Ok(()) }
}

/// Makes pixels of the samples.
struct WriteRows<'a> {
    components: &'a mut [Component],
    colors: Colors,
    columns: Range<usize>,
    rows: Range<usize>,
    image: &'a mut Image,
}

impl WithSimd for WriteRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { components, colors, columns, rows, image } = self;
        let width = image.width();
        for y in rows {
            let pixels = &mut image.pixels_mut().as_chunks_mut::<3>().0[y * width..][columns.clone()];
            match &mut *components {
                [first, second, third] => {
                    let planes = [first.row(y, &columns), second.row(y, &columns), third.row(y, &columns)];
                    match colors {
                        Colors::Luma => color::join_row(planes, pixels),
                        Colors::Rgb => color::interleave_row(planes, pixels),
                    }
                }
                components => {
                    let gray = components[0].row(y, &columns);
                    color::interleave_row([gray; 3], pixels);
                }
            }
        }
    }
}
