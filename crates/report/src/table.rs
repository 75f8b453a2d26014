//! [`Table`]: one result, an exporter a format.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::escape;

/// On which side a column's cells are flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// Flush left, for words.
    Left,
    /// Flush right, for numbers.
    Right,
}

/// A table of text under a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    alignment: Vec<Alignment>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows, its columns given by title and alignment.
    pub fn new<T: Into<String>>(columns: impl IntoIterator<Item = (T, Alignment)>) -> Self {
        let (header, alignment) = columns.into_iter().map(|(title, alignment)| (title.into(), alignment)).unzip();
        Self { header, alignment, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// Where the row does not have one cell a column.
    pub fn push<T: Into<String>>(&mut self, row: impl IntoIterator<Item = T>) {
        let row: Vec<String> = row.into_iter().map(Into::into).collect();
        assert_eq!(row.len(), self.header.len(), "a row needs one cell a column");
        self.rows.push(row);
    }

    /// Plain text for a terminal: aligned columns two spaces apart, the header underlined, no trailing spaces.
    pub fn to_text(&self) -> String {
        let header = self.header.iter().map(|cell| escape::visible(cell)).collect::<Vec<_>>();
        let rows: Vec<Vec<_>> =
            self.rows.iter().map(|row| row.iter().map(|cell| escape::visible(cell)).collect()).collect();
        let width = |column: usize| rows.iter().chain([&header]).map(|row| row[column].width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        let rule = widths.iter().map(|&width| "-".repeat(width)).collect();

        let mut text = String::new();
        for row in [&header, &rule].into_iter().chain(&rows) {
            let mut line = String::new();
            for ((cell, &alignment), &width) in row.iter().zip(&self.alignment).zip(&widths) {
                line += &pad(cell, alignment, width);
                line += "  ";
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// A table of GitHub Flavored Markdown.
    pub fn to_markdown(&self) -> String {
        let rule = self.alignment.iter().map(|alignment| match alignment {
            Alignment::Left => "---".to_owned(),
            Alignment::Right => "---:".to_owned(),
        });
        let escaped = |row: &Vec<String>| row.iter().map(|cell| escape::markdown(cell)).collect::<Vec<_>>();
        let lines = [escaped(&self.header), rule.collect()].into_iter().chain(self.rows.iter().map(escaped));
        lines.fold(String::new(), |text, cells| text + "| " + &cells.join(" | ") + " |\n")
    }

    /// A `<table>` whose right-aligned cells have the class `number`; the first cell of each row is its header.
    pub fn to_html(&self) -> String {
        let mut html = String::from("<table>\n<thead>\n");
        self.write_html_row(&mut html, &self.header, |_| "th scope=\"col\"");
        html += "</thead>\n<tbody>\n";
        for row in &self.rows {
            self.write_html_row(&mut html, row, |column| if column == 0 { "th scope=\"row\"" } else { "td" });
        }
        html + "</tbody>\n</table>\n"
    }

    fn write_html_row(&self, html: &mut String, row: &[String], tag: impl Fn(usize) -> &'static str) {
        *html += "<tr>";
        for (column, (cell, alignment)) in row.iter().zip(&self.alignment).enumerate() {
            let class = if *alignment == Alignment::Right { " class=\"number\"" } else { "" };
            let end = &tag(column)[..2];
            // Writing to a string cannot fail.
            let _ = write!(html, "<{}{class}>{}</{end}>", tag(column), escape::html(cell));
        }
        *html += "</tr>\n";
    }
}

fn pad(cell: &str, alignment: Alignment, width: usize) -> String {
    let space = " ".repeat(width.saturating_sub(cell.width()));
    match alignment {
        Alignment::Left => cell.to_owned() + &space,
        Alignment::Right => space + cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new([("class", Alignment::Left), ("recall", Alignment::Right)]);
        table.push(["cat", "0.912"]);
        table.push(["<script>", "–"]);
        table.push(["猫|犬", "1"]);
        table
    }

    #[test]
    fn text_is_aligned_by_display_width() {
        assert_eq!(
            example().to_text(),
            "class     recall\n--------  ------\ncat        0.912\n<script>       –\n猫|犬          1\n"
        );
    }

    #[test]
    fn text_carries_no_terminal_escapes() {
        let mut table = Table::new([("class", Alignment::Left)]);
        table.push(["\u{1b}[31mred\n"]);
        assert_eq!(table.to_text(), "class\n---------\n�[31mred�\n");
    }

    #[test]
    fn markdown_escapes_what_would_break_the_table() {
        assert_eq!(
            example().to_markdown(),
            "| class | recall |\n| --- | ---: |\n| cat | 0.912 |\n| \\<script\\> | – |\n| 猫\\|犬 | 1 |\n"
        );
    }

    #[test]
    fn html_escapes_names_and_marks_numbers() {
        let html = example().to_html();
        assert!(html.contains(r#"<tr><th scope="row">&lt;script&gt;</th><td class="number">–</td></tr>"#), "{html}");
        assert!(
            html.contains(r#"<tr><th scope="col">class</th><th scope="col" class="number">recall</th></tr>"#),
            "{html}"
        );
    }

    #[test]
    #[should_panic(expected = "one cell a column")]
    fn a_row_of_another_length_panics() {
        example().push(["dog"]);
    }
}
