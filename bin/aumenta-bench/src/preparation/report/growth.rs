//! The table of the part `growth`.

use std::fmt::Write as _;

use super::{cells, pictures};
use crate::preparation::growth::{GrowthResults, GrowthRow};
use crate::report::digits;

/// How much longer one image may take among many than among few, to count as taking the same.
const LINEAR: f64 = 1.25;

/// The whole part.
pub fn part(results: &GrowthResults) -> String {
    let mut text = format!(
        "\n### `growth`\n\n\
         `aumenta split` of zip archives, of which the largest has {}, and the others the first of these. Archives of 100,000 \
         images and more were split as often as those that take long.\n\n\
         | depth | images | seconds | range of runs | MiB | images/s |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
        pictures(&results.pictures),
    );
    for row in &results.rows {
        let rate = row.rate().map_or("-".to_string(), digits);
        let _ = writeln!(text, "| {} | {} | {} | {rate} |", row.depth.name(), row.images, cells(&row.outcome));
    }
    text.push('\n');
    for rows in results.rows.chunk_by(|a, b| a.depth == b.depth) {
        text += &growth(rows);
    }
    text
}

/// Whether an image takes the same among many as among few.
fn growth(rows: &[GrowthRow]) -> String {
    let measured: Vec<(&GrowthRow, f64)> = rows.iter().filter_map(|row| Some((row, row.rate()?))).collect();
    let (Some((few, fast)), Some((many, slow))) = (measured.first(), measured.last()) else { return String::new() };
    if few.images == many.images {
        return String::new();
    }
    let ratio = fast / slow;
    let verdict = if ratio <= LINEAR { "linear" } else { "more than linear" };
    format!(
        "- Depth `{}`: an image takes {ratio:.2} times as long among {} as among {}, {verdict}.\n",
        few.depth.name(),
        many.images,
        few.images,
    )
}
