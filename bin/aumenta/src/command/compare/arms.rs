//! [`group`]: which runs are the same but for their seed, what tells the groups apart, and what they are called.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use anyhow::Result;
use aumenta_dataset::{Manifest, Split};
use aumenta_runs::RunInfo;
use aumenta_study::flatten;

use super::Run;
use crate::command::train::WITHOUT_EFFECT;
use crate::failure::BadUse;

/// Runs that are the same but for their seed.
pub struct Grouped<'a> {
    pub name: String,
    /// The settings that not all groups have alike.
    pub settings: Vec<(String, String)>,
    pub runs: Vec<&'a Run>,
    /// Whether it was validated on the images of the first one.
    pub is_comparable: bool,
}

/// All settings of a run that change what it comes to, but its seed.
type Settings = BTreeMap<String, String>;

/// The runs by their settings and data, in order of appearance.
pub fn group(runs: &[Run]) -> Result<Vec<Grouped<'_>>> {
    let mut groups: Vec<(Settings, Vec<&Run>)> = Vec::new();
    for run in runs {
        let settings = settings(run)?;
        match groups.iter_mut().find(|(known, _)| *known == settings) {
            Some((_, same)) => same.push(run),
            None => groups.push((settings, vec![run])),
        }
    }
    for (_, same) in &groups {
        check_seeds(same)?;
    }
    let labels = labels(runs);
    let label = |run: &Run| labels[runs.iter().position(|other| std::ptr::eq(other, run)).unwrap_or_default()].clone();
    let names = names(&groups.iter().map(|(_, same)| same.iter().map(|run| label(run)).collect()).collect::<Vec<_>>());
    let differing = differing(&groups.iter().map(|(settings, _)| settings).collect::<Vec<_>>());
    let grouped = groups.into_iter().zip(names).map(|((settings, same), name)| Grouped {
        name,
        settings: differing.iter().map(|key| (key.clone(), settings.get(key).cloned().unwrap_or_default())).collect(),
        is_comparable: same.iter().all(|run| run.validation == runs[0].validation),
        runs: same,
    });
    Ok(grouped.collect())
}

fn settings(run: &Run) -> Result<Settings> {
    let table: toml::Table = toml::from_str(&run.config.to_toml(Path::new("."))?)?;
    let shown = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let counts = |key: &String| key != "seed" && !WITHOUT_EFFECT.contains(&key.as_str());
    let all = flatten(&table).into_iter().map(|(key, value)| (key, shown(&value)));
    let manifest = ("manifest".to_string(), run.info.manifest.hash.clone());
    Ok(all.filter(|(key, _)| counts(key)).chain(data_of(run).or(Some(manifest))).collect())
}

/// The data of a run. A training split that a study made for one seed is not the same for another, so what counts there is
/// how it was made, which its folder is named by.
fn data_of(run: &Run) -> Option<(String, String)> {
    let folder = run.info.manifest.path.parent()?.file_name()?.to_string_lossy();
    let made = folder.strip_suffix(&format!("-seed-{}", run.info.seed))?;
    Some(("data".to_string(), made.to_string()))
}

fn check_seeds(same: &[&Run]) -> Result<()> {
    for (index, run) in same.iter().enumerate() {
        if let Some(first) = same[..index].iter().find(|first| first.info.seed == run.info.seed) {
            return Err(BadUse::message(format!(
                "`{}` and `{}` have the same settings and the same seed {}: leave one out",
                first.path.display(),
                run.path.display(),
                run.info.seed
            )));
        }
    }
    Ok(())
}

/// The settings that not all have alike.
fn differing(groups: &[&Settings]) -> Vec<String> {
    let keys = groups.iter().flat_map(|settings| settings.keys());
    let mut keys: Vec<&String> =
        keys.filter(|key| groups.iter().any(|settings| settings.get(*key) != groups[0].get(*key))).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().cloned().collect()
}

/// What tells the runs' paths apart: without the folders that all share, at the beginning and at the end.
fn labels(runs: &[Run]) -> Vec<String> {
    let parts = |run: &Run| -> Vec<String> {
        let path = run.path.canonicalize().unwrap_or_else(|_| run.path.clone());
        let named = path.components().filter(|part| matches!(part, Component::Normal(_)));
        named.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let paths: Vec<Vec<String>> = runs.iter().map(parts).collect();
    let shortest = paths.iter().map(Vec::len).min().unwrap_or(0);
    let is_shared = |part: &dyn Fn(&Vec<String>) -> &String| paths.iter().all(|path| part(path) == part(&paths[0]));
    let begin = (0..shortest.saturating_sub(1)).take_while(|at| is_shared(&|path| &path[*at])).count();
    let rest = shortest - begin;
    let end = (1..rest).take_while(|back| is_shared(&|path| &path[path.len() - back])).count();
    paths.iter().map(|path| path[begin..path.len() - end].join("/")).collect()
}

/// The name of each group: what its labels begin with, without what leads to a seed; its first label where that does not tell
/// it from the others.
fn names(groups: &[Vec<String>]) -> Vec<String> {
    let short: Vec<String> = groups.iter().map(|labels| shared_beginning(labels)).collect();
    let is_telling = |name: &String| !name.is_empty() && short.iter().filter(|other| *other == name).count() == 1;
    short
        .iter()
        .zip(groups)
        .map(|(name, labels)| if is_telling(name) { name.clone() } else { labels[0].clone() })
        .collect()
}

fn shared_beginning(labels: &[String]) -> String {
    let [first, others @ ..] = labels else { return String::new() };
    let mut shared = first.as_str();
    for other in others {
        let length = shared.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b).count();
        shared = shared.char_indices().nth(length).map_or(shared, |(end, _)| &shared[..end]);
    }
    if others.is_empty() {
        return shared.to_string();
    }
    let bare = |text: &str| text.trim_end_matches(['-', '_', '.', '/', ' ']).len();
    let shared = &shared[..bare(shared)];
    let shared = shared.strip_suffix("seed").unwrap_or(shared);
    shared[..bare(shared)].to_string()
}

/// The validation images of a manifest with their classes, as one text; its hash where it cannot be read, or is no longer the
/// one that the run was trained on.
pub fn validation_images(manifest: &Path, info: &RunInfo) -> String {
    let read = Manifest::read(manifest).ok().filter(|manifest| manifest.hash() == info.manifest.hash);
    read.map_or_else(
        || info.manifest.hash.clone(),
        |manifest| {
            let images =
                manifest.records(Split::Val).iter().map(|record| format!("{} {}\n", record.hash, record.class));
            images.collect()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_names(groups: &[&[&str]], expected: &[&str]) {
        let groups: Vec<Vec<String>> =
            groups.iter().map(|labels| labels.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(names(&groups), expected);
    }

    #[test]
    fn a_group_is_named_by_what_its_labels_share() {
        check_names(&[&["plain-1", "plain-2"], &["dropout-1", "dropout-2"]], &["plain", "dropout"]);
        check_names(&[&["plain/seed-1", "plain/seed-2"], &["both/seed-1"]], &["plain", "both/seed-1"]);
        check_names(&[&["first"], &["second"]], &["first", "second"]);
    }

    #[test]
    fn names_that_would_be_the_same_are_labels() {
        check_names(&[&["a1", "a2"], &["a3", "a4"]], &["a1", "a3"]);
        check_names(&[&["x", "y"], &["z"]], &["x", "z"]);
    }
}
