//! [`Volume`]: a small grid of numbers with any number of channels, as one writes it down.

use std::str::FromStr;

use crate::error::ExplainError;

/// A grid of numbers, or several of one size as channels.
///
/// It is read from text: a row of numbers a line, separated by spaces, tabs, commas or semicolons; an empty line ends a channel,
/// and `#` begins a remark.
///
/// ```
/// use aumenta_explain::Volume;
///
/// let volume: Volume = "1 2 3\n4 5 6\n\n7 8 9\n0, 0, 0".parse()?;
/// assert_eq!((volume.channels(), volume.height(), volume.width()), (2, 2, 3));
/// assert_eq!(volume.get(1, 0, 2), 9.0);
/// # Ok::<(), aumenta_explain::ExplainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    height: usize,
    width: usize,
    /// Channel by channel, row by row.
    values: Vec<f64>,
}

/// What separates numbers.
const SEPARATORS: [char; 4] = [' ', '\t', ',', ';'];

/// As many numbers can be followed by eye, and more.
const MOST_NUMBERS: usize = 1 << 16;

impl Volume {
    /// One channel.
    ///
    /// # Panics
    /// Where `values` are not `height * width` numbers, or none.
    pub fn new(height: usize, width: usize, values: Vec<f64>) -> Self {
        assert!(
            !values.is_empty() && values.len().is_multiple_of(height * width),
            "{height}x{width} numbers a channel"
        );
        Self { height, width, values }
    }

    /// How many rows there are.
    pub fn height(&self) -> usize {
        self.height
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many channels there are.
    pub fn channels(&self) -> usize {
        self.values.len() / (self.height * self.width)
    }

    /// The number in a channel's row and column.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, channel: usize, row: usize, column: usize) -> f64 {
        self.values[(channel * self.height + row) * self.width + column]
    }

    /// The rows of a channel, from the top.
    pub fn rows(&self, channel: usize) -> impl Iterator<Item = &[f64]> {
        let channel_values = &self.values[channel * self.height * self.width..][..self.height * self.width];
        channel_values.chunks_exact(self.width)
    }

    /// The sum of all numbers.
    pub fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    /// With `value` around every channel: so many rows and columns at the top, bottom, left and right.
    #[must_use]
    pub fn padded(&self, [top, bottom, left, right]: [usize; 4], value: f64) -> Self {
        let (height, width) = (self.height + top + bottom, self.width + left + right);
        let mut values = vec![value; height * width * self.channels()];
        for channel in 0..self.channels() {
            for (row, numbers) in self.rows(channel).enumerate() {
                let start = (channel * height + top + row) * width + left;
                values[start..start + self.width].copy_from_slice(numbers);
            }
        }
        Self { height, width, values }
    }
}

impl FromStr for Volume {
    type Err = ExplainError;

    fn from_str(text: &str) -> Result<Self, ExplainError> {
        let fault = |line: usize, reason: String| Err(ExplainError::Grid { line, reason });
        let mut channels: Vec<Vec<Vec<f64>>> = Vec::new();
        let mut between = true;
        let mut last = 0;
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.split('#').next().unwrap_or_default();
            let words: Vec<&str> = content.split(SEPARATORS).filter(|word| !word.is_empty()).collect();
            if words.is_empty() {
                between = true;
                continue;
            }
            let mut row = Vec::with_capacity(words.len());
            for word in words {
                match word.parse::<f64>() {
                    Ok(number) if number.is_finite() => row.push(number),
                    _ => return fault(line, format!("`{word}` is no number")),
                }
            }
            if let Some(first) = channels.first()
                && row.len() != first[0].len()
            {
                return fault(line, format!("a row of length {}, but the first one has {}", row.len(), first[0].len()));
            }
            if between {
                channels.push(Vec::new());
            }
            (between, last) = (false, line);
            channels.last_mut().into_iter().for_each(|channel| channel.push(row.clone()));
        }
        let Some(first) = channels.first() else { return fault(1, "there are no numbers".to_string()) };
        let (height, width) = (first.len(), first[0].len());
        if let Some(other) = channels.iter().find(|channel| channel.len() != height) {
            return fault(last, format!("a channel of {} rows, but the first one has {height}", other.len()));
        }
        let values: Vec<f64> = channels.into_iter().flatten().flatten().collect();
        if values.len() > MOST_NUMBERS {
            return fault(last, format!("{} numbers are more than {MOST_NUMBERS}", values.len()));
        }
        Ok(Self { height, width, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, message: &str) {
        assert_eq!(text.parse::<Volume>().unwrap_err().to_string(), message);
    }

    #[test]
    fn texts_without_a_grid_name_the_line() {
        check_refused("", "line 1: there are no numbers");
        check_refused("1 2\n3 x", "line 2: `x` is no number");
        check_refused("1 2\n3 inf", "line 2: `inf` is no number");
        check_refused("1 2\n3", "line 2: a row of length 1, but the first one has 2");
        check_refused("1 2\n3 4\n\n5 6\n", "line 4: a channel of 1 rows, but the first one has 2");
        check_refused(&"1\n".repeat(70_000), "line 70000: 70000 numbers are more than 65536");
    }

    #[test]
    fn remarks_and_separators_are_passed_over() {
        let volume: Volume = "# a grid\n 1,2;\t3 # the first row\n4 5 6\n\n\n".parse().unwrap();
        assert_eq!(volume, Volume::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    }

    #[test]
    fn padding_goes_around_every_channel() {
        let volume = Volume::new(1, 2, vec![1.0, 2.0, 3.0, 4.0]).padded([1, 0, 0, 1], 0.0);
        assert_eq!(volume, Volume::new(2, 3, vec![0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0]));
    }
}
