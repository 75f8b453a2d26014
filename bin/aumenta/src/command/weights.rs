//! `aumenta weights`: weights that were trained elsewhere, for a training to begin with.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use aumenta_augment::NormalizationConfig;
use aumenta_imgproc::Channels;
use aumenta_models::{Architecture, FoundWeights, ModelConfig, Pretrained, read_weights};
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
            let rows = listed.iter().map(|(pretrained, parameters)| {
                json!({
                    "model": pretrained.model,
                    "parameters": parameters,
                    "source": pretrained.source,
                    "sha256": pretrained.sha256,
                    "mean": pretrained.mean,
                    "std": pretrained.std,
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
            table.push([
                pretrained.model.to_string(),
                count(parameters as u64),
                pretrained.source.to_string(),
                pretrained.sha256.unwrap_or("not pinned").to_string(),
            ]);
        }
        print(&table.to_text())
    }
}

impl ImportArgs {
    fn run(self) -> Result<()> {
        let Some(pretrained) = Pretrained::of(&self.model) else {
            let known = Pretrained::ALL.map(|pretrained| format!("`{}`", pretrained.model)).join(", ");
            return Err(BadUse::message(format!(
                "no weights of `{}` are known; there are those of {known}",
                self.model
            )));
        };
        if self.out.exists() {
            return Err(BadUse::message(format!("`{}` exists already: choose another name", self.out.display())));
        }
        let architecture = ModelConfig::named(pretrained.model)?.architecture()?;
        let found = architecture.find_weights(read_weights(&self.file)?)?;
        let sha256 = sha256(&self.file)?;
        let metadata = metadata(&architecture, pretrained, &self.file, &sha256)?;
        let imported = Imported { pretrained, sha256, tensors: found.tensors.len(), out: &self.out };
        let text = if self.json { imported.to_json(&found) } else { imported.to_text(&found) };
        let file = TensorFile { tensors: found.tensors, metadata: metadata.into() };
        write_atomic_bytes(&self.out, &file.to_bytes()?)?;
        print(&text)
    }
}

/// What an import says.
struct Imported<'a> {
    pretrained: &'a Pretrained,
    /// Of the source's file.
    sha256: String,
    tensors: usize,
    out: &'a Path,
}

impl Imported<'_> {
    fn to_text(&self, found: &FoundWeights) -> String {
        let (out, head) = (self.out.display(), if found.has_head { "with its head" } else { "without a head" });
        let mut text = format!("wrote {out}: {} tensors of {} {head}\n", self.tensors, self.pretrained.model);
        if !found.left_out.is_empty() {
            let _ = writeln!(text, "left out: {}", found.left_out.join(", "));
        }
        let pin = match self.is_pinned() {
            Some(true) => "as pinned",
            Some(false) => "not the file that is pinned",
            None => "no file is pinned",
        };
        let _ = writeln!(text, "SHA-256 of the source: {} ({pin})", self.sha256);
        text
    }

    fn to_json(&self, found: &FoundWeights) -> String {
        let json = json!({
            "model": self.pretrained.model,
            "out": self.out,
            "tensors": self.tensors,
            "head": found.has_head,
            "left-out": found.left_out,
            "source-sha256": self.sha256,
            "pinned": self.is_pinned(),
        });
        format!("{json:#}\n")
    }

    /// Whether the source is the file whose hash is known, if one is.
    fn is_pinned(&self) -> Option<bool> {
        self.pretrained.sha256.map(|pin| pin == self.sha256)
    }
}

/// What goes into the header beside the tensors: what they are, where they are from, and what they take.
fn metadata(
    architecture: &Architecture,
    pretrained: &Pretrained,
    source: &Path,
    sha256: &str,
) -> Result<[(String, String); 8]> {
    let [height, width, channels] = architecture.input();
    let normalization = normalization(pretrained).fit(Channels::Rgb, height * width * channels)?.finish()?;
    let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let entries = [
        ("model", architecture.name().to_string()),
        ("source", name),
        ("source-sha256", sha256.to_string()),
        ("height", height.to_string()),
        ("width", width.to_string()),
        ("color", "rgb".to_string()),
        ("normalization", serde_json::to_string(&normalization)?),
        ("version", env!("CARGO_PKG_VERSION").to_string()),
    ];
    Ok(entries.map(|(key, value)| (key.to_string(), value)))
}

fn sha256(path: &Path) -> Result<String> {
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
