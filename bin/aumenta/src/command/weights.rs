//! `aumenta weights`: weights that were trained elsewhere, for a training to begin with.

mod fetch;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use aumenta_augment::NormalizationConfig;
use aumenta_imgproc::Channels;
use aumenta_models::{Architecture, FoundWeights, ModelConfig, ModelError, Pretrained, read_weights};
use aumenta_nn::TensorFile;
use aumenta_report::{Alignment, Table, count};
use aumenta_runs::write_atomic_bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::failure::BadUse;
use crate::output::print;

/// Weights that others trained, for a training to begin with (`aumenta train --weights FILE`).
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    List(ListArgs),
    Fetch(fetch::FetchArgs),
    Import(ImportArgs),
}

/// List the models for which there are weights, and where these are.
#[derive(clap::Args)]
struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Check a file of weights and write it as a safetensors file with this program's names.
///
/// The file is one of safetensors or of PyTorch, or an archive with one such file, such as a wheel. All tensors of the model's base
/// must be there in their shapes. A head for another number of classes than ImageNet's 1,000 is left out.
#[derive(clap::Args)]
struct ImportArgs {
    /// The file.
    file: PathBuf,
    /// The model whose weights they are: one of `aumenta weights list`.
    #[arg(long, value_name = "NAME")]
    model: String,
    /// The file to write, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::List(args) => args.run(),
            Command::Fetch(args) => args.run(),
            Command::Import(args) => args.run(),
        }
    }
}

impl ListArgs {
    fn run(self) -> Result<()> {
        let listed = Pretrained::ALL.iter().map(|pretrained| {
            Ok((pretrained, ModelConfig::named(pretrained.model)?.architecture()?.summary().parameters()))
        });
        let listed = listed.collect::<Result<Vec<_>>>()?;
        if self.json {
            let rows = listed.iter().flat_map(|(pretrained, parameters)| {
                pretrained.files().map(move |file| {
                    json!({
                        "model": pretrained.model,
                        "parameters": parameters,
                        "source": file.place.to_string(),
                        "sha256": file.sha256,
                        "mean": pretrained.mean,
                        "std": pretrained.std,
                    })
                })
            });
            return print(&format!("{:#}\n", json!(rows.collect::<Vec<_>>())));
        }
        let mut table = Table::new([
            ("model", Alignment::Left),
            ("parameters", Alignment::Right),
            ("source", Alignment::Left),
            ("SHA-256", Alignment::Left),
        ]);
        for (pretrained, parameters) in listed {
            for file in pretrained.files() {
                table.push([
                    pretrained.model.to_string(),
                    count(parameters as u64),
                    file.place.to_string(),
                    file.sha256.unwrap_or("not pinned").to_string(),
                ]);
            }
        }
        print(&table.to_text())
    }
}

impl ImportArgs {
    fn run(self) -> Result<()> {
        let pretrained = pretrained(&self.model)?;
        check_out(&self.out)?;
        let sha256 = sha256(&self.file).map_err(ModelError::ReadWeights)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let pins: Vec<&str> = pretrained.files().filter_map(|file| file.sha256).collect();
        let pin = match &pins[..] {
            [] => Pin::Unknown,
            pins if pins.contains(&sha256.as_str()) => Pin::Kept,
            _ => Pin::Other,
        };
        import(pretrained, &Source { path: self.file, name, sha256, pin }, &self.out, self.json)
    }
}

/// The network named `model`, for which there are weights.
fn pretrained(model: &str) -> Result<&'static Pretrained> {
    Pretrained::of(model).ok_or_else(|| {
        let known = Pretrained::ALL.map(|pretrained| format!("`{}`", pretrained.model)).join(", ");
        BadUse::message(format!("no weights of `{model}` are known; there are those of {known}"))
    })
}

/// Whether a file can be written to `out`.
fn check_out(out: &Path) -> Result<()> {
    if out.exists() {
        return Err(BadUse::message(format!("`{}` exists already: choose another name", out.display())));
    }
    Ok(())
}

/// The file that weights come from.
struct Source {
    path: PathBuf,
    /// What it is called where it is from.
    name: String,
    sha256: String,
    pin: Pin,
}

/// How a file's hash compares to the one that is known.
#[derive(Clone, Copy)]
enum Pin {
    /// None is known.
    Unknown,
    /// It is that one.
    Kept,
    /// It is another.
    Other,
}

/// Writes the weights of `source` to `out` under this program's names, and says so.
fn import(pretrained: &Pretrained, source: &Source, out: &Path, json: bool) -> Result<()> {
    let architecture = ModelConfig::named(pretrained.model)?.architecture()?;
    let found = architecture.find_weights(read_weights(&source.path)?)?;
    let metadata = metadata(&architecture, pretrained, source)?;
    let text = if json { to_json(pretrained, source, &found, out) } else { to_text(pretrained, source, &found, out) };
    let file = TensorFile { tensors: found.tensors, metadata: metadata.into() };
    write_atomic_bytes(out, &file.to_bytes()?)?;
    print(&text)
}

fn to_text(pretrained: &Pretrained, source: &Source, found: &FoundWeights, out: &Path) -> String {
    let head = if found.has_head { "with its head" } else { "without a head" };
    let mut text = format!("wrote {}: {} tensors of {} {head}\n", out.display(), found.tensors.len(), pretrained.model);
    if !found.left_out.is_empty() {
        let _ = writeln!(text, "left out: {}", found.left_out.join(", "));
    }
    let pin = match source.pin {
        Pin::Kept => "as pinned",
        Pin::Other => "not the file that is pinned",
        Pin::Unknown => "no file is pinned",
    };
    let _ = writeln!(text, "SHA-256 of the source: {} ({pin})", source.sha256);
    text
}

fn to_json(pretrained: &Pretrained, source: &Source, found: &FoundWeights, out: &Path) -> String {
    let pinned = match source.pin {
        Pin::Kept => Some(true),
        Pin::Other => Some(false),
        Pin::Unknown => None,
    };
    let json = json!({
        "model": pretrained.model,
        "out": out,
        "tensors": found.tensors.len(),
        "head": found.has_head,
        "left-out": found.left_out,
        "source": source.name,
        "source-sha256": source.sha256,
        "pinned": pinned,
    });
    format!("{json:#}\n")
}

/// What goes into the header beside the tensors: what they are, where they are from, and what they take.
fn metadata(architecture: &Architecture, pretrained: &Pretrained, source: &Source) -> Result<[(String, String); 8]> {
    let [height, width, channels] = architecture.input();
    let normalization = normalization(pretrained).fit(Channels::Rgb, height * width * channels)?.finish()?;
    let entries = [
        ("model", architecture.name().to_string()),
        ("source", source.name.clone()),
        ("source-sha256", source.sha256.clone()),
        ("height", height.to_string()),
        ("width", width.to_string()),
        ("color", "rgb".to_string()),
        ("normalization", serde_json::to_string(&normalization)?),
        ("version", env!("CARGO_PKG_VERSION").to_string()),
    ];
    Ok(entries.map(|(key, value)| (key.to_string(), value)))
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    let mut text = String::new();
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// How values become those that the weights take.
pub fn normalization(pretrained: &Pretrained) -> NormalizationConfig {
    NormalizationConfig::MeanStd { mean: pretrained.mean.to_vec(), std: pretrained.std.to_vec() }
}

/// What a training says that begins with weights of the file at `path`.
pub fn remark(path: &Path, found: &FoundWeights) -> String {
    let head = if found.has_head { "with the head" } else { "with a new head" };
    let mut text = format!("beginning with {} tensors of {}, {head}", found.tensors.len(), path.display());
    if !found.left_out.is_empty() {
        let _ = write!(text, "; left out: {}", found.left_out.join(", "));
    }
    text
}
