//! [`translate`]: another library's augmentation, in this project's settings.
//!
//! The text is read as data: `python.rs` reads the calls of a Python script and `json.rs` what libraries save; no code is
//! run. Each library then has one table from its transforms to ours.

mod albumentations;
mod call;
mod color_jitter;
mod crop;
mod draft;
mod json;
mod keras;
mod preprocessing;
mod python;
mod torchvision;

use std::fmt;

pub use self::albumentations::AlbumentationsVersion;
pub use self::call::Position;
use self::call::{Call, Value};
use self::draft::{Draft, Group};
use crate::{AugmentConfig, AugmentError, KerasVersion};

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
    let group = match library(call, text, from)? {
        Library::Keras(version) => {
            keras::translate(call, version, &mut draft)?;
            Group::none()
        }
        Library::Torchvision => torchvision::translate(call, &mut draft)?,
        Library::Albumentations(version) => albumentations::translate(call, version, &mut draft)?,
    };
    draft.config.transforms = group.into_steps();
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
    /// Keras' `ImageDataGenerator`; of 2.15 where nothing says the version.
    Keras(KerasVersion),
    /// torchvision's transforms, old and v2.
    Torchvision,
    /// albumentations; of 2.0 where nothing says the version.
    Albumentations(AlbumentationsVersion),
}

impl Library {
    /// The calls that hold a whole augmentation.
    const fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Keras(_) => &["ImageDataGenerator"],
            Self::Torchvision | Self::Albumentations(_) => &["Compose"],
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
    /// The difference, or the reason, or where else it is written; empty where there is nothing to say.
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
        (true, None) => return Ok(Library::Keras(KerasVersion::Keras2_15)),
        (true, Some(Library::Keras(version))) => return Ok(Library::Keras(version)),
        (true, Some(_)) | (false, Some(Library::Keras(_))) => return Err(TranslateError::NothingFound),
        (false, Some(library)) => return Ok(library),
        (false, None) => {}
    }
    let newest = Library::Albumentations(AlbumentationsVersion::Albumentations2);
    // JSON with names of classes is written by albumentations alone; `A` and `T` are what their documentations import as.
    let named = |prefixes: &[&str]| prefixes.iter().any(|prefix| names(call).any(|name| name.starts_with(prefix)));
    let albumentations = call.position.is_none() || named(&["A.", "albumentations.", "albu."]);
    let torchvision = named(&["transforms.", "v2.", "T.", "torchvision."]);
    match (albumentations || text.contains("albumentations"), torchvision || text.contains("torchvision")) {
        _ if albumentations != torchvision => Ok(if albumentations { newest } else { Library::Torchvision }),
        (true, false) => Ok(newest),
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

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{Fill, Interpolation};

    use super::*;
    use crate::ZoomRange;

    /// The settings as TOML and the notes, one a line.
    fn translated(text: &str, from: Option<Library>) -> String {
        let translation = translate(text, from).unwrap();
        let notes: Vec<String> = translation.notes.iter().map(|note| format!("{note}\n")).collect();
        let shared = AugmentConfig { transforms: Vec::new(), ..translation.config.clone() };
        let steps: Vec<String> = translation
            .config
            .transforms
            .iter()
            .map(|step| toml::to_string(step).unwrap().replace('\n', "; "))
            .collect();
        let fill = format!("{:?} {:?}\n", shared.fill, shared.interpolation);
        steps.iter().fold(String::new(), |all, step| all + step + "\n") + &fill + &notes.concat()
    }

    /// Checks the steps of some calls, as JSON, and then their notes.
    #[track_caller]
    pub(super) fn check(from: Library, calls: &str, expected: &[&str]) {
        let translation = translate(&format!("Compose([{calls}])"), Some(from)).unwrap();
        let steps = translation.config.transforms.iter().map(|step| serde_json::to_string(step).unwrap());
        let lines: Vec<String> = steps.chain(translation.notes.iter().map(Note::to_string)).collect();
        assert_eq!(lines, expected, "{calls}");
    }

    fn error(text: &str, from: Option<Library>) -> String {
        translate(text, from).unwrap_err().to_string()
    }

    #[test]
    fn the_books_generator_becomes_our_settings() {
        let script = "train_datagen = ImageDataGenerator(\n    rescale=1./255,\n    rotation_range=40,\n    \
                      width_shift_range=0.2,\n    height_shift_range=0.2,\n    shear_range=0.2,\n    zoom_range=0.2,\n    \
                      horizontal_flip=True,)\n\ntest_datagen = ImageDataGenerator(rescale=1./255)\n";
        let translation = translate(script, None).unwrap();
        let expected = AugmentConfig {
            shear_degrees: 0.2,
            zoom: ZoomRange::Between([0.833_333_333, 1.25]),
            ..AugmentConfig::book()
        };
        assert_eq!(translation.config, expected);
        let notes: Vec<(&str, Fidelity)> =
            translation.notes.iter().map(|note| (note.subject.as_str(), note.fidelity)).collect();
        let expected = [
            ("rescale", Fidelity::Exact),
            ("rotation_range", Fidelity::Exact),
            ("width_shift_range", Fidelity::Approximate),
            ("height_shift_range", Fidelity::Approximate),
            ("shear_range", Fidelity::Approximate),
            ("zoom_range", Fidelity::Approximate),
            ("horizontal_flip", Fidelity::Exact),
            ("line 10, column 16: ImageDataGenerator", Fidelity::NoEqual),
        ];
        assert_eq!(notes, expected);
        assert!(translation.notes[4].text.ends_with("was in radians, as --from keras-2.0.8 reads it"));
    }

    #[test]
    fn another_scale_is_a_line_of_the_preprocessing() {
        let notes = translate("ImageDataGenerator(rescale=1.)", None).unwrap().notes;
        assert_eq!(notes[0].text, "below [preprocessing], write normalization = { rescale = { factor = 1.0 } }");
    }

    #[test]
    fn an_old_generator_shears_in_radians_and_reads_the_nearest_pixel() {
        let old = Some(Library::Keras(KerasVersion::Keras2_0_8));
        // Without a brightness_range, the tenth argument is the shear.
        let script = "ImageDataGenerator(False, False, False, False, False, 1e-6, 40., 0.2, 0.2, 0.2)";
        let translation = translate(script, old).unwrap();
        let expected = AugmentConfig {
            rotation_degrees: 40.0,
            width_shift: 0.2,
            height_shift: 0.2,
            shear_degrees: 11.459_155_903,
            interpolation: Interpolation::Nearest,
            ..AugmentConfig::default()
        };
        assert_eq!(translation.config, expected);
        let shift = translation.notes.iter().find(|note| note.subject == "width_shift_range").unwrap();
        assert_eq!(shift.fidelity, Fidelity::Exact);
        assert_eq!(
            error("ImageDataGenerator(brightness_range=(1, 2))", old),
            "line 1, column 20: ImageDataGenerator has no argument brightness_range"
        );
    }

    #[test]
    fn a_generators_arguments_can_be_json() {
        let json = r#"{"fill_mode": "constant", "cval": 7, "interpolation_order": 0, "brightness_range": [0.5, 1.5],
            "zca_whitening": true, "channel_shift_range": 10.0, "width_shift_range": [1, 2]}"#;
        let translation = translate(json, None).unwrap();
        let config = translation.config;
        assert_eq!((config.fill, config.interpolation), (Fill::Constant([7; 3]), Interpolation::Nearest));
        assert_eq!((config.brightness, config.width_shift), (0.5, 0.0));
        let without: Vec<&str> = translation
            .notes
            .iter()
            .filter(|note| note.fidelity == Fidelity::NoEqual)
            .map(|note| note.subject.as_str())
            .collect();
        assert_eq!(without, ["channel_shift_range", "width_shift_range", "zca_whitening"]);
    }

    #[test]
    fn torchvisions_compose_becomes_steps() {
        let script = "from torchvision import transforms as T\nt = T.Compose([\n T.Resize((150, 150)),\n \
                      T.RandomRotation(30, fill=(1, 2, 3)),\n T.RandomHorizontalFlip(),\n \
                      T.RandomApply([T.ColorJitter(0.2, saturation=(0.5, 1.2))], p=0.3),\n T.RandomSpin(7),\n])";
        assert_eq!(
            translated(script, None),
            "transform = \"rotation\"; degrees = 30.0; \ntransform = \"horizontal-flip\"; \n\
             transform = \"sequence\"; probability = 0.3; ; [[steps]]; transform = \"brightness\"; amount = 0.2; ; \
             [[steps]]; transform = \"saturation\"; amount = 0.5; \nConstant([1, 2, 3]) Nearest\n\
             no equal: Resize: pictures are resized to the model's input, aspect ratio not kept\n\
             exact: RandomRotation\nexact: RandomHorizontalFlip\nexact: ColorJitter.brightness\n\
             approximate: ColorJitter.saturation: the factor is drawn from 0.5 to 1.5\n\
             approximate: ColorJitter: its parts act in the order of its arguments, not in a random one\n\
             no equal: RandomSpin: it is not translated; the page about augmentation lists what there is\n"
        );
    }

    #[test]
    fn torchvisions_colors_crops_and_policies_have_names_here() {
        let script = "v2.Compose([RandomResizedCrop(224, scale=(0.5, 1)), ColorJitter(contrast=0.4, hue=0.1), RandomGrayscale(),\n\
                      RandomPosterize(4), RandomSolarize(threshold=128, p=0.2), GaussianBlur(5, sigma=(0.2, 1.5)),\n\
                      RandomPerspective(0.3), RandAugment(magnitude=7), RandomErasing(p=0.25)])";
        let translation = translate(script, Some(Library::Torchvision)).unwrap();
        assert!(translation.notes.iter().all(|note| note.fidelity != Fidelity::NoEqual), "{:?}", translation.notes);
        let steps: Vec<String> = translation
            .config
            .transforms
            .iter()
            .map(|step| toml::to_string(step).unwrap().replace('\n', "; "))
            .collect();
        assert_eq!(
            steps,
            [
                "transform = \"resized-crop\"; areas = [0.5, 1.0]; aspect-ratios = [0.75, 1.3333333333333333]; ",
                "transform = \"contrast-about-mean\"; amount = 0.4; ",
                "transform = \"hue\"; turns = 0.1; ",
                "transform = \"grayscale\"; probability = 0.1; ",
                "transform = \"posterize\"; bits = [4, 4]; probability = 0.5; ",
                "transform = \"solarize\"; threshold-levels = [128, 128]; probability = 0.2; ",
                "transform = \"gaussian-blur\"; sigma-pixels = [0.2, 1.5]; ",
                "transform = \"perspective\"; distortion = 0.3; probability = 0.5; ",
                "transform = \"rand-augment\"; operations = 2; magnitude = 7; ",
                "transform = \"erasing\"; areas = [0.02, 0.33]; aspect-ratios = [0.3, 3.3]; probability = 0.25; ; [cover]; \
                 color = [0, 0, 0]; ",
            ]
        );
        assert!(translation.config.build().is_ok());
    }

    #[test]
    fn torchvisions_affine_becomes_its_parts() {
        let script = "Compose([RandomAffine(10, translate=(0.1, 0.2), scale=(0.8, 1.2), shear=5)])";
        let expected = "transform = \"rotation\"; degrees = 10.0; \n\
                        transform = \"shift\"; width = 0.1; height = 0.2; \n\
                        transform = \"zoom\"; range = [0.8, 1.2]; \ntransform = \"shear\"; degrees = 5.0; \n\
                        Constant([0, 0, 0]) Nearest\n";
        assert!(translated(script, Some(Library::Torchvision)).starts_with(expected));
    }

    #[test]
    fn albumentations_is_read_from_python_and_from_json() {
        let script = "t = A.Compose([A.HorizontalFlip(p=0.3), A.Rotate(limit=20, border_mode=cv2.BORDER_REPLICATE, p=1),\n\
                      A.RandomBrightnessContrast(p=1.0)])";
        let json = r#"{"__version__": "1.4.0", "transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": [
            {"__class_fullname__": "HorizontalFlip", "p": 0.3, "always_apply": false},
            {"__class_fullname__": "Rotate", "limit": [-20, 20], "interpolation": 1, "border_mode": 1, "value": null, "p": 1.0},
            {"__class_fullname__": "RandomBrightnessContrast", "p": 1.0}]}}"#;
        let expected = "transform = \"horizontal-flip\"; probability = 0.3; \n\
                        transform = \"rotation\"; degrees = 20.0; \ntransform = \"brightness\"; amount = 0.2; \n\
                        Nearest Bilinear\nexact: HorizontalFlip\nexact: Rotate\n\
                        approximate: RandomBrightnessContrast.contrast_limit: it multiplies all levels, which is called \
                        brightness here\n\
                        no equal: RandomBrightnessContrast.brightness_limit: no transform adds the same to all levels\n";
        assert_eq!(translated(script, None), expected);
        assert_eq!(translated(json, None), expected);
    }

    #[test]
    fn what_cannot_be_translated_is_an_error_with_its_place() {
        let keras = Some(Library::Keras(KerasVersion::Keras2_15));
        assert_eq!(
            error("ImageDataGenerator(rotation_range='far')", None),
            "line 1, column 20: ImageDataGenerator: rotation_range is \"far\", expected a number"
        );
        assert_eq!(
            error("x\nImageDataGenerator(rotation=3)", keras),
            "line 2, column 20: ImageDataGenerator has no argument rotation"
        );
        assert_eq!(
            error("T.Compose([T.RandomRotation(3, degrees=4)])", None),
            "line 1, column 32: RandomRotation is given degrees twice"
        );
        assert_eq!(error("x = 3", None), "no ImageDataGenerator(...) and no Compose([...]) was found");
        assert_eq!(error("T.Compose([])", keras), "no ImageDataGenerator(...) and no Compose([...]) was found");
        assert_eq!(
            error("Compose([HorizontalFlip()])", None),
            "line 1, column 1: Compose is torchvision's or albumentations', and nothing says whose"
        );
        assert_eq!(
            error("ImageDataGenerator(rotation_range=-3)", None),
            "translated, the settings are out of range: rotation-degrees is -3, expected an angle from 0 to 180"
        );
        assert!(error(&" ".repeat(MAX_BYTES + 1), None).starts_with("the text has 1048577 bytes"));
    }
}
