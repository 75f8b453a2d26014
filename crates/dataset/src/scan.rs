//! [`scan`]: a look at every image of a source before any of them is trusted.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use aumenta_imgproc::{ColorMode, DecodeError, Decoder, Format, Image, Limits, Probe, View, picture_end, probe};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::finding::{Cause, Finding};
use crate::flatness::{Flatness, FlatnessScratch};
use crate::near_duplicates::{Gallery, NearDuplicates, NearPair, near_duplicates};
use crate::source::{ReadBuffer, Source};

/// What is told of progress: the number of images scanned so far, and of all images. It is called from many threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// How closely images are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Bytes are read and hashed, and the header is read; no pixel is decoded, so damage behind the header goes unseen, and
    /// of copies only those of the same bytes are known.
    Content,
    /// Every pixel is decoded, so that damage and copies of the same pixels are known.
    Pixels,
    /// Images are compared, too, so that near-duplicates are known.
    #[default]
    Likeness,
}

/// What a scan found.
#[derive(Debug)]
pub struct Scanned {
    /// For each entry of the source, in its order, what it is like or why it cannot be used.
    pub images: Vec<Result<Facts, Finding>>,
    /// Images of the same pixels (each with the first of them) and those that look alike, as far as was looked.
    pub near: NearDuplicates,
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
/// A faulty entry is a [`Finding`] and does not stop the scan. What one thread holds in memory is one image.
///
/// # Errors
/// Where the temporary file cannot be used that keeps what images are compared by.
pub fn scan(source: &dyn Source, limits: &Limits, depth: Depth, progress: Progress<'_>) -> io::Result<Scanned> {
    let all: Vec<usize> = (0..source.entries().len()).collect();
    Ok(scan_entries(source, &all, limits, depth, progress)?.scanned)
}

/// What a scan of some entries found, in the order of these and counted in it.
#[derive(Debug)]
pub(crate) struct ScannedEntries {
    pub(crate) scanned: Scanned,
    /// The BLAKE3 hashes of those that were read, but are no sound images, by their places.
    pub(crate) unsound_hashes: HashMap<usize, String>,
}

/// [`scan`] of some entries of the source.
pub(crate) fn scan_entries(
    source: &dyn Source,
    entries: &[usize],
    limits: &Limits,
    depth: Depth,
    progress: Progress<'_>,
) -> io::Result<ScannedEntries> {
    let gallery = (depth == Depth::Likeness).then(Gallery::new).transpose()?;
    let looked = examine(source, entries, progress, |place, buffers| {
        let facts = if depth == Depth::Content { content(buffers, limits)? } else { full(buffers, limits)? };
        let portrait = gallery.as_ref().map_or(Ok(None), |gallery| gallery.add(place, &buffers.decoded));
        Ok((facts, portrait))
    });
    let mut portraits = Vec::with_capacity(looked.len());
    let mut images = Vec::with_capacity(looked.len());
    let mut unsound_hashes = HashMap::new();
    for (place, result) in looked.into_iter().enumerate() {
        let (image, portrait) = match result {
            Ok((facts, portrait)) => (Ok(facts), portrait?),
            Err(Unsound { finding, hash }) => {
                unsound_hashes.extend(hash.map(|hash| (place, hash)));
                (Err(finding), None)
            }
        };
        images.push(image);
        portraits.push(portrait);
    }
    let same_pixels = same_pixels(&images);
    for pair in &same_pixels {
        portraits[pair.second] = None;
    }
    let mut near = match &gallery {
        Some(gallery) => near_duplicates(gallery, &portraits)?,
        None => NearDuplicates::default(),
    };
    near.pairs.extend(same_pixels);
    near.pairs.sort_by_key(|pair| (pair.first, pair.second));
    Ok(ScannedEntries { scanned: Scanned { images, near }, unsound_hashes })
}

/// Each image whose pixels an earlier one has, with the first of these.
fn same_pixels(images: &[Result<Facts, Finding>]) -> Vec<NearPair> {
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, facts) in images.iter().enumerate() {
        let Some(pixels) = facts.as_ref().ok().and_then(|facts| facts.pixels.as_ref()) else { continue };
        let first = *first_of.entry(&pixels.hash).or_insert(index);
        if first != index {
            pairs.push(NearPair { first, second: index, correlation: 1.0, mirrored: false });
        }
    }
    pairs
}

/// What one thread reuses from image to image.
#[derive(Default)]
struct Buffers {
    encoded: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
    flatness: FlatnessScratch,
}

/// An entry that is no sound image.
struct Unsound {
    finding: Finding,
    /// The hash of its bytes, where it could be read.
    hash: Option<String>,
}

/// Has `look` look at each of the entries with its place among them.
fn examine<T: Send>(
    source: &dyn Source,
    entries: &[usize],
    progress: Progress<'_>,
    look: impl Fn(usize, &mut Buffers) -> Result<T, Box<DecodeError>> + Sync,
) -> Vec<Result<T, Unsound>> {
    let done = AtomicUsize::new(0);
    let look_at = |place: usize, buffers: &mut Buffers| {
        let unreadable = |error| match error {
            DatasetError::Entry { fault, .. } => (Cause::from(&fault), None),
            error => (Cause::Unreadable { reason: error.to_string() }, None),
        };
        source.read(entries[place], &mut buffers.encoded).map_err(unreadable)?;
        look(place, buffers).map_err(|error| (Cause::from(&*error), Some(content_hash(buffers.encoded.bytes()))))
    };
    (0..entries.len())
        .into_par_iter()
        .map_init(Buffers::default, |buffers, place| {
            // The buffers are overwritten by the next image, so it does not matter in what state a panic leaves them.
            let guarded = catch_unwind(AssertUnwindSafe(|| look_at(place, buffers)));
            let looked = guarded.unwrap_or(Err((Cause::Panicked {}, None)));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, entries.len());
            let path = || source.entries()[entries[place]].path.clone();
            looked.map_err(|(cause, hash)| Unsound { finding: Finding { path: path(), cause }, hash })
        })
        .collect()
}

fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// What the bytes and the header tell.
fn content(buffers: &Buffers, limits: &Limits) -> Result<Facts, Box<DecodeError>> {
    let bytes = buffers.encoded.bytes();
    let Probe { format, size, orientation, color, bits, frames } = probe(bytes, limits)?;
    Ok(Facts {
        width: size.width as u32,
        height: size.height as u32,
        hash: content_hash(bytes),
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

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{encode_jpeg, encode_png};
    use zip::CompressionMethod::Stored;

    use super::*;
    use crate::sample;
    use crate::source::{OpenOptions, open};

    fn source(files: &[(&str, Vec<u8>)]) -> Box<dyn Source> {
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "data.zip", &sample::zip(Stored, files));
        open(&path, &OpenOptions::default()).unwrap()
    }

    fn scanned(source: &dyn Source, depth: Depth) -> Scanned {
        scan(source, &Limits::default(), depth, &|_, _| {}).unwrap()
    }

    #[test]
    fn a_scan_of_pixels_knows_them_and_one_of_content_the_header() {
        let files = [("a.png", sample::png(1)), ("b.png", b"\x89PNG\r\n\x1a\n".to_vec()), ("c.png", sample::png(2))];
        let source = source(&files);
        let [pixels, content] = [Depth::Pixels, Depth::Content].map(|depth| scanned(source.as_ref(), depth).images);
        for (pixels, content) in pixels.iter().zip(&content) {
            match (pixels, content) {
                (Ok(pixels), Ok(content)) => {
                    let expected =
                        Facts { hash: pixels.hash.clone(), pixels: pixels.pixels.clone(), ..sample::facts() };
                    assert_eq!(pixels, &expected);
                    assert_eq!(content, &Facts { pixels: None, ..expected });
                }
                (pixels, content) => assert_eq!(pixels, content),
            }
        }
        assert!(matches!(&pixels[1], Err(Finding { path, cause: Cause::Truncated { at: 8, .. } }) if path == "b.png"));
    }

    #[test]
    fn a_scan_of_likeness_pairs_pixels_that_are_the_same_and_pictures_that_look_alike() {
        let scene = |seed, side| sample::scene(seed, side, side);
        let png = |image: &Image| encode_png(image).unwrap();
        let small = sample::png(1);
        let mut packed_anew = small.clone();
        // A chunk that says nothing, behind the header: other bytes, the same pixels.
        packed_anew.splice(33..33, *b"\0\0\0\0zzZz\x8c\x24\x5f\x9e");
        let files = [
            ("a.png", png(&scene(1, 90))),
            ("b.png", small),
            ("c.jpg", encode_jpeg(&scene(1, 70), 60).unwrap()),
            ("d.png", png(&scene(2, 90))),
            ("e.png", packed_anew),
        ];
        let source = source(&files);
        let found = scanned(source.as_ref(), Depth::Likeness);
        assert!(found.images.iter().all(Result::is_ok), "{:?}", found.images);
        let pairs: Vec<(usize, usize)> = found.near.pairs.iter().map(|pair| (pair.first, pair.second)).collect();
        assert_eq!(pairs, [(0, 2), (1, 4)]);
        let of_some = scan_entries(source.as_ref(), &[4, 1], &Limits::default(), Depth::Pixels, &|_, _| {}).unwrap();
        assert_eq!(of_some.scanned.near.pairs, [NearPair { first: 0, second: 1, correlation: 1.0, mirrored: false }]);
    }

    #[test]
    fn what_was_read_has_a_hash_whether_it_is_an_image_or_not() {
        let text = b"no image".to_vec();
        let source = source(&[("a.png", text.clone()), ("b.png", sample::png(2))]);
        let seen = scan_entries(source.as_ref(), &[1, 0], &Limits::default(), Depth::Pixels, &|_, _| {}).unwrap();
        assert_eq!(seen.unsound_hashes, HashMap::from([(1, content_hash(&text))]));
    }

    #[test]
    fn a_panic_is_a_finding_and_does_not_stop_the_scan() {
        let source = source(&[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        let look = |place: usize, _: &mut Buffers| {
            assert!(place > 0, "a defect");
            Ok(())
        };
        let seen = examine(source.as_ref(), &[0, 1], &|_, _| {}, look);
        let expected = Finding { path: "a.png".to_owned(), cause: Cause::Panicked {} };
        assert!(matches!(&seen[0], Err(Unsound { finding, hash: None }) if *finding == expected));
        assert!(seen[1].is_ok());
    }

    #[test]
    fn pixels_have_the_same_hash_only_in_the_same_shape() {
        let hash = |width, height| pixel_hash(&Image::filled(width, height, [1, 2, 3]));
        assert_eq!(hash(4, 3), hash(4, 3));
        assert_ne!(hash(4, 3), hash(3, 4));
    }
}
