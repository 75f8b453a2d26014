//! [`heat_map`]: an outcome over the values of two settings.

use std::fmt::Write as _;

use aumenta_study::Outcome;

use crate::escape;
use crate::number::decimal;

/// An outcome over the values of two settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What was measured.
    pub outcome: Outcome,
    /// The setting of the rows, and its values.
    pub rows: (String, Vec<String>),
    /// The setting of the columns, and its values.
    pub columns: (String, Vec<String>),
    /// The mean over seeds for each row and column; `None` where no trial has finished.
    pub means: Vec<Vec<Option<f64>>>,
}

// In pixels.
const CELL: [f64; 2] = [84.0, 34.0];
const LEFT: f64 = 150.0;
const TOP: f64 = 44.0;

/// The map as an SVG document: the deeper the blue, the higher the mean. Its ink is that of the text around it, but for the
/// text on deep blue.
pub fn heat_map(grid: &Grid) -> String {
    let ((row_name, rows), (column_name, columns)) = (&grid.rows, &grid.columns);
    let (width, height) = (LEFT + CELL[0] * columns.len() as f64 + 2.0, TOP + CELL[1] * rows.len() as f64 + 2.0);
    let label = escape::html(&format!("{} by {row_name} and {column_name}", grid.outcome.title()));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{label}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" color=\"#767676\" font-family=\"system-ui, sans-serif\" font-size=\"12\" \
         fill=\"currentColor\">\n"
    );
    write_text(&mut svg, (LEFT, 16.0), "start", column_name);
    write_text(&mut svg, (LEFT - 10.0, TOP - 8.0), "end", row_name);
    for (column, value) in columns.iter().enumerate() {
        write_text(&mut svg, (LEFT + CELL[0] * (column as f64 + 0.5), TOP - 8.0), "middle", value);
    }
    let means = || grid.means.iter().flatten().flatten();
    let (low, high) =
        (means().copied().fold(f64::INFINITY, f64::min), means().copied().fold(f64::NEG_INFINITY, f64::max));
    for (row, value) in rows.iter().enumerate() {
        let y = TOP + CELL[1] * row as f64;
        write_text(&mut svg, (LEFT - 10.0, y + 21.0), "end", value);
        for column in 0..columns.len() {
            let mean = grid.means[row][column];
            let depth = mean.map_or(0.0, |mean| if high > low { (mean - low) / (high - low) } else { 0.5 });
            write_cell(&mut svg, (LEFT + CELL[0] * column as f64, y), depth, mean, grid.outcome.digits());
        }
    }
    svg + "</svg>\n"
}

fn write_cell(svg: &mut String, (x, y): (f64, f64), depth: f64, mean: Option<f64>, digits: usize) {
    // From pale to deep, and never so deep that ink of its own color would stand on it.
    let opacity = if mean.is_some() { 0.08 + 0.82 * depth } else { 0.0 };
    let ink = if opacity > 0.5 { "#ffffff" } else { "currentColor" };
    let (width, height) = (CELL[0] - 2.0, CELL[1] - 2.0);
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width}\" height=\"{height}\" rx=\"2\" fill=\"#0072b2\" \
         fill-opacity=\"{opacity:.2}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
        x + width / 2.0,
        y + 21.0,
        decimal(mean.unwrap_or(f64::NAN), digits)
    );
}

fn write_text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escape::html(text);
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(means: Vec<Vec<Option<f64>>>) -> Grid {
        Grid {
            outcome: Outcome::FinalGap,
            rows: ("dropout".to_owned(), vec!["0".to_owned(), "<0.5>".to_owned()]),
            columns: ("preset".to_owned(), vec!["none".to_owned(), "book".to_owned()]),
            means,
        }
    }

    #[test]
    fn the_highest_cell_is_the_deepest_and_a_missing_one_is_empty() {
        let svg = heat_map(&grid(vec![vec![Some(0.25), Some(0.1)], vec![Some(0.05), None]]));
        assert!(svg.contains("fill-opacity=\"0.90\"") && svg.contains("fill-opacity=\"0.08\""));
        assert!(svg.contains("fill-opacity=\"0.00\"") && svg.contains(">–</text>"));
        assert!(svg.contains("&lt;0.5&gt;"));
    }

    #[test]
    fn equal_cells_are_drawn() {
        assert!(!heat_map(&grid(vec![vec![Some(0.5); 2]; 2])).contains("NaN"));
    }
}
