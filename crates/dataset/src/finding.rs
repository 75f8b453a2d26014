//! [`Finding`]: an image that is left out or worth a look, and why.

use std::fmt;

use aumenta_imgproc::{Damage, DecodeError, Format, OtherFormat, RowsRead};
use serde::{Deserialize, Serialize};

use crate::error::EntryFault;

/// Something about an image that speaks against its use, or that someone should look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Finding {
    /// Its path within the source.
    pub path: String,
    /// What was found.
    pub cause: Cause,
}

/// What was found. Places are counted in bytes from the start of the image's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// The source does not give its bytes: it is encrypted, its checksum is wrong, it unpacks to too much.
    Unreadable {
        /// What was met.
        reason: String,
    },
    /// It has no bytes.
    Empty {},
    /// It begins like no known format.
    NotAnImage {
        /// What it is instead, where that is known.
        looks_like: Option<OtherFormat>,
    },
    /// Its format is known, but no decoder here reads its kind.
    Unsupported {
        /// The format.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
    /// Its header asks for more than the limits allow.
    TooLarge {
        /// What it asks for.
        reason: String,
    },
    /// The file ends before its picture does.
    Truncated {
        /// Where the data ends.
        at: u64,
        /// The rows that are there and those that should be, where the format tells.
        rows: Option<[u32; 2]>,
    },
    /// Every row is there, but not the marker that ends the file.
    NoEnd {
        /// Where the data ends.
        at: u64,
    },
    /// Bytes that cannot stand where they stand.
    Damaged {
        /// The first of them, where it is known.
        at: Option<u64>,
        /// What the decoder says.
        reason: String,
    },
    /// Every pixel is there, and more data than they need.
    LeftOver {
        /// Where it begins.
        at: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// The decoder panicked, which is a defect of ours.
    Panicked {},
    /// It has the content of an image of another class, so one of the two labels is wrong; both are left out.
    Conflict {
        /// The path of the other image.
        of: String,
    },
    /// It has, byte for byte, the content of an image of the test set that the source brings along.
    InTestSet {
        /// The path of that image.
        of: String,
    },
    /// It is of one group with an image of the test set, such as one of the same patient.
    GroupInTestSet {
        /// The path of that image.
        of: String,
    },
    /// It was put into quarantine after an inspection.
    Quarantined {
        /// What was found then.
        reason: String,
    },
    /// It has one color, or next to one.
    Blank {
        /// Standard deviation of the luma, in levels of 255.
        deviation: f32,
    },
    /// It looks like what a web site shows in place of an image that is gone: much of it has one color, which is rare in
    /// this data set.
    Placeholder {
        /// The share of its pixels that have its most frequent color.
        share: f32,
    },
    /// Its extension is that of another format. It can be used all the same.
    WrongExtension {
        /// The format that it has.
        format: Format,
    },
    /// A file system that tells neither case nor forms of Unicode apart takes it for another image's file.
    NameCollision {
        /// The path of that image.
        of: String,
    },
    /// A part of its path is no name that Windows can have.
    UnportableName {
        /// Which, and why not.
        reason: String,
    },
    /// Something follows its picture, such as a second one, or garbage.
    Trailing {
        /// Where it begins.
        at: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// It is one pixel wide or high, or far longer than wide.
    OddShape {
        /// Width in pixels, as displayed.
        width: u32,
        /// Height in pixels, as displayed.
        height: u32,
    },
    /// It is far smaller or larger than most.
    OddSize {
        /// Width in pixels, as displayed.
        width: u32,
        /// Height in pixels, as displayed.
        height: u32,
    },
    /// It has the bytes of another image.
    Copy {
        /// The path of that image.
        of: String,
    },
    /// It has the pixels of another image, packed in another way.
    SamePixels {
        /// The path of that image.
        of: String,
        /// Whether that is of another class.
        is_other_class: bool,
    },
    /// It looks like another image.
    NearDuplicate {
        /// The path of that image.
        of: String,
        /// How much, up to 1, where that was measured.
        similarity: Option<f32>,
        /// Whether that is of another class.
        is_other_class: bool,
    },
}

/// The kind of a [`Cause`], for policies and counts. The order is that in which findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the causes of these names say what they are")]
pub enum Kind {
    Conflict,
    Unreadable,
    Empty,
    NotAnImage,
    Unsupported,
    TooLarge,
    Truncated,
    NoEnd,
    Damaged,
    LeftOver,
    Panicked,
    InTestSet,
    GroupInTestSet,
    Quarantined,
    Blank,
    SamePixels,
    NearDuplicate,
    Copy,
    Placeholder,
    WrongExtension,
    NameCollision,
    UnportableName,
    Trailing,
    OddShape,
    OddSize,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Training must not see the image: it cannot be decoded, or its label contradicts another.
    Fault,
    /// The image can be used; someone should look at it.
    Notice,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 25] = [
        Self::Conflict,
        Self::Unreadable,
        Self::Empty,
        Self::NotAnImage,
        Self::Unsupported,
        Self::TooLarge,
        Self::Truncated,
        Self::NoEnd,
        Self::Damaged,
        Self::LeftOver,
        Self::Panicked,
        Self::InTestSet,
        Self::GroupInTestSet,
        Self::Quarantined,
        Self::Blank,
        Self::SamePixels,
        Self::NearDuplicate,
        Self::Copy,
        Self::Placeholder,
        Self::WrongExtension,
        Self::NameCollision,
        Self::UnportableName,
        Self::Trailing,
        Self::OddShape,
        Self::OddSize,
    ];

    /// Its name, as in JSON and in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::NotAnImage => "not-an-image",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too-large",
            Self::Truncated => "truncated",
            Self::NoEnd => "no-end",
            Self::Damaged => "damaged",
            Self::LeftOver => "left-over",
            Self::Panicked => "panicked",
            Self::InTestSet => "in-test-set",
            Self::GroupInTestSet => "group-in-test-set",
            Self::Quarantined => "quarantined",
            Self::Blank => "blank",
            Self::SamePixels => "same-pixels",
            Self::NearDuplicate => "near-duplicate",
            Self::Copy => "copy",
            Self::Placeholder => "placeholder",
            Self::WrongExtension => "wrong-extension",
            Self::NameCollision => "name-collision",
            Self::UnportableName => "unportable-name",
            Self::Trailing => "trailing",
            Self::OddShape => "odd-shape",
            Self::OddSize => "odd-size",
        }
    }

    /// What it means for a training, and what to do, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Conflict => "The same file under two classes: one label is wrong, so correct or remove it.",
            Self::Unreadable => "The archive or the disk does not give the bytes: get the source again.",
            Self::Empty => "A file without a byte: get it again or leave it out.",
            Self::NotAnImage => "Something else under an image's name, often a server's message: leave it out.",
            Self::Unsupported => "Sound perhaps, but of a kind that is not read here: convert it or leave it out.",
            Self::TooLarge => "More pixels or bytes than the limits allow: raise them if you trust the source.",
            Self::Truncated => "Half an image, as after a broken download: get it again or leave it out.",
            Self::NoEnd => "All rows are there, but the end of the file is not: save the image anew or leave it out.",
            Self::Damaged => "Bytes were changed, so that pixels would be wrong: get it again or leave it out.",
            Self::LeftOver => {
                "More data than the pixels need; viewers read it: save it anew, or look and leave it out."
            }
            Self::Panicked => "Our decoder failed on it, which is a defect: leave it out, and please report it.",
            Self::InTestSet => {
                "An image of the source's own test set stands among the others: leave it out of training."
            }
            Self::GroupInTestSet => "It belongs together with an image of the test set: leave it out of training.",
            Self::Quarantined => "An inspection found something that training must not see.",
            Self::Blank => "Nothing is to be seen, so nothing can be learned: leave it out.",
            Self::SamePixels => "The same picture packed anew: it must not stand on both sides of a split.",
            Self::NearDuplicate => "Nearly the same picture: it should not stand on both sides of a split.",
            Self::Copy => {
                "The same file again: splits keep copies on one side; remove it if it should not count twice."
            }
            Self::Placeholder => "Perhaps a notice in place of a picture: look at it.",
            Self::WrongExtension => "Read by its content all the same; other programs may stumble: rename it.",
            Self::NameCollision => {
                "Safe where it lies; who unpacks it on Windows or macOS keeps one of the two: rename one."
            }
            Self::UnportableName => "Safe where it lies; it cannot be unpacked on Windows: rename it.",
            Self::Trailing => "Bytes behind the picture, which are not read: a second picture, a video or garbage.",
            Self::OddShape => "Resizing to a square distorts it beyond recognition: look at it.",
            Self::OddSize => "Far smaller or larger than the others, perhaps an icon or a scan: look at it.",
        }
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        if self <= Self::Panicked { Severity::Fault } else { Severity::Notice }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Cause {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { .. } => Kind::Unreadable,
            Self::Empty {} => Kind::Empty,
            Self::NotAnImage { .. } => Kind::NotAnImage,
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::Truncated { .. } => Kind::Truncated,
            Self::NoEnd { .. } => Kind::NoEnd,
            Self::Damaged { .. } => Kind::Damaged,
            Self::LeftOver { .. } => Kind::LeftOver,
            Self::Panicked {} => Kind::Panicked,
            Self::Conflict { .. } => Kind::Conflict,
            Self::InTestSet { .. } => Kind::InTestSet,
            Self::GroupInTestSet { .. } => Kind::GroupInTestSet,
            Self::Quarantined { .. } => Kind::Quarantined,
            Self::Blank { .. } => Kind::Blank,
            Self::Placeholder { .. } => Kind::Placeholder,
            Self::WrongExtension { .. } => Kind::WrongExtension,
            Self::NameCollision { .. } => Kind::NameCollision,
            Self::UnportableName { .. } => Kind::UnportableName,
            Self::Trailing { .. } => Kind::Trailing,
            Self::OddShape { .. } => Kind::OddShape,
            Self::OddSize { .. } => Kind::OddSize,
            Self::Copy { .. } => Kind::Copy,
            Self::SamePixels { .. } => Kind::SamePixels,
            Self::NearDuplicate { .. } => Kind::NearDuplicate,
        }
    }

    /// The path of the other image that the finding is about, if there is one.
    pub fn other(&self) -> Option<&str> {
        match self {
            Self::Conflict { of }
            | Self::InTestSet { of }
            | Self::GroupInTestSet { of }
            | Self::NameCollision { of }
            | Self::Copy { of }
            | Self::SamePixels { of, .. }
            | Self::NearDuplicate { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Whether the finding is about two images of different classes.
    pub fn crosses_classes(&self) -> bool {
        matches!(
            self,
            Self::Conflict { .. }
                | Self::SamePixels { is_other_class: true, .. }
                | Self::NearDuplicate { is_other_class: true, .. }
        )
    }
}

impl From<&EntryFault> for Cause {
    fn from(fault: &EntryFault) -> Self {
        match fault {
            EntryFault::Decode(error) => Self::from(error),
            fault => Self::Unreadable { reason: fault.reason() },
        }
    }
}

impl From<&DecodeError> for Cause {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::Empty => Self::Empty {},
            DecodeError::UnknownFormat { looks_like, .. } => Self::NotAnImage { looks_like: *looks_like },
            DecodeError::TooManyBytes { .. } | DecodeError::TooLarge { .. } => {
                Self::TooLarge { reason: error.to_string() }
            }
            DecodeError::Unsupported { format, source } => {
                Self::Unsupported { format: *format, reason: source.to_string() }
            }
            DecodeError::Damaged { damage, source, .. } => match *damage {
                Damage::Truncated { at, rows } => {
                    Self::Truncated { at, rows: rows.map(|RowsRead { read, of }| [read, of]) }
                }
                Damage::NoEnd { at } => Self::NoEnd { at },
                Damage::Corrupt { at } => Self::Damaged { at, reason: source.to_string() },
                Damage::LeftOver { at, bytes } => Self::LeftOver { at, bytes },
            },
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { reason } | Self::TooLarge { reason } => f.write_str(reason),
            Self::Empty {} => f.write_str("the file is empty"),
            Self::NotAnImage { looks_like: Some(other) } => write!(f, "not an image of a known format: it is {other}"),
            Self::NotAnImage { looks_like: None } => f.write_str("not an image of a known format"),
            Self::Unsupported { format, reason } => {
                write!(f, "the {format} file is of a kind that is not supported: {reason}")
            }
            Self::Truncated { at, rows: Some([read, of]) } => {
                write!(f, "the file ends at byte {at}, after {read} of {of} rows")
            }
            Self::Truncated { at, rows: None } => write!(f, "the file ends at byte {at}, before its picture does"),
            Self::NoEnd { at } => {
                write!(f, "the file ends at byte {at} with all of its rows, but without its end marker")
            }
            Self::Damaged { at: Some(at), reason } => write!(f, "the file is damaged at byte {at}: {reason}"),
            Self::Damaged { at: None, reason } => write!(f, "the file is damaged: {reason}"),
            Self::LeftOver { at, bytes } => write!(f, "{bytes} bytes of data at byte {at} are needed by no pixel"),
            Self::Panicked {} => f.write_str("the decoder panicked, which is a defect; please report it"),
            Self::Conflict { of } => write!(f, "has the same content as {of}, which is of another class"),
            Self::InTestSet { of } => write!(f, "has the same content as {of} of the test set"),
            Self::GroupInTestSet { of } => write!(f, "is of one group with {of} of the test set"),
            Self::Quarantined { reason } => write!(f, "in quarantine: {reason}"),
            Self::Blank { deviation } => write!(f, "next to one color: its luma deviates by {deviation:.1} levels"),
            Self::Placeholder { share } => write!(f, "{:.0} % of it are of one color", 100.0 * share),
            Self::WrongExtension { format } => write!(f, "a {format} file by its content, not by its name"),
            Self::NameCollision { of } => {
                write!(
                    f,
                    "its name and that of {of} are one file to a disk that tells neither case nor Unicode forms apart"
                )
            }
            Self::UnportableName { reason } => write!(f, "Windows cannot have its name: {reason}"),
            Self::Trailing { at, bytes } => write!(f, "{bytes} bytes follow its picture from byte {at}"),
            Self::OddShape { width, height } => write!(f, "has the odd shape {width}x{height}"),
            Self::OddSize { width, height } => write!(f, "has {width}x{height} pixels, far from most"),
            Self::Copy { of } => write!(f, "has the same content as {of}"),
            Self::SamePixels { of, is_other_class } => {
                write!(f, "has the same pixels as {of}{}", other_class(*is_other_class))
            }
            Self::NearDuplicate { of, similarity, is_other_class } => {
                write!(f, "looks like {of}{}", other_class(*is_other_class))?;
                similarity.map_or(Ok(()), |similarity| write!(f, " (similarity {similarity:.2})"))
            }
        }
    }
}

fn other_class(is_other: bool) -> &'static str {
    if is_other { ", which is of another class" } else { "" }
}

impl Finding {
    /// Whether this is a fault to repair, not just something that someone should know.
    pub fn is_fault(&self) -> bool {
        self.cause.kind().severity() == Severity::Fault
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_order_and_named_as_in_json() {
        assert!(Kind::ALL.is_sorted());
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_finding_is_flat_json_of_its_kind() {
        let cases = [
            (Cause::Empty {}, r#"{"kind":"empty"}"#),
            (Cause::Truncated { at: 9, rows: Some([8, 21]) }, r#"{"kind":"truncated","at":9,"rows":[8,21]}"#),
            (
                Cause::NotAnImage { looks_like: Some(OtherFormat::Html) },
                r#"{"kind":"not-an-image","looks-like":"html"}"#,
            ),
            (Cause::WrongExtension { format: Format::WebP }, r#"{"kind":"wrong-extension","format":"webp"}"#),
            (
                Cause::NearDuplicate { of: "b.jpg".into(), similarity: Some(0.5), is_other_class: true },
                r#"{"kind":"near-duplicate","of":"b.jpg","similarity":0.5,"is-other-class":true}"#,
            ),
        ];
        for (cause, json) in cases {
            assert_eq!(serde_json::to_string(&cause).unwrap(), json);
            assert_eq!(serde_json::from_str::<Cause>(json).unwrap(), cause);
            assert_eq!(json.split('"').nth(3).unwrap(), cause.kind().name());
        }
    }
}
