//! Training splits made smaller or noisier on purpose: [`Manifest::with_train_images`] and [`Manifest::with_label_noise`].
//!
//! Validation and test stay as they are, so that what is trained on altered splits is measured on the same images.

use aumenta_seed::Seed;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::amounts::largest_remainders;
use crate::error::DatasetError;
use crate::manifest::Manifest;
use crate::natural::natural_key;
use crate::record::Record;

/// A training image that was given another class on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FlippedLabel {
    /// Its path within the source.
    pub path: String,
    /// The index of its true class.
    pub from: u32,
    /// The index of the class that it was given.
    pub to: u32,
}

impl Manifest {
    /// The same with only `images` images for training, of each class its share of them.
    ///
    /// Images are chosen by numbers from the generator `("train-images", 0, id)`: of the same seed, those of a smaller split
    /// are all in a larger one.
    ///
    /// # Errors
    /// [`DatasetError::TrainImages`] where there are not as many, or a class would have none.
    pub fn with_train_images(&self, images: usize, seed: Seed) -> Result<Self, DatasetError> {
        let counts: Vec<f64> = self.class_indices().map(|class| self.count_train(class) as f64).collect();
        let shares = largest_remainders(images, &counts);
        let classes = counts.iter().filter(|count| **count > 0.0).count();
        let starved = counts.iter().zip(&shares).any(|(count, share)| *count > 0.0 && *share == 0);
        if images > self.train.len() || starved {
            return Err(DatasetError::TrainImages { wanted: images, available: self.train.len(), classes });
        }
        let mut chosen: Vec<Record> = Vec::with_capacity(images);
        for (class, share) in self.class_indices().zip(shares) {
            let mut of_class: Vec<&Record> = self.train.iter().filter(|record| record.class == class).collect();
            of_class.sort_by_key(|record| number(seed, "train-images", record.id));
            chosen.extend(of_class.into_iter().take(share).cloned());
        }
        let unused = self.unused + self.train.len() - chosen.len();
        Ok(Self { train: chosen, unused, ..self.clone() }.in_order())
    }

    /// The same with a share of the training images given another class, any other being as likely; and which these are.
    ///
    /// They are `share` of all training images, rounded, chosen by numbers from the generator `("label-noise", 0, id)`: of
    /// the same seed, those of a smaller share are all in a larger one, and get the same class.
    ///
    /// # Errors
    /// [`DatasetError::LabelNoise`] where the share does not lie within 0 and 1.
    pub fn with_label_noise(&self, share: f64, seed: Seed) -> Result<(Self, Vec<FlippedLabel>), DatasetError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(DatasetError::LabelNoise { share });
        }
        let mut by_number: Vec<&Record> = self.train.iter().collect();
        by_number.sort_by_key(|record| number(seed, "label-noise", record.id));
        by_number.truncate((share * self.train.len() as f64).round() as usize);
        let mut noisy = self.clone();
        let mut flipped: Vec<FlippedLabel> = Vec::with_capacity(by_number.len());
        for record in by_number {
            let step = seed.rng("noisy-label", 0, record.id.into()).random_range(1..self.classes.len() as u32);
            let to = (record.class + step) % self.classes.len() as u32;
            noisy.train[record.id as usize].class = to;
            flipped.push(FlippedLabel { path: record.path.clone(), from: record.class, to });
        }
        flipped.sort_by(|a, b| (a.from, natural_key(&a.path)).cmp(&(b.from, natural_key(&b.path))));
        Ok((noisy.in_order(), flipped))
    }

    fn class_indices(&self) -> std::ops::Range<u32> {
        0..self.classes.len() as u32
    }

    fn count_train(&self, class: u32) -> usize {
        self.train.iter().filter(|record| record.class == class).count()
    }

    /// The training split in its order, and all records numbered anew.
    fn in_order(mut self) -> Self {
        self.train.sort_by(|a, b| (a.class, natural_key(&a.path)).cmp(&(b.class, natural_key(&b.path))));
        let records = self.train.iter_mut().chain(&mut self.val).chain(&mut self.test);
        for (id, record) in records.enumerate() {
            record.id = id as u32;
        }
        self
    }
}

/// The number by which an image is chosen; the id tells equal ones apart.
fn number(seed: Seed, purpose: &str, id: u32) -> (u64, u32) {
    (seed.rng(purpose, 0, id.into()).random(), id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::amounts::Amounts;
    use crate::prepare::{PrepareConfig, prepare};
    use crate::sample;
    use crate::split::Split;

    const SEED: Seed = Seed::new(7);

    /// Twelve cats and twelve dogs, of each ten for training, one for validation and one for the test.
    fn manifest() -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), &sample::cats_and_dogs(12));
        let config = PrepareConfig::new(Amounts::Counts { train: 10, val: 1, test: Some(1) });
        let manifest = prepare(folder.path(), &config, &|_, _| {}).unwrap();
        (folder, manifest)
    }

    fn paths(records: &[Record]) -> HashSet<&str> {
        records.iter().map(|record| record.path.as_str()).collect()
    }

    #[track_caller]
    fn check_sound(altered: &Manifest, original: &Manifest) {
        assert_eq!(paths(&altered.val), paths(&original.val));
        assert_eq!(paths(&altered.test), paths(&original.test));
        let folder = tempfile::tempdir().unwrap();
        altered.write(&folder.path().join("manifest.json")).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap().hash(), altered.hash());
    }

    #[test]
    fn a_smaller_split_keeps_the_classes_in_proportion() {
        let (_folder, manifest) = manifest();
        let smaller = manifest.with_train_images(6, SEED).unwrap();
        assert_eq!([0, 1].map(|class| smaller.count(Split::Train, class)), [3, 3]);
        assert_eq!(smaller.unused, manifest.unused + 14);
        check_sound(&smaller, &manifest);
    }

    #[test]
    fn a_smaller_split_is_part_of_a_larger_one_of_the_same_seed() {
        let (_folder, manifest) = manifest();
        let [four, ten] = [4, 10].map(|images| manifest.with_train_images(images, SEED).unwrap());
        assert!(paths(&four.train).is_subset(&paths(&ten.train)));
        let other = manifest.with_train_images(4, Seed::new(8)).unwrap();
        assert_ne!(paths(&four.train), paths(&other.train));
    }

    #[test]
    fn all_images_are_the_split_itself() {
        let (_folder, manifest) = manifest();
        assert_eq!(manifest.with_train_images(20, SEED).unwrap(), manifest);
        assert_eq!(manifest.with_label_noise(0.0, SEED).unwrap(), (manifest.clone(), Vec::new()));
    }

    #[test]
    fn more_images_than_there_are_and_classes_without_any_are_refused() {
        let (_folder, manifest) = manifest();
        for images in [0, 1, 21] {
            let message = manifest.with_train_images(images, SEED).unwrap_err().to_string();
            assert!(message.contains(&format!("{images} training images")) && message.contains("20"), "{message}");
        }
    }

    #[test]
    fn flipped_labels_are_told_and_all_others_kept() {
        let (_folder, manifest) = manifest();
        let (noisy, flipped) = manifest.with_label_noise(0.25, SEED).unwrap();
        assert_eq!(flipped.len(), 5);
        for record in &manifest.train {
            let now = noisy.train.iter().find(|other| other.path == record.path).unwrap().class;
            let flip = flipped.iter().find(|flip| flip.path == record.path);
            assert_eq!(flip.map_or((record.class, record.class), |flip| (flip.from, flip.to)), (record.class, now));
            assert!(flip.is_none_or(|flip| flip.from != flip.to));
        }
        check_sound(&noisy, &manifest);
    }

    #[test]
    fn less_noise_is_part_of_more_noise_of_the_same_seed() {
        let (_folder, manifest) = manifest();
        let [less, more] = [0.2, 0.6].map(|share| manifest.with_label_noise(share, SEED).unwrap().1);
        assert!(less.iter().all(|flip| more.contains(flip)));
    }

    #[test]
    fn a_share_beyond_all_images_is_refused() {
        let (_folder, manifest) = manifest();
        for share in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(manifest.with_label_noise(share, SEED), Err(DatasetError::LabelNoise { .. })));
        }
    }
}
