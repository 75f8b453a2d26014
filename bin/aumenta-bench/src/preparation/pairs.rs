//! [`Judgement`]: what a search for near-duplicates found of what was planted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use aumenta_imgproc::{Image, Limits, decode};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::near_set::NearSet;
use super::variant::Variant;

/// Two pictures that were found to be alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FoundPair {
    /// The path of the one below the folder.
    pub first: String,
    /// The path of the other.
    pub second: String,
    /// How alike they are, in the finder's own terms.
    pub similarity: Option<f64>,
}

/// What a search found of what was planted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Judgement {
    /// Of how many originals the variant was found beside the original itself.
    pub recalled: BTreeMap<Variant, usize>,
    /// Pairs of pictures that come from one original.
    pub right: usize,
    /// Pairs of other pictures with the same pixels.
    pub equal: usize,
    /// All other pairs.
    pub wrong: usize,
    /// Those of them that are most alike, so that someone can look at them.
    pub listed: Vec<FoundPair>,
}

/// How many wrong pairs are listed.
const MOST_LISTED: usize = 200;

impl Judgement {
    /// Judges `pairs`, found among the pictures of `set` in `folder`. A pair found twice counts once.
    pub fn of(pairs: Vec<FoundPair>, set: &NearSet, folder: &Path) -> Self {
        let mut known = BTreeSet::new();
        let distinct = pairs.into_iter().filter(|pair| {
            let (first, second) = (pair.first.clone(), pair.second.clone());
            pair.first != pair.second && known.insert(if first < second { (first, second) } else { (second, first) })
        });
        let (right, others): (Vec<_>, Vec<_>) = distinct.partition(|pair| originals(pair, set).is_some());
        let mut recalled: BTreeMap<Variant, usize> = Variant::ALL.map(|variant| (variant, 0)).into();
        for variant in right.iter().filter_map(|pair| variant_beside_original(pair, set)) {
            *recalled.entry(variant).or_default() += 1;
        }
        let (equal, mut wrong) = divide_equal(others, folder);
        wrong.sort_by(|a, b| b.similarity.unwrap_or(0.0).total_cmp(&a.similarity.unwrap_or(0.0)));
        let count = wrong.len();
        wrong.truncate(MOST_LISTED);
        Self { recalled, right: right.len(), equal, wrong: count, listed: wrong }
    }

    /// The share of pairs that are no mistake; 1 where nothing was found.
    pub fn precision(&self) -> f64 {
        let good = self.right + self.equal;
        if good + self.wrong == 0 { 1.0 } else { good as f64 / (good + self.wrong) as f64 }
    }
}

/// The original that both of a pair come from.
fn originals(pair: &FoundPair, set: &NearSet) -> Option<usize> {
    let (first, second) = (set.origin.get(&pair.first)?.0, set.origin.get(&pair.second)?.0);
    (first == second).then_some(first)
}

/// The variant, where a pair is one with its original itself.
fn variant_beside_original(pair: &FoundPair, set: &NearSet) -> Option<Variant> {
    match (set.origin.get(&pair.first)?.1, set.origin.get(&pair.second)?.1) {
        (None, Some(variant)) | (Some(variant), None) => Some(variant),
        _ => None,
    }
}

/// How many of `pairs` have the same pixels, and all others.
fn divide_equal(pairs: Vec<FoundPair>, folder: &Path) -> (usize, Vec<FoundPair>) {
    let paths: BTreeSet<&str> = pairs.iter().flat_map(|pair| [&*pair.first, &*pair.second]).collect();
    let image =
        |path: &str| -> Option<Image> { decode(&fs_err::read(folder.join(path)).ok()?, &Limits::default()).ok() };
    // Pixels themselves would fill the memory where much is found, so candidates are told apart by a sum first.
    let sums: HashMap<String, u64> = paths
        .into_par_iter()
        .filter_map(|path| {
            let sum = |sum: u64, value: &u8| sum.wrapping_mul(31).wrapping_add(u64::from(*value));
            Some((path.to_string(), image(path)?.pixels().iter().fold(7, sum)))
        })
        .collect();
    let is_equal = |pair: &FoundPair| {
        let sums = [&pair.first, &pair.second].map(|path| sums.get(path));
        sums[0].is_some() && sums[0] == sums[1] && image(&pair.first) == image(&pair.second)
    };
    let (equal, wrong): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_equal);
    (equal.len(), wrong)
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::encode_png;

    use super::*;

    #[test]
    fn pairs_are_right_equal_or_wrong_and_count_once() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level) in [("a", 10), ("b", 10), ("c", 11)] {
            fs_err::write(folder.path().join(name), encode_png(&Image::filled(4, 4, [level; 3])).unwrap()).unwrap();
        }
        let origin = [
            ("photographs/5", (0, None)),
            ("turned/0", (0, Some(Variant::Turned))),
            ("mixed/0", (0, Some(Variant::Mixed))),
            ("turned/1", (1, Some(Variant::Turned))),
        ];
        let origin = origin.map(|(path, origin)| (path.to_string(), origin)).into();
        let set = NearSet { originals: 2, origin, ..NearSet::default() };
        let pair = |first: &str, second: &str, similarity| FoundPair {
            first: first.to_string(),
            second: second.to_string(),
            similarity: Some(similarity),
        };
        let pairs = vec![
            pair("turned/0", "photographs/5", 0.9),
            pair("photographs/5", "turned/0", 0.9),
            pair("turned/0", "mixed/0", 0.8),
            pair("turned/0", "turned/1", 0.8),
            pair("a", "b", 1.0),
            pair("a", "c", 0.99),
        ];
        let judgement = Judgement::of(pairs, &set, folder.path());
        assert_eq!((judgement.right, judgement.equal), (2, 1));
        assert_eq!((judgement.recalled[&Variant::Turned], judgement.recalled[&Variant::Mixed]), (1, 0));
        assert_eq!(judgement.listed.iter().map(|pair| pair.similarity).collect::<Vec<_>>(), [Some(0.99), Some(0.8)]);
        assert_eq!(judgement.precision(), 0.6);
    }
}
