//! [`near_duplicates`]: images that show the same, though their files and pixels differ.
//!
//! During a scan a [`Gallery`] takes a [`Miniature`] and a [`Fingerprint`] of every image. Then, for each image, a
//! [`HammingIndex`] finds those whose hashes are like one of its queries; of these few the details are laid over each
//! other, which decides.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use aumenta_imgproc::{Fingerprint, Image, Likeness, Miniature, Part, Query, Relief};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::hamming::HammingIndex;
use crate::positional::{read_at, write_at};

/// The correlation of details from which on two images are near-duplicates.
///
/// On photographs, copies that were re-encoded at quality 50, resized to 60 %, brightened by 20 % or mirrored reach 0.95 and
/// more, crops of 90 % and turns by 5 degrees 0.8 and more; pairs of different photographs stay below 0.6.
pub const NEAR_CORRELATION: f32 = 0.75;

/// Images with fewer pixels on a side have too few details to be told apart by.
pub const NEAR_SIDE: usize = Miniature::SIDE;

/// The images that one image is compared with at most: those whose hashes are nearest.
const MOST_CANDIDATES: usize = 64;

/// What is kept of the images of a scan to find near-duplicates: hashes in memory, and miniatures of 2,304 bytes each in a
/// temporary file without a name.
#[derive(Debug)]
pub struct Gallery {
    miniatures: File,
}

/// What a [`Gallery`] says of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portrait {
    fingerprint: Fingerprint,
    aspect: f32,
}

/// Two images that show the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NearPair {
    /// The index of the one.
    pub first: usize,
    /// The index of the other, which is larger.
    pub second: usize,
    /// How like their details are, from [`NEAR_CORRELATION`] to 1.
    pub correlation: f32,
    /// Whether one is the mirror image of the other.
    pub mirrored: bool,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NearDuplicates {
    /// All pairs, by their indices.
    pub pairs: Vec<NearPair>,
    /// How many images had hashes like those of more images than they were compared with: pairs may be missing.
    pub crowded: usize,
}

impl Gallery {
    /// An empty gallery.
    ///
    /// # Errors
    /// Where no temporary file can be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { miniatures: tempfile::tempfile()? })
    }

    /// Takes image `index` in; any number of threads do so at once. `None` where it is too small or too flat to be
    /// recognized: below [`NEAR_SIDE`] pixels on a side, or without details.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn add(&self, index: usize, image: &Image) -> io::Result<Option<Portrait>> {
        if image.width().min(image.height()) < NEAR_SIDE {
            return Ok(None);
        }
        let miniature = Miniature::of(image);
        if Relief::of(&miniature).is_flat() {
            return Ok(None);
        }
        write_at(&self.miniatures, position(index), miniature.pixels())?;
        Ok(Some(Portrait { fingerprint: Fingerprint::of(&miniature), aspect: miniature.aspect() }))
    }

    fn relief(&self, index: usize, portrait: &Portrait) -> io::Result<Relief> {
        let mut pixels = [0; Miniature::BYTES];
        read_at(&self.miniatures, position(index), &mut pixels)?;
        Ok(Relief::of(&Miniature::from_pixels(pixels, portrait.aspect)))
    }
}

fn position(index: usize) -> u64 {
    index as u64 * Miniature::BYTES as u64
}

/// Finds the near-duplicates among the images of `gallery`, of which image `index` has `portraits[index]`; an image
/// without a portrait is not looked at, and copies of one content should have none but for the first.
///
/// A near-duplicate is the same picture re-encoded, resized, with other brightness or contrast, mirrored, cropped by up
/// to about a tenth of its sides or turned by up to about 5 degrees, or several of these at once.
///
/// # Errors
/// Where the gallery's temporary file cannot be read.
pub fn near_duplicates(gallery: &Gallery, portraits: &[Option<Portrait>]) -> io::Result<NearDuplicates> {
    let indices = Indices::of(portraits);
    let crowded = AtomicUsize::new(0);
    let found: Vec<Vec<NearPair>> = portraits
        .par_iter()
        .enumerate()
        .map(|(index, portrait)| {
            let Some(portrait) = portrait else { return Ok(Vec::new()) };
            let (candidates, is_crowded) = indices.candidates(index, &portrait.fingerprint);
            crowded.fetch_add(usize::from(is_crowded), Ordering::Relaxed);
            compare(gallery, portraits, index, &candidates)
        })
        .collect::<io::Result<_>>()?;
    // A pair may have been found from both sides.
    let mut best: BTreeMap<(usize, usize), NearPair> = BTreeMap::new();
    for pair in found.into_iter().flatten() {
        let known = best.entry((pair.first, pair.second)).or_insert(pair);
        if pair.correlation > known.correlation {
            *known = pair;
        }
    }
    Ok(NearDuplicates { pairs: best.into_values().collect(), crowded: crowded.into_inner() })
}

/// The hashes that images are found by.
struct Indices {
    whole: HammingIndex,
    center: HammingIndex,
}

impl Indices {
    fn of(portraits: &[Option<Portrait>]) -> Self {
        let index = |part| {
            let hashes: Vec<(u32, u64)> = (0..)
                .zip(portraits)
                .filter_map(|(index, portrait)| Some((index, portrait.as_ref()?.fingerprint.part(part))))
                .collect();
            HammingIndex::new(&hashes)
        };
        Self { whole: index(Part::Whole), center: index(Part::Center) }
    }

    /// The images that may be like image `index`, each with the query that is nearest to it, and whether there were more
    /// than are compared.
    fn candidates(&self, index: usize, fingerprint: &Fingerprint) -> (Vec<(usize, Query)>, bool) {
        let mut candidates: BTreeMap<u32, (u32, Query)> = BTreeMap::new();
        for query in fingerprint.queries() {
            let hashes = match query.part {
                Part::Whole => &self.whole,
                Part::Center => &self.center,
            };
            hashes.search(query.hash, |id, distance| {
                let known = candidates.entry(id).or_insert((distance, query));
                if distance < known.0 {
                    *known = (distance, query);
                }
            });
        }
        candidates.remove(&(index as u32));
        let mut nearest: Vec<(u32, u32, Query)> =
            candidates.into_iter().map(|(id, (distance, query))| (distance, id, query)).collect();
        nearest.sort_by_key(|&(distance, id, _)| (distance, id));
        let is_crowded = nearest.len() > MOST_CANDIDATES;
        nearest.truncate(MOST_CANDIDATES);
        (nearest.into_iter().map(|(_, id, query)| (id as usize, query)).collect(), is_crowded)
    }
}

fn compare(
    gallery: &Gallery,
    portraits: &[Option<Portrait>],
    index: usize,
    candidates: &[(usize, Query)],
) -> io::Result<Vec<NearPair>> {
    let mut pairs = Vec::new();
    let mut own = None;
    for (other, query) in candidates {
        let (Some(portrait), Some(other_portrait)) = (&portraits[index], &portraits[*other]) else { continue };
        let own = match &own {
            Some(relief) => relief,
            None => &*own.insert(gallery.relief(index, portrait)?),
        };
        let likeness = gallery.relief(*other, other_portrait)?.align(own, &query.start);
        pairs.extend(likeness.filter(is_near).map(|likeness| NearPair {
            first: index.min(*other),
            second: index.max(*other),
            correlation: likeness.correlation,
            mirrored: likeness.is_mirrored(),
        }));
    }
    Ok(pairs)
}

fn is_near(likeness: &Likeness) -> bool {
    likeness.correlation >= NEAR_CORRELATION && likeness.motion.is_slight()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn portraits(gallery: &Gallery, images: &[Image]) -> Vec<Option<Portrait>> {
        images.iter().enumerate().map(|(index, image)| gallery.add(index, image).unwrap()).collect()
    }

    fn pairs(images: &[Image]) -> Vec<NearPair> {
        let gallery = Gallery::new().unwrap();
        let portraits = portraits(&gallery, images);
        near_duplicates(&gallery, &portraits).unwrap().pairs
    }

    fn mirrored(image: &Image) -> Image {
        let rows = image.pixels().chunks_exact(image.width() * 3);
        let pixels = rows.flat_map(|row| row.as_chunks::<3>().0.iter().rev().copied().flatten());
        Image::from_pixels(image.width(), image.height(), pixels.collect())
    }

    #[test]
    fn changed_copies_are_found_among_strangers() {
        let mut images: Vec<Image> = (0..40).map(|seed| sample::scene(seed, 160, 120)).collect();
        images.push(sample::scene(3, 96, 72));
        images.push(mirrored(&images[5]));
        let found = pairs(&images);
        let expected = [(3, 40, false), (5, 41, true)];
        assert_eq!(found.iter().map(|pair| (pair.first, pair.second, pair.mirrored)).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|pair| pair.correlation > 0.9), "{found:?}");
    }

    #[test]
    fn small_and_flat_images_have_no_portrait() {
        let images = [sample::scene(1, 47, 100), Image::filled(100, 100, [9; 3]), sample::scene(1, 48, 48)];
        let gallery = Gallery::new().unwrap();
        let known: Vec<bool> = portraits(&gallery, &images).iter().map(Option::is_some).collect();
        assert_eq!(known, [false, false, true]);
    }

    #[test]
    fn an_image_like_very_many_is_compared_with_the_nearest() {
        let images: Vec<Image> = (0..MOST_CANDIDATES + 5).map(|_| sample::scene(2, 60, 60)).collect();
        let gallery = Gallery::new().unwrap();
        let found = near_duplicates(&gallery, &portraits(&gallery, &images)).unwrap();
        assert_eq!(found.crowded, images.len());
        // The nearest of copies are those that stand first: they hold all together.
        assert!((1..images.len()).all(|index| found.pairs.iter().any(|pair| (pair.first, pair.second) == (0, index))));
    }
}
