//! `aumenta convolve`: what a filter does to a small grid of numbers, step by step, or to a picture.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use aumenta_explain::{Convolution, NamedKernel, Sum, Volume, filter};
use aumenta_imgproc::{Image, Limits, decode, encode_png};
use aumenta_nn::Padding;
use aumenta_report::{Alignment, Cell, NumberGrid, Row, SheetStyle, Table, contact_sheet, number_grids, plain_number};
use aumenta_runs::write_atomic_bytes;
use clap::ValueEnum;

use crate::failure::BadUse;
use crate::output::print;

/// Do a convolution by hand: every window of a small grid with its products and their sum; or filter a picture.
///
/// A grid is a text file with a row of numbers a line, an empty line between channels. A picture is shown before and after the
/// filter.
#[derive(clap::Args)]
pub struct Args {
    /// A text file with a grid of numbers, or an image.
    input: PathBuf,
    /// `edge-v`, `edge-h`, `sobel-v`, `sobel-h`, `laplace`, `sharpen`, `blur`, `emboss`, or a text file with a grid of numbers.
    #[arg(long, value_name = "NAME|FILE")]
    kernel: String,
    /// What is around the input: nothing, or as many zeros as give an output of its size (where the stride is 1).
    #[arg(long, value_enum, default_value_t = PaddingName::Valid)]
    padding: PaddingName,
    /// The step between windows.
    #[arg(long, default_value_t = 1)]
    stride: usize,
    /// The drawing: an SVG file for a grid, a PNG file for an image, where it is required.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum PaddingName {
    Valid,
    Same,
}

impl From<PaddingName> for Padding {
    fn from(name: PaddingName) -> Self {
        match name {
            PaddingName::Valid => Self::Valid,
            PaddingName::Same => Self::Same,
        }
    }
}

/// As many steps are shown one by one.
const MOST_STEPS: usize = 64;

impl Args {
    pub fn run(self) -> Result<()> {
        let kernel = self.kernel()?;
        match Input::read(&self.input)? {
            Input::Grid(grid) => self.grid(&grid, &kernel),
            Input::Picture(image) => {
                let filtered = filter(&image, &kernel, self.padding.into(), self.stride).map_err(BadUse::from_error)?;
                write_pair(self.out.as_deref(), image, filtered, &self.kernel)
            }
        }
    }

    /// The kernel that the name or the file says.
    fn kernel(&self) -> Result<Volume> {
        if let Some(kernel) = NamedKernel::named(&self.kernel) {
            return Ok(kernel.volume());
        }
        let path = Path::new(&self.kernel);
        if !path.exists() {
            let known = NamedKernel::ALL.map(|(name, _)| format!("`{name}`")).join(", ");
            return Err(BadUse::message(format!("`{}` is neither a file nor one of {known}", self.kernel)));
        }
        read_grid(path)
    }

    fn grid(&self, input: &Volume, kernel: &Volume) -> Result<()> {
        let convolution =
            Convolution::new(input, kernel, self.padding.into(), self.stride).map_err(BadUse::from_error)?;
        if let Some(out) = &self.out {
            write_atomic_bytes(out, drawing(&convolution).as_bytes())?;
        }
        print(&text(input, &convolution, self.stride))
    }
}

/// What is convolved or pooled.
pub enum Input {
    Grid(Volume),
    Picture(Image),
}

impl Input {
    /// Reads an image, or else a text.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs_err::read(path).map_err(BadUse::from_error)?;
        match (std::str::from_utf8(&bytes), decode(&bytes, &Limits::default())) {
            (_, Ok(image)) => Ok(Self::Picture(image)),
            (Ok(_), Err(_)) => Ok(Self::Grid(read_grid(path)?)),
            (Err(_), Err(error)) => {
                Err(BadUse::wrap(anyhow::Error::new(error).context(format!("cannot decode `{}`", path.display()))))
            }
        }
    }
}

fn read_grid(path: &Path) -> Result<Volume> {
    let text = fs_err::read_to_string(path).map_err(BadUse::from_error)?;
    text.parse::<Volume>()
        .with_context(|| format!("`{}` holds no grid of numbers", path.display()))
        .map_err(BadUse::wrap)
}

/// Writes a picture before and after.
pub fn write_pair(out: Option<&Path>, before: Image, after: Image, name: &str) -> Result<()> {
    let Some(out) = out else {
        return Err(BadUse::message("a picture needs a file to be written to: --out FILE.png".to_owned()));
    };
    let side = before.width().max(before.height()).clamp(150, 800);
    let size = |image: &Image| format!("{}x{}", image.width(), image.height());
    let captions = [format!("before, {}", size(&before)), format!("{name}, {}", size(&after))];
    let cells = [before, after].into_iter().zip(captions).map(|(image, caption)| Cell { image, caption });
    let row = Row { title: String::new(), cells: cells.collect() };
    let sheet = contact_sheet(&[row], &SheetStyle { cell_side: side, ..SheetStyle::default() });
    write_atomic_bytes(out, &encode_png(&sheet)?)?;
    print(&format!("wrote {}\n", out.display()))
}

/// The channels of a volume as grids.
pub fn grids(title: &str, volume: &Volume) -> Vec<NumberGrid> {
    let grid = |channel: usize| NumberGrid {
        title: if volume.channels() == 1 { title.to_owned() } else { format!("{title}, channel {}", channel + 1) },
        rows: volume.rows(channel).map(<[f64]>::to_vec).collect(),
        ..NumberGrid::default()
    };
    (0..volume.channels()).map(grid).collect()
}

/// The grids one below the other.
pub fn grids_text(title: &str, volume: &Volume) -> String {
    grids(title, volume).iter().map(|grid| grid.to_text() + "\n").collect()
}

fn text(input: &Volume, convolution: &Convolution, stride: usize) -> String {
    let Convolution { kernel, sums, padding, .. } = convolution;
    let output = convolution.output();
    let [top, bottom, left, right] = padding;
    let size = |volume: &Volume| match volume.channels() {
        1 => format!("{}x{}", volume.height(), volume.width()),
        channels => format!("{}x{}x{channels}", volume.height(), volume.width()),
    };
    let around = if *padding == [0; 4] {
        "no padding".to_owned()
    } else {
        format!("zeros around it: {top} above, {bottom} below, {left} at the left, {right} at the right")
    };
    let formula = format!(
        "rows: ({} + {} - {}) / {stride} + 1 = {}; columns: ({} + {} - {}) / {stride} + 1 = {}",
        input.height(),
        top + bottom,
        kernel.height(),
        output.height(),
        input.width(),
        left + right,
        kernel.width(),
        output.width()
    );
    let mut table = Table::new([
        ("row", Alignment::Right),
        ("column", Alignment::Right),
        ("number * weight, where the weight is not 0", Alignment::Left),
        ("sum", Alignment::Right),
    ]);
    let places = sums
        .iter()
        .enumerate()
        .flat_map(|(row, sums)| sums.iter().enumerate().map(move |(column, sum)| (row + 1, column + 1, sum)));
    for (row, column, sum) in places.clone().take(MOST_STEPS) {
        table.push([row.to_string(), column.to_string(), products(sum), plain_number(sum.total)]);
    }
    let left_out = places.count().saturating_sub(MOST_STEPS);
    let more = if left_out > 0 { format!("and {left_out} more\n") } else { String::new() };
    format!(
        "{} with {} gives {}: {around}, stride {stride}\n{formula}\n\n{}{}{}{more}\n{}",
        size(input),
        size(kernel),
        size(&output),
        grids_text("input", input),
        grids_text("kernel", kernel),
        table.to_text(),
        grids_text("output", &output).trim_end().to_owned() + "\n",
    )
}

/// The products of a window as a sum.
fn products(sum: &Sum) -> String {
    let product = |[number, weight]: &[f64; 2]| {
        let weight = plain_number(*weight);
        let weight = if weight.starts_with('-') { format!("({weight})") } else { weight };
        format!("{}*{weight}", plain_number(*number))
    };
    let terms: Vec<String> = sum.products.iter().filter(|[_, weight]| *weight != 0.0).map(product).collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}

/// The whole in a line, then a line of steps for each row of the output.
fn drawing(convolution: &Convolution) -> String {
    let Convolution { padded, padding, kernel, sums } = convolution;
    let output = convolution.output();
    let of_input = |title: &str, sum: &Sum| -> Vec<NumberGrid> {
        let window = sum.window;
        let marked = Some([window.row, window.column, window.height, window.width]);
        grids(title, padded).into_iter().map(|grid| NumberGrid { marked, padding: *padding, ..grid }).collect()
    };
    let mut first = of_input("input", &sums[0][0]);
    let mut signs = vec![""; first.len() - 1];
    signs.push("*");
    first.extend(grids("kernel", kernel));
    signs.extend(vec![""; kernel.channels() - 1]);
    signs.push("=");
    first.extend(grids("output", &output).into_iter().map(|grid| NumberGrid { marked: Some([0, 0, 1, 1]), ..grid }));
    let step = |sum: &Sum| of_input(&plain_number(sum.total), sum).swap_remove(0);
    let steps = sums.iter().take(MOST_STEPS.div_ceil(sums[0].len())).map(|row| row.iter().map(step).collect());
    let lines: Vec<Vec<NumberGrid>> = std::iter::once(first).chain(steps).collect();
    number_grids("a convolution, window by window", &lines, &signs)
}
