//! What `aumenta split` says of the manifests that it wrote.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use aumenta_dataset::{Fold, MANIFEST_FILE, Manifest, Order, Split};
use aumenta_report::{Alignment, Table};
use serde_json::{Map, Value, json};

use crate::depth::crowded_remark;

pub fn to_text(manifest: &Manifest, path: &Path) -> String {
    let mut table = table("class");
    for (class, name) in (0u32..).zip(&manifest.classes) {
        let counts = Split::ALL.map(|split| manifest.count(split, class).to_string());
        table.push([name.clone()].into_iter().chain(counts));
    }
    format!(
        "{}{}{}manifest {}, hash {}\n",
        table.to_text(),
        deviations(manifest),
        remarks(manifest),
        path.display(),
        &manifest.hash()[..16],
    )
}

pub fn folds_to_text(manifests: &[(Fold, Manifest)], out: &Path) -> String {
    let mut table = table("fold");
    for (fold, manifest) in manifests {
        let name = fold.folder().display().to_string();
        let counts = Split::ALL.map(|split| manifest.records(split).len().to_string());
        table.push([name].into_iter().chain(counts));
    }
    let deviating: Vec<String> = manifests
        .iter()
        .map(|(fold, manifest)| (fold.folder(), deviations(manifest)))
        .filter(|(_, deviations)| !deviations.is_empty())
        .map(|(folder, deviations)| format!("{}: {deviations}", folder.display()))
        .collect();
    let (_, first) = &manifests[0];
    format!(
        "{}{}{}{} manifests below {}\n",
        table.to_text(),
        deviating.concat(),
        remarks(first),
        manifests.len(),
        out.display()
    )
}

pub fn to_json(manifest: &Manifest, path: &Path) -> Value {
    let by_class = |count: &dyn Fn(u32) -> usize| {
        let counts = (0u32..).zip(&manifest.classes).map(|(class, name)| (name.clone(), json!(count(class))));
        json!(counts.collect::<Map<_, _>>())
    };
    let counts = |count: &dyn Fn(Split, u32) -> usize| {
        let splits = Split::ALL.map(|split| (split.name().to_string(), by_class(&|class| count(split, class))));
        json!(splits.into_iter().collect::<Map<_, _>>())
    };
    let (groups, members) = groups(manifest);
    json!({
        "manifest": path,
        "hash": manifest.hash(),
        "classes": manifest.classes,
        "splits": counts(&|split, class| manifest.count(split, class)),
        "wanted": counts(&|split, class| manifest.wanted(class)[split as usize]),
        "groups": groups,
        "images-in-groups": members,
        "unmatched-rows": manifest.unmatched_rows,
        "left-out": manifest.left_out.len(),
        "unused": manifest.unused,
        "other-files": manifest.other_files,
    })
}

pub fn folds_to_json(manifests: &[(Fold, Manifest)], out: &Path) -> Value {
    let fold = |(fold, manifest): &(Fold, Manifest)| {
        let mut json = to_json(manifest, &out.join(fold.folder()).join(MANIFEST_FILE));
        json["fold"] = json!(fold.fold);
        json["repeat"] = json!(fold.repeat);
        json
    };
    json!({ "folds": manifests.iter().map(fold).collect::<Vec<_>>() })
}

fn table(what: &str) -> Table {
    let splits = Split::ALL.map(|split| (split.name().to_string(), Alignment::Right));
    Table::new([(what.to_string(), Alignment::Left)].into_iter().chain(splits))
}

/// What was reached where that is not what was wanted, which groups or hashes do not always allow.
fn deviations(manifest: &Manifest) -> String {
    let reached = |class| Split::ALL.map(|split| manifest.count(split, class));
    let deviating: Vec<u32> =
        (0..manifest.classes.len() as u32).filter(|&c| reached(c) != manifest.wanted(c)).collect();
    if deviating.is_empty() {
        return String::new();
    }
    let why = if manifest.order == Order::ByHash { "chance" } else { "groups that stay whole" };
    let mut text = format!("not just the sizes that were asked for, because of {why}:\n");
    for class in deviating {
        let (reached, wanted) = (reached(class), manifest.wanted(class));
        let total = reached.iter().sum::<usize>() as f64;
        let shares = reached.map(|count| format!("{:.3}", count as f64 / total)).join(", ");
        let listed = |counts: [usize; 3]| counts.map(|count| count.to_string()).join(", ");
        let name = &manifest.classes[class as usize];
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name}: {} for {} (shares {shares})", listed(reached), listed(wanted));
    }
    text
}

fn remarks(manifest: &Manifest) -> String {
    let (groups, members) = groups(manifest);
    let Manifest { grouping, unmatched_rows, unused, other_files, .. } = manifest;
    let left_out = manifest.left_out.len();
    [
        match groups {
            0 => None,
            1 => Some(format!("{members} images in a group that stays whole\n")),
            _ => Some(format!("{members} images in {groups} groups that stay whole\n")),
        },
        crowded_remark(grouping.crowded).map(|remark| format!("{remark}\n")),
        (*unmatched_rows > 0).then(|| format!("{unmatched_rows} rows of the CSV file name no image\n")),
        Some(format!("{left_out} images left out, {unused} not used, {other_files} other files passed over\n")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many groups there are, and how many images are of one.
fn groups(manifest: &Manifest) -> (usize, usize) {
    let of_groups: Vec<u32> = manifest.all_records().filter_map(|record| record.group).collect();
    (of_groups.iter().collect::<HashSet<_>>().len(), of_groups.len())
}
