//! `aumenta summary`: the table of a network's layers.

use std::path::Path;

use anyhow::Result;
use aumenta_models::{ModelConfig, Summary};
use aumenta_report::{Alignment, Table, count};
use aumenta_runs::RunFolder;
use serde_json::json;

use crate::config::Config;
use crate::failure::BadUse;
use crate::output::print;

/// Print the layers of a network: output shapes, parameters, and multiply-adds for one image.
///
/// As in Keras, parameters are all numbers that are saved: also the running means and variances of batch normalization, which
/// no optimizer moves. Multiply-adds are the products of a weight and an input.
#[derive(clap::Args)]
pub struct Args {
    /// A model's name (`mnist-convnet`, `cats-dogs-convnet`, `resnet-small`, `efficientnet-lite0`, `mobilenet-v2`, `resnet18`,
    /// `vgg16`), a model file (`.toml`), or the folder of a run.
    #[arg(value_name = "MODEL|FILE|RUN")]
    model: String,
    /// The input's side in pixels, for a model that can take several.
    #[arg(long)]
    image_size: Option<usize>,
    /// The dropout rate, for a model that has dropout.
    #[arg(long)]
    dropout: Option<f32>,
    /// Count the layers before this one as frozen: a layer, a block such as `blocks.6`, or `head` for the whole base. A run's
    /// own setting holds where it is left out.
    #[arg(long, value_name = "LAYER")]
    freeze_until: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let (model, freeze_until) = self.model()?;
        let architecture = model.architecture()?;
        let frozen = freeze_until.map_or(Ok(0), |name| architecture.layers_before(&name))?;
        let summary = architecture.summary();
        if self.json { print(&format!("{:#}\n", to_json(&summary, frozen))) } else { print(&to_text(&summary, frozen)) }
    }

    /// The model, and the layer until which it is frozen.
    fn model(&self) -> Result<(ModelConfig, Option<String>)> {
        let (folder, freeze_until) = (Path::new(&self.model), self.freeze_until.clone());
        if ModelConfig::NAMES.contains(&self.model.as_str()) || !folder.is_dir() {
            return Ok((ModelConfig::open(&self.model)?.with(self.image_size, self.dropout)?, freeze_until));
        }
        if self.image_size.is_some() || self.dropout.is_some() {
            return Err(BadUse::message("--image-size and --dropout are for a model's name: a run has its own".into()));
        }
        let run = RunFolder::open(folder)?;
        let classes = run.read_info()?.classes.len();
        let config = Config::read(&run.config_path())?;
        let model = config.model()?.clone().for_classes(classes);
        Ok((model, freeze_until.or(config.fine_tuning.freeze_until)))
    }
}

fn to_text(summary: &Summary, frozen: usize) -> String {
    let mut table = Table::new([
        ("layer (type)", Alignment::Left),
        ("output shape", Alignment::Left),
        ("parameters", Alignment::Right),
        ("multiply-adds", Alignment::Right),
    ]);
    for row in &summary.rows {
        let shape: Vec<String> = row.output.iter().map(ToString::to_string).collect();
        table.push([
            format!("{}{} ({})", "  ".repeat(row.depth), row.name, row.kind),
            format!("(batch, {})", shape.join(", ")),
            count((row.parameters + row.statistics) as u64),
            count(row.multiply_adds),
        ]);
    }
    let (statistics, input) = (summary.statistics(), &summary.input);
    let frozen = summary.parameters_of_first(frozen);
    let trained = summary.parameters() - frozen;
    let of_frozen = if frozen == 0 { String::new() } else { format!("frozen: {}\n", with_memory(frozen)) };
    format!(
        "model: {}, input (batch, {}, {}, {})\n{}total parameters: {}\ntrainable: {}\n{of_frozen}non-trainable: \
         {}\nmultiply-adds for one image: {}\n",
        summary.model,
        input[0],
        input[1],
        input[2],
        table.to_text(),
        with_memory(trained + frozen + statistics),
        with_memory(trained),
        with_memory(statistics),
        count(summary.multiply_adds()),
    )
}

/// So many numbers, and what they take as f32.
fn with_memory(numbers: usize) -> String {
    format!("{} ({:.2} MiB)", count(numbers as u64), numbers as f64 * 4.0 / f64::from(1 << 20))
}

fn to_json(summary: &Summary, frozen_layers: usize) -> serde_json::Value {
    let frozen = summary.parameters_of_first(frozen_layers);
    let rows = summary.rows.iter().map(|row| {
        json!({
            "name": row.name,
            "type": row.kind,
            "depth": row.depth,
            "output-shape": row.output,
            "trainable": row.parameters,
            "non-trainable": row.statistics,
            "multiply-adds": row.multiply_adds,
        })
    });
    let (trained, statistics) = (summary.parameters() - frozen, summary.statistics());
    json!({
        "model": summary.model,
        "input-shape": summary.input,
        "layers": rows.collect::<Vec<_>>(),
        "parameters": trained + frozen + statistics,
        "trainable": trained,
        "frozen": frozen,
        "non-trainable": statistics,
        "bytes": 4 * (trained + frozen + statistics),
        "multiply-adds": summary.multiply_adds(),
    })
}
