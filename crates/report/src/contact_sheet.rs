//! Contact sheets: rows of small images with captions, on one image.

use aumenta_imgproc::{Image, Size, resize};

use crate::text::{self, CHARACTER_WIDTH, LINE_HEIGHT};

/// A row of a contact sheet.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What the row is about, such as a file's name; shown above it where not empty.
    pub title: String,
    /// The images, from the left.
    pub cells: Vec<Cell>,
}

/// An image of a contact sheet with what stands under it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The image, of any size.
    pub image: Image,
    /// What stands under it, broken into as many lines as needed.
    pub caption: String,
}

/// How a contact sheet looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetStyle {
    /// Width and height that each image is fitted into, in pixels.
    pub cell_side: usize,
    /// Space between cells and around the sheet, in pixels.
    pub gap: usize,
    /// Color of the sheet.
    pub background: [u8; 3],
    /// Color of titles.
    pub title_color: [u8; 3],
    /// Color of captions.
    pub caption_color: [u8; 3],
}

impl Default for SheetStyle {
    /// Cells of 150 pixels, dark text on a light sheet.
    fn default() -> Self {
        Self {
            cell_side: 150,
            gap: 14,
            background: [248, 248, 246],
            title_color: [32, 32, 32],
            caption_color: [84, 84, 84],
        }
    }
}

/// Rows of images with captions, on one image just large enough for them.
///
/// An image that is not of the cell's size is scaled until its longer side fills the cell, keeping its aspect, and
/// centered. Rows may differ in length. A sheet without rows is one gap on each side.
///
/// ```
/// use aumenta_imgproc::Image;
/// use aumenta_report::{Cell, Row, SheetStyle, contact_sheet};
///
/// let cell = Cell { image: Image::filled(150, 150, [200, 30, 30]), caption: "original".to_owned() };
/// let row = Row { title: String::new(), cells: vec![cell.clone(), cell] };
/// let sheet = contact_sheet(&[row], &SheetStyle::default());
/// assert_eq!(sheet.width(), 14 + 150 + 14 + 150 + 14);
/// ```
pub fn contact_sheet(rows: &[Row], style: &SheetStyle) -> Image {
    let layouts: Vec<RowLayout> = rows.iter().map(|row| RowLayout::of(row, style)).collect();
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width = style.gap + columns * (style.cell_side + style.gap);
    let height = style.gap + layouts.iter().map(|layout| layout.height + style.gap).sum::<usize>();
    let mut sheet = Image::filled(width.max(2 * style.gap), height.max(2 * style.gap), style.background);

    let mut top = style.gap;
    for (row, layout) in rows.iter().zip(&layouts) {
        draw_row(&mut sheet, row, layout, top, style);
        top += layout.height + style.gap;
    }
    sheet
}

/// Space between an image and its caption, in pixels.
const CAPTION_GAP: usize = 3;

/// The broken lines of a row's text, and the height that follows.
struct RowLayout {
    title: Vec<String>,
    captions: Vec<Vec<String>>,
    height: usize,
}

impl RowLayout {
    fn of(row: &Row, style: &SheetStyle) -> Self {
        let row_width = (row.cells.len() * (style.cell_side + style.gap)).saturating_sub(style.gap);
        let title = text::wrap(&row.title, row_width / CHARACTER_WIDTH);
        let wrap = |cell: &Cell| text::wrap(&cell.caption, style.cell_side / CHARACTER_WIDTH);
        let captions: Vec<Vec<String>> = row.cells.iter().map(wrap).collect();
        let caption_lines = captions.iter().map(Vec::len).max().unwrap_or(0);
        let height = (title.len() + caption_lines) * LINE_HEIGHT + style.cell_side + CAPTION_GAP;
        Self { title, captions, height }
    }
}

fn draw_row(sheet: &mut Image, row: &Row, layout: &RowLayout, top: usize, style: &SheetStyle) {
    draw_lines(sheet, &layout.title, style.gap, top, style.title_color);
    let top = top + layout.title.len() * LINE_HEIGHT;
    for (column, (cell, caption)) in row.cells.iter().zip(&layout.captions).enumerate() {
        let left = style.gap + column * (style.cell_side + style.gap);
        draw_fitted(sheet, &cell.image, left, top, style.cell_side);
        draw_lines(sheet, caption, left, top + style.cell_side + CAPTION_GAP, style.caption_color);
    }
}

fn draw_lines(sheet: &mut Image, lines: &[String], left: usize, top: usize, rgb: [u8; 3]) {
    for (line, text) in lines.iter().enumerate() {
        text::draw(sheet, text, left, top + line * LINE_HEIGHT, rgb);
    }
}

fn draw_fitted(sheet: &mut Image, image: &Image, left: usize, top: usize, side: usize) {
    let size = fitted(image.size(), side);
    if size.width == 0 || size.height == 0 {
        return;
    }
    let scaled;
    let image = if size == image.size() {
        image
    } else {
        scaled = resize(image, size);
        &scaled
    };
    paste(sheet, image, left + (side - size.width) / 2, top + (side - size.height) / 2);
}

/// The size whose longer side is `side`, of the same aspect; nothing where the image has no pixels.
fn fitted(size: Size, side: usize) -> Size {
    let longer = size.width.max(size.height);
    let scale = |length: usize| {
        if length == 0 { 0 } else { ((length * side + longer / 2) / longer).clamp(1, side.max(1)) }
    };
    Size { width: scale(size.width), height: scale(size.height) }
}

fn paste(sheet: &mut Image, image: &Image, left: usize, top: usize) {
    for y in 0..image.height() {
        for x in 0..image.width() {
            sheet.set(left + x, top + y, image.get(x, y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: [u8; 3] = [200, 30, 30];
    const STYLE: SheetStyle = SheetStyle {
        cell_side: 60,
        gap: 10,
        background: [250, 250, 250],
        title_color: [0, 0, 0],
        caption_color: [0, 0, 0],
    };

    fn cell(width: usize, height: usize, caption: &str) -> Cell {
        Cell { image: Image::filled(width, height, RED), caption: caption.to_owned() }
    }

    fn row(title: &str, cells: Vec<Cell>) -> Row {
        Row { title: title.to_owned(), cells }
    }

    fn size(rows: &[Row]) -> (usize, usize) {
        let sheet = contact_sheet(rows, &STYLE);
        (sheet.width(), sheet.height())
    }

    #[test]
    fn a_sheet_is_just_large_enough() {
        assert_eq!(size(&[]), (20, 20));
        assert_eq!(size(&[row("", vec![cell(60, 60, ""), cell(60, 60, "")])]), (150, 83));
        assert_eq!(size(&[row("two lines", vec![cell(60, 60, "")])]), (80, 83 + 2 * LINE_HEIGHT));
        assert_eq!(size(&[row("", vec![cell(60, 60, "two lines"), cell(60, 60, "one")])]), (150, 83 + 2 * LINE_HEIGHT));
        assert_eq!(size(&[row("", vec![cell(60, 60, "")]), row("", vec![])]), (80, 156));
    }

    #[test]
    fn images_lie_where_the_grid_has_them() {
        let mut image = Image::filled(60, 60, RED);
        image.set(0, 0, [1, 2, 3]);
        image.set(59, 59, [4, 5, 6]);
        let exact = Cell { image, caption: String::new() };
        let sheet = contact_sheet(&[row("", vec![exact.clone(), exact])], &STYLE);
        for left in [10, 80] {
            assert_eq!(sheet.get(left, 10), [1, 2, 3]);
            assert_eq!(sheet.get(left + 59, 69), [4, 5, 6]);
            assert_eq!(sheet.get(left - 1, 10), STYLE.background);
            assert_eq!(sheet.get(left + 59, 70), STYLE.background);
        }
    }

    #[test]
    fn an_image_of_another_size_keeps_its_aspect_and_is_centered() {
        for (width, height) in [(600, 300), (20, 10)] {
            let sheet = contact_sheet(&[row("", vec![cell(width, height, "")])], &STYLE);
            assert_eq!(sheet.get(40, 24), STYLE.background);
            assert_eq!(sheet.get(40, 25), RED);
            assert_eq!(sheet.get(10, 40), RED);
            assert_eq!(sheet.get(69, 54), RED);
            assert_eq!(sheet.get(40, 55), STYLE.background);
        }
    }

    #[test]
    fn extreme_shapes_are_still_drawn() {
        assert_eq!(fitted(Size { width: 10_000, height: 1 }, 60), Size { width: 60, height: 1 });
        assert_eq!(fitted(Size { width: 0, height: 0 }, 60), Size { width: 0, height: 0 });
        assert_eq!(size(&[row("", vec![cell(0, 0, ""), cell(1, 500, "")])]), (150, 83));
    }

    #[test]
    fn a_caption_is_drawn_under_its_image_and_a_title_above() {
        let sheet = contact_sheet(&[row("title", vec![cell(60, 60, "flip")])], &STYLE);
        let dark = |rows: std::ops::Range<usize>| {
            rows.flat_map(|y| (0..80).map(move |x| (x, y))).any(|(x, y)| sheet.get(x, y)[0] < 100)
        };
        assert!(dark(10..10 + LINE_HEIGHT));
        assert!(!dark(10 + LINE_HEIGHT..70 + LINE_HEIGHT));
        assert!(dark(73 + LINE_HEIGHT..73 + 2 * LINE_HEIGHT));
    }
}
