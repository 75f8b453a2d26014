//! `aumenta demo`: the whole story in one command, on a data set that Aumenta draws itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use aumenta_augment::{AugmentConfig, Augmentation};
use aumenta_dataset::{Amounts, Dataset, Manifest, PrepareConfig, Split};
use aumenta_imgproc::{Size, encode_png};
use aumenta_models::ModelConfig;
use aumenta_nn::{OptimizerConfig, RmsPropConfig};
use aumenta_report::{
    Curve, DataFacts, MEASURED, OverfittingReport, Quantity, RunSummary, SplitFacts, conclusion, overlay, summary_table,
};
use aumenta_runs::{Kept, RunFolder, write_atomic_bytes};
use aumenta_seed::Seed;

use crate::command::evaluate::Measurement;
use crate::command::preview::sheet;
use crate::command::split::split;
use crate::command::train::{Talk, train};
use crate::config::Config;
use crate::device;
use crate::failure::BadUse;
use crate::output::print;

/// Show the whole story on drawn cats and dogs: draw, split, preview, train twice, report.
///
/// Draws a data set and packs it as Kaggle does, splits it, shows what augmentation does to it, trains a convnet plainly
/// and once more with augmentation and dropout, and writes report.html with both learning curves. The same seed gives the
/// same images, splits, weights and accuracies.
#[derive(clap::Args)]
pub struct Args {
    /// The folder to write to, which must not exist yet or be empty.
    #[arg(long, default_value = "aumenta-demo")]
    out: PathBuf,
    /// Chooses everything: the drawings, the split, the weights and the augmentation.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A few images and epochs, to see that everything works; the network learns next to nothing.
    #[arg(long)]
    smoke: bool,
    /// Replace the folder of an earlier demo, also of an interrupted one.
    #[arg(long)]
    force: bool,
}

/// The file that a demo writes first, and by which `--force` knows a demo's folder from any other.
const MARKER: &str = ".aumenta-demo";

/// How much the demo does.
struct Scale {
    /// Images of each class for train, val and test.
    counts: [usize; 3],
    /// Side of the drawings in pixels.
    drawn_side: usize,
    /// Side of the network's input in pixels.
    image_size: usize,
    epochs: usize,
}

const FULL: Scale = Scale { counts: [150, 200, 200], drawn_side: 96, image_size: 64, epochs: 30 };
const SMOKE: Scale = Scale { counts: [12, 6, 6], drawn_side: 80, image_size: 64, epochs: 2 };

const DROPOUT: f32 = 0.5;

/// What the second run adds: milder than the book's, since a turn of 40 degrees is more than any drawing has.
fn augmentation() -> AugmentConfig {
    AugmentConfig {
        rotation_degrees: 20.0,
        width_shift: 0.1,
        height_shift: 0.1,
        horizontal_flip: true,
        ..AugmentConfig::default()
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let started = Instant::now();
        let (out, scale) = (&self.out, if self.smoke { SMOKE } else { FULL });
        prepare_folder(out, self.force)?;

        let [train, val, test] = scale.counts;
        let zip = out.join("cats-and-dogs.zip");
        let per_class = train + val + test;
        eprintln!("drawing {} cats and {per_class} dogs into {}", per_class, zip.display());
        aumenta_drawn::write_zip(&zip, per_class, scale.drawn_side, Seed::new(self.seed))?;

        let amounts = Amounts::Counts { train, val, test: Some(test) };
        let prepare = PrepareConfig { seed: Seed::new(self.seed), ..PrepareConfig::new(amounts) };
        let manifest = split(&zip, &out.join("split"), &prepare)?;
        let dataset = Arc::new(Dataset::open(&out.join("split"), None)?);

        let plain = self.write_config("plain", &scale, 0.0, Augmentation::default())?;
        let augmented = self.write_config("augmented", &scale, DROPOUT, augmentation().into())?;
        let contact_sheet = encode_png(&sheet(&dataset, &augmented, Size::square(96), 4, 6)?)?;
        write_atomic_bytes(&out.join("contact-sheet.png"), &contact_sheet)?;

        let runs = [
            train_and_measure(&plain, "plain", "as it is")?,
            train_and_measure(&augmented, "augmented", &describe(&augmentation()))?,
        ];
        let report = OverfittingReport {
            title: "Cats and dogs, drawn: does the convnet over-fit?".to_string(),
            runs: runs.to_vec(),
            data: facts(&manifest, self.seed),
            contact_sheet_png: Some(contact_sheet),
            commands: self.commands(&scale),
        };
        let curves = runs.each_ref().map(|run| Curve { name: &run.name, epochs: &run.epochs });
        write_atomic_bytes(&out.join("accuracy.svg"), overlay(&curves, Quantity::Accuracy)?.as_bytes())?;
        let path = out.join("report.html");
        write_atomic_bytes(&path, report.to_html()?.as_bytes())?;
        write_atomic_bytes(&out.join("report.md"), report.to_markdown().as_bytes())?;
        eprintln!("done in {:.0} s", started.elapsed().as_secs_f64());
        let (table, sentences) = (summary_table(&runs).to_text(), conclusion(&runs).join("\n"));
        print(&format!("{table}\n{sentences}\n{MEASURED}\n\nreport: {}\n", path.display()))
    }

    /// Writes a configuration into the demo's folder, as a user would write it, and reads it back.
    fn write_config(&self, name: &str, scale: &Scale, dropout: f32, augment: Augmentation) -> Result<Config> {
        let config = Config {
            data: Some(self.out.join("split")),
            run: Some(self.out.join("runs").join(name)),
            seed: self.seed,
            epochs: Some(scale.epochs),
            model: Some(ModelConfig::CatsDogsConvnet { image_size: scale.image_size, dropout }),
            optimizer: OptimizerConfig::Rmsprop(RmsPropConfig { learning_rate: 5e-4, ..RmsPropConfig::default() }),
            augment,
            ..Config::default()
        };
        let path = self.out.join(format!("{name}.toml"));
        write_atomic_bytes(&path, config.to_toml(&self.out)?.as_bytes())?;
        Config::read(&path)
    }

    /// The commands that do the same step by step.
    fn commands(&self, scale: &Scale) -> Vec<String> {
        let (out, seed) = (self.out.display(), self.seed);
        let [train, val, test] = scale.counts;
        let smoke = if self.smoke { " --smoke" } else { "" };
        vec![
            format!("aumenta demo{smoke} --seed {seed} --out {out}"),
            "# or step by step, from its archive:".to_string(),
            format!("aumenta split {out}/cats-and-dogs.zip --out split --counts {train},{val},{test} --seed {seed}"),
            format!("aumenta preview split --config {out}/augmented.toml --out contact-sheet.png --size 96"),
            format!("aumenta train --config {out}/plain.toml --data split --run runs/plain"),
            format!("aumenta train --config {out}/augmented.toml --data split --run runs/augmented"),
            "aumenta evaluate runs/plain --split test".to_string(),
            "aumenta evaluate runs/augmented --split test".to_string(),
        ]
    }
}

fn train_and_measure(config: &Config, name: &str, description: &str) -> Result<RunSummary> {
    train(config, Talk::default())?;
    let run = RunFolder::open(config.run()?)?;
    let Config { batch_size, workers, on_error, .. } = *config;
    let (kept, split, device) = (Kept::Best, Split::Test, device::open(config.device)?);
    Measurement { kept, data: None, split, tta: &[], batch_size, workers, on_error, device }.of(&run)?;
    Ok(RunSummary::read(name, description, &run, Split::Test.name())?)
}

/// What [`augmentation`] and the dropout add, in a phrase.
fn describe(augment: &AugmentConfig) -> String {
    let (degrees, shift) = (augment.rotation_degrees, 100.0 * augment.width_shift);
    format!("rotation up to {degrees}°, shifts up to {shift} %, flips, and dropout {DROPOUT}")
}

fn prepare_folder(out: &Path, force: bool) -> Result<()> {
    if force && out.join(MARKER).is_file() {
        fs_err::remove_dir_all(out)?;
    }
    if out.exists() && fs_err::read_dir(out)?.next().is_some() {
        let out = out.display();
        return Err(BadUse::message(format!(
            "`{out}` is not empty: choose another folder with --out, or replace an earlier demo with --force"
        )));
    }
    fs_err::create_dir_all(out)?;
    Ok(fs_err::write(out.join(MARKER), "An aumenta demo writes this folder; --force may replace it.\n")?)
}

fn facts(manifest: &Manifest, seed: u64) -> DataFacts {
    let classes = 0..manifest.classes.len() as u32;
    DataFacts {
        source: format!("Cats and dogs drawn by Aumenta from seed {seed}, packed as Kaggle packs its archives."),
        classes: manifest.classes.clone(),
        splits: Split::ALL
            .map(|split| SplitFacts {
                name: split.name().to_string(),
                images_by_class: classes.clone().map(|class| manifest.count(split, class) as u64).collect(),
            })
            .to_vec(),
        manifest_hash: manifest.hash(),
    }
}
