//! [`StudyConfig`]: a study as a TOML file holds it, and its expansion to [`Arm`]s.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::StudyError;
use crate::halving::Halving;
use crate::outcome::Outcome;
use crate::setting::{Setting, flatten, shown};

/// A study as a TOML file holds it: a training's configuration, what is varied, and over which seeds.
///
/// ```
/// use aumenta_study::StudyConfig;
///
/// let config: StudyConfig = toml::from_str(
///     "seeds = [1, 2, 3]\n\
///      base = { data = 'split', epochs = 30, model = { name = 'cats-dogs-convnet' } }\n\
///      [grid]\nmodel.dropout = [0.0, 0.5]\naugment.preset = ['none', 'book']",
/// )?;
/// let names: Vec<String> = config.arms()?.into_iter().map(|arm| arm.name).collect();
/// assert_eq!(names, [
///     "dropout=0.0, preset=none", "dropout=0.0, preset=book", "dropout=0.5, preset=none", "dropout=0.5, preset=book",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StudyConfig {
    /// The headline of the report.
    #[serde(default = "default_title")]
    pub title: String,
    /// The seeds that every arm is trained with.
    #[serde(default = "default_seeds")]
    pub seeds: Vec<u64>,
    /// How many trials train at once, with the threads divided between them.
    #[serde(default = "one")]
    pub parallel: usize,
    /// The outcomes that the report speaks of.
    #[serde(default = "default_compare")]
    pub compare: Vec<Outcome>,
    /// The validation accuracy whose first epoch is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<f64>,
    /// What a reader may compare the results with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
    /// When no further trial is begun.
    #[serde(default)]
    pub budget: Budget,
    /// Whether hopeless arms end early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<Halving>,
    /// What all arms share: a training's configuration, or the path of its file.
    pub base: Base,
    /// Settings with the values to try, each with each.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub grid: Table,
    /// The arms one by one, instead of a grid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmConfig>,
}

/// A training's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "base is a table of a training's settings, or the path of a file of them")]
pub enum Base {
    /// In a file of its own.
    File(PathBuf),
    /// As it is.
    Settings(Table),
}

/// One arm of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ArmConfig {
    /// What it is called.
    pub name: String,
    /// The arm that it is compared with; the first one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// The settings that differ from the base.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub set: Table,
}

/// When no further trial is begun. A trial that is under way ends as it would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Epochs of all trials together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Minutes since the study began, without those between interruptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<usize>,
}

/// Published numbers that a report draws as lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum References {
    /// Those of chapter 5 of François Chollet, "Deep Learning with Python", 2017.
    Book,
}

/// A way of training that is compared with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Arm {
    /// What it is called.
    pub name: String,
    /// Its folder's name, made from its own.
    pub folder: String,
    /// The index of the arm that it is compared with; `None` of that arm itself.
    pub against: Option<usize>,
    /// The settings that differ from the base, in the order in which they are put into it.
    pub settings: Vec<Setting>,
}

/// No study has as many arms.
const MOST_ARMS: usize = 1000;

fn default_title() -> String {
    "An over-fitting study".to_string()
}

fn default_seeds() -> Vec<u64> {
    vec![1, 2, 3]
}

fn default_compare() -> Vec<Outcome> {
    vec![Outcome::FinalGap, Outcome::LateValidation]
}

fn one() -> usize {
    1
}

impl StudyConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// [`StudyError::Io`] where it cannot be read, [`StudyError::Syntax`] with line and column where it is no study, and
    /// as [`StudyConfig::check`].
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = fs_err::read_to_string(path).map_err(StudyError::io("read the study"))?;
        let syntax = |source| StudyError::Syntax { path: path.to_owned(), source: Box::new(source) };
        let config: Self = toml::from_str(&text).map_err(syntax)?;
        config.check()?;
        Ok(config)
    }

    /// Checks all that can be checked without knowing a training's settings.
    ///
    /// # Errors
    /// Where there is nothing to compare, arms cannot be told apart, or a number is out of its range.
    pub fn check(&self) -> Result<(), StudyError> {
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.is_empty() || seeds.len() < self.seeds.len() {
            return Err(StudyError::Seeds { seeds: self.seeds.clone() });
        }
        if self.parallel == 0 {
            return Err(StudyError::Setting { setting: "parallel", value: "0".into(), expected: "at least 1" });
        }
        if let Some(reach) = self.reach.filter(|reach| !(0.0..=1.0).contains(reach)) {
            let value = reach.to_string();
            return Err(StudyError::Setting { setting: "reach", value, expected: "an accuracy from 0 to 1" });
        }
        if self.reach.is_none() && self.compare.contains(&Outcome::EpochsToReach) {
            let (setting, value) = ("reach", "not set".to_string());
            return Err(StudyError::Setting {
                setting,
                value,
                expected: "an accuracy, since epochs to reach it are compared",
            });
        }
        if let Some(minutes) = self.budget.minutes.filter(|minutes| minutes.is_nan() || *minutes <= 0.0) {
            let value = minutes.to_string();
            return Err(StudyError::Setting { setting: "budget.minutes", value, expected: "more than 0" });
        }
        if let Some(halving) = &self.halving {
            halving.check()?;
        }
        self.arms().map(drop)
    }

    /// The arms, in order: as listed, or those of the grid, where the last setting changes fastest.
    ///
    /// # Errors
    /// As [`StudyConfig::check`].
    pub fn arms(&self) -> Result<Vec<Arm>, StudyError> {
        let arms = match (self.grid.is_empty(), self.arms.is_empty()) {
            (true, true) => return Err(StudyError::NoArms),
            (false, false) => return Err(StudyError::GridAndArms),
            (true, false) => self.listed()?,
            (false, true) => product(&self.factors()?)?,
        };
        check_folders(&arms)?;
        Ok(arms)
    }

    /// The settings of the grid with their values; none of a list of arms.
    ///
    /// # Errors
    /// [`StudyError::EmptyFactor`] and [`StudyError::NoList`].
    pub fn factors(&self) -> Result<Vec<(String, Vec<Value>)>, StudyError> {
        let values = |(key, value): Setting| match value {
            Value::Array(values) if values.is_empty() => Err(StudyError::EmptyFactor { key }),
            Value::Array(values) => Ok((key, values)),
            value => Err(StudyError::NoList { key, value: value.to_string() }),
        };
        flatten(&self.grid).into_iter().map(values).collect()
    }

    fn listed(&self) -> Result<Vec<Arm>, StudyError> {
        let place = |name: &String| self.arms.iter().position(|arm| arm.name == *name);
        let arm = |(index, arm): (usize, &ArmConfig)| {
            let against = match &arm.against {
                None => Some(0),
                Some(against) => match place(against).filter(|place| *place != index) {
                    Some(place) => Some(place),
                    None => {
                        return Err(StudyError::NoSuchArm {
                            arm: arm.name.clone(),
                            against: against.clone(),
                            known: self.arms.iter().map(|arm| arm.name.clone()).collect(),
                        });
                    }
                },
            };
            Ok(Arm {
                name: arm.name.clone(),
                folder: folder_name(&arm.name)?,
                against: against.filter(|against| *against != index),
                settings: flatten(&arm.set),
            })
        };
        self.arms.iter().enumerate().map(arm).collect()
    }
}

/// Every combination of values.
fn product(factors: &[(String, Vec<Value>)]) -> Result<Vec<Arm>, StudyError> {
    let size = factors.iter().try_fold(1_usize, |size, (_, values)| size.checked_mul(values.len()));
    if size.is_none_or(|size| size > MOST_ARMS) {
        return Err(StudyError::LargeGrid { limit: MOST_ARMS });
    }
    let combinations = factors.iter().fold(vec![Vec::new()], |shorter: Vec<Vec<Setting>>, (key, values)| {
        let longer = |start: &Vec<Setting>, value: &Value| {
            start.iter().cloned().chain([(key.clone(), value.clone())]).collect::<Vec<Setting>>()
        };
        shorter.iter().flat_map(|start| values.iter().map(move |value| longer(start, value))).collect()
    });
    let arm = |(index, settings): (usize, Vec<Setting>)| {
        let name = name_of(&settings);
        Ok(Arm { folder: folder_name(&name)?, name, against: (index > 0).then_some(0), settings })
    };
    combinations.into_iter().enumerate().map(arm).collect()
}

/// `dropout=0.5, preset=book`: the last part of each key, or all of it where two end alike.
fn name_of(settings: &[Setting]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_string();
    let mut ends: HashMap<String, usize> = HashMap::new();
    for (key, _) in settings {
        *ends.entry(last(key)).or_default() += 1;
    }
    let part = |(key, value): &Setting| {
        let end = last(key);
        format!("{}={}", if ends[&end] == 1 { &end } else { key }, shown(value))
    };
    settings.iter().map(part).collect::<Vec<String>>().join(", ")
}

/// A name that any file system takes: letters, digits, dots and hyphens in place of all else.
fn folder_name(name: &str) -> Result<String, StudyError> {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    let folder: String = name.to_lowercase().chars().map(plain).collect();
    let parts: Vec<&str> = folder.split('-').filter(|part| !part.is_empty()).collect();
    let folder = parts.join("-").trim_matches('.').to_string();
    if folder.is_empty() { Err(StudyError::Unnamed { name: name.to_string() }) } else { Ok(folder) }
}

fn check_folders(arms: &[Arm]) -> Result<(), StudyError> {
    let mut taken: HashMap<&str, &Arm> = HashMap::new();
    for arm in arms {
        if let Some(first) = taken.insert(&arm.folder, arm) {
            let (first, second) = (first.name.clone(), arm.name.clone());
            return Err(StudyError::SameFolder { first, second, folder: arm.folder.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn study(text: &str) -> StudyConfig {
        toml::from_str(&format!("base = {{ epochs = 4 }}\n{text}")).unwrap()
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        let message = study(text).check().unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }

    #[test]
    fn a_grid_has_every_combination_and_the_last_setting_changes_fastest() {
        let arms = study("[grid]\nbatch-size = [10, 20]\n'model.dropout' = [0.0, 0.5]").arms().unwrap();
        let folders: Vec<&str> = arms.iter().map(|arm| arm.folder.as_str()).collect();
        let expected = ["batch-size-10-dropout-0.0", "batch-size-10-dropout-0.5", "batch-size-20-dropout-0.0"];
        assert_eq!(folders[..3], expected);
        assert_eq!(arms.iter().map(|arm| arm.against).collect::<Vec<_>>(), [None, Some(0), Some(0), Some(0)]);
        assert_eq!(arms[3].settings, [("batch-size".into(), 20.into()), ("model.dropout".into(), 0.5.into())]);
    }

    #[test]
    fn keys_that_end_alike_are_named_in_full() {
        let arms = study("[grid]\nmodel.name = ['a']\noptimizer.name = ['sgd']").arms().unwrap();
        assert_eq!(arms[0].name, "model.name=a, optimizer.name=sgd");
    }

    #[test]
    fn arms_are_compared_with_the_first_or_as_they_say() {
        let text = "[[arms]]\nname = 'none'\n[[arms]]\nname = 'all'\n[[arms]]\nname = 'all but zoom'\nagainst = 'all'\n\
                    set = { augment = { zoom = 0.0 } }";
        let arms = study(text).arms().unwrap();
        assert_eq!(arms.iter().map(|arm| arm.against).collect::<Vec<_>>(), [None, Some(0), Some(1)]);
        assert_eq!(arms[2].settings, [("augment.zoom".into(), 0.0.into())]);
    }

    #[test]
    fn what_cannot_be_a_study_is_refused_by_name() {
        check_refused("", "the study has no arms");
        check_refused("[grid]\nepochs = [1]\n[[arms]]\nname = 'a'", "both a [grid] and [[arms]]");
        check_refused("[grid]\nepochs = []", "`epochs` of the grid has no values");
        check_refused("[grid]\nepochs = 3", "`epochs = [3]`");
        check_refused("seeds = [1, 1]\n[grid]\nepochs = [1]", "seeds are [1, 1]");
        check_refused("seeds = []\n[grid]\nepochs = [1]", "seeds are []");
        check_refused("parallel = 0\n[grid]\nepochs = [1]", "`parallel` is 0");
        check_refused("reach = 80\n[grid]\nepochs = [1]", "`reach` is 80");
        check_refused("compare = ['epochs-to-reach']\n[grid]\nepochs = [1]", "`reach` is not set");
        check_refused("budget = { minutes = 0 }\n[grid]\nepochs = [1]", "`budget.minutes` is 0");
        check_refused("[[arms]]\nname = 'a b'\n[[arms]]\nname = 'A-b'", "would share the folder `a-b`");
        check_refused("[[arms]]\nname = '?'", "needs a letter or a digit");
        check_refused("[[arms]]\nname = 'a'\nagainst = 'b'", "which is no other arm: `a`");
        let long: Vec<String> = (0..40).map(|value| value.to_string()).collect();
        let long = long.join(", ");
        check_refused(&format!("[grid]\na = [{long}]\nb = [{long}]"), "more than 1000 arms");
    }

    #[test]
    fn a_base_can_stand_in_a_file() {
        let config: StudyConfig = toml::from_str("base = 'plain.toml'\n[grid]\nepochs = [1]").unwrap();
        assert_eq!(config.base, Base::File("plain.toml".into()));
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in ["seed = [1]", "budget = { hours = 1 }", "halving = { by = 2 }"] {
            let text = format!("base = {{}}\n{text}\n[grid]\nepochs = [1]");
            let error = toml::from_str::<StudyConfig>(&text).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }
}
