//! [`Histogram`]: how often values occur, as bars.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::escape;
use crate::number::count;

/// Counts with labels, shown as bars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    bars: Vec<(String, u64)>,
}

/// The longest bar in a terminal, in characters.
const LONGEST: u64 = 40;

impl Histogram {
    /// A histogram without bars.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a bar below the others.
    pub fn push(&mut self, label: impl Into<String>, count: u64) {
        self.bars.push((label.into(), count));
    }

    fn greatest(&self) -> u64 {
        self.bars.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1)
    }

    /// Plain text for a terminal: a line a bar. A bar that counts anything is at least an eighth of a character long.
    ///
    /// ```
    /// use aumenta_report::Histogram;
    ///
    /// let mut sides = Histogram::new();
    /// sides.push("128 to 255", 10);
    /// sides.push("256 to 511", 1000);
    /// assert!(sides.to_text().starts_with("128 to 255     10  ▌\n256 to 511  1,000  ████"));
    /// ```
    pub fn to_text(&self) -> String {
        let labels: Vec<String> = self.bars.iter().map(|(label, _)| escape::visible(label)).collect();
        let counts: Vec<String> = self.bars.iter().map(|(_, value)| count(*value)).collect();
        let width = |texts: &[String]| texts.iter().map(|text| text.width()).max().unwrap_or(0);
        let (label_width, count_width) = (width(&labels), width(&counts));
        let mut text = String::new();
        for ((label, counted), (_, value)) in labels.iter().zip(&counts).zip(&self.bars) {
            let space = " ".repeat(label_width - label.width());
            let line = format!("{label}{space}  {counted:>count_width$}  {}", bar(*value, self.greatest()));
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// A `<table>` whose last column holds the bars.
    pub fn to_html(&self) -> String {
        let mut html = String::from("<table class=\"bars\">\n<tbody>\n");
        for (label, value) in &self.bars {
            let percent = 100.0 * *value as f64 / self.greatest() as f64;
            // Writing to a string cannot fail.
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td><i style=\"width:{percent:.1}%\"></i></td></tr>",
                escape::html(label),
                count(*value)
            );
        }
        html + "</tbody>\n</table>\n"
    }
}

/// A bar in eighths of a character.
fn bar(value: u64, greatest: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (value * LONGEST * 8).div_ceil(greatest);
    "█".repeat((eighths / 8) as usize) + PARTS[(eighths % 8) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Histogram {
        let mut histogram = Histogram::new();
        histogram.push("none", 0);
        histogram.push("few", 1);
        histogram.push("<many>", 12_000);
        histogram
    }

    #[test]
    fn bars_are_as_long_as_counts_are_large() {
        let many = format!("<many>  12,000  {}", "█".repeat(40));
        assert_eq!(example().to_text(), format!("none         0\nfew          1  ▏\n{many}\n"));
    }

    #[test]
    fn a_page_escapes_labels() {
        let html = example().to_html();
        assert!(
            html.contains("&lt;many&gt;</th><td class=\"number\">12,000</td><td><i style=\"width:100.0%\">"),
            "{html}"
        );
    }
}
