//! [`FaultSet`]: a folder of pictures with planted faults, and what is known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::photographs::Photographs;
use super::pictures::{Facts, Wanted, write_pictures};

/// A folder of pictures with planted faults, and what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSet {
    /// The pictures without a fault.
    pub pictures: Facts,
    /// The fault of the file at a path.
    pub planted: BTreeMap<String, Fault>,
}

/// Something that a contender found, written as the findings of `aumenta inspect` are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The path of the picture below the folder.
    pub path: String,
    /// What was found.
    pub cause: FoundCause,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundCause {
    /// Its name, in the contender's words.
    pub kind: String,
    /// The path of another picture that it is about.
    #[serde(default)]
    pub of: Option<String>,
}

/// What a contender found of what was planted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Named {
    /// How many files of each fault were named as such.
    pub planted: BTreeMap<Fault, usize>,
    /// How many pictures without a fault were named, for anything.
    pub others: usize,
}

impl FaultSet {
    /// Writes the wanted pictures and `each` files with each fault, made from pictures that are there as well.
    ///
    /// # Errors
    /// Where there are too few pictures, a photograph cannot be read, or a file not be written.
    pub fn write(folder: &Path, photographs: &Photographs, wanted: Wanted, each: usize) -> Result<Self> {
        let all: Vec<usize> = (0..photographs.len()).collect();
        let mut paths = Vec::with_capacity(wanted.count);
        let pictures = write_pictures(folder, photographs, &all, wanted, &mut |path| paths.push(path))?;
        let count = Fault::ALL.len() * each;
        ensure!(count <= paths.len(), "{count} faults are to be planted among {} pictures", paths.len());
        let mut planted = BTreeMap::new();
        for (at, path) in paths.iter().step_by(paths.len() / count.max(1)).take(count).enumerate() {
            let (fault, number) = (Fault::ALL[at % Fault::ALL.len()], at / Fault::ALL.len());
            let made = fault.make(&fs::read(folder.join(path))?, number)?;
            let (class, _) = path.split_once('/').unwrap_or_default();
            let path = format!("{class}/{}-{number:04}.jpg", fault.name());
            fs::write(folder.join(&path), made)?;
            planted.insert(path, fault);
        }
        Ok(Self { pictures, planted })
    }

    /// What of the planted was found. A copy is named, too, where its original is said to be a copy of it.
    pub fn judge(&self, found: &[Found]) -> Named {
        let (mut named, mut others) = (BTreeSet::new(), BTreeSet::new());
        for Found { path, cause: FoundCause { kind, of } } in found {
            let about = [Some(path), of.as_ref()].into_iter().flatten();
            let planted = about.filter_map(|path| self.planted.get_key_value(path));
            named.extend(planted.filter(|(_, fault)| fault.is_named_by(kind)));
            let is_about_planted =
                [Some(path), of.as_ref()].into_iter().flatten().any(|path| self.planted.contains_key(path));
            if !is_about_planted {
                others.insert(path);
            }
        }
        let count = |fault: Fault| named.iter().filter(|(_, of)| **of == fault).count();
        Named { planted: Fault::ALL.map(|fault| (fault, count(fault))).into(), others: others.len() }
    }

    /// Moves the files that Pillow reads no picture in to where no contender looks.
    ///
    /// # Errors
    /// Where they cannot be moved.
    pub fn without_unreadable(&self, folder: &Path, aside: &Path) -> Result<()> {
        for (path, _) in self.planted.iter().filter(|(_, fault)| fault.is_unreadable()) {
            let to = aside.join(path);
            fs::create_dir_all(to.parent().unwrap_or(aside))?;
            fs::rename(folder.join(path), to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;

    use super::*;

    fn set(folder: &Path) -> FaultSet {
        let wanted = Wanted { count: 20, side: 32, seed: Seed::new(7) };
        FaultSet::write(folder, &Photographs::open(&[]).unwrap(), wanted, 2).unwrap()
    }

    #[test]
    fn faults_are_planted_beside_the_pictures_that_they_were_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let set = set(folder.path());
        assert_eq!((set.pictures.files, set.planted.len()), (20, 14));
        let files = ["cat", "dog"].map(|class| fs::read_dir(folder.path().join(class)).unwrap().count());
        assert_eq!(files[0] + files[1], 34);
        set.without_unreadable(folder.path(), &folder.path().join("aside")).unwrap();
        let files = ["cat", "dog"].map(|class| fs::read_dir(folder.path().join(class)).unwrap().count());
        assert_eq!(files[0] + files[1], 34 - 8);
    }

    #[test]
    fn a_fault_is_named_by_a_kind_that_fits_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let set = set(folder.path());
        let path_of = |fault: Fault| set.planted.iter().find(|(_, of)| **of == fault).unwrap().0.clone();
        let found = |path: String, kind: &str, of: Option<String>| Found {
            path,
            cause: FoundCause { kind: kind.to_string(), of },
        };
        let named = set.judge(&[
            found(path_of(Fault::Truncated), "truncated", None),
            found(path_of(Fault::Truncated), "damaged", None),
            found(path_of(Fault::Blank), "truncated", None),
            found("cat/000001.jpg".to_string(), "copy", Some(path_of(Fault::Copy))),
            found("cat/000003.jpg".to_string(), "odd-size", None),
            found("cat/000003.jpg".to_string(), "blank", None),
        ]);
        let counts: Vec<usize> = named.planted.values().copied().collect();
        assert_eq!((counts, named.others), (vec![1, 0, 0, 0, 0, 1, 0], 1));
    }
}
