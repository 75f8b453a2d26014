//! The table of the part `near`, and the pairs that someone should look at.

use std::fmt::Write as _;

use super::{cells, runs};
use crate::preparation::near::{Contender, NearResults, NearRow};
use crate::preparation::pairs::Judgement;
use crate::preparation::targets::{NEAR_PRECISION, at_least, near_recall};
use crate::preparation::variant::Variant;
use crate::report::digits;

/// The wrong pairs of ours that are shown.
const MOST_SHOWN: usize = 30;

/// The whole part.
pub fn part(results: &NearResults) -> String {
    let NearResults { files, photographs, originals, rounds, rows } = results;
    let mut text = format!(
        "\n### `near`\n\n\
         {originals} photographs of {photographs} have {} near-duplicates each: at quality 50, resized to 60 %, 20 % brighter (cut \
         off at white), mirrored, a window of 90 % of the width and height anywhere, turned by 5 degrees either way with black \
         corners, and a window mirrored at quality 50. With tiles of the other photographs there are {files} pictures. Under a \
         variant stands the share of originals beside which it was found. A pair is right where both come from one original; \
         pairs of the same pixels are no mistake; all others count as wrong, even where the photographs themselves are \
         near-duplicates. {}\n\n",
        Variant::ALL.len(),
        runs(*rounds),
    );
    for row in rows {
        let _ = writeln!(text, "- `{}`: {}", row.contender.name(), row.contender.description());
    }
    let names: Vec<&str> = Variant::ALL.iter().map(|variant| variant.name()).collect();
    let _ = write!(
        text,
        "\n| contender | {} | precision | wrong pairs | seconds | range of runs | MiB | seconds, loaded |\n\
         | --- |{} ---: | ---: | ---: | ---: | ---: | ---: |\n",
        names.join(" | "),
        " ---: |".repeat(names.len()),
    );
    for row in rows {
        text += &line(row, *originals);
    }
    let ours = rows.iter().find(|row| row.contender == Contender::Ours).and_then(|row| row.judgement.as_ref());
    if let Some(ours) = ours {
        text += &judged(ours, *originals);
        text += &listed(ours);
    }
    text
}

fn line(row: &NearRow, originals: usize) -> String {
    let name = row.contender.name();
    let work = row.work_seconds.map_or("-".to_string(), digits);
    let Some(judgement) = &row.judgement else {
        return format!("| {name} |{} - | - | {} | {work} |\n", " - |".repeat(Variant::ALL.len()), cells(&row.outcome));
    };
    let recalls: Vec<String> =
        Variant::ALL.iter().map(|variant| format!("{:.3}", recall(judgement, *variant, originals))).collect();
    format!(
        "| {name} | {} | {:.3} | {} | {} | {work} |\n",
        recalls.join(" | "),
        judgement.precision(),
        judgement.wrong,
        cells(&row.outcome),
    )
}

fn recall(judgement: &Judgement, variant: Variant, originals: usize) -> f64 {
    judgement.recalled[&variant] as f64 / originals as f64
}

fn judged(ours: &Judgement, originals: usize) -> String {
    let mut text = "\n".to_string();
    for variant in Variant::ALL {
        if let Some(target) = near_recall(variant) {
            let what = format!("`ours` finds of `{}`", variant.name());
            text += &at_least(&what, target, recall(ours, variant, originals));
        }
    }
    text + &at_least("Precision of `ours`", NEAR_PRECISION, ours.precision())
}

/// The pairs of ours that count as wrong, by the numbers of the archives and the paths in there.
fn listed(ours: &Judgement) -> String {
    if ours.wrong == 0 {
        return String::new();
    }
    let mut text = "\nWhat `ours` found beyond the planted, to be looked at:\n\n".to_string();
    for pair in ours.listed.iter().take(MOST_SHOWN) {
        let similarity = pair.similarity.map_or("-".to_string(), |similarity| format!("{similarity:.3}"));
        let _ = writeln!(text, "- `{}` and `{}`, {similarity}", pair.first, pair.second);
    }
    if ours.wrong > MOST_SHOWN {
        let _ = writeln!(text, "- and {} more", ours.wrong - MOST_SHOWN);
    }
    text
}
