//! The photographs as files: what every contender streams.
//!
//! They are drawn, or come from a folder or an archive. A folder holds a folder for each class, and every photograph several
//! times, as links to one file: an epoch is then long, so that few turns hold the end of one, and the system keeps all files in
//! its memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use aumenta_dataset::{LabelRule, Labels, OpenOptions, ReadBuffer, open};
use aumenta_imgproc::{Image, Limits, Size, add_gaussian_noise, decode, probe, resize};
use aumenta_seed::Seed;
use fs_err as fs;
use serde::Serialize;

use super::workload::Photographs;
use super::writer::Writer;
use crate::photograph::{animal, photograph};

/// Images of an epoch, at least.
const EPOCH_IMAGES: usize = 4096;

/// The size of large photographs.
const LARGE: Size = Size { width: 2000, height: 1500 };

/// The noise of a small drawn photograph, in levels: with it a file has the size of a camera's.
const SMALL_NOISE_LEVELS: f64 = 24.0;

/// The noise of a large photograph, in levels: enlarged, it has no fine detail of its own.
const LARGE_NOISE_LEVELS: f64 = 22.0;

/// Where photographs come from.
#[derive(Debug)]
pub enum Origin {
    /// They are drawn.
    Drawn,
    /// They are files of someone's, with the name of what they were found in.
    Found {
        /// The file or folder, without the folders around it.
        name: String,
        /// Class and bytes of each.
        files: Vec<(String, Vec<u8>)>,
    },
}

/// What photographs are, for the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// How many files there are.
    pub files: usize,
    /// How often each stands in the folder.
    pub copies: usize,
    /// The mean size of a file.
    pub mean_bytes: f64,
    /// The mean number of pixels.
    pub mean_pixels: f64,
}

impl Origin {
    /// The first `count` JPEGs of the folder or archive at `path`, as many of each class as there are.
    ///
    /// # Errors
    /// Where it cannot be read, or holds fewer.
    pub fn find(path: &Path, count: usize) -> Result<Self> {
        let source = open(path, &OpenOptions::default())?;
        let labels = Labels::of(source.as_ref(), &LabelRule::default())?;
        let mut by_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, class) in labels.class_of.iter().enumerate() {
            if source.entries()[index].path.to_ascii_lowercase().ends_with(".jpg") {
                by_class.entry(*class).or_default().push(index);
            }
        }
        let deepest = by_class.values().map(Vec::len).max().unwrap_or(0);
        let turns = (0..deepest).flat_map(|turn| by_class.values().filter_map(move |of_class| of_class.get(turn)));
        let chosen: Vec<usize> = turns.copied().take(count).collect();
        ensure!(chosen.len() == count, "{} holds {} JPEGs, not {count}", path.display(), chosen.len());
        let file = |index: usize| {
            let mut buffer = ReadBuffer::default();
            source.read(index, &mut buffer)?;
            Ok((labels.classes[labels.class_of[index] as usize].clone(), buffer.bytes().to_vec()))
        };
        let files = chosen.into_iter().map(file).collect::<Result<_>>()?;
        let name = path.file_name().context("photographs come from a file or folder with a name")?;
        Ok(Self::Found { name: name.to_string_lossy().into_owned(), files })
    }

    /// The name of what they were found in.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Drawn => None,
            Self::Found { name, .. } => Some(name),
        }
    }

    /// How many of the first `count` photographs the smallest class has.
    pub fn smallest_class(&self, count: usize) -> usize {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for index in 0..count {
            *sizes.entry(self.class(index)).or_default() += 1;
        }
        sizes.into_values().min().unwrap_or(0)
    }

    /// The class of photograph `index`.
    pub fn class(&self, index: usize) -> &str {
        match self {
            Self::Drawn => animal(index as u64).name(),
            Self::Found { files, .. } => &files[index].0,
        }
    }

    /// Photograph `index`.
    ///
    /// # Errors
    /// Where it is broken.
    pub fn image(&self, index: usize) -> Result<Image> {
        match self {
            Self::Drawn => Ok(photograph(Seed::new(7), index as u64)),
            Self::Found { files, .. } => Ok(decode(&files[index].1, &Limits::default())?),
        }
    }

    /// Writes photograph `index` to `path`: a found one as it is, all others with noise, of which smooth pictures have none.
    fn write(&self, index: usize, which: Photographs, path: &Path, writer: &mut Writer) -> Result<()> {
        let (mut image, noise_levels) = match (which, self) {
            (Photographs::Small, Self::Found { files, .. }) => return Ok(fs::write(path, &files[index].1)?),
            (Photographs::Small, Self::Drawn) => (self.image(index)?, SMALL_NOISE_LEVELS),
            (Photographs::Large, _) => (resize(&self.image(index)?, LARGE), LARGE_NOISE_LEVELS),
        };
        add_gaussian_noise(&mut image, noise_levels, index as u64);
        writer.jpeg(&image, path)
    }
}

/// Writes `count` photographs of `origin` to `folder`.
///
/// # Errors
/// Where a file cannot be written, or a picture of `origin` is broken.
pub fn write_folder(
    folder: &Path,
    origin: &Origin,
    which: Photographs,
    count: usize,
    writer: &mut Writer,
) -> Result<Facts> {
    let copies = EPOCH_IMAGES.div_ceil(count);
    let (mut bytes, mut pixels) = (0, 0);
    for index in 0..count {
        let class = folder.join(origin.class(index));
        fs::create_dir_all(&class)?;
        let file = class.join(format!("{index:05}.jpg"));
        origin.write(index, which, &file, writer)?;
        for copy in 1..copies {
            fs::hard_link(&file, class.join(format!("{index:05}-{copy}.jpg")))?;
        }
        let written = fs::read(&file)?;
        let size = probe(&written, &Limits::default())?.size;
        bytes += written.len();
        pixels += size.width * size.height;
    }
    let mean = |sum: usize| sum as f64 / count as f64;
    Ok(Facts { files: count, copies, mean_bytes: mean(bytes), mean_pixels: mean(pixels) })
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::encode_jpeg;

    use super::*;

    #[test]
    fn photographs_are_found_in_turns_of_the_classes() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level) in [("cat.0.jpg", 10), ("cat.1.jpg", 20), ("cat.2.jpg", 30), ("dog.0.jpg", 40)] {
            let jpeg = encode_jpeg(&Image::filled(8, 6, [level; 3]), 90).unwrap();
            fs::write(folder.path().join(name), jpeg).unwrap();
        }
        let origin = Origin::find(folder.path(), 4).unwrap();
        let Origin::Found { files, .. } = &origin else { panic!("{origin:?}") };
        let classes: Vec<&str> = files.iter().map(|(class, _)| class.as_str()).collect();
        assert_eq!(classes, ["cat", "dog", "cat", "cat"]);
        assert_eq!((origin.smallest_class(4), Origin::Drawn.smallest_class(5)), (1, 2));
        assert_eq!(origin.image(1).unwrap().pixels()[0], 40);
        let error = Origin::find(folder.path(), 5).unwrap_err().to_string();
        assert!(error.ends_with("holds 4 JPEGs, not 5"), "{error}");
    }

    #[test]
    fn drawn_photographs_are_of_both_animals() {
        assert_eq!([0, 1, 2].map(|index| Origin::Drawn.class(index).to_string()), ["cat", "dog", "cat"]);
        assert_eq!(Origin::Drawn.image(1).unwrap(), photograph(Seed::new(7), 1));
    }
}
