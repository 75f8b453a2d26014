//! [`AugmentError`]: what can be wrong with an augmentation, all of it found before any work starts.

/// A setting that no picture can be augmented with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AugmentError {
    /// A number is outside of its range, or not a number.
    #[error("{field} is {value}, expected {expected}")]
    OutOfRange {
        /// The setting, by its name in a configuration.
        field: &'static str,
        /// The number given.
        value: f64,
        /// The range, in words.
        expected: &'static str,
    },
    /// The lower end of a range is above its upper end.
    #[error("{field} is [{low}, {high}], expected the lower end first")]
    Reversed {
        /// The setting, by its name in a configuration.
        field: &'static str,
        /// The first number given.
        low: f64,
        /// The second number given.
        high: f64,
    },
    /// A list has too few or too many numbers.
    #[error("{field} has {count} numbers, expected {}", if *expected == 1 { "1".to_string() } else { format!("1 or {expected}") })]
    Count {
        /// The setting, by its name in a configuration.
        field: &'static str,
        /// How many numbers it has.
        count: usize,
        /// How many it may have besides one.
        expected: usize,
    },
}
