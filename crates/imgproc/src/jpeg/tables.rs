//! [`Tables`]: what the codes of a file mean, kept for the next file, which mostly has the same.

use super::JpegError;
use super::block::{BlockReader, Steps};
use super::header::{Header, HuffmanCodes};
use super::huffman::{Coded, HuffmanTable};

/// The Huffman tables of a file.
#[derive(Debug, Default)]
pub struct Tables {
    means: [Option<HuffmanTable>; 4],
    frequencies: [Option<HuffmanTable>; 4],
}

impl Tables {
    /// Builds the tables that differ from those of the file before; what reads the blocks of each component of the frame.
    ///
    /// # Errors
    /// Where the file lacks a table, or one is none.
    pub fn readers(&mut self, header: &Header<'_>) -> Result<[BlockReader<'_>; 3], JpegError> {
        let scan = header.scan.as_slice();
        for component in scan {
            prepare(&mut self.means, &header.mean_codes, component.means, Coded::Means)?;
            prepare(&mut self.frequencies, &header.frequency_codes, component.frequencies, Coded::Frequencies)?;
        }
        let reader = |index: usize| -> Result<_, JpegError> {
            // A gray file's reader stands in for those that nothing asks for.
            let component = scan.iter().find(|component| component.index == index).unwrap_or(&scan[0]);
            let sizes = header.steps[header.components.as_slice()[component.index].steps].as_ref();
            let (means, frequencies) = (&self.means[component.means], &self.frequencies[component.frequencies]);
            Ok(BlockReader {
                means: means.as_ref().ok_or(NO_CODES)?,
                frequencies: frequencies.as_ref().ok_or(NO_CODES)?,
                steps: Steps::new(sizes.ok_or(JpegError::Undefined { what: "quantization table" })?),
            })
        };
        Ok([reader(0)?, reader(1)?, reader(2)?])
    }
}

const NO_CODES: JpegError = JpegError::Undefined { what: "Huffman table" };

fn prepare(
    tables: &mut [Option<HuffmanTable>; 4],
    codes: &[Option<HuffmanCodes<'_>>; 4],
    at: usize,
    coded: Coded,
) -> Result<(), JpegError> {
    let codes = codes[at].as_ref().ok_or(NO_CODES)?;
    if !tables[at].as_ref().is_some_and(|table| table.is_of(codes)) {
        tables[at] = Some(HuffmanTable::new(codes, coded)?);
    }
    Ok(())
}
