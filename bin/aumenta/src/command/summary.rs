//! `aumenta summary`: the table of a model's layers.

use anyhow::Result;
use aumenta_models::{ModelConfig, Summary};
use aumenta_report::{Alignment, Table, count};
use serde_json::json;

use crate::output::print;

/// Print the layers of a model: output shapes and parameters.
#[derive(clap::Args)]
pub struct Args {
    /// The model: `mnist-convnet` or `cats-dogs-convnet`.
    model: String,
    /// The input's side in pixels, for a model that can take several.
    #[arg(long)]
    image_size: Option<usize>,
    /// The dropout rate, for a model that has dropout.
    #[arg(long)]
    dropout: Option<f32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let model = ModelConfig::named(&self.model)?.with(self.image_size, self.dropout)?;
        let summary = model.architecture()?.summary();
        if self.json { print(&format!("{:#}\n", to_json(&summary))) } else { print(&to_text(&summary)) }
    }
}

fn to_text(summary: &Summary) -> String {
    let mut table = Table::new([
        ("layer (type)", Alignment::Left),
        ("output shape", Alignment::Left),
        ("parameters", Alignment::Right),
    ]);
    for row in &summary.rows {
        let shape: Vec<String> = row.output.iter().map(ToString::to_string).collect();
        table.push([
            format!("{} ({})", row.name, row.kind),
            format!("(batch, {})", shape.join(", ")),
            count(row.parameters as u64),
        ]);
    }
    let (total, input) = (summary.parameters() as u64, &summary.input);
    format!(
        "model: {}, input (batch, {}, {}, {})\n{}total parameters: {} ({:.2} MiB)\ntrainable: {}\nfrozen: 0\n",
        summary.model,
        input[0],
        input[1],
        input[2],
        table.to_text(),
        count(total),
        total as f64 * 4.0 / f64::from(1 << 20),
        count(total),
    )
}

fn to_json(summary: &Summary) -> serde_json::Value {
    let rows = summary.rows.iter().map(
        |row| json!({ "name": row.name, "type": row.kind, "output-shape": row.output, "parameters": row.parameters }),
    );
    json!({
        "model": summary.model,
        "input-shape": summary.input,
        "layers": rows.collect::<Vec<_>>(),
        "parameters": summary.parameters(),
    })
}
