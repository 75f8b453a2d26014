//! [`confusion_chart`]: the confusion matrix as a picture.

use std::fmt::Write as _;

use aumenta_metrics::ConfusionMatrix;
use unicode_width::UnicodeWidthStr;

use crate::escape;
use crate::evaluation::class_name;
use crate::number::count;

/// The blue of the palette of [`overlay`](crate::overlay).
const BLUE: &str = "#0072b2";

/// The most characters of a class's name; longer ones are cut.
const LONGEST_NAME: usize = 24;

/// Lengths of a chart, in pixels.
struct Layout {
    cell: f64,
    /// Size of names.
    font: f64,
    /// Left of the matrix.
    left: f64,
    /// Above the matrix.
    top: f64,
    /// Whether names of columns stand upright, since they are wider than a cell.
    is_upright: bool,
}

/// Width of a character, in sizes of the font: a little more than most have.
const CHARACTER: f64 = 0.62;

/// Space for the words that name an axis.
const AXIS: f64 = 26.0;

impl Layout {
    fn of(names: &[String]) -> Self {
        let cell = (720.0 / names.len() as f64).clamp(14.0, 64.0);
        let font = (0.6 * cell).clamp(8.0, 13.0);
        let longest = names.iter().map(|name| name.width()).max().unwrap_or(0) as f64 * CHARACTER * font;
        let is_upright = longest > cell;
        let top = AXIS + if is_upright { longest } else { font } + 8.0;
        Self { cell, font, left: AXIS + longest + 8.0, top, is_upright }
    }
}

/// The confusion matrix as an SVG document: a row a true class, a column a predicted one. A cell is the bluer, the larger
/// its share of its row, and says how many images it counts; a cell without any is empty. Pointing at a cell tells its
/// classes.
///
/// The picture has no background and takes its ink from the text around it; where it stands alone, that is a gray that can
/// be read on pale blue. A class beyond `classes` is called by its number.
///
/// ```
/// use aumenta_metrics::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::from_pairs(2, &[0, 0, 1], &[0, 1, 1]);
/// let svg = aumenta_report::confusion_chart(&matrix, &["cat".to_owned(), "dog".to_owned()]);
/// assert!(svg.contains("<title>cat taken for dog: 1 of 2 (50.0 %)</title>"));
/// ```
pub fn confusion_chart(matrix: &ConfusionMatrix, classes: &[String]) -> String {
    let names: Vec<String> = (0..matrix.classes()).map(|class| short(&class_name(classes, class))).collect();
    let layout = Layout::of(&names);
    let side = layout.cell * names.len() as f64;
    let (width, height) = (layout.left + side + 8.0, layout.top + side + 8.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Confusion matrix of {} classes\" \
         width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" color=\"#555\" \
         font-family=\"system-ui, sans-serif\" fill=\"currentColor\">\n",
        names.len()
    );
    write_axes(&mut svg, &layout, side);
    write_names(&mut svg, &layout, &names);
    for (truth, row) in matrix.rows().enumerate() {
        let support: u64 = row.iter().sum();
        for (predicted, &images) in row.iter().enumerate().filter(|(_, images)| **images > 0) {
            let title = title(classes, [truth, predicted], images, support);
            write_cell(&mut svg, &layout, [truth, predicted], images, images as f64 / support as f64, &title);
        }
    }
    svg + "</svg>\n"
}

/// The names of the axes and the matrix's frame. Writing to a string cannot fail, here and below.
fn write_axes(svg: &mut String, layout: &Layout, side: f64) {
    let (left, top) = (layout.left, layout.top);
    let (x, y) = (left + side / 2.0, top + side / 2.0);
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"16\" font-size=\"13\" text-anchor=\"middle\">predicted</text>");
    let _ = writeln!(
        svg,
        "<text transform=\"translate(16 {y:.1}) rotate(-90)\" font-size=\"13\" text-anchor=\"middle\">true</text>"
    );
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" fill=\"none\" \
         stroke=\"currentColor\" stroke-opacity=\"0.5\"/>"
    );
}

fn write_names(svg: &mut String, layout: &Layout, names: &[String]) {
    let Layout { cell, font, left, top, .. } = layout;
    for (class, name) in names.iter().enumerate() {
        let (middle, name) = ((class as f64 + 0.5) * cell, escape::html(name));
        let (x, y) = (left - 6.0, top + middle + 0.35 * font);
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{font:.1}\" text-anchor=\"end\">{name}</text>");
        let (x, y) = (left + middle, top - 6.0);
        let place = if layout.is_upright {
            format!("transform=\"translate({:.1} {y:.1}) rotate(-90)\"", x + 0.35 * font)
        } else {
            format!("x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\"")
        };
        let _ = writeln!(svg, "<text {place} font-size=\"{font:.1}\">{name}</text>");
    }
}

fn write_cell(svg: &mut String, layout: &Layout, [row, column]: [usize; 2], images: u64, share: f64, title: &str) {
    let Layout { cell, left, top, .. } = layout;
    let (x, y) = (left + column as f64 * cell, top + row as f64 * cell);
    let text = count(images);
    let font = (0.5 * cell).min(14.0).min(0.92 * cell / (CHARACTER * text.len() as f64));
    // Steeper than the share itself where that is small, so that rare confusions are seen among a hundred classes.
    let opacity = share.powf(0.6);
    // On deep blue any other ink than white is hard to read.
    let ink = if opacity > 0.7 { " fill=\"#fff\"" } else { "" };
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{cell:.1}\" height=\"{cell:.1}\" fill=\"{BLUE}\" \
         fill-opacity=\"{opacity:.3}\"/><text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{font:.1}\" \
         text-anchor=\"middle\"{ink}>{text}</text></g>",
        escape::html(title),
        x + cell / 2.0,
        y + cell / 2.0 + 0.35 * font
    );
}

fn title(classes: &[String], [truth, predicted]: [usize; 2], images: u64, support: u64) -> String {
    let share = 100.0 * images as f64 / support as f64;
    let (truth, said) = (class_name(classes, truth), class_name(classes, predicted));
    let what = if truth == said { format!("{truth} recognized") } else { format!("{truth} taken for {said}") };
    format!("{what}: {} of {} ({share:.1} %)", count(images), count(support))
}

fn short(name: &str) -> String {
    let name = escape::visible(name);
    if name.chars().count() <= LONGEST_NAME {
        name
    } else {
        name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(classes: usize, name: &str) -> String {
        let truth: Vec<usize> = (0..classes).chain([0]).collect();
        let predicted: Vec<usize> = (0..classes).chain([classes - 1]).collect();
        confusion_chart(&ConfusionMatrix::from_pairs(classes, &truth, &predicted), &vec![name.to_owned(); classes])
    }

    #[test]
    fn a_cell_that_counts_nothing_is_empty() {
        assert_eq!(chart(2, "cat").matches("<g><title>").count(), 3);
        assert_eq!(chart(100, "cat").matches("<g><title>").count(), 101);
    }

    #[test]
    fn the_picture_grows_with_the_classes_and_stays_readable() {
        let size = |svg: &str| -> f64 {
            svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().parse().unwrap()
        };
        assert!((180.0..250.0).contains(&size(&chart(2, "cat"))), "{}", chart(2, "cat"));
        assert!((1400.0..1700.0).contains(&size(&chart(100, "a rather long name of a class"))));
    }

    #[test]
    fn names_that_are_wider_than_their_column_stand_upright() {
        assert_eq!(chart(3, "cat").matches("rotate(-90)").count(), 1);
        assert_eq!(chart(3, "a long-haired cat").matches("rotate(-90)").count(), 4);
    }

    #[test]
    fn names_cannot_become_markup() {
        let svg = chart(2, "<script>\"\u{1b}");
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'), "{svg}");
    }
}
