//! [`Inspection`]: what a data set is like and what is wrong with it, before anything is done about it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use aumenta_imgproc::{ColorMode, Format};
use serde::{Deserialize, Serialize};

use crate::duplicates::{Content, copies, in_natural_order, near_duplicate, same_pixels};
use crate::finding::{Finding, Kind, Severity};
use crate::labels::{LabelRule, Labels};
use crate::manifest::is_zero;
use crate::natural::natural_key;
use crate::oddities::Norm;
use crate::portable_names::name_findings;
use crate::scan::{Facts, Scanned};
use crate::source::{Entry, PassedOver, Source, SourceKind};

/// What a data set is like: counts and histograms of its images, and every finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Inspection {
    /// The version of this record.
    pub format: u32,
    /// The packing of the source.
    pub kind: SourceKind,
    /// Where the source lies.
    pub source: PathBuf,
    /// The archive within the archive that was read, if any.
    pub inner: Option<String>,
    /// Whether only bytes and headers were looked at.
    pub is_quick: bool,
    /// How many images there are, by their names.
    pub images: usize,
    /// How many of them can be decoded, as far as was looked.
    pub usable: usize,
    /// The bytes of all images, encoded.
    pub bytes: u64,
    /// The classes; none where the labels are not known.
    pub classes: Vec<ClassCount>,
    /// How classes follow from names; `None` where they don't.
    pub label_rule: Option<LabelRule>,
    /// Why the labels are not known.
    pub label_problem: Option<String>,
    /// Widths and heights as displayed.
    pub sizes: Option<Sizes>,
    /// Images by the longer side, as displayed.
    pub longer_sides: Vec<Bin>,
    /// Images by width over height, as displayed.
    pub aspects: Vec<Bin>,
    /// Images by file format, the most frequent first.
    pub formats: Vec<Tally<Format>>,
    /// Images by how colors are stored.
    pub colors: Vec<Tally<ColorMode>>,
    /// Images by bits a channel.
    pub bits: Vec<Tally<u8>>,
    /// Images by orientation tag, 1 to 8.
    pub orientations: Vec<Tally<u8>>,
    /// Images with more than one frame.
    pub animated: usize,
    /// How many images had hashes like those of more images than they were compared with: near-duplicates of theirs may
    /// have been missed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crowded: usize,
    /// Files that are no images by their names.
    pub passed_over: PassedOver,
    /// What happens to colors when images are decoded.
    pub color_policy: String,
    /// Every finding: faults first, then those about two classes, then by kind and in natural order of paths.
    pub findings: Vec<Finding>,
}

/// The version of [`Inspection`] as it is written.
pub const INSPECTION_FORMAT: u32 = 1;

/// What decoding does to what a file stores.
pub const COLOR_POLICY: &str = "Every image is decoded to 8-bit RGB: gray is replicated, a palette looked up, CMYK \
                                converted, 16 bits scaled to 8, transparency laid over white; the EXIF orientation is \
                                applied, and of an animation the first frame is taken.";

/// How many images a class has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// Its images.
    pub images: usize,
    /// Its images with a fault.
    pub faulty: usize,
}

/// The least, median and greatest width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sizes {
    /// Least, median and greatest width.
    pub width: [u32; 3],
    /// Least, median and greatest height.
    pub height: [u32; 3],
}

/// A bar of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bin {
    /// The least value.
    pub from: f64,
    /// The first value of the next bar; `None` for no bound.
    pub to: Option<f64>,
    /// How many images have a value in between.
    pub images: usize,
}

/// How many images have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tally<T> {
    /// The value.
    pub value: T,
    /// How many images have it.
    pub images: usize,
}

impl Inspection {
    /// Puts together what a [`scan`](crate::scan()) of `source` found, one result an entry.
    ///
    /// `labels` may have failed: then classes are not counted, and pairs are not told to cross them.
    ///
    /// # Panics
    /// Where `scanned` does not have one result an entry.
    pub fn new(source: &dyn Source, scanned: &Scanned, labels: Result<&Labels, String>) -> Self {
        let (entries, images) = (source.entries(), &scanned.images);
        assert_eq!(images.len(), entries.len(), "a scan has one result an entry");
        let facts: Vec<&Facts> = images.iter().flatten().collect();
        let labels_known = labels.as_ref().ok().copied();
        let mut findings: Vec<Finding> = images.iter().filter_map(|result| result.as_ref().err().cloned()).collect();
        findings.extend(oddities(source, images, &facts));
        findings.extend(name_findings(entries));
        findings.extend(duplicates(source, scanned, labels_known));
        sort(&mut findings);
        Self {
            format: INSPECTION_FORMAT,
            kind: source.kind(),
            source: source.path().to_owned(),
            inner: source.inner().map(str::to_owned),
            is_quick: facts.iter().any(|facts| facts.pixels.is_none()),
            images: entries.len(),
            usable: facts.len(),
            bytes: entries.iter().map(|entry| entry.size).sum(),
            classes: labels_known.map(|labels| class_counts(source, labels, &findings)).unwrap_or_default(),
            label_rule: labels_known.map(|labels| labels.rule.clone()),
            label_problem: labels.err(),
            sizes: sizes(&facts),
            longer_sides: histogram(&facts, &SIDES, |facts| f64::from(facts.width.max(facts.height))),
            aspects: histogram(&facts, &ASPECTS, |facts| f64::from(facts.width) / f64::from(facts.height.max(1))),
            formats: tally(&facts, |facts| facts.format),
            colors: tally(&facts, |facts| facts.color),
            bits: tally(&facts, |facts| facts.bits),
            orientations: tally(&facts, |facts| facts.orientation),
            animated: facts.iter().filter(|facts| facts.frames > 1).count(),
            crowded: scanned.near.crowded,
            passed_over: source.passed_over().clone(),
            color_policy: COLOR_POLICY.to_owned(),
            findings,
        }
    }

    /// How many findings there are of each kind that has any, in the order in which they are shown.
    pub fn counts(&self) -> Vec<Tally<Kind>> {
        let count = |kind: Kind| self.findings.iter().filter(|finding| finding.cause.kind() == kind).count();
        let tallies = Kind::ALL.map(|kind| Tally { value: kind, images: count(kind) });
        tallies.into_iter().filter(|tally| tally.images > 0).collect()
    }

    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.cause.kind().severity() == severity).count()
    }
}

/// Faults first, then those about two classes, then by kind and path.
fn sort(findings: &mut [Finding]) {
    let rank = |finding: &Finding| {
        let kind = finding.cause.kind();
        (kind.severity(), !finding.cause.crosses_classes(), kind)
    };
    findings.sort_by(|a, b| {
        let by_path = || natural_key(&a.path).cmp(&natural_key(&b.path));
        rank(a).cmp(&rank(b)).then_with(by_path)
    });
}

fn class_counts(source: &dyn Source, labels: &Labels, findings: &[Finding]) -> Vec<ClassCount> {
    let count = |name: &String| ClassCount { name: name.clone(), images: 0, faulty: 0 };
    let mut counts: Vec<ClassCount> = labels.classes.iter().map(count).collect();
    let faulty: HashSet<&str> = findings.iter().filter(|f| f.is_fault()).map(|f| f.path.as_str()).collect();
    for (entry, &class) in source.entries().iter().zip(&labels.class_of) {
        let count = &mut counts[class as usize];
        count.images += 1;
        count.faulty += usize::from(faulty.contains(entry.path.as_str()));
    }
    counts
}

fn sizes(facts: &[&Facts]) -> Option<Sizes> {
    let spread = |side: fn(&Facts) -> u32| {
        let mut sides: Vec<u32> = facts.iter().map(|facts| side(facts)).collect();
        sides.sort_unstable();
        Some([*sides.first()?, sides[sides.len() / 2], *sides.last()?])
    };
    Some(Sizes { width: spread(|facts| facts.width)?, height: spread(|facts| facts.height)? })
}

/// How often each value occurs, the most frequent first.
fn tally<T: Ord>(facts: &[&Facts], value: impl Fn(&Facts) -> T) -> Vec<Tally<T>> {
    let mut counts = BTreeMap::new();
    for facts in facts {
        *counts.entry(value(facts)).or_insert(0) += 1;
    }
    let mut tallies: Vec<Tally<T>> = counts.into_iter().map(|(value, images)| Tally { value, images }).collect();
    tallies.sort_by_key(|tally| Reverse(tally.images));
    tallies
}

/// Lower bounds of bars for the longer side, in pixels.
const SIDES: [f64; 10] = [0.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

/// Lower bounds of bars for width over height.
const ASPECTS: [f64; 10] = [0.0, 0.25, 0.5, 0.67, 0.8, 0.95, 1.05, 1.25, 1.5, 2.0];

/// From the first bar with an image to the last.
fn histogram(facts: &[&Facts], bounds: &[f64], value: impl Fn(&Facts) -> f64) -> Vec<Bin> {
    let ends = bounds.iter().skip(1).map(|&end| Some(end)).chain([None]);
    let mut bins: Vec<Bin> = bounds.iter().zip(ends).map(|(&from, to)| Bin { from, to, images: 0 }).collect();
    for facts in facts {
        let value = value(facts);
        bins[bounds.partition_point(|&bound| bound <= value).saturating_sub(1)].images += 1;
    }
    let first = bins.iter().position(|bin| bin.images > 0).unwrap_or(bins.len());
    let last = bins.iter().rposition(|bin| bin.images > 0).map_or(first, |last| last + 1);
    bins[first..last].to_vec()
}

/// What is odd about single images.
fn oddities(source: &dyn Source, images: &[Result<Facts, Finding>], facts: &[&Facts]) -> Vec<Finding> {
    let norm = Norm::of(facts);
    let of_entry = |(entry, result): (&Entry, &Result<Facts, Finding>)| {
        let found = result.as_ref().map(|facts| norm.oddities(&entry.path, facts)).unwrap_or_default();
        found.into_iter().map(|cause| Finding { path: entry.path.clone(), cause }).collect::<Vec<_>>()
    };
    source.entries().iter().zip(images).flat_map(of_entry).collect()
}

/// Images that have something in common with others; two classes where the labels are known.
fn duplicates(source: &dyn Source, scanned: &Scanned, labels: Option<&Labels>) -> Vec<Finding> {
    let of_entry = |index: usize| {
        Some(Content {
            path: &source.entries()[index].path,
            facts: scanned.images[index].as_ref().ok()?,
            class: labels.map(|labels| labels.class_of[index]),
            is_test: source.is_test(index),
        })
    };
    let mut contents: Vec<Content<'_>> = (0..scanned.images.len()).filter_map(of_entry).collect();
    in_natural_order(&mut contents);
    let near = scanned
        .near
        .pairs
        .iter()
        .filter_map(|pair| near_duplicate([of_entry(pair.first)?, of_entry(pair.second)?], pair.correlation));
    copies(&contents).into_iter().chain(same_pixels(&contents)).chain(near).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use aumenta_imgproc::{Image, Limits, encode_png};

    use super::*;
    use crate::near_duplicates::NearPair;
    use crate::sample;
    use crate::scan::{Depth, scan};
    use crate::source::{OpenOptions, open};

    fn inspected(files: &[(&str, Vec<u8>)], similar: &[[&str; 2]]) -> Inspection {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), files);
        let source = open(folder.path(), &OpenOptions::default()).unwrap();
        let mut scanned = scan(source.as_ref(), &Limits::default(), Depth::Pixels, &|_, _| {}).unwrap();
        let labels = Labels::of(source.as_ref(), &LabelRule::Auto).map_err(|error| error.to_string());
        let index = |path: &str| source.entries().iter().position(|entry| entry.path == path).unwrap();
        scanned.near.pairs.extend(similar.iter().map(|pair| {
            let [first, second] = pair.map(index);
            NearPair { first, second, correlation: 0.9, mirrored: false }
        }));
        Inspection::new(source.as_ref(), &scanned, labels.as_ref().map_err(Clone::clone))
    }

    /// An inspection of two sound images.
    pub(crate) fn inspection() -> Inspection {
        inspected(&[("cat.1.png", sample::png(1)), ("dog.1.png", sample::png(2))], &[])
    }

    #[track_caller]
    fn check(files: &[(&str, Vec<u8>)], similar: &[[&str; 2]], expected: &[&str]) {
        let found: Vec<String> = inspected(files, similar).findings.iter().map(Finding::to_string).collect();
        assert_eq!(found, expected);
    }

    /// The same pixels as [`sample::png`], packed in another way.
    fn packed_anew(number: usize) -> Vec<u8> {
        let image = aumenta_imgproc::decode(&sample::png(number), &Limits::default()).unwrap();
        let header = format!("P6 {} {} 255\n", image.width(), image.height());
        [header.as_bytes(), image.pixels()].concat()
    }

    #[test]
    fn copies_are_told_by_bytes_pixels_and_looks_and_across_classes_first() {
        let files = [
            ("cat.1.png", sample::png(1)),
            ("cat.2.png", sample::png(2)),
            ("cat.3.png", sample::png(1)),
            ("cat.10.png", sample::png(1)),
            ("cat.11.png", sample::png(6)),
            ("dog.1.ppm", packed_anew(2)),
            ("dog.2.png", sample::png(4)),
            ("dog.3.png", sample::png(5)),
            ("dog.4.png", sample::png(5)),
            ("dog.5.png", sample::png(6)),
        ];
        let similar = [["dog.2.png", "cat.2.png"], ["cat.1.png", "cat.3.png"], ["dog.3.png", "dog.2.png"]];
        check(
            &files,
            &similar,
            &[
                "cat.11.png: has the same content as dog.5.png, which is of another class",
                "dog.5.png: has the same content as cat.11.png, which is of another class",
                "dog.1.ppm: has the same pixels as cat.2.png, which is of another class",
                "dog.2.png: looks like cat.2.png, which is of another class (similarity 0.90)",
                "dog.3.png: looks like dog.2.png (similarity 0.90)",
                "cat.3.png: has the same content as cat.1.png",
                "cat.10.png: has the same content as cat.1.png",
                "dog.4.png: has the same content as dog.3.png",
            ],
        );
    }

    #[test]
    fn faults_and_oddities_are_found_whatever_the_labels() {
        let plain = |width, height| {
            let mut image = Image::filled(width, height, [200, 40, 90]);
            image.set(0, 0, [0; 3]);
            encode_png(&image).unwrap()
        };
        let cut = |count: usize| sample::png(1)[..count].to_vec();
        let files = [
            ("whiskers.png", sample::png(1)),
            ("a.1.png", Vec::new()),
            ("b.1.jpg", b"<html>gone</html>".to_vec()),
            ("c.1.png", cut(50)),
            ("d.1.jpg", sample::png(2)),
            ("e.1.png", [sample::png(3), b"garbage".to_vec()].concat()),
            ("f.1.png", plain(9, 1)),
            ("g.1.png", plain(40, 40)),
            ("h.1.png", encode_png(&Image::filled(4, 4, [7; 3])).unwrap()),
        ];
        check(
            &files,
            &[],
            &[
                "a.1.png: the file is empty",
                "b.1.jpg: not an image of a known format: it is a web page (HTML)",
                "c.1.png: the file ends at byte 50, before its picture does",
                "h.1.png: next to one color: its luma deviates by 0.0 levels",
                "d.1.jpg: a PNG file by its content, not by its name",
                "e.1.png: 7 bytes follow its picture from byte 107",
                "f.1.png: has the odd shape 9x1",
                "g.1.png: has 40x40 pixels, far from most",
            ],
        );
        let inspection = inspected(&files, &[]);
        assert!(inspection.label_problem.unwrap().contains("`whiskers.png`"));
        assert_eq!((inspection.images, inspection.usable, inspection.classes.len()), (9, 6, 0));
        assert_eq!(inspection.formats, [Tally { value: Format::Png, images: 6 }]);
        assert_eq!(inspection.longer_sides.iter().map(|bin| bin.images).collect::<Vec<_>>(), [5, 1]);
        assert_eq!(inspection.sizes, Some(Sizes { width: [4, 4, 40], height: [1, 3, 40] }));
    }

    #[test]
    fn classes_are_counted_with_their_faults_and_the_record_reads_back() {
        let files = [
            ("cat/1.png", sample::png(1)),
            ("cat/2.png", Vec::new()),
            ("dog/1.png", sample::png(3)),
            ("notes.txt", vec![1]),
            ("more.zip", vec![1]),
            ("cat/Thumbs.db", vec![1]),
        ];
        let inspection = inspected(&files, &[]);
        let count = |name: &str, images, faulty| ClassCount { name: name.to_owned(), images, faulty };
        assert_eq!(inspection.classes, [count("cat", 2, 1), count("dog", 1, 0)]);
        let PassedOver { litter, archives, others, examples } = &inspection.passed_over;
        assert_eq!((*litter, *archives, *others, examples.len()), (1, 1, 1, 2));
        assert_eq!(inspection.counts(), [Tally { value: Kind::Empty, images: 1 }]);
        let json = serde_json::to_string(&inspection).unwrap();
        assert_eq!(serde_json::from_str::<Inspection>(&json).unwrap(), inspection);
    }

    #[test]
    fn bars_go_from_the_first_image_to_the_last() {
        let facts = |width: u32| Facts { width, ..sample::facts() };
        let all = [facts(64), facts(255), facts(9000)];
        let bins = histogram(&all.iter().collect::<Vec<_>>(), &SIDES, |facts| f64::from(facts.width));
        assert_eq!(bins.iter().map(|bin| bin.images).collect::<Vec<_>>(), [1, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!((bins[0].from, bins[0].to, bins[7].to), (64.0, Some(128.0), None));
        assert!(histogram(&[], &SIDES, |_| 0.0).is_empty());
    }

    #[test]
    fn images_that_are_like_too_many_others_are_counted() {
        let picture = |number: u8| {
            let mut image = sample::scene(2, 60, 60);
            image.set(0, 0, [number, 7, 7]);
            encode_png(&image).unwrap()
        };
        let names: Vec<String> = (0..70).map(|number| format!("cat.{number}.png")).collect();
        let files: Vec<(&str, Vec<u8>)> = names.iter().map(String::as_str).zip((0..70).map(picture)).collect();
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), &files);
        let source = open(folder.path(), &OpenOptions::default()).unwrap();
        let scanned = scan(source.as_ref(), &Limits::default(), Depth::Likeness, &|_, _| {}).unwrap();
        assert_eq!(Inspection::new(source.as_ref(), &scanned, Err("one class".to_owned())).crowded, 70);
    }
}
