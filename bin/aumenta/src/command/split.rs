//! `aumenta split`: from an archive or folder to a manifest, or to one for each fold.

mod amounts;
mod rules;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aumenta_dataset::{
    Amounts, Dataset, Existing, ExportFault, Fold, Format, Link, MANIFEST_FILE, Manifest, OnFaulty, OpenOptions,
    PrepareConfig, Quarantine, Survey, check_class_folders, check_vacant, write_folder,
};
use aumenta_seed::Seed;

use self::amounts::AmountArgs;
use self::rules::RuleArgs;
use crate::command::export;
use crate::depth::DepthArgs;
use crate::failure::BadUse;
use crate::limits::LimitArgs;
use crate::output::print;
use crate::progress::counting;

/// Split a data set into train, val and test, and write a manifest that later commands read.
///
/// SOURCE is a zip archive (also one inside another, as Kaggle packs them), a tar archive, a folder of images, a folder of
/// tar shards (as WebDataset packs them), or a folder of IDX files such as MNIST's. It is read in place; nothing is
/// unpacked. Every image is decoded once, so that a damaged one shows now and not in the middle of a training. Every class is
/// divided in the same proportion. Copies never end up on both sides of a split, nor do near-duplicates, which are the same
/// picture re-encoded, resized, brightened, mirrored, cropped or turned a little, nor images of one group (--group-by).
///
/// With --folds the folder OUT gets a manifest for each fold, in fold-1, fold-2 and so on. Classes of unequal size are
/// balanced while training, by drawing images of small classes more often (`order = "balanced"` in the configuration's
/// table `sampling`), never by copying files.
#[derive(clap::Args)]
pub struct Args {
    /// The archive or folder.
    source: PathBuf,
    /// The folder for the manifest, or for the folders of the folds.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    amounts: AmountArgs,
    /// Chooses the images of each split.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    rules: RuleArgs,
    /// The archive to use, where the outer archive holds several.
    #[arg(long)]
    inner: Option<String>,
    #[command(flatten)]
    depth: DepthArgs,
    /// Leave damaged images out and note them in the manifest, instead of stopping.
    #[arg(long)]
    skip_faulty: bool,
    /// Leave out the images that this file or folder of `aumenta inspect --quarantine` names.
    #[arg(long, value_name = "FILE|FOLDER")]
    quarantine: Option<PathBuf>,
    /// Also write the images into class folders below this folder, for those who want files.
    #[arg(long, value_name = "FOLDER", conflicts_with = "folds")]
    materialize: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let amounts = self.amounts.each()?;
        let path = self.out.join(MANIFEST_FILE);
        if path.exists() {
            return Err(BadUse::from_error(ExportFault::OutputTaken { path: self.out }));
        }
        if self.amounts.are_folds() {
            check_vacant(&self.out)?;
        }
        if let Some(folder) = &self.materialize {
            check_vacant(folder)?;
        }
        let survey = survey(&self.source, &self.config(&amounts[0])?)?;
        if self.amounts.are_folds() {
            return self.write_folds(&survey, &amounts);
        }
        if self.materialize.is_some() {
            check_class_folders(survey.classes())?;
        }
        let manifest = write(&survey, &amounts[0], &self.out)?;
        if let Some(folder) = &self.materialize {
            let format = Format::Folders(Link::Copy);
            let written = export::write(&Dataset::open(&path, None)?, format, folder, Existing::Refuse)?;
            eprintln!("wrote {written} files below {}", folder.display());
        }
        warn_of_left_out(&manifest);
        let text = if self.json {
            format!("{:#}\n", text::to_json(&manifest, &path))
        } else {
            text::to_text(&manifest, &path)
        };
        print(&text)
    }

    fn config(&self, amounts: &Amounts) -> Result<PrepareConfig> {
        Ok(PrepareConfig {
            order: self.amounts.order(),
            seed: Seed::new(self.seed),
            labels: self.rules.labels.rule(),
            groups: self.rules.groups()?,
            test_pattern: self.amounts.test_pattern.clone(),
            on_faulty: if self.skip_faulty { OnFaulty::Skip } else { OnFaulty::Fail },
            depth: self.depth.into(),
            open: OpenOptions { inner: self.inner.clone(), limits: self.limits.of_source() },
            limits: self.limits.of_images(),
            quarantine: self.quarantine.as_deref().map(Quarantine::read).transpose()?,
            ..PrepareConfig::new(amounts.clone())
        })
    }

    /// Writes a manifest for each fold, all of them or none.
    fn write_folds(&self, survey: &Survey, folds: &[Amounts]) -> Result<()> {
        let manifests = write_folder(&self.out, |folder| {
            let write = |amounts: &Amounts| {
                let Amounts::Fold(fold) = amounts else { unreachable!("all of these amounts are folds") };
                write(survey, amounts, &folder.join(fold.folder())).map(|manifest| (*fold, manifest))
            };
            folds.iter().map(write).collect::<Result<Vec<(Fold, Manifest)>>>()
        })?;
        warn_of_left_out(&manifests[0].1);
        let text = if self.json {
            format!("{:#}\n", text::folds_to_json(&manifests, &self.out))
        } else {
            text::folds_to_text(&manifests, &self.out)
        };
        print(&text)
    }
}

/// Scans and splits `source`, and writes the manifest into the folder `out`.
pub fn split(source: &Path, out: &Path, config: &PrepareConfig) -> Result<Manifest> {
    write(&survey(source, config)?, &config.amounts, out)
}

fn survey(source: &Path, config: &PrepareConfig) -> Result<Survey> {
    let bar = counting("checking images");
    let survey = Survey::new(source, config, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(survey?)
}

/// Writes a manifest into the folder `out`, and reads it again.
fn write(survey: &Survey, amounts: &Amounts, out: &Path) -> Result<Manifest> {
    let path = out.join(MANIFEST_FILE);
    survey.divide(amounts)?.write(&path)?;
    Manifest::read(&path).with_context(|| format!("`{}` does not read as it was written", path.display()))
}

fn warn_of_left_out(manifest: &Manifest) {
    for finding in manifest.left_out.iter().take(10) {
        eprintln!("left out: {finding}");
    }
    if manifest.left_out.len() > 10 {
        eprintln!("left out: {} more, see the manifest", manifest.left_out.len() - 10);
    }
}
