//! `aumenta inspect`: what a data set is like and what is wrong with it, before anything is done about it.

mod report;
mod thumbnails;

use std::path::PathBuf;

use anyhow::{Result, bail};
use aumenta_dataset::{Inspection, Labels, OpenOptions, Policy, Quarantine, Severity, open, scan, write_file};
use clap::ValueEnum;

use self::thumbnails::Thumbnails;
use crate::depth::DepthArgs;
use crate::labels::LabelArgs;
use crate::limits::LimitArgs;
use crate::output::print;
use crate::progress::counting;

/// Look at every image of a data set and tell what it is like and what is wrong with it.
///
/// SOURCE is a zip archive (also one inside another, as Kaggle packs them), a tar archive, a folder of images, a folder of
/// tar shards (as WebDataset packs them), or a folder of IDX files such as MNIST's. It is read in place; nothing is
/// unpacked and nothing is changed. It works without classes too. Findings are no failure: the exit code is 0 unless --fail-on asks for another.
#[derive(clap::Args)]
pub struct Args {
    /// The archive or folder.
    source: PathBuf,
    #[command(flatten)]
    depth: DepthArgs,
    #[command(flatten)]
    labels: LabelArgs,
    /// The archive to use, where the outer archive holds several.
    #[arg(long)]
    inner: Option<String>,
    /// Also write a page with pictures of what was found.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the list of the images that training must not see, to a file or into a folder.
    #[arg(long, value_name = "FILE|FOLDER")]
    quarantine: Option<PathBuf>,
    /// Which kinds of findings are for quarantine, separated by commas: names of kinds, `faults`, `notices` or `default`
    /// (faults, in-test-set, blank); `-` before a name takes it out again.
    #[arg(long, value_name = "KINDS", default_value = "default", allow_hyphen_values = true)]
    policy: Policy,
    /// End with exit code 1 where there is such a finding.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Print the whole inspection as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    /// An image that training must not see.
    Faults,
    /// Any finding.
    Findings,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let options = OpenOptions { inner: self.inner.clone(), limits: self.limits.of_source() };
        let (source, limits) = (open(&self.source, &options)?, self.limits.of_images());
        let source = source.as_ref();
        let bar = counting("looking at images");
        let scanned = scan(source, &limits, self.depth.into(), &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        let labels = Labels::of(source, &self.labels.rule());
        let inspection = Inspection::new(source, &scanned?, labels.as_ref().map_err(ToString::to_string));
        if let Some(path) = &self.html {
            let page = report::of(&inspection, Some(&mut Thumbnails::new(source, limits))).to_html();
            write_file(path, |writer| std::io::Write::write_all(writer, page.as_bytes()))?;
            eprintln!("wrote {}", path.display());
        }
        if let Some(path) = &self.quarantine {
            let quarantine = Quarantine::new(&inspection, &self.policy);
            let path = quarantine.write(path)?;
            eprintln!("wrote {}: {} images for quarantine", path.display(), quarantine.entries.len());
        }
        if self.json {
            print(&(serde_json::to_string_pretty(&inspection)? + "\n"))?;
        } else {
            print(&report::of(&inspection, None).to_text())?;
        }
        self.check(&inspection)
    }

    /// Fails where the user asked for that.
    fn check(&self, inspection: &Inspection) -> Result<()> {
        let (faults, notices) = (inspection.count(Severity::Fault), inspection.count(Severity::Notice));
        match self.fail_on {
            Some(FailOn::Faults) if faults > 0 => bail!("{faults} faults were found"),
            Some(FailOn::Findings) if faults + notices > 0 => {
                bail!("{faults} faults and {notices} notices were found")
            }
            _ => Ok(()),
        }
    }
}
