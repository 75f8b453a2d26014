//! `aumenta verify`: whether a data set's division keeps what it promises.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use aumenta_dataset::{Breach, Certificate, Depth, Split, verify, write_file};
use aumenta_report::{Alignment, CertificatePage, Table, count};

use crate::depth::{DepthArgs, crowded_remark};
use crate::output::print;
use crate::progress::counting;

/// Verify that a division has no leaks and that its images are as they were: exit code 0 if so, else 1.
///
/// No file, no content, no group, no near-duplicate and no declared group is in two splits; of the folds of a
/// cross-validation every image is in the validation split of one, or held out from all. Every image is read and compared
/// with its size and its hash. Each violation is named.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest, or the folder of it, or the folder of the folds.
    manifest: PathBuf,
    /// Where the images are, if not where the manifest says.
    #[arg(long, value_name = "PATH")]
    source: Option<PathBuf>,
    /// An earlier manifest of the same data set (or the folder of its folds): no image that it has may be in another split
    /// now.
    #[arg(long, value_name = "MANIFEST")]
    earlier: Option<PathBuf>,
    #[command(flatten)]
    depth: DepthArgs,
    /// Also write a page for people.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let bar = counting("reading images");
        let (source, earlier) = (self.source.as_deref(), self.earlier.as_deref());
        let certificate = verify(&self.manifest, source, earlier, self.depth.into(), &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        let certificate = certificate?;
        let shown = Shown { certificate: &certificate, has_earlier: self.earlier.is_some() };
        if let Some(path) = &self.html {
            let html = shown.page().to_html();
            write_file(path, |file| std::io::Write::write_all(file, html.as_bytes()))?;
        }
        if self.json {
            let mut json = serde_json::to_value(&certificate)?;
            json["holds"] = certificate.holds().into();
            print(&format!("{json:#}\n"))?;
        } else {
            print(&shown.text())?;
        }
        ensure!(certificate.holds(), "the certificate does not hold: every violation is named");
        Ok(())
    }
}

/// A certificate in words.
struct Shown<'a> {
    certificate: &'a Certificate,
    has_earlier: bool,
}

impl Shown<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.counts().to_text(), self.checks().to_text(), self.verdict());
        for violation in self.violations() {
            text.push_str("  ");
            text.push_str(&violation);
            text.push('\n');
        }
        text
    }

    fn page(&self) -> CertificatePage {
        let Certificate { manifests, .. } = self.certificate;
        let manifest = |certified: &aumenta_dataset::CertifiedManifest| {
            (certified.path.display().to_string(), format!("hash {}, {} groups", certified.hash, certified.groups))
        };
        CertificatePage {
            title: "Certificate of a data set".to_string(),
            verdict: self.verdict(),
            checks: self.checks(),
            counts: self.counts(),
            facts: manifests.iter().map(manifest).collect(),
            violations: self.violations(),
        }
    }

    fn verdict(&self) -> String {
        let Certificate { images, bytes, violations, .. } = self.certificate;
        let read = format!("{} images, {} bytes read", count(*images as u64), count(*bytes));
        let verdict = match violations.len() {
            0 => format!("The certificate holds: {read}, nothing crosses a split."),
            1 => format!("The certificate does not hold: {read}, 1 violation."),
            found => format!("The certificate does not hold: {read}, {} violations.", count(found as u64)),
        };
        [Some(verdict), crowded_remark(self.certificate.crowded)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// A row a class, or a row a fold.
    fn counts(&self) -> Table {
        let Certificate { manifests, classes, .. } = self.certificate;
        let what = if manifests.len() == 1 { "class" } else { "manifest" };
        let splits = Split::ALL.map(|split| (split.name().to_string(), Alignment::Right));
        let mut table = Table::new([(what.to_string(), Alignment::Left)].into_iter().chain(splits));
        let mut push = |name: String, counts: [usize; 3]| {
            table.push([name].into_iter().chain(counts.map(|number| number.to_string())));
        };
        if let [only] = &manifests[..] {
            for (class, counts) in classes.iter().zip(&only.counts) {
                push(class.clone(), *counts);
            }
        } else {
            for manifest in manifests {
                let name = manifest.fold.map_or_else(|| manifest.path.clone(), |fold| fold.folder());
                let sum = |split: usize| manifest.counts.iter().map(|counts| counts[split]).sum();
                push(name.display().to_string(), [sum(0), sum(1), sum(2)]);
            }
        }
        table
    }

    /// What was looked for, and how often it was found.
    fn checks(&self) -> Table {
        let found = |is_meant: fn(&Breach) -> bool| {
            self.certificate.violations.iter().filter(|violation| is_meant(&violation.breach)).count().to_string()
        };
        let mut table = Table::new([("looked for", Alignment::Left), ("found", Alignment::Right)]);
        table.push(["files with several records".to_string(), found(|b| matches!(b, Breach::Path { .. }))]);
        table.push(["contents in several splits".to_string(), found(|b| matches!(b, Breach::Content { .. }))]);
        table.push(["groups in several splits".to_string(), found(|b| matches!(b, Breach::Group { .. }))]);
        let near = match self.certificate.depth {
            Depth::Likeness => "near-duplicates in several splits",
            Depth::Content | Depth::Pixels => {
                "near-duplicates in several splits (as recorded: images were not compared)"
            }
        };
        table.push([near.to_string(), found(|b| matches!(b, Breach::Near { .. }))]);
        table.push(["declared groups in several splits".to_string(), found(|b| matches!(b, Breach::Declared { .. }))]);
        table.push(["images that are missing".to_string(), found(|b| matches!(b, Breach::Missing { .. }))]);
        table.push(["images that changed".to_string(), found(|b| matches!(b, Breach::Changed { .. }))]);
        table.push(["images that cannot be read".to_string(), found(|b| matches!(b, Breach::Unreadable { .. }))]);
        if self.certificate.manifests.len() > 1 {
            table.push(["folds that are missing".to_string(), found(|b| matches!(b, Breach::FoldMissing { .. }))]);
            let validated = found(|b| matches!(b, Breach::Validated { .. }));
            table.push(["images that are not validated on once a repeat".to_string(), validated]);
        }
        if self.has_earlier {
            table.push(["images that were in another split".to_string(), found(|b| matches!(b, Breach::Moved { .. }))]);
        }
        table
    }

    fn violations(&self) -> Vec<String> {
        let is_one = self.certificate.manifests.len() == 1;
        let violations = self.certificate.violations.iter();
        violations
            .map(|violation| match &violation.manifest {
                Some(manifest) if !is_one => format!("{}: {}", manifest.display(), violation.breach),
                _ => violation.breach.to_string(),
            })
            .collect()
    }
}
