//! Pictures as files: as many different ones as are asked for, cut from photographs or drawn.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use anyhow::Result;
use aumenta_drawn::draw;
use aumenta_imgproc::{Image, Size, encode_jpeg, resize};
use aumenta_seed::Seed;
use fs_err as fs;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use serde::Serialize;

use super::photographs::Photographs;
use super::tile::{tile_side, tiles};
use crate::photograph::animal;

/// The quality of the JPEGs.
const QUALITY: u8 = 80;

/// Photographs, or drawn pictures, that are made at a time.
const CHUNK: usize = 256;

/// What pictures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many.
    pub count: usize,
    /// Their width and height.
    pub side: usize,
    /// The seed of the order of photographs and of what is drawn.
    pub seed: Seed,
}

/// What pictures there are, for the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// How many.
    pub files: usize,
    /// Their width and height.
    pub side: usize,
    /// The mean size of a file.
    pub mean_bytes: f64,
    /// How many were drawn, as photographs did not give as many.
    pub drawn: usize,
}

/// Writes pictures of which no two are the same into a folder for each class below `folder`, and calls `wrote` with the path of
/// each below it. They are tiles of the photographs `of`, and where these are too few, drawn ones.
///
/// # Errors
/// Where a photograph cannot be read, or a file not be written.
pub fn write_pictures(
    folder: &Path,
    photographs: &Photographs,
    of: &[usize],
    wanted: Wanted,
    wrote: &mut dyn FnMut(String),
) -> Result<Facts> {
    let mut writing = Writing { folder, wanted, seen: HashSet::new(), bytes: 0, wrote };
    let sizes: Vec<Size> = of.iter().map(|&index| photographs.size(index)).collect();
    // Some tiles show nothing, and some nothing new.
    let tile = tile_side(&sizes, wanted.count + wanted.count / 5);
    let mut order = of.to_vec();
    order.shuffle(&mut wanted.seed.rng("pictures", 0, 0));
    for some in order.chunks(CHUNK).filter(|_| tile.is_some()) {
        let cut = some.par_iter().map(|&index| {
            let image = photographs.image(index)?;
            tiles(&image, tile.unwrap_or_default()).map(|tile| encode(&tile, wanted.side)).collect::<Result<Vec<_>>>()
        });
        for (index, files) in some.iter().zip(cut.collect::<Result<Vec<_>>>()?) {
            writing.write_all(photographs.class(*index), files)?;
        }
    }
    let cut = writing.seen.len();
    for first in (0..wanted.count as u64).step_by(CHUNK) {
        if writing.is_done() {
            break;
        }
        let picture = |index: u64| encode(&draw(animal(index), wanted.seed, index, wanted.side), wanted.side);
        let drawn = (first..first + CHUNK as u64).into_par_iter().map(picture).collect::<Result<Vec<_>>>()?;
        for (index, file) in (first..).zip(drawn) {
            writing.write_all(animal(index).name(), vec![file])?;
        }
    }
    let files = writing.seen.len();
    let mean_bytes = writing.bytes as f64 / files as f64;
    Ok(Facts { files, side: wanted.side, mean_bytes, drawn: files - cut })
}

fn encode(image: &Image, side: usize) -> Result<Vec<u8>> {
    let size = Size::square(side);
    let image = if image.size() == size { image.clone() } else { resize(image, size) };
    Ok(encode_jpeg(&image, QUALITY)?)
}

/// Pictures on their way to a folder.
struct Writing<'a> {
    folder: &'a Path,
    wanted: Wanted,
    seen: HashSet<u64>,
    bytes: usize,
    wrote: &'a mut dyn FnMut(String),
}

impl Writing<'_> {
    fn is_done(&self) -> bool {
        self.seen.len() == self.wanted.count
    }

    /// Writes those of `files` that are new, until there are enough.
    fn write_all(&mut self, class: &str, files: Vec<Vec<u8>>) -> Result<()> {
        fs::create_dir_all(self.folder.join(class))?;
        for file in files {
            let mut hasher = DefaultHasher::new();
            file.hash(&mut hasher);
            if !self.is_done() && self.seen.insert(hasher.finish()) {
                let path = format!("{class}/{:06}.jpg", self.seen.len());
                fs::write(self.folder.join(&path), &file)?;
                self.bytes += file.len();
                (self.wrote)(path);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aumenta_dataset::write_zip;

    use super::*;

    fn write(photographs: &Photographs, count: usize) -> (Facts, Vec<String>, Vec<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted { count, side: 40, seed: Seed::new(7) };
        let mut paths = Vec::new();
        let all: Vec<usize> = (0..photographs.len()).collect();
        let facts = write_pictures(folder.path(), photographs, &all, wanted, &mut |path| paths.push(path)).unwrap();
        let files = paths.iter().map(|path| fs::read(folder.path().join(path)).unwrap()).collect();
        (facts, paths, files)
    }

    #[test]
    fn pictures_are_drawn_where_there_are_no_photographs() {
        let (facts, paths, files) = write(&Photographs::open(&[]).unwrap(), 5);
        assert_eq!((facts.files, facts.drawn), (5, 5));
        assert_eq!(paths[..2], ["cat/000001.jpg", "dog/000002.jpg"]);
        assert_eq!(files.iter().collect::<HashSet<_>>().len(), 5);
    }

    #[test]
    fn pictures_are_cut_from_photographs_and_the_rest_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("pets.zip");
        let file = encode_jpeg(&draw(animal(0), Seed::new(1), 0, 200), 90).unwrap();
        write_zip(&zip, [("cat.0.jpg".to_string(), file.clone()), ("dog.0.jpg".to_string(), file)]).unwrap();
        // The second photograph is the first once more, so its tiles are nothing new.
        let photographs = Photographs::open(&[zip]).unwrap();
        let (facts, _, files) = write(&photographs, 12);
        assert!((3..12).contains(&facts.drawn), "{facts:?}");
        assert_eq!(files.iter().collect::<HashSet<_>>().len(), 12);
        assert_eq!(write(&photographs, 12).2, files);
    }
}
