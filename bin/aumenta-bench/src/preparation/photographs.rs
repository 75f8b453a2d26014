//! [`Photographs`]: someone's photographs, of which pictures are made.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aumenta_dataset::{LabelRule, Labels, OpenOptions, ReadBuffer, Source, open};
use aumenta_imgproc::{Image, Limits, Size, decode, probe};
use rayon::prelude::*;

/// The photographs of some folders or archives, in their order.
#[derive(Debug)]
pub struct Photographs {
    archives: Vec<Archive>,
    photographs: Vec<Photograph>,
}

/// A folder or archive.
#[derive(Debug)]
struct Archive {
    name: String,
    source: Box<dyn Source>,
    labels: Labels,
}

/// Where a photograph is, and how large.
#[derive(Debug)]
struct Photograph {
    archive: usize,
    entry: usize,
    size: Size,
}

impl Photographs {
    /// All JPEGs of the folders or archives at `paths`.
    ///
    /// # Errors
    /// Where one cannot be read, or does not tell classes.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let archives = paths.iter().map(|path| Archive::open(path)).collect::<Result<Vec<_>>>()?;
        let mut photographs = Vec::new();
        for (archive, Archive { source, .. }) in archives.iter().enumerate() {
            let sizes = (0..source.entries().len()).into_par_iter().map_init(ReadBuffer::default, |buffer, entry| {
                source.read(entry, buffer)?;
                Ok(probe(buffer.bytes(), &Limits::default()).ok().map(|probe| probe.size))
            });
            let sizes = sizes.collect::<Result<Vec<_>>>()?;
            photographs.extend(
                sizes
                    .into_iter()
                    .enumerate()
                    .filter_map(|(entry, size)| Some(Photograph { archive, entry, size: size? })),
            );
        }
        Ok(Self { archives, photographs })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.photographs.len()
    }

    /// The names of what they were found in.
    pub fn names(&self) -> Vec<String> {
        self.archives.iter().map(|archive| archive.name.clone()).collect()
    }

    /// The path of photograph `index`: the number of its archive, from 1, and its path in there.
    pub fn path(&self, index: usize) -> String {
        let Photograph { archive, entry, .. } = self.photographs[index];
        format!("{}/{}", archive + 1, self.archives[archive].source.entries()[entry].path)
    }

    /// The size of photograph `index`.
    pub fn size(&self, index: usize) -> Size {
        self.photographs[index].size
    }

    /// The class of photograph `index`.
    pub fn class(&self, index: usize) -> &str {
        let Photograph { archive, entry, .. } = self.photographs[index];
        let labels = &self.archives[archive].labels;
        &labels.classes[labels.class_of[entry] as usize]
    }

    /// The file of photograph `index`.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn file(&self, index: usize) -> Result<Vec<u8>> {
        let Photograph { archive, entry, .. } = self.photographs[index];
        let mut buffer = ReadBuffer::default();
        self.archives[archive].source.read(entry, &mut buffer)?;
        Ok(buffer.bytes().to_vec())
    }

    /// The pixels of photograph `index`.
    ///
    /// # Errors
    /// Where it cannot be read or decoded.
    pub fn image(&self, index: usize) -> Result<Image> {
        Ok(decode(&self.file(index)?, &Limits::default())?)
    }
}

impl Archive {
    fn open(path: &Path) -> Result<Self> {
        let source = open(path, &OpenOptions::default())?;
        let labels = Labels::of(source.as_ref(), &LabelRule::default())?;
        let name = path.file_name().context("photographs come from a file or folder with a name")?;
        Ok(Self { name: name.to_string_lossy().into_owned(), source, labels })
    }
}

#[cfg(test)]
mod tests {
    use aumenta_dataset::write_zip;
    use aumenta_imgproc::encode_jpeg;

    use super::*;

    #[test]
    fn the_photographs_of_all_archives_stand_in_one_list() {
        let folder = tempfile::tempdir().unwrap();
        let jpeg = |level, side| encode_jpeg(&Image::filled(side, 6, [level; 3]), 90).unwrap();
        let [one, other] = ["one.zip", "other.zip"].map(|name| folder.path().join(name));
        write_zip(&one, [("cat.0.jpg".to_string(), jpeg(10, 8)), ("dog.0.jpg".to_string(), jpeg(20, 9))]).unwrap();
        write_zip(&other, [("cat.0.jpg".to_string(), jpeg(30, 10)), ("dog.0.jpg".to_string(), vec![1])]).unwrap();
        let photographs = Photographs::open(&[one, other]).unwrap();
        let widths: Vec<usize> = (0..photographs.len()).map(|index| photographs.size(index).width).collect();
        assert_eq!((widths, photographs.class(1), photographs.class(2)), (vec![8, 9, 10], "dog", "cat"));
        assert_eq!(photographs.image(2).unwrap().pixels()[0], 30);
        assert_eq!(photographs.path(2), "2/cat.0.jpg");
        assert_eq!(photographs.names(), ["one.zip", "other.zip"]);
    }
}
