//! [`NearSet`]: a folder with near-duplicates that were planted among other pictures, and what is known of them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, ensure};
use aumenta_seed::Seed;
use fs_err as fs;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use super::photographs::Photographs;
use super::pictures::{Wanted, write_pictures};
use super::variant::Variant;

/// The width and height of pictures that are added to the photographs.
const SIDE: usize = 200;

/// A folder with near-duplicates that were planted among other pictures, and what is known of them.
#[derive(Clone, Debug, Default)]
pub struct NearSet {
    /// How many pictures there are.
    pub files: usize,
    /// How many photographs have variants.
    pub originals: usize,
    /// How many photographs there are, those with variants among them.
    pub photographs: usize,
    /// What the picture at a path is of a photograph with variants: the number of that and the variant, `None` for itself.
    pub origin: HashMap<String, (usize, Option<Variant>)>,
}

impl NearSet {
    /// Writes all photographs, of each of `originals` of them every variant, and tiles of the others until there are `files`
    /// pictures.
    ///
    /// # Errors
    /// Where a photograph cannot be read, or a file not be written.
    pub fn write(folder: &Path, photographs: &Photographs, originals: usize, files: usize, seed: Seed) -> Result<Self> {
        let mut set = Self { originals, photographs: photographs.len(), ..Self::default() };
        let mut order: Vec<usize> = (0..photographs.len()).collect();
        order.shuffle(&mut seed.rng("originals", 0, 0));
        ensure!(order.len() >= originals, "there are {} photographs, not {originals}", order.len());
        for (number, &index) in order.iter().enumerate() {
            let path = format!("photographs/{}", photographs.path(index));
            write_file(&folder.join(&path), &photographs.file(index)?)?;
            if number < originals {
                set.origin.insert(path, (number, None));
            }
        }
        set.write_variants(folder, photographs, &order[..originals], seed)?;
        set.files = photographs.len() + originals * Variant::ALL.len();
        if files > set.files {
            let wanted = Wanted { count: files - set.files, side: SIDE, seed };
            set.files +=
                write_pictures(&folder.join("tiles"), photographs, &order[originals..], wanted, &mut |_| {})?.files;
        }
        Ok(set)
    }

    fn write_variants(
        &mut self,
        folder: &Path,
        photographs: &Photographs,
        originals: &[usize],
        seed: Seed,
    ) -> Result<()> {
        let made = originals.par_iter().enumerate().map(|(number, &index)| {
            let image = photographs.image(index)?;
            let write = |variant: Variant| {
                let path = format!("{}/{number:04}.jpg", variant.name());
                let file = variant.make(&image, &mut seed.rng(variant.name(), 0, number as u64))?;
                write_file(&folder.join(&path), &file)?;
                Ok((path, (number, Some(variant))))
            };
            Variant::ALL.into_iter().map(write).collect::<Result<Vec<_>>>()
        });
        self.origin.extend(made.collect::<Result<Vec<_>>>()?.into_iter().flatten());
        Ok(())
    }
}

/// Writes a file, and before it the folders that it lies in.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
    Ok(fs::write(path, bytes)?)
}

#[cfg(test)]
mod tests {
    use aumenta_dataset::write_zip;
    use aumenta_drawn::draw;
    use aumenta_imgproc::encode_jpeg;

    use super::*;
    use crate::photograph::animal;

    #[test]
    fn a_set_has_photographs_variants_of_some_and_other_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("pets.zip");
        let file = |index: u64| encode_jpeg(&draw(animal(index), Seed::new(1), index, 100), 90).unwrap();
        write_zip(&zip, (0..4).map(|index| (format!("{}.{index}.jpg", animal(index).name()), file(index)))).unwrap();
        let photographs = Photographs::open(&[zip]).unwrap();
        let out = folder.path().join("set");
        let set = NearSet::write(&out, &photographs, 2, 21, Seed::new(7)).unwrap();
        assert_eq!((set.files, set.origin.len()), (21, 2 * 8));
        assert_eq!(set.origin["mixed/0001.jpg"], (1, Some(Variant::Mixed)));
        let count = |name: &str| fs::read_dir(out.join(name)).unwrap().count();
        assert_eq!((count("photographs/1"), count("turned")), (4, 2));
        let error = NearSet::write(&out, &photographs, 5, 21, Seed::new(7)).unwrap_err().to_string();
        assert_eq!(error, "there are 4 photographs, not 5");
    }
}
