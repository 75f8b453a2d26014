//! [`RecordLines`]: the layout of a manifest, in which a record is a line, for people and their tools to compare.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// JSON with a line for each field of the outermost object and for each element of its lists.
#[derive(Debug, Default)]
pub(crate) struct RecordLines {
    depth: usize,
    has_elements: Vec<bool>,
}

impl RecordLines {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_elements.push(false);
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        let has_elements = self.has_elements.pop().unwrap_or(false);
        let breaks = self.breaks_lines() && has_elements;
        self.depth -= 1;
        if breaks {
            self.start_line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        if let Some(has_elements) = self.has_elements.last_mut() {
            *has_elements = true;
        }
        match (is_first, self.breaks_lines()) {
            (true, true) => self.start_line(writer),
            (true, false) => Ok(()),
            (false, true) => {
                writer.write_all(b",")?;
                self.start_line(writer)
            }
            (false, false) => writer.write_all(b", "),
        }
    }

    fn breaks_lines(&self) -> bool {
        self.depth <= 2
    }

    fn start_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        writer.write_all("  ".repeat(self.depth).as_bytes())
    }
}

impl Formatter for RecordLines {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize as _;

    use super::*;

    #[test]
    fn two_levels_are_broken_into_lines_and_the_deeper_ones_are_not() {
        let value = serde_json::json!({"a": [], "b": {"c": [1, 2], "d": {}}, "e": [{"f": 1, "g": [2]}, 3]});
        let mut json = Vec::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, RecordLines::default())).unwrap();
        let expected = r#"{
  "a": [],
  "b": {
    "c": [1, 2],
    "d": {}
  },
  "e": [
    {"f": 1, "g": [2]},
    3
  ]
}"#;
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }
}
