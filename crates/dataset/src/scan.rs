//! [`scan`] and [`scan_with`]: a look at every image of a source before any of them is trusted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use aumenta_imgproc::{ColorMode, DecodeError, Decoder, Format, Image, Limits, Probe, View, picture_end, probe};
use rayon::prelude::*;

use crate::error::DatasetError;
use crate::finding::{Cause, Finding};
use crate::flatness::{Flatness, FlatnessScratch};
use crate::source::{ReadBuffer, Source};

/// What is told of progress: the number of images scanned so far, and of all images. It is called from many threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// How closely a scan looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Bytes are read and hashed, and the header is read; no pixel is decoded, so damage behind the header goes unseen.
    Content,
    /// Every pixel is decoded.
    #[default]
    Full,
}

/// What a scan learns of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Width in pixels, as displayed.
    pub width: u32,
    /// Height in pixels, as displayed.
    pub height: u32,
    /// BLAKE3 hash of the encoded image, 64 hexadecimal digits.
    pub hash: String,
    /// The format that it has, whatever its extension.
    pub format: Format,
    /// How its colors are stored.
    pub color: ColorMode,
    /// Bits of a channel, as stored.
    pub bits: u8,
    /// How it is stored, 1 to 8 as in EXIF; 1 is upright.
    pub orientation: u8,
    /// Pictures of an animation, of which the first is used; 1 for a still picture.
    pub frames: u32,
    /// What its pixels tell; nothing at [`Depth::Content`].
    pub pixels: Option<PixelFacts>,
}

/// What a scan learns of the pixels of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelFacts {
    /// BLAKE3 hash of the size and of all pixels as decoded, 64 hexadecimal digits: copies that were packed anew without
    /// loss have the same.
    pub hash: String,
    /// How much of it is of one color.
    pub flatness: Flatness,
    /// Where something follows the picture in its file, and how many bytes.
    pub trailing: Option<(u64, u64)>,
}

/// Looks at every entry of `source`, on all cores.
///
/// There is one result for each entry, in their order. A faulty entry is a [`Finding`] and does not stop the scan. What
/// one thread holds in memory is one image.
pub fn scan(source: &dyn Source, limits: &Limits, depth: Depth, progress: Progress<'_>) -> Vec<Result<Facts, Finding>> {
    examine(source, progress, |_, buffers| match depth {
        Depth::Content => content(buffers, limits),
        Depth::Full => full(buffers, limits),
    })
}

/// [`scan`] at [`Depth::Full`] that shows each decoded image to `look`, with the index of its entry, and keeps what that
/// makes of it: a perceptual hash, a thumbnail. `look` is called from many threads.
pub fn scan_with<T: Send>(
    source: &dyn Source,
    limits: &Limits,
    progress: Progress<'_>,
    look: impl Fn(usize, &Image) -> T + Sync,
) -> Vec<Result<(Facts, T), Finding>> {
    examine(source, progress, |index, buffers| {
        let facts = full(buffers, limits)?;
        Ok((facts, look(index, &buffers.decoded)))
    })
}

/// What one thread reuses from image to image.
#[derive(Default)]
struct Buffers {
    encoded: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
    flatness: FlatnessScratch,
}

fn examine<T: Send>(
    source: &dyn Source,
    progress: Progress<'_>,
    look: impl Fn(usize, &mut Buffers) -> Result<T, Box<DecodeError>> + Sync,
) -> Vec<Result<T, Finding>> {
    let total = source.entries().len();
    let done = AtomicUsize::new(0);
    let look_at = |index: usize, buffers: &mut Buffers| {
        source.read(index, &mut buffers.encoded).map_err(|error| match error {
            DatasetError::Entry { fault, .. } => Cause::from(&fault),
            error => Cause::Unreadable { reason: error.to_string() },
        })?;
        look(index, buffers).map_err(|error| Cause::from(&*error))
    };
    (0..total)
        .into_par_iter()
        .map_init(Buffers::default, |buffers, index| {
            // The buffers are overwritten by the next image, so it does not matter in what state a panic leaves them.
            let guarded = catch_unwind(AssertUnwindSafe(|| look_at(index, buffers)));
            let looked = guarded.unwrap_or(Err(Cause::Panicked {}));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            looked.map_err(|cause| Finding { path: source.entries()[index].path.clone(), cause })
        })
        .collect()
}

/// What the bytes and the header tell.
fn content(buffers: &Buffers, limits: &Limits) -> Result<Facts, Box<DecodeError>> {
    let bytes = buffers.encoded.bytes();
    let Probe { format, size, orientation, color, bits, frames } = probe(bytes, limits)?;
    Ok(Facts {
        width: size.width as u32,
        height: size.height as u32,
        hash: blake3::hash(bytes).to_hex().to_string(),
        format,
        color,
        bits,
        orientation,
        frames,
        pixels: None,
    })
}

/// What the bytes, the header and the pixels tell.
fn full(buffers: &mut Buffers, limits: &Limits) -> Result<Facts, Box<DecodeError>> {
    let facts = content(buffers, limits)?;
    let Buffers { encoded, decoder, decoded, flatness } = buffers;
    let bytes = encoded.bytes();
    decoder.decode(bytes, limits, &View::FULL, decoded)?;
    let end = picture_end(bytes, facts.format).filter(|&end| end < bytes.len());
    let pixels = PixelFacts {
        hash: pixel_hash(decoded),
        flatness: flatness.measure(decoded),
        trailing: end.map(|end| (end as u64, (bytes.len() - end) as u64)),
    };
    Ok(Facts { pixels: Some(pixels), ..facts })
}

fn pixel_hash(image: &Image) -> String {
    let mut hasher = blake3::Hasher::new();
    for side in [image.width(), image.height()] {
        hasher.update(&(side as u32).to_le_bytes());
    }
    hasher.update(image.pixels()).finalize().to_hex().to_string()
}
