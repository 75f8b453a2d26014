//! `aumenta features`: what a network's base makes of a data set's images, in a file.

use std::path::PathBuf;

use anyhow::Result;
use aumenta_dataset::Split;
use aumenta_report::count;
use serde_json::json;

use crate::command::train::{Made, Settings, Setup, check_features, made};
use crate::config::Config;
use crate::output::print;

/// Compute once what a network's base makes of all images, so that a head is trained on it in seconds.
///
/// `aumenta train` takes the file with --features and the same settings. It is a safetensors file: for each split its name with
/// the features of its images, in the manifest's order (of `train` first by view), and its name with `.classes`. It belongs to
/// the weights, the preprocessing, the manifest and the augmentation; with others it is refused.
#[derive(clap::Args)]
pub struct Args {
    /// A TOML file, as `aumenta train` takes it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The file to write; one that is there already and belongs to the same settings is left as it is.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let config = Config::of(self.config.as_deref())?;
        let mut config = self.settings.over(config)?;
        config.fine_tuning.freeze_until.get_or_insert_with(|| "head".to_string());
        let setup = Setup::new(&config)?;
        check_features(&config, setup.fit.freezing.layers)?;
        let mut model = setup.model()?;
        let made = made(&setup, &mut *model, &self.out, &[Split::Val, Split::Test])?;
        if self.json { print(&format!("{:#}\n", to_json(&made))) } else { print(&to_text(&made)) }
    }
}

fn to_text(made: &Made) -> String {
    let Made { features, path, computed } = made;
    let (len, file) = (count(features.len_of_image() as u64), path.display());
    let size = features.bytes() as f64 / f64::from(1 << 20);
    match computed {
        Some((images, seconds)) => {
            let (speed, images) = (*images as f64 / seconds, count(*images as u64));
            format!(
                "{len} features of each of {images} images in {seconds:.1} s, {speed:.1} images/s: {file} ({size:.1} MiB)\n"
            )
        }
        None => format!("{file} has them already: {len} features of each image ({size:.1} MiB)\n"),
    }
}

fn to_json(made: &Made) -> serde_json::Value {
    let Made { features, path, computed } = made;
    json!({
        "path": path,
        "features": features.len_of_image(),
        "bytes": features.bytes(),
        "key": features.key(),
        "images": computed.map(|(images, _)| images),
        "seconds": computed.map(|(_, seconds)| seconds),
    })
}
