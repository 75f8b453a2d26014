//! Lines and numbers of CSV files (RFC 4180), for machines.

use csv::{QuoteStyle, WriterBuilder};

/// One line of a CSV file with its line feed; cells that need quotes have them.
///
/// ```
/// assert_eq!(aumenta_report::csv_line(["cat, tabby", "0.5", "5\" tall"]), "\"cat, tabby\",0.5,\"5\"\" tall\"\n");
/// ```
pub fn csv_line<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    // Writing to memory cannot fail, and cells of text make a line of text.
    let written = writer.write_record(cells).ok().and_then(|()| writer.into_inner().ok());
    written.and_then(|line| String::from_utf8(line).ok()).unwrap_or_default()
}

/// A probability with as many digits as tell it from its neighbors; cut to `clip` from 0 and from 1 where there is one.
///
/// ```
/// use aumenta_report::csv_probability;
///
/// assert_eq!(csv_probability(0.1, None), "0.1");
/// assert_eq!(csv_probability(0.1, Some(1e-9)), "0.1");
/// assert_eq!(csv_probability(0.0, Some(1e-9)), "0.000000001");
/// assert_eq!(csv_probability(1.0, Some(1e-9)), "0.999999999");
/// ```
pub fn csv_probability(probability: f32, clip: Option<f64>) -> String {
    let (value, clip) = (f64::from(probability), clip.unwrap_or(0.0));
    if value < clip {
        clip.to_string()
    } else if value > 1.0 - clip {
        (1.0 - clip).to_string()
    } else {
        probability.to_string()
    }
}

/// A number, or an empty cell where there is none.
pub(crate) fn optional(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
