//! [`prepare`]: from a source to a manifest.

use std::collections::HashSet;
use std::path::Path;

use aumenta_imgproc::Limits;
use aumenta_seed::Seed;

use crate::duplicates::{Content, contradictions_and_leaks};
use crate::error::DatasetError;
use crate::finding::Finding;
use crate::labels::{LabelRule, Labels};
use crate::manifest::{MANIFEST_FORMAT, Manifest, SourceReference};
use crate::natural::natural_key;
use crate::record::Record;
use crate::scan::{Facts, Progress, scan};
use crate::source::{OpenOptions, Source, open};
use crate::split::{Amounts, Candidate, Order, Split, assign};

/// How a data set is prepared.
#[derive(Clone, Debug)]
pub struct PrepareConfig {
    /// How many images each split gets.
    pub amounts: Amounts,
    /// In which order images are dealt to the splits.
    pub order: Order,
    /// What the shuffling follows from.
    pub seed: Seed,
    /// How the class of an image follows from its path.
    pub labels: LabelRule,
    /// What to do about faulty images.
    pub on_faulty: OnFaulty,
    /// How to open the source.
    pub open: OpenOptions,
    /// What an image may ask of this machine.
    pub limits: Limits,
}

impl PrepareConfig {
    /// Shuffled by seed 0, labels found automatically, faulty images an error, and usual limits.
    pub fn new(amounts: Amounts) -> Self {
        Self {
            amounts,
            order: Order::default(),
            seed: Seed::new(0),
            labels: LabelRule::default(),
            on_faulty: OnFaulty::default(),
            open: OpenOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// What to do about images that cannot be decoded or whose labels contradict each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFaulty {
    /// Stop with an error that lists them.
    #[default]
    Fail,
    /// Leave them out and record them in the manifest.
    Skip,
}

/// Opens the source at `path`, scans all of its images and divides them into splits.
///
/// Byte-identical copies go to the same split, so that none is trained on and tested with. Copies under different
/// classes are faulty, for one of the labels is wrong; copies of images in a test set that the source brings along are
/// left out.
///
/// # Errors
/// What is wrong with the source or the amounts, before any image is decoded where possible; [`DatasetError::Faulty`]
/// with every faulty image where these are not skipped.
pub fn prepare(path: &Path, config: &PrepareConfig, progress: Progress<'_>) -> Result<Manifest, DatasetError> {
    config.amounts.check()?;
    let source = open(path, &config.open)?;
    let source = source.as_ref();
    let entries = source.entries();
    let has_test_set = (0..entries.len()).any(|index| source.is_test(index));
    if has_test_set == config.amounts.names_test() {
        return Err(DatasetError::AmountsMisfit { path: path.to_owned(), has_test_set });
    }
    let labels = Labels::of(source, config.labels)?;
    let all: Vec<usize> = (0..entries.len()).collect();
    // What fails with all images fails without the faulty ones too, and says so before the scan.
    assign_entries(source, &labels, &all, config, |index| &entries[index].path)?;

    let scanned = scan(source, &config.limits, progress);
    let left_out = left_out(source, &labels, &scanned);
    let faults: Vec<Finding> = left_out.iter().filter(|finding| finding.is_fault()).cloned().collect();
    if config.on_faulty == OnFaulty::Fail && !faults.is_empty() {
        return Err(DatasetError::Faulty { scanned: entries.len(), findings: faults });
    }

    let unusable: HashSet<&str> = left_out.iter().map(|finding| finding.path.as_str()).collect();
    let usable: Vec<usize> =
        all.into_iter().filter(|&index| !unusable.contains(entries[index].path.as_str())).collect();
    let content = |index: usize| scanned[index].as_ref().map_or("", |facts| facts.hash.as_str());
    let assigned = assign_entries(source, &labels, &usable, config, content)?;
    let mut next_id = 0..;
    let [train, val, test] = Split::ALL.map(|split| {
        let indices = usable.iter().zip(&assigned).filter(|(_, to)| **to == Some(split)).map(|(&index, _)| index);
        records(source, &labels, &scanned, indices.collect(), &mut next_id)
    });
    Ok(Manifest {
        format: MANIFEST_FORMAT,
        source: SourceReference {
            kind: source.kind(),
            path: fs_err::canonicalize(path)?,
            inner: source.inner().map(str::to_owned),
        },
        label_rule: labels.rule,
        classes: labels.classes,
        seed: config.seed.value(),
        order: config.order,
        amounts: config.amounts.clone(),
        unused: usable.len() - train.len() - val.len() - test.len(),
        train,
        val,
        test,
        left_out,
    })
}

fn assign_entries<'a>(
    source: &'a dyn Source,
    labels: &Labels,
    indices: &[usize],
    config: &PrepareConfig,
    group: impl Fn(usize) -> &'a str,
) -> Result<Vec<Option<Split>>, DatasetError> {
    let candidates: Vec<Candidate<'_>> = indices
        .iter()
        .map(|&index| Candidate {
            path: &source.entries()[index].path,
            class: labels.class_of[index],
            is_test: source.is_test(index),
            group: group(index),
        })
        .collect();
    assign(&labels.classes, &candidates, &config.amounts, config.order, config.seed)
}

/// Images that cannot or must not be used, in natural order of their paths.
fn left_out(source: &dyn Source, labels: &Labels, scanned: &[Result<Facts, Finding>]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = scanned.iter().filter_map(|result| result.as_ref().err().cloned()).collect();
    let mut contents: Vec<Content<'_>> = scanned
        .iter()
        .enumerate()
        .filter_map(|(index, result)| {
            Some(Content {
                path: &source.entries()[index].path,
                hash: &result.as_ref().ok()?.hash,
                class: labels.class_of[index],
                is_test: source.is_test(index),
            })
        })
        .collect();
    contents.sort_by_cached_key(|content| natural_key(content.path));
    findings.extend(contradictions_and_leaks(&contents));
    findings.sort_by(|a, b| natural_key(&a.path).cmp(&natural_key(&b.path)));
    findings
}

/// The records of one split, by class and then by natural order of their paths.
fn records(
    source: &dyn Source,
    labels: &Labels,
    scanned: &[Result<Facts, Finding>],
    mut indices: Vec<usize>,
    next_id: &mut impl Iterator<Item = u32>,
) -> Vec<Record> {
    indices.sort_by_cached_key(|&index| (labels.class_of[index], natural_key(&source.entries()[index].path)));
    let sound = indices.into_iter().filter_map(|index| Some((index, scanned[index].as_ref().ok()?)));
    sound
        .zip(next_id)
        .map(|((index, facts), id)| {
            let entry = &source.entries()[index];
            Record {
                id,
                path: entry.path.clone(),
                class: labels.class_of[index],
                width: facts.width,
                height: facts.height,
                size: entry.size,
                crc32: entry.crc32,
                hash: facts.hash.clone(),
            }
        })
        .collect()
}
