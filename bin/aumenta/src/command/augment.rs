//! `aumenta augment`: what helps to write the augmentation of a configuration.

use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aumenta_augment::{AlbumentationsVersion, AugmentConfig, KerasVersion, Library, MAX_BYTES, translate};
use clap::{Subcommand, ValueEnum};

use crate::failure::BadUse;
use crate::output::print;

/// Write the augmentation section of a configuration.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Translate(Translate),
}

/// Translate the augmentation of a Keras, torchvision or albumentations program.
///
/// FILE is a Python script, which is read and never run, or JSON: what albumentations saves, or an object of the arguments
/// of Keras' ImageDataGenerator. The settings go to standard output, and to standard error what they keep of the original:
/// `exact`, `approximate` and in what it differs, or `no equal`. To repeat Keras to the pixel, write its arguments below
/// `dialect = "keras-2.15"` or `"keras-2.0.8"` instead.
#[derive(clap::Args)]
struct Translate {
    /// The script or JSON file, or `-` for standard input.
    file: PathBuf,
    /// The library, where the text does not show it.
    #[arg(long, value_enum)]
    from: Option<From>,
}

#[derive(Clone, Copy, ValueEnum)]
enum From {
    /// ImageDataGenerator of Keras 2.15, whose shear is in degrees.
    #[value(name = "keras-2.15", alias = "keras")]
    Keras2_15,
    /// ImageDataGenerator of Keras 2.0.8, whose shear is in radians.
    #[value(name = "keras-2.0.8")]
    Keras2_0_8,
    /// torchvision.transforms, also v2.
    Torchvision,
    /// albumentations 2.0.
    #[value(name = "albumentations-2", alias = "albumentations")]
    Albumentations2,
    /// albumentations 1.3 and 1.4.0, whose defaults are others.
    #[value(name = "albumentations-1")]
    Albumentations1,
}

impl Args {
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Translate(translate) => translate.run(),
        }
    }
}

impl Translate {
    fn run(self) -> Result<()> {
        let text = read(&self.file)?;
        let translation = translate(&text, self.from.map(From::library))
            .with_context(|| format!("`{}` is not translated", self.file.display()))
            .map_err(BadUse::wrap)?;
        for note in &translation.notes {
            eprintln!("{note}");
        }
        print(&to_toml(&translation.config)?)
    }
}

impl From {
    fn library(self) -> Library {
        match self {
            Self::Keras2_15 => Library::Keras(KerasVersion::Keras2_15),
            Self::Keras2_0_8 => Library::Keras(KerasVersion::Keras2_0_8),
            Self::Torchvision => Library::Torchvision,
            Self::Albumentations2 => Library::Albumentations(AlbumentationsVersion::Albumentations2),
            Self::Albumentations1 => Library::Albumentations(AlbumentationsVersion::Albumentations1),
        }
    }
}

/// The text of a file or of standard input; of one that is too long, enough to show it.
fn read(path: &Path) -> Result<String> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(stdin().lock())
    } else {
        Box::new(fs_err::File::open(path).map_err(BadUse::from_error)?)
    };
    let mut text = String::new();
    input
        .take(MAX_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("`{}` cannot be read", path.display()))
        .map_err(BadUse::wrap)?;
    Ok(text)
}

/// The section `[augment]`, without the settings that are as usual.
fn to_toml(config: &AugmentConfig) -> Result<String> {
    let usual = toml::Table::try_from(AugmentConfig::default())?;
    let mut section = toml::Table::try_from(config)?;
    section.retain(|name, value| usual.get(name) != Some(value));
    Ok(toml::to_string(&toml::Table::from_iter([("augment".to_string(), section.into())]))?)
}
