//! `aumenta pool`: what pooling does to a small grid of numbers, step by step, or to a picture.

use std::path::PathBuf;

use anyhow::Result;
use aumenta_explain::{Pooled, Pooling, PoolingKind, Volume, pool_picture};
use aumenta_report::{Alignment, NumberGrid, Table, number_grids, plain_number};
use aumenta_runs::write_atomic_bytes;
use clap::ValueEnum;

use super::convolve::{Input, grids, grids_text, write_pair};
use crate::failure::BadUse;
use crate::output::print;

/// Do a pooling by hand: every window of a small grid with the largest number or the mean; or pool a picture.
///
/// Inputs are those of `aumenta convolve`.
#[derive(clap::Args)]
pub struct Args {
    /// A text file with a grid of numbers, or an image.
    input: PathBuf,
    /// What is taken of a window.
    #[arg(long, value_enum, default_value_t = KindName::Max)]
    kind: KindName,
    /// The window's side.
    #[arg(long, default_value_t = 2)]
    window: usize,
    /// The step between windows [default: the window's side].
    #[arg(long)]
    stride: Option<usize>,
    /// The drawing: an SVG file for a grid, a PNG file for an image, where it is required.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    Max,
    Average,
}

impl From<KindName> for PoolingKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Max => Self::Max,
            KindName::Average => Self::Average,
        }
    }
}

impl Args {
    pub fn run(self) -> Result<()> {
        let (kind, stride) = (self.kind.into(), self.stride.unwrap_or(self.window));
        match Input::read(&self.input)? {
            Input::Grid(grid) => {
                let pooling = Pooling::new(&grid, kind, self.window, stride).map_err(BadUse::from_error)?;
                if let Some(out) = &self.out {
                    write_atomic_bytes(out, drawing(&grid, &pooling).as_bytes())?;
                }
                print(&text(&grid, &pooling))
            }
            Input::Picture(image) => {
                let pooled = pool_picture(&image, kind, self.window, stride).map_err(BadUse::from_error)?;
                let name = match kind {
                    PoolingKind::Max => "max",
                    PoolingKind::Average => "average",
                };
                write_pair(self.out.as_deref(), image, pooled, &format!("{name} pooling"))
            }
        }
    }
}

fn text(input: &Volume, pooling: &Pooling) -> String {
    let taken = match pooling.kind {
        PoolingKind::Max => "largest",
        PoolingKind::Average => "mean",
    };
    let mut table = Table::new([
        ("channel", Alignment::Right),
        ("row", Alignment::Right),
        ("column", Alignment::Right),
        ("numbers", Alignment::Left),
        (taken, Alignment::Right),
    ]);
    for (channel, rows) in (1..).zip(&pooling.pooled) {
        for (row, pooled) in (1..).zip(rows) {
            for (column, Pooled { numbers, taken, .. }) in (1..).zip(pooled) {
                let numbers: Vec<String> = numbers.iter().map(|number| plain_number(*number)).collect();
                let cells: [u64; 3] = [channel, row, column];
                table.push(
                    cells.map(|cell| cell.to_string()).into_iter().chain([numbers.join(" "), plain_number(*taken)]),
                );
            }
        }
    }
    let output = grids_text("output", &pooling.output());
    format!("{}{}\n{}\n", grids_text("input", input), table.to_text(), output.trim_end())
}

/// The first window of each channel with its output, then a line of steps for each row of the first channel.
fn drawing(input: &Volume, pooling: &Pooling) -> String {
    let marked = |pooled: &Pooled| {
        let window = pooled.window;
        Some([window.row, window.column, window.height, window.width])
    };
    let mut first: Vec<NumberGrid> = grids("input", input);
    for grid in &mut first {
        grid.marked = marked(&pooling.pooled[0][0][0]);
    }
    let mut signs = vec![""; first.len() - 1];
    signs.push("→");
    let outputs = grids("output", &pooling.output());
    first.extend(outputs.into_iter().map(|grid| NumberGrid { marked: Some([0, 0, 1, 1]), ..grid }));
    let step = |pooled: &Pooled| {
        let title = plain_number(pooled.taken);
        NumberGrid { marked: marked(pooled), ..grids(&title, input).swap_remove(0) }
    };
    let steps = pooling.pooled[0].iter().map(|row| row.iter().map(step).collect());
    let lines: Vec<Vec<NumberGrid>> = std::iter::once(first).chain(steps).collect();
    number_grids("a pooling, window by window", &lines, &signs)
}
