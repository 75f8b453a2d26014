//! [`NumberGrid`]: small grids of numbers as text and as a drawing, such as those of a convolution done by hand.

use std::fmt::Write as _;

use crate::escape;

/// A grid of numbers with a heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberGrid {
    /// What stands above it.
    pub title: String,
    /// The numbers, row by row.
    pub rows: Vec<Vec<f64>>,
    /// A rectangle that is looked at: its first row and column, how many rows and how many columns it has.
    pub marked: Option<[usize; 4]>,
    /// The rows and columns at the top, bottom, left and right that were put around it, and are drawn faintly.
    pub padding: [usize; 4],
}

/// A number as one writes it by hand: whole where it is, otherwise with up to three digits after the point.
///
/// ```
/// use aumenta_report::plain_number;
///
/// assert_eq!([plain_number(-16.0), plain_number(3.75), plain_number(1.0 / 9.0)], ["-16", "3.75", "0.111"]);
/// ```
pub fn plain_number(number: f64) -> String {
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl NumberGrid {
    /// The heading, and a line a row, the numbers flush right.
    pub fn to_text(&self) -> String {
        let width = self.rows.iter().flatten().map(|number| plain_number(*number).len()).max().unwrap_or(0);
        let mut text = escape::visible(&self.title) + "\n";
        for row in &self.rows {
            let numbers: Vec<String> = row.iter().map(|number| format!("{:>width$}", plain_number(*number))).collect();
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "  {}", numbers.join(" "));
        }
        text
    }

    fn size(&self, cell: f64) -> [f64; 2] {
        let columns = self.rows.first().map_or(0, Vec::len).max(1);
        // A heading may be wider than its numbers.
        let heading = self.title.chars().count() as f64 * 6.5;
        [(columns as f64 * cell).max(heading), TITLE + self.rows.len() as f64 * cell]
    }

    fn write(&self, svg: &mut String, left: f64, top: f64, cell: f64) {
        let title = escape::html(&self.title);
        let _ = writeln!(svg, "<text x=\"{left:.1}\" y=\"{:.1}\">{title}</text>", top + 12.0);
        let top = top + TITLE;
        let columns = self.rows.first().map_or(0, Vec::len);
        for (row, numbers) in self.rows.iter().enumerate() {
            for (column, number) in numbers.iter().enumerate() {
                self.write_cell(
                    svg,
                    [left + column as f64 * cell, top + row as f64 * cell],
                    [row, column],
                    *number,
                    cell,
                );
            }
        }
        let (width, height) = (columns as f64 * cell, self.rows.len() as f64 * cell);
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"none\" stroke=\"currentColor\"/>"
        );
        if let Some([row, column, rows, columns]) = self.marked {
            let (x, y) = (left + column as f64 * cell, top + row as f64 * cell);
            let (width, height) = (columns as f64 * cell, rows as f64 * cell);
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"none\" stroke=\"{VERMILION}\" stroke-width=\"2\"/>"
            );
        }
    }

    fn write_cell(&self, svg: &mut String, [x, y]: [f64; 2], [row, column]: [usize; 2], number: f64, cell: f64) {
        let is_marked = self.marked.is_some_and(|[first, left, rows, columns]| {
            (first..first + rows).contains(&row) && (left..left + columns).contains(&column)
        });
        let fill =
            if is_marked { format!(" fill=\"{VERMILION}\" fill-opacity=\".16\"") } else { " fill=\"none\"".to_owned() };
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell:.1}\" height=\"{cell:.1}\"{fill} stroke=\"currentColor\" stroke-opacity=\".3\"/>"
        );
        let text = plain_number(number);
        let font = (1.7 * cell / (text.len() as f64).max(3.4)).min(0.48 * cell);
        let faint = if self.is_padding(row, column) { " fill-opacity=\".45\"" } else { "" };
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" text-anchor=\"middle\"{faint}>{text}</text>",
            x + cell / 2.0,
            y + cell / 2.0 + 0.36 * font
        );
    }

    fn is_padding(&self, row: usize, column: usize) -> bool {
        let [top, bottom, left, right] = self.padding;
        let (rows, columns) = (self.rows.len(), self.rows[row].len());
        row < top || row + bottom >= rows || column < left || column + right >= columns
    }
}

/// The vermilion of the palette of [`overlay`](crate::overlay).
const VERMILION: &str = "#d55e00";

// In pixels: a grid's heading, what is between grids, and a grid's cell in the first line and in those below.
const TITLE: f64 = 18.0;
const GAP: f64 = 26.0;
const CELL: f64 = 30.0;
const SMALL_CELL: f64 = 17.0;

/// Lines of grids side by side, as an SVG document. The grids of the first line are large, with `signs` between them; those below
/// are the steps.
///
/// The picture has no background and takes its ink from the text around it.
///
/// ```
/// use aumenta_report::{NumberGrid, number_grids};
///
/// let grid = |title: &str, number| NumberGrid { title: title.to_owned(), rows: vec![vec![number]], ..NumberGrid::default() };
/// let svg = number_grids("a product", &[vec![grid("a", 2.0), grid("b", 3.0), grid("c", 6.0)]], &["*", "="]);
/// assert!(svg.starts_with("<svg ") && svg.contains(">6</text>"));
/// ```
pub fn number_grids(label: &str, lines: &[Vec<NumberGrid>], signs: &[&str]) -> String {
    let cell = |line: usize| if line == 0 { CELL } else { SMALL_CELL };
    let (mut body, mut top, mut width) = (String::new(), 0.0, 0.0_f64);
    for (line, grids) in lines.iter().enumerate() {
        let (mut left, mut height) = (1.0, 0.0_f64);
        let least_rows = grids.iter().map(|grid| grid.rows.len()).min().unwrap_or(0);
        for (at, grid) in grids.iter().enumerate() {
            grid.write(&mut body, left, top, cell(line));
            let [grid_width, grid_height] = grid.size(cell(line));
            if let (0, Some(sign)) = (line, signs.get(at)) {
                let (x, y) = (left + grid_width + GAP / 2.0, top + TITLE + least_rows as f64 * CELL / 2.0 + 6.0);
                let sign = escape::html(sign);
                let _ = writeln!(
                    body,
                    "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"18\" text-anchor=\"middle\">{sign}</text>"
                );
            }
            left += grid_width + GAP;
            height = height.max(grid_height);
        }
        width = width.max(left - GAP + 1.0);
        top += height + GAP / 2.0;
    }
    let height = (top - GAP / 2.0 + 1.0).max(1.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" color=\"#767676\" font-family=\"system-ui, sans-serif\" font-size=\"12\" \
         fill=\"currentColor\">\n{body}</svg>\n",
        escape::html(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> NumberGrid {
        NumberGrid {
            title: "input <1>".to_owned(),
            rows: vec![vec![0.0, -16.0, 2.5], vec![1.0, 0.0, 1.0 / 3.0]],
            marked: Some([0, 1, 2, 2]),
            padding: [0, 0, 1, 0],
        }
    }

    #[test]
    fn numbers_line_up_in_a_terminal() {
        assert_eq!(grid().to_text(), "input <1>\n      0   -16   2.5\n      1     0 0.333\n");
        assert_eq!(plain_number(-0.0001), "0");
        assert_eq!(plain_number(100.0), "100");
    }

    #[test]
    fn a_drawing_marks_a_window_and_shows_padding_faintly() {
        let svg = number_grids("by <hand>", &[vec![grid(), grid()], vec![grid()]], &["*"]);
        assert_eq!(svg.matches("fill-opacity=\".16\"").count(), 3 * 4);
        assert_eq!(svg.matches("fill-opacity=\".45\"").count(), 3 * 2);
        assert_eq!(svg.matches(">*</text>").count(), 1);
        assert!(svg.contains("input &lt;1&gt;") && svg.contains("aria-label=\"by &lt;hand&gt;\""));
        assert!(number_grids("", &[], &[]).contains("height=\"1\""));
    }
}
