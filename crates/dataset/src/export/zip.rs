//! One zip archive of class folders.

use std::path::Path;

use rayon::prelude::*;

use super::mark::MARK;
use super::{first_error, placed};
use crate::archive::StoredZip;
use crate::atomic::write_file;
use crate::dataset::Dataset;
use crate::error::{DatasetError, ExportFault};
use crate::scan::Progress;
use crate::source::ReadBuffer;

/// As many images are read at once, on all cores, before they are written.
const AHEAD: usize = 64;

pub(super) fn write(dataset: &Dataset, out: &Path, progress: Progress<'_>) -> Result<usize, DatasetError> {
    let placed = placed(dataset)?;
    let mut buffers: Vec<ReadBuffer> = std::iter::repeat_with(ReadBuffer::default).take(AHEAD).collect();
    write_file(out, |file| {
        let failed = |source| DatasetError::from(ExportFault::WriteArchive { path: out.to_owned(), source });
        let mut archive = StoredZip::new(file);
        let mut written = 0;
        for images in placed.chunks(AHEAD) {
            let read = buffers.par_iter_mut().zip(images);
            first_error(read.map(|(buffer, (_, record))| dataset.read(record, buffer)))?;
            for ((name, _), buffer) in images.iter().zip(&buffers) {
                archive.add(name, buffer.bytes()).map_err(failed)?;
            }
            written += images.len();
            progress(written, placed.len());
        }
        archive.finish(MARK).map_err(failed)
    })?;
    Ok(placed.len())
}
