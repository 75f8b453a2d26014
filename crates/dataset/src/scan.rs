//! [`scan`]: a look at every image of a source before any of them is trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use aumenta_imgproc::{Decoder, Image, Limits, View};
use rayon::prelude::*;

use crate::error::{DatasetError, EntryFault};
use crate::finding::{Cause, Finding};
use crate::source::{ReadBuffer, Source};

/// What is told of progress: the number of images scanned so far, and of all images. It is called from many threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What a scan learns of a sound image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Width in pixels, as displayed.
    pub width: u32,
    /// Height in pixels, as displayed.
    pub height: u32,
    /// BLAKE3 hash of the encoded image, 64 hexadecimal digits.
    pub hash: String,
}

/// Reads, hashes and fully decodes every entry of `source`, on all cores.
///
/// There is one result for each entry, in their order. A faulty entry is a [`Finding`] and does not stop the scan.
pub fn scan(source: &dyn Source, limits: &Limits, progress: Progress<'_>) -> Vec<Result<Facts, Finding>> {
    let total = source.entries().len();
    let done = AtomicUsize::new(0);
    (0..total)
        .into_par_iter()
        .map_init(Buffers::default, |buffers, index| {
            // The buffers are overwritten by the next image, so it does not matter in what state a panic leaves them.
            let guarded = catch_unwind(AssertUnwindSafe(|| look_at(source, index, limits, buffers)));
            let looked =
                guarded.unwrap_or_else(|_| Err("the decoder panicked, which is a defect; please report it".into()));
            let facts = looked.map_err(|reason| Finding {
                path: source.entries()[index].path.clone(),
                cause: Cause::Faulty { reason },
            });
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            facts
        })
        .collect()
}

/// What one thread reuses from image to image.
#[derive(Default)]
struct Buffers {
    encoded: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
}

fn look_at(source: &dyn Source, index: usize, limits: &Limits, buffers: &mut Buffers) -> Result<Facts, String> {
    let Buffers { encoded, decoder, decoded } = buffers;
    source.read(index, encoded).map_err(|error| match error {
        DatasetError::Entry { fault, .. } => fault.reason(),
        error => error.to_string(),
    })?;
    decoder.decode(encoded.bytes(), limits, &View::FULL, decoded).map_err(|error| EntryFault::from(error).reason())?;
    let hash = blake3::hash(encoded.bytes()).to_hex().to_string();
    Ok(Facts { width: decoded.width() as u32, height: decoded.height() as u32, hash })
}
