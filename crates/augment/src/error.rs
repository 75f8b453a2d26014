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
    /// An augmentation cannot be made stronger or weaker.
    #[error(
        "a strength of {strength} cannot be given to an augmentation with {transforms} further transforms: expected 0 or more, and none"
    )]
    Strength {
        /// The strength.
        strength: f64,
        /// How many transforms there are whose strength is not known.
        transforms: usize,
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
    /// A crop is larger than the picture that it is cut from.
    #[error(
        "size-fraction is {size_fraction}, which is larger than the picture with its padding: \
         1 + 2 * {padding_fraction} = {padded}"
    )]
    CropTooLarge {
        /// The window's side, in sides of the picture.
        size_fraction: f64,
        /// The padding of each side, in sides of the picture.
        padding_fraction: f64,
        /// The padded picture's side, in sides of the picture.
        padded: f64,
    },
    /// A list that is chosen from is empty.
    #[error("{field} has no numbers, expected at least one")]
    Empty {
        /// The setting, by its name in a configuration.
        field: &'static str,
    },
    /// A dialect and the preprocessing normalize in two ways.
    #[error(
        "`{field}` of `[augment]` and `normalization` of `[preprocessing]` ask for different things, expected one of them"
    )]
    TwoNormalizations {
        /// The dialect's setting, by its name in a configuration.
        field: &'static str,
    },
    /// A setting of another library's dialect that has no equal here.
    #[error("{field} has no equal here: {reason}")]
    NoEqual {
        /// The setting, by its name in a configuration.
        field: &'static str,
        /// Why, or what does it instead.
        reason: &'static str,
    },
}
