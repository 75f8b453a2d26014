//! [`Quarantine`]: the images that training must not see, as a file between an inspection and a split.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::atomic::write_file;
use crate::error::DatasetError;
use crate::finding::{Kind, Severity};
use crate::inspection::Inspection;

/// The name of a quarantine within a folder.
pub const QUARANTINE_FILE: &str = "quarantine.json";

/// The version of a quarantine's format.
pub const QUARANTINE_FORMAT: u32 = 1;

/// Images that training must not see, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Quarantine {
    /// The version of the format.
    pub format: u32,
    /// The source that the paths are of.
    pub source: PathBuf,
    /// The images, each once, in the order of the findings.
    pub entries: Vec<Quarantined>,
}

/// An image in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Quarantined {
    /// Its path within the source.
    pub path: String,
    /// The kind of what was found first.
    pub kind: Kind,
    /// What was found, in words.
    pub reason: String,
}

impl Quarantine {
    /// The images of an inspection that `policy` does not let pass.
    pub fn new(inspection: &Inspection, policy: &Policy) -> Self {
        let mut known = BTreeSet::new();
        let findings = inspection.findings.iter().filter(|finding| policy.holds(finding.cause.kind()));
        let entries = findings.filter(|finding| known.insert(finding.path.as_str())).map(|finding| Quarantined {
            path: finding.path.clone(),
            kind: finding.cause.kind(),
            reason: finding.cause.to_string(),
        });
        Self { format: QUARANTINE_FORMAT, source: inspection.source.clone(), entries: entries.collect() }
    }

    /// Reads the quarantine at `path`, a file or the folder of one.
    ///
    /// # Errors
    /// Where there is none, or it is not of this format.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let path = in_folder(path);
        let bytes = fs_err::read(&path)?;
        let quarantine: Self = serde_json::from_slice(&bytes)
            .map_err(|source| DatasetError::QuarantineSyntax { path: path.clone(), source })?;
        if quarantine.format != QUARANTINE_FORMAT {
            let (found, supported) = (quarantine.format, QUARANTINE_FORMAT);
            return Err(DatasetError::QuarantineVersion { path, found, supported });
        }
        Ok(quarantine)
    }

    /// Writes the quarantine to `path`, a file or an existing folder, whole or not at all; where it is written.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<PathBuf, DatasetError> {
        let path = in_folder(path);
        write_file(&path, |writer| {
            serde_json::to_writer_pretty(&mut *writer, self).map_err(std::io::Error::from)?;
            writer.write_all(b"\n")
        })?;
        Ok(path)
    }
}

fn in_folder(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(QUARANTINE_FILE) } else { path.to_owned() }
}

/// Which kinds of findings put an image into quarantine.
///
/// By default all faults, copies of test images, and blank images, from which nothing can be learned. As text it is names
/// of kinds separated by commas; `faults`, `notices` and `default` stand for several, and `-` before a name takes it out
/// again: `default,placeholder,-blank`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy(BTreeSet<Kind>);

impl Policy {
    /// Whether findings of this kind put an image into quarantine.
    pub fn holds(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self(by_severity(Severity::Fault).chain([Kind::InTestSet, Kind::Blank]).collect())
    }
}

fn by_severity(severity: Severity) -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(move |kind| kind.severity() == severity)
}

/// A policy names a kind that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no kind of finding `{name}`: give some of default, faults, notices, {}",
    Kind::ALL.map(Kind::name).join(", ")
)]
pub struct UnknownKind {
    name: String,
}

impl FromStr for Policy {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let mut kinds = BTreeSet::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let name = word.strip_prefix('-').unwrap_or(word);
            let named: Vec<Kind> = match name {
                "default" => Self::default().0.into_iter().collect(),
                "faults" => by_severity(Severity::Fault).collect(),
                "notices" => by_severity(Severity::Notice).collect(),
                name => {
                    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                    vec![kind.ok_or_else(|| UnknownKind { name: name.to_owned() })?]
                }
            };
            if name == word {
                kinds.extend(named);
            } else {
                kinds.retain(|kind| !named.contains(kind));
            }
        }
        Ok(Self(kinds))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Cause, Finding};
    use crate::inspection::tests::inspection;

    #[test]
    fn a_policy_is_a_list_of_kinds_and_reads_back() {
        let policy = |text: &str| text.parse::<Policy>().unwrap();
        assert_eq!(policy("default"), Policy::default());
        assert_eq!(policy("empty, no-end"), Policy(BTreeSet::from([Kind::Empty, Kind::NoEnd])));
        assert_eq!(policy("faults,notices,-faults"), policy("notices"));
        assert!(!policy("default,-blank").holds(Kind::Blank) && Policy::default().holds(Kind::Blank));
        assert_eq!(policy(&Policy::default().to_string()), Policy::default());
        let error = "blurred".parse::<Policy>().unwrap_err().to_string();
        assert!(error.starts_with("there is no kind of finding `blurred`: give some of default, faults"), "{error}");
    }

    #[test]
    fn each_image_is_named_once_and_the_file_reads_back() {
        let finding = |path: &str, cause: Cause| Finding { path: path.to_owned(), cause };
        let findings = vec![
            finding("a.jpg", Cause::Empty {}),
            finding("b.jpg", Cause::Blank { deviation: 0.5 }),
            finding("a.jpg", Cause::Blank { deviation: 0.0 }),
            finding("c.jpg", Cause::Copy { of: "d.jpg".into() }),
        ];
        let quarantine = Quarantine::new(&Inspection { findings, ..inspection() }, &Policy::default());
        let named: Vec<(&str, Kind)> =
            quarantine.entries.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
        assert_eq!(named, [("a.jpg", Kind::Empty), ("b.jpg", Kind::Blank)]);
        assert_eq!(quarantine.entries[0].reason, "the file is empty");
        let folder = tempfile::tempdir().unwrap();
        let path = quarantine.write(folder.path()).unwrap();
        assert_eq!(path, folder.path().join(QUARANTINE_FILE));
        assert_eq!(Quarantine::read(folder.path()).unwrap(), quarantine);
        let other = Quarantine { format: 9, ..quarantine };
        other.write(&path).unwrap();
        assert!(matches!(Quarantine::read(&path), Err(DatasetError::QuarantineVersion { found: 9, .. })));
        fs_err::write(&path, "[]").unwrap();
        assert!(matches!(Quarantine::read(&path), Err(DatasetError::QuarantineSyntax { .. })));
    }
}
