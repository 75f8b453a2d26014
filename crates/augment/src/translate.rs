//! [`translate`]: another library's augmentation, in this project's settings.
//!
//! The text is read as data: `python.rs` reads the calls of a Python script and `json.rs` what libraries save; no code is
//! run. Each library then has one table from its transforms to ours.

mod call;
mod json;
mod python;

pub use self::call::Position;

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What can be wrong with a text to translate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TranslateError {
    /// The text is too long to be a configuration.
    #[error("the text has {bytes} bytes, expected at most {MAX_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Brackets, calls or signs stand too deep in each other.
    #[error("{position}: nested deeper than {limit}")]
    TooDeep {
        /// The deepest nesting that is read.
        limit: usize,
        /// Where it is exceeded.
        position: Position,
    },
    /// A call is written in a way that is not read, or not Python.
    #[error("{position}: expected {expected}, found {found}")]
    Syntax {
        /// What could stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// Where.
        position: Position,
    },
    /// The text is not JSON.
    #[error("{position}: {message}")]
    Json {
        /// What the reader of JSON says.
        message: String,
        /// Where.
        position: Position,
    },
    /// The JSON is not an object.
    #[error("expected a JSON object: what A.save writes, or the arguments of ImageDataGenerator")]
    NotAnObject,
    /// A call has an argument that the library does not know.
    #[error("{}{call} has no argument {argument}", place(*position))]
    UnknownArgument {
        /// The call.
        call: String,
        /// The argument's name, or its number.
        argument: String,
        /// Where; JSON keeps no places.
        position: Option<Position>,
    },
    /// A call gives an argument twice.
    #[error("{}{call} is given {argument} twice", place(*position))]
    RepeatedArgument {
        /// The call.
        call: String,
        /// The argument.
        argument: String,
        /// Where; JSON keeps no places.
        position: Option<Position>,
    },
    /// An argument is of another kind than the library takes.
    #[error("{}{call}: {argument} is {value}, expected {expected}", place(*position))]
    UnexpectedValue {
        /// The call.
        call: String,
        /// The argument.
        argument: String,
        /// Its value, as Python writes it.
        value: String,
        /// What it should be.
        expected: &'static str,
        /// Where; JSON keeps no places.
        position: Option<Position>,
    },
}

/// How a message starts: with its place, where there is one.
fn place(position: Option<Position>) -> String {
    position.map_or_else(String::new, |position| format!("{position}: "))
}
