//! [`translate`]: another library's augmentation, in this project's settings.
//!
//! The text is read as data: `python.rs` reads the calls of a Python script and `json.rs` what libraries save; no code is
//! run. Each library then has one table from its transforms to ours.

mod albumentations;
mod call;
mod draft;
mod json;
mod keras;
mod python;
mod torchvision;

use std::fmt;

pub use self::call::Position;
use self::call::{Call, Value};
use self::draft::Draft;
use crate::{AugmentConfig, AugmentError};

/// Our settings for the augmentation in `text`, which is a Python script or JSON, and what they keep of it.
///
/// In a script, the first `ImageDataGenerator(...)` or `Compose([...])` with literal arguments is translated, of the
/// library `from` where that is given; whether a `Compose` is torchvision's or albumentations' shows in the names around
/// it. JSON is what `A.save` of albumentations writes, or an object of `ImageDataGenerator`'s arguments.
///
/// # Errors
/// Where the text is longer than 1 MiB, is not read, holds no augmentation, or asks for what no setting allows.
///
/// ```
/// use aumenta_augment::{Fidelity, translate};
///
/// let script = "train = ImageDataGenerator(rescale=1./255, rotation_range=40, zoom_range=0.2)";
/// let translation = translate(script, None)?;
/// assert_eq!(translation.config.rotation_degrees, 40.0);
/// let zoom = &translation.notes[2];
/// assert_eq!((zoom.subject.as_str(), zoom.fidelity), ("zoom_range", Fidelity::Approximate));
/// # Ok::<(), aumenta_augment::TranslateError>(())
/// ```
pub fn translate(text: &str, from: Option<Library>) -> Result<Translation, TranslateError> {
    if text.len() > MAX_BYTES {
        return Err(TranslateError::TooLong { bytes: text.len() });
    }
    let calls = if text.trim_start().starts_with(['{', '[']) {
        vec![json::read_call(text)?]
    } else {
        python::find_calls(text, from.map_or(&["ImageDataGenerator", "Compose"], Library::roots))?
    };
    let Some((call, others)) = calls.split_first() else { return Err(TranslateError::NothingFound) };
    let mut draft = Draft::default();
    match library(call, text, from)? {
        Library::Keras => keras::translate(call, &mut draft)?,
        Library::Torchvision => torchvision::translate(call, &mut draft)?,
        Library::Albumentations => albumentations::translate(call, &mut draft)?,
    }
    for other in others {
        draft.no_equal(&format!("{}{}", place(other.position), other.name), "only the first such call is translated");
    }
    let translation = draft.finish();
    translation.config.build()?;
    Ok(translation)
}

/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// A library whose augmentation is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Keras' `ImageDataGenerator`.
    Keras,
    /// torchvision's transforms, old and v2.
    Torchvision,
    /// albumentations.
    Albumentations,
}

impl Library {
    /// The calls that hold a whole augmentation.
    const fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Keras => &["ImageDataGenerator"],
            Self::Torchvision | Self::Albumentations => &["Compose"],
        }
    }
}

/// An augmentation in this project's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// The settings.
    pub config: AugmentConfig,
    /// What they keep of the original and what they do not, in its order.
    pub notes: Vec<Note>,
}

/// What became of one argument or transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much of it was kept.
    pub fidelity: Fidelity,
    /// The argument or transform, by its own library's name.
    pub subject: String,
    /// The difference, or the reason; empty where nothing differs.
    pub text: String,
}

/// How much of an argument or transform a translation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// The same pictures come as often.
    Exact,
    /// Similar pictures come.
    Approximate,
    /// Nothing of it.
    NoEqual,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.text.is_empty() { "" } else { ": " };
        write!(f, "{}: {}{separator}{}", self.fidelity, self.subject, self.text)
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::NoEqual => "no equal",
        })
    }
}

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
    /// The script has no call that holds an augmentation.
    #[error("no ImageDataGenerator(...) and no Compose([...]) was found")]
    NothingFound,
    /// A `Compose` could be of more than one library.
    #[error("{}Compose is torchvision's or albumentations', and nothing says whose", place(*position))]
    Ambiguous {
        /// Where.
        position: Option<Position>,
    },
    /// The text asks for a number that no setting of ours allows.
    #[error("translated, the settings are out of range: {0}")]
    OutOfRange(#[from] AugmentError),
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

/// The library that `call` belongs to.
fn library(call: &Call, text: &str, from: Option<Library>) -> Result<Library, TranslateError> {
    match (call.short_name() == "ImageDataGenerator", from) {
        (true, None | Some(Library::Keras)) => return Ok(Library::Keras),
        (true, Some(_)) | (false, Some(Library::Keras)) => return Err(TranslateError::NothingFound),
        (false, Some(library)) => return Ok(library),
        (false, None) => {}
    }
    // JSON with names of classes is written by albumentations alone; `A` and `T` are what their documentations import as.
    let named = |prefixes: &[&str]| prefixes.iter().any(|prefix| names(call).any(|name| name.starts_with(prefix)));
    let albumentations = call.position.is_none() || named(&["A.", "albumentations.", "albu."]);
    let torchvision = named(&["transforms.", "v2.", "T.", "torchvision."]);
    match (albumentations || text.contains("albumentations"), torchvision || text.contains("torchvision")) {
        _ if albumentations != torchvision => {
            Ok(if albumentations { Library::Albumentations } else { Library::Torchvision })
        }
        (true, false) => Ok(Library::Albumentations),
        (false, true) => Ok(Library::Torchvision),
        _ => Err(TranslateError::Ambiguous { position: call.position }),
    }
}

/// The name of a call and of the calls in its lists.
fn names(call: &Call) -> impl Iterator<Item = &str> {
    let within = call.arguments.iter().filter_map(|argument| match &argument.value {
        Value::Sequence(values) => Some(values),
        _ => None,
    });
    let names = within.flatten().filter_map(|value| match value {
        Value::Call(call) => Some(call.name.as_str()),
        _ => None,
    });
    std::iter::once(call.name.as_str()).chain(names)
}
