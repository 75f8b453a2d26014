//! [`Survey`]: what is known of a source before it is divided.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use aumenta_seed::Seed;

use super::{OnFaulty, PrepareConfig};
use crate::amounts::Amounts;
use crate::duplicates::{Content, copies, in_natural_order};
use crate::error::DatasetError;
use crate::finding::{Cause, Finding, Kind};
use crate::groups::{Groups, Member};
use crate::labels::Labels;
use crate::manifest::{Grouping, MANIFEST_FORMAT, Manifest, SourceReference};
use crate::natural::natural_key;
use crate::near_duplicates::NEAR_CORRELATION;
use crate::pattern::compile;
use crate::quarantine::Quarantine;
use crate::record::Record;
use crate::scan::{Depth, Facts, Progress, Scanned, scan};
use crate::source::{Source, open};
use crate::split::{Candidate, Order, Split, assign};

/// A source whose images are labeled, scanned and grouped, to be divided once or, for cross-validation, many times.
#[derive(Debug)]
pub struct Survey {
    source: Box<dyn Source>,
    /// Where the source lies, absolute.
    path: PathBuf,
    labels: Labels,
    depth: Depth,
    grouping: Grouping,
    test_pattern: Option<String>,
    order: Order,
    seed: Seed,
    is_test: Vec<bool>,
    /// The name of the group that each entry is declared of.
    declared: Vec<Option<String>>,
    scanned: Vec<Result<Facts, Finding>>,
    /// Pairs of entries that look alike or have the same pixels.
    near: Vec<[usize; 2]>,
    /// Why images are in quarantine, by their paths.
    quarantined: HashMap<String, String>,
    /// The entries that can be used.
    usable: Vec<usize>,
    /// The groups of the usable entries, in their order.
    groups: Groups,
    left_out: Vec<Finding>,
}

impl Survey {
    /// Opens the source at `path` and scans all of its images; the amounts of `config` are tried before that.
    ///
    /// # Errors
    /// Those of [`prepare`](super::prepare()).
    pub fn new(path: &Path, config: &PrepareConfig, progress: Progress<'_>) -> Result<Self, DatasetError> {
        config.amounts.check(config.order)?;
        let source = open(path, &config.open)?;
        let is_test = test_images(source.as_ref(), config.test_pattern.as_deref())?;
        let labels = Labels::of(source.as_ref(), &config.labels)?;
        let all: Vec<usize> = (0..source.entries().len()).collect();
        let (declared, rule) = match &config.groups {
            Some(rule) => rule.apply(source.as_ref()).map(|(names, rule)| (names, Some(rule)))?,
            None => (vec![None; all.len()], None),
        };
        let mut survey = Self {
            path: fs_err::canonicalize(path)?,
            source,
            labels,
            depth: config.depth,
            grouping: Grouping {
                near_correlation: (config.depth == Depth::Likeness).then_some(NEAR_CORRELATION),
                crowded: 0,
                declared: rule,
            },
            test_pattern: config.test_pattern.clone(),
            order: config.order,
            seed: config.seed,
            is_test,
            declared,
            quarantined: HashMap::new(),
            scanned: Vec::new(),
            near: Vec::new(),
            usable: all,
            groups: Groups::of(&[], &[]),
            left_out: Vec::new(),
        };
        if let Some(quarantine) = &config.quarantine {
            survey.isolate(quarantine)?;
        }
        // What fails with all images fails without the faulty ones too, and says so before the scan.
        survey.groups = survey.group(&[]);
        survey.assign(&config.amounts)?;

        let Scanned { images, near } = scan(survey.source.as_ref(), &config.limits, config.depth, progress)?;
        survey.scanned = images;
        survey.grouping.crowded = near.crowded;
        survey.near = near.pairs.iter().map(|pair| [pair.first, pair.second]).collect();
        survey.leave_out();
        let faults: Vec<Finding> = survey.left_out.iter().filter(|finding| finding.is_fault()).cloned().collect();
        if config.on_faulty == OnFaulty::Fail && !faults.is_empty() {
            return Err(DatasetError::Faulty { scanned: survey.scanned.len(), findings: faults });
        }
        Ok(survey)
    }

    /// Leaves the images in quarantine out of all that follows.
    fn isolate(&mut self, quarantine: &Quarantine) -> Result<(), DatasetError> {
        let reasons = quarantine.entries.iter().map(|entry| (entry.path.clone(), entry.reason.clone()));
        self.quarantined = reasons.collect();
        let entries = self.source.entries();
        self.usable.retain(|&index| !self.quarantined.contains_key(&entries[index].path));
        let paths: HashSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        let missing: Vec<&String> = self.quarantined.keys().filter(|path| !paths.contains(path.as_str())).collect();
        match missing.iter().min() {
            None => Ok(()),
            Some(entry) => Err(DatasetError::QuarantineMisfit {
                path: self.source.path().to_owned(),
                entry: (*entry).clone(),
                missing: missing.len(),
                entries: quarantine.entries.len(),
            }),
        }
    }

    /// The names of the classes, in natural order.
    pub fn classes(&self) -> &[String] {
        &self.labels.classes
    }

    /// The manifest of a division of the usable images.
    ///
    /// # Errors
    /// Where the images do not suffice for the amounts, or these contradict themselves.
    pub fn divide(&self, amounts: &Amounts) -> Result<Manifest, DatasetError> {
        let assigned = self.assign(amounts)?;
        let mut next_id = 0..;
        let [train, val, test] = Split::ALL.map(|split| {
            let places = (0..self.usable.len()).filter(|&place| assigned[place] == Some(split)).collect();
            self.records(places, &mut next_id)
        });
        Ok(Manifest {
            format: MANIFEST_FORMAT,
            source: SourceReference {
                kind: self.source.kind(),
                path: self.path.clone(),
                inner: self.source.inner().map(str::to_owned),
            },
            depth: self.depth,
            label_rule: self.labels.rule.clone(),
            unmatched_rows: self.labels.unmatched_rows,
            classes: self.labels.classes.clone(),
            grouping: self.grouping.clone(),
            seed: self.seed.value(),
            order: self.order,
            amounts: amounts.clone(),
            test_pattern: self.test_pattern.clone(),
            unused: self.usable.len() - train.len() - val.len() - test.len(),
            other_files: self.source.ignored(),
            train,
            val,
            test,
            left_out: self.left_out.clone(),
        })
    }

    /// For each usable entry its split.
    fn assign(&self, amounts: &Amounts) -> Result<Vec<Option<Split>>, DatasetError> {
        let has_test_set = self.is_test.contains(&true);
        let is_free = matches!(amounts, Amounts::Fold(_));
        if has_test_set == amounts.names_test() && (has_test_set || !is_free) {
            return Err(DatasetError::AmountsMisfit { path: self.source.path().to_owned(), has_test_set });
        }
        let candidates: Vec<Candidate<'_>> = self
            .usable
            .iter()
            .zip(&self.groups.keys)
            .map(|(&index, group)| Candidate {
                path: &self.source.entries()[index].path,
                class: self.labels.class_of[index],
                is_test: self.is_test[index],
                group,
            })
            .collect();
        assign(&self.labels.classes, &candidates, amounts, self.order, self.seed)
    }

    /// The groups of the usable entries, among which the pairs of `near` look alike; they are told by their entries' indices.
    fn group(&self, near: &[[usize; 2]]) -> Groups {
        let members: Vec<Member<'_>> = self
            .usable
            .iter()
            .map(|&index| Member {
                path: &self.source.entries()[index].path,
                content: self.content(index),
                declared: self.declared[index].as_deref(),
            })
            .collect();
        let place_of: HashMap<usize, usize> =
            self.usable.iter().enumerate().map(|(place, &index)| (index, place)).collect();
        let places = |[first, second]: &[usize; 2]| Some([*place_of.get(first)?, *place_of.get(second)?]);
        Groups::of(&members, &near.iter().filter_map(places).collect::<Vec<_>>())
    }

    /// What tells the entry's content from others: its hash or, before the scan, its path.
    fn content(&self, index: usize) -> &str {
        match self.scanned.get(index) {
            Some(Ok(facts)) => &facts.hash,
            _ => &self.source.entries()[index].path,
        }
    }

    /// Leaves out images that cannot or must not be used, and groups the others.
    fn leave_out(&mut self) {
        let quarantined = self
            .quarantined
            .iter()
            .map(|(path, reason)| Finding { path: path.clone(), cause: Cause::Quarantined { reason: reason.clone() } });
        let mut left_out: Vec<Finding> = quarantined.chain(self.faulty_and_contradicting()).collect();
        self.keep_all_but(&left_out);
        self.groups = self.group(&self.near);
        let beside_test = self.beside_test_images();
        if !beside_test.is_empty() {
            self.keep_all_but(&beside_test);
            self.groups = self.group(&self.near);
            left_out.extend(beside_test);
        }
        left_out.sort_by(|a, b| natural_key(&a.path).cmp(&natural_key(&b.path)));
        self.left_out = left_out;
    }

    /// What is wrong with images that are not in quarantine, by themselves or beside each other.
    fn faulty_and_contradicting(&self) -> Vec<Finding> {
        let entries = self.source.entries();
        let free = |index: &usize| !self.quarantined.contains_key(&entries[*index].path);
        let mut findings = Vec::new();
        let mut contents = Vec::new();
        for index in (0..entries.len()).filter(free) {
            match &self.scanned[index] {
                Err(finding) => findings.push(finding.clone()),
                Ok(facts) => contents.push(Content {
                    path: &entries[index].path,
                    facts,
                    class: Some(self.labels.class_of[index]),
                    is_test: self.is_test[index],
                }),
            }
        }
        in_natural_order(&mut contents);
        // Copies of one class stay, and go to one split.
        findings.extend(copies(&contents).into_iter().filter(|finding| finding.cause.kind() != Kind::Copy));
        findings
    }

    fn keep_all_but(&mut self, left_out: &[Finding]) {
        let left_out: HashSet<&str> = left_out.iter().map(|finding| finding.path.as_str()).collect();
        let entries = self.source.entries();
        self.usable.retain(|&index| !left_out.contains(entries[index].path.as_str()));
    }

    /// The usable images that are of no test set, but of a group with an image of one.
    fn beside_test_images(&self) -> Vec<Finding> {
        let path = |index: usize| self.source.entries()[index].path.clone();
        let keyed = || self.usable.iter().copied().zip(&self.groups.keys);
        let mut test_image: HashMap<&str, usize> = HashMap::new();
        for (index, key) in keyed().filter(|(index, _)| self.is_test[*index]) {
            test_image.entry(key).or_insert(index);
        }
        keyed()
            .filter(|(index, _)| !self.is_test[*index])
            .filter_map(|(index, key)| {
                let cause = Cause::GroupInTestSet { of: path(*test_image.get(key.as_str())?) };
                Some(Finding { path: path(index), cause })
            })
            .collect()
    }

    /// The records of the entries at these places of the usable ones, by class and then by natural order of their paths.
    fn records(&self, mut places: Vec<usize>, next_id: &mut impl Iterator<Item = u32>) -> Vec<Record> {
        let entry = |place: usize| &self.source.entries()[self.usable[place]];
        let class = |place: usize| self.labels.class_of[self.usable[place]];
        places.sort_by_cached_key(|&place| (class(place), natural_key(&entry(place).path)));
        let sound =
            places.into_iter().filter_map(|place| Some((place, self.scanned[self.usable[place]].as_ref().ok()?)));
        sound
            .zip(next_id)
            .map(|((place, facts), id)| Record {
                id,
                path: entry(place).path.clone(),
                class: class(place),
                width: facts.width,
                height: facts.height,
                size: entry(place).size,
                crc32: entry(place).crc32,
                hash: facts.hash.clone(),
                group: self.groups.numbers[place],
                near: self.groups.near_numbers[place],
                declared: self.declared[self.usable[place]].clone(),
            })
            .collect()
    }
}

/// Which entries belong to a test set that is not to be drawn: the source's own, or the one that `pattern` finds.
fn test_images(source: &dyn Source, pattern: Option<&str>) -> Result<Vec<bool>, DatasetError> {
    let mut is_test: Vec<bool> = (0..source.entries().len()).map(|index| source.is_test(index)).collect();
    let Some(pattern) = pattern else { return Ok(is_test) };
    if is_test.contains(&true) {
        return Err(DatasetError::TwoTestSets { path: source.path().to_owned() });
    }
    let regex = compile(pattern)?;
    for (is_test, entry) in is_test.iter_mut().zip(source.entries()) {
        *is_test = regex.is_match(&entry.path);
    }
    if is_test.contains(&true) && is_test.contains(&false) {
        return Ok(is_test);
    }
    let (pattern, images) = (pattern.to_owned(), is_test.len());
    Err(DatasetError::TestPattern { pattern, found: if is_test.contains(&true) { images } else { 0 }, images })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::tests::{counts, folder, prepared};
    use super::*;
    use crate::groups::GroupRule;
    use crate::labels::LabelRule;
    use crate::sample;
    use crate::split::Fold;

    /// Four images of each of 12 patients, two of each class.
    fn patients() -> TempDir {
        let image = |n: usize| {
            let class = if n.is_multiple_of(2) { "sick" } else { "well" };
            (format!("p{:02}/{class}.{n}.png", n / 4), sample::png(n))
        };
        folder(&(0..48).map(image).collect::<Vec<_>>())
    }

    fn splits_of(manifest: &Manifest, is_member: impl Fn(&Record) -> bool) -> Vec<Split> {
        Split::ALL.into_iter().filter(|split| manifest.records(*split).iter().any(&is_member)).collect()
    }

    #[test]
    fn images_of_one_declared_group_stay_together_across_classes() {
        let folder = patients();
        let config = PrepareConfig {
            groups: Some(GroupRule::Pattern("^(p[0-9]+)/".to_owned())),
            labels: LabelRule::FileName,
            ..PrepareConfig::new(Amounts::Ratios { train: 0.5, val: 0.25, test: Some(0.25) })
        };
        let manifest = prepared(&folder, &config).unwrap();
        for number in 0..12 {
            let name = format!("p{number:02}");
            let of_patient = |record: &Record| record.declared.as_deref() == Some(&*name);
            assert_eq!(splits_of(&manifest, of_patient).len(), 1);
            assert!(
                manifest.all_records().filter(|record| of_patient(record)).all(|record| record.group == Some(number))
            );
        }
        assert_eq!([manifest.train.len(), manifest.val.len(), manifest.test.len()], [24, 12, 12]);
        assert_eq!(manifest.grouping.declared, config.groups);
    }

    #[test]
    fn groups_come_from_a_csv_file_too_and_copies_join_them() {
        let mut files = sample::cats_and_dogs(12);
        // Cat 0 and cat 5 have one content, and so are of one group with what is declared with either.
        files[10].1 = files[0].1.clone();
        let folder = folder(&files);
        let csv = "image,burst\ncat.0,a\ncat.1,a\ncat.5,b\ndog.3,b\ndog.4,\n";
        let outside = tempfile::tempdir().unwrap();
        let file = sample::write(outside.path(), "bursts.csv", csv.as_bytes());
        for seed in 0..10 {
            let config = PrepareConfig {
                groups: Some(GroupRule::Csv(crate::table::ColumnRule::new(file.clone()))),
                seed: Seed::new(seed),
                ..PrepareConfig::new(Amounts::Ratios { train: 0.6, val: 0.2, test: Some(0.2) })
            };
            let manifest = prepared(&folder, &config).unwrap();
            assert_eq!(splits_of(&manifest, |record| record.group == Some(0)).len(), 1);
            assert_eq!(manifest.all_records().filter(|record| record.group.is_some()).count(), 4);
        }
    }

    #[test]
    fn images_of_a_group_with_an_image_of_the_test_set_are_left_out() {
        let folder = patients();
        let config = PrepareConfig {
            groups: Some(GroupRule::Pattern("^(p[0-9]+)/".to_owned())),
            labels: LabelRule::FileName,
            test_pattern: Some(r"^p11/(sick|well)\.4[45]".to_owned()),
            ..PrepareConfig::new(Amounts::Ratios { train: 0.75, val: 0.25, test: None })
        };
        let manifest = prepared(&folder, &config).unwrap();
        let cause = Cause::GroupInTestSet { of: "p11/sick.44.png".into() };
        let left_out =
            ["p11/sick.46.png", "p11/well.47.png"].map(|path| Finding { path: path.into(), cause: cause.clone() });
        assert_eq!(manifest.left_out, left_out);
        assert_eq!(manifest.test.len(), 2);
    }

    #[test]
    fn near_duplicates_stay_together_and_are_numbered() {
        let folder = folder(&sample::cats_and_dogs(6));
        let mut survey = Survey::new(folder.path(), &counts(3, 1, 1), &|_, _| {}).unwrap();
        // Entries are in order of their paths: six cats, six dogs.
        survey.groups = survey.group(&[[4, 1], [1, 7]]);
        let manifest = survey.divide(&Amounts::Ratios { train: 0.5, val: 0.25, test: Some(0.25) }).unwrap();
        let near: Vec<&str> =
            manifest.all_records().filter(|record| record.near == Some(0)).map(|record| record.path.as_str()).collect();
        assert_eq!(near, ["train/cat.1.png", "train/cat.4.png", "train/dog.1.png"]);
        assert_eq!(splits_of(&manifest, |record| record.near == Some(0)).len(), 1);
    }

    #[test]
    fn folds_of_one_survey_have_the_same_groups_and_hash_apart() {
        let folder = folder(&sample::cats_and_dogs(9));
        let folds: Vec<Fold> = Fold::all(3, 1, None).collect();
        let survey = Survey::new(folder.path(), &PrepareConfig::new(Amounts::Fold(folds[0])), &|_, _| {}).unwrap();
        let manifests: Vec<Manifest> =
            folds.into_iter().map(|fold| survey.divide(&Amounts::Fold(fold)).unwrap()).collect();
        for manifest in &manifests {
            assert_eq!([manifest.train.len(), manifest.val.len(), manifest.test.len()], [12, 6, 0]);
            assert_eq!(manifest.wanted(0), [6, 3, 0]);
        }
        assert_ne!(manifests[0].hash(), manifests[1].hash());
    }
}
