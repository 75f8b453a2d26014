//! Going on with a run: from where, and whether its configuration and data are still those that it began with.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use aumenta_dataset::Manifest;
use aumenta_nn::DeviceChoice;
use aumenta_runs::RunFolder;
use aumenta_train::{Found, Snapshot};
use toml::{Table, Value};

use crate::config::Config;
use crate::failure::BadUse;

/// Settings that do not change what a training comes to; `device` changes no more of it than how sums are rounded.
pub const WITHOUT_EFFECT: [&str; 10] = [
    "data",
    "run",
    "features",
    "device",
    "workers",
    "prefetch",
    "cache",
    "cache-memory-mib",
    "cache-folder",
    "tensorboard",
];

/// Settings that another start of the epoch under way is needed for, since its batches become others.
const OTHER_BATCHES: [&str; 3] = ["seed", "batch-size", "sampling"];

/// The latest snapshot of a run that is whole; says on standard error which ones are not.
pub fn latest_snapshot(run: &RunFolder) -> Result<Snapshot> {
    let Found { snapshot, passed_over } = Snapshot::latest(run)?;
    for error in passed_over {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        eprintln!("warning: {error}{cause}; going on from the one before");
    }
    Ok(snapshot)
}

/// `snapshot`, to go on from under `config` and on the data of `manifest`.
///
/// What differs from the run so far is refused by name; with `force` it is said, and taken. Then, where the batches of the
/// epoch under way are no longer the same, the epoch begins anew.
pub fn checked(
    snapshot: Snapshot,
    config: &Config,
    run: &RunFolder,
    manifest: &Manifest,
    force: bool,
) -> Result<Snapshot> {
    if snapshot.network().classes != manifest.classes {
        let (old, new) = (snapshot.network().classes.join(", "), manifest.classes.join(", "));
        return Err(BadUse::message(format!("the run tells {old} apart, but the data has {new}")));
    }
    let mut differences = differences(snapshot.config(), &config.to_toml(run.path())?)?;
    if !depends_on_length(config) {
        differences.retain(|difference| !["epochs", "steps"].contains(&difference.key.as_str()));
    }
    let other_data = snapshot.network().manifest_hash != manifest.hash();
    if differences.is_empty() && !other_data {
        return Ok(snapshot);
    }
    let mut list: Vec<String> = differences.iter().map(Difference::to_string).collect();
    if other_data {
        list.push("the manifest has changed, so images may have moved between the splits".to_string());
    }
    let list = list.join("\n  ");
    if !force {
        return Err(BadUse::message(format!(
            "the run would go on otherwise than it began:\n  {list}\nleave it as it was, or give --force to go on all the \
             same"
        )));
    }
    eprintln!("warning: the run goes on otherwise than it began:\n  {list}");
    let other_batches = |difference: &Difference| {
        OTHER_BATCHES.iter().any(|key| difference.key == *key || difference.key.starts_with(&format!("{key}.")))
    };
    Ok(if other_data || differences.iter().any(other_batches) { snapshot.at_start_of_epoch() } else { snapshot })
}

/// Says on standard error where a run goes on with `device` that was trained on another one so far.
pub fn remark_on_device(snapshot: &Snapshot, device: DeviceChoice) -> Result<()> {
    let before = device_of(snapshot.config())?;
    if before != device {
        eprintln!(
            "note: the run was trained on {before} so far and goes on on {device}: sums are rounded otherwise there, so that it \
             ends with other bytes than on one device"
        );
    }
    Ok(())
}

/// Where a snapshot with this configuration was trained; before there was a choice, on the CPU.
fn device_of(config: &str) -> Result<DeviceChoice> {
    let table: Table = toml::from_str(config).context("the snapshot's configuration cannot be read")?;
    Ok(table.get("device").and_then(Value::as_str).map_or(Ok(DeviceChoice::Cpu), str::parse)?)
}

/// Whether another number of epochs changes the steps before their end.
pub fn depends_on_length(config: &Config) -> bool {
    use aumenta_nn::ScheduleConfig::{Constant, Cosine, Exponential, OneCycle, ReduceOnPlateau, Step};
    match config.schedule {
        Cosine { .. } | OneCycle(_) => true,
        Constant {} | Step { .. } | Exponential { .. } | ReduceOnPlateau(_) => false,
    }
}

/// A setting that has another value than before.
#[derive(Debug, PartialEq)]
struct Difference {
    /// With dots, such as `optimizer.learning-rate`.
    key: String,
    old: Option<String>,
    new: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_string());
        write!(f, "`{}` was {}, now {}", self.key, value(&self.old), value(&self.new))
    }
}

/// The settings that differ between two configurations, but for those without effect.
fn differences(old: &str, new: &str) -> Result<Vec<Difference>> {
    let read = |text: &str| -> Result<BTreeMap<String, String>> {
        let table: Table = toml::from_str(text).context("the snapshot's configuration cannot be read")?;
        let mut values = BTreeMap::new();
        flatten("", &Value::Table(table), &mut values);
        values.retain(|key, _| !WITHOUT_EFFECT.contains(&key.as_str()));
        Ok(values)
    };
    let (old, new) = (read(old)?, read(new)?);
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let of = |key: &String| Difference { key: key.clone(), old: old.get(key).cloned(), new: new.get(key).cloned() };
    Ok(keys.into_iter().map(of).filter(|difference| difference.old != difference.new).collect())
}

/// The values of a table by their keys, those of tables within it with dots.
fn flatten(prefix: &str, value: &Value, values: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, values);
            }
        }
        value => {
            values.insert(prefix.to_string(), value.to_string());
        }
    }
}

/// Whether a run's folder is given as one.
pub fn open(run: &Path) -> Result<(RunFolder, Config)> {
    let run = RunFolder::open(run)?;
    let config = Config { run: Some(run.path().to_path_buf()), ..Config::read(&run.config_path())? };
    Ok((run, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expected: &[&str]) {
        let found: Vec<String> = differences(old, new).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_setting_that_changed_is_named_with_both_values() {
        check(
            "seed = 7\n[optimizer]\nname = \"sgd\"\nlearning-rate = 0.1",
            "seed = 8\nema-decay = 0.9\n[optimizer]\nname = \"sgd\"\nlearning-rate = 0.2",
            &["`ema-decay` was not set, now 0.9", "`optimizer.learning-rate` was 0.1, now 0.2", "`seed` was 7, now 8"],
        );
    }

    #[test]
    fn settings_without_effect_may_change() {
        check("data = \"a\"\nworkers = 1\ncache = \"off\"", "data = \"b\"\ncache = \"ram\"\ntensorboard = true", &[]);
        check("device = \"cpu\"", "device = \"cuda:0\"", &[]);
        check("", "precision = \"bf16\"", &["`precision` was not set, now \"bf16\""]);
    }

    #[test]
    fn a_snapshot_says_where_it_was_trained_and_one_from_before_that_was_a_choice_is_of_the_cpu() {
        assert_eq!(device_of("device = \"cuda:1\"").unwrap(), DeviceChoice::Cuda(1));
        assert_eq!(device_of("seed = 7").unwrap(), DeviceChoice::Cpu);
    }
}
