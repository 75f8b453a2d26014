//! [`UnitReader`]: the units of a scan, row by row. A unit holds the blocks of all components that cover the same pixels.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};

use super::JpegError;
use super::bits::Bits;
use super::block::{BlockReader, Fault};
use super::component::Component;
use super::geometry::Geometry;
use super::header::{Header, ScanComponent};
use super::idct::Batch;
use super::scan::{Place, ScanData};
use crate::aligned::Aligned;

/// The most blocks of a unit: three components of two by two.
const MOST_BLOCKS: usize = 12;

/// Whole bytes that may be left at the end of an interval. Some programs fill up to a multiple of a few bytes.
const MOST_LEFT_BYTES: i64 = 7;

/// The most bits of a code.
const LONGEST_CODE: i64 = 16;

/// Reads the units of a scan, one row after the other.
pub struct UnitReader<'a> {
    scan: &'a ScanData,
    geometry: &'a Geometry,
    blocks: [Block; MOST_BLOCKS],
    block_count: usize,
    /// Units in an interval.
    restart_interval: usize,
    readers: [BlockReader<'a>; 3],
    bits: Bits<'a>,
    /// The intervals that were begun.
    begun: usize,
    /// Units until the current interval ends.
    left: usize,
    /// The numbers of the blocks before, by component.
    means: [i32; 3],
    /// Where blocks are read to that nobody looks at.
    unseen: Batch,
}

/// A block of a unit.
#[derive(Clone, Copy, Default)]
struct Block {
    component: usize,
    column: usize,
    row: usize,
}

impl<'a> UnitReader<'a> {
    /// `readers` are in the order of the frame's components.
    pub fn new(
        scan: &'a ScanData,
        header: &Header<'_>,
        geometry: &'a Geometry,
        components: &[Component],
        readers: [BlockReader<'a>; 3],
    ) -> Self {
        let mut blocks = [Block::default(); MOST_BLOCKS];
        let in_order = header.scan.as_slice().iter().flat_map(|&ScanComponent { index: component, .. }| {
            let Component { horizontal, vertical, .. } = components[component];
            (0..vertical).flat_map(move |row| (0..horizontal).map(move |column| Block { component, column, row }))
        });
        let block_count = blocks.iter_mut().zip(in_order).map(|(block, next)| *block = next).count();
        let units = geometry.units();
        let restart_interval = if header.restart_interval == 0 { units } else { header.restart_interval };
        Self {
            scan,
            geometry,
            blocks,
            block_count,
            restart_interval,
            readers,
            bits: scan.bits(0),
            begun: 1,
            left: restart_interval,
            means: [0; 3],
            unseen: Aligned([0; _]),
        }
    }

    #[inline(always)]
    fn read_row(&mut self, row: usize, components: &mut [Component]) -> Result<(), JpegError> {
        let seen = &self.geometry.transformed;
        let is_row_seen = seen.rows.contains(&row);
        for column in 0..self.geometry.columns {
            if self.left == 0 {
                self.check_end()?;
                if self.begun == self.scan.intervals() {
                    return Err(self.fault(Fault::EndOfData, &self.bits, column, row));
                }
                self.bits = self.scan.bits(self.begun);
                (self.begun, self.left, self.means) = (self.begun + 1, self.restart_interval, [0; 3]);
            }
            self.left -= 1;
            let is_seen = is_row_seen && seen.columns.contains(&column);
            let mut bits = self.bits;
            for block in &self.blocks[..self.block_count] {
                let component = &mut components[block.component];
                let (batch, last, lane) = if is_seen {
                    component.block((column - seen.columns.start) * component.horizontal + block.column, block.row)
                } else {
                    (&mut self.unseen, &mut 0, 0)
                };
                let mean = &mut self.means[block.component];
                let read = self.readers[block.component].read(&mut bits, mean, batch, lane);
                let place = read.map_err(|fault| self.fault(fault, &bits, column, row))?;
                *last = (*last).max(place);
            }
            self.bits = bits;
            if bits.left() < 0 {
                return Err(self.fault(Fault::EndOfData, &bits, column, row));
            }
        }
        Ok(())
    }

    /// A fault in a unit, of which `bits` are left.
    #[cold]
    fn fault(&self, fault: Fault, bits: &Bits<'_>, column: usize, row: usize) -> JpegError {
        // What no longer holds a whole code is not what is wrong.
        let fault = if bits.left() < LONGEST_CODE { Fault::EndOfData } else { fault };
        JpegError::Scan {
            fault,
            unit: row * self.geometry.columns + column,
            units: self.geometry.units(),
            row,
            place: Place { interval: self.begun - 1, byte: bits.bytes_read() },
        }
    }

    /// Checks that no more is left of an interval than an encoder fills it up with.
    ///
    /// # Errors
    /// Where there is more.
    pub fn check_end(&self) -> Result<(), JpegError> {
        let bytes = self.bits.left() / 8;
        if bytes <= MOST_LEFT_BYTES {
            return Ok(());
        }
        let place = Place { interval: self.begun - 1, byte: self.bits.bytes_read() };
        Err(JpegError::LeftOver { bytes, interval: self.begun, place })
    }
}

/// Reads a row of units, the next one, into the components' blocks.
pub struct ReadRow<'a, 'b> {
    pub units: &'a mut UnitReader<'b>,
    pub components: &'a mut [Component],
    pub row: usize,
}

impl WithSimd for ReadRow<'_, '_> {
    type Output = Result<(), JpegError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.units.read_row(self.row, self.components)
    }
}
