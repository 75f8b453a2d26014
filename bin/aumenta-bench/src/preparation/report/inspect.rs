//! The table of the part `inspect`.

use std::fmt::Write as _;

use super::{cells, pictures};
use crate::preparation::fault::Fault;
use crate::preparation::inspect::{Contender, InspectResults, InspectRow};
use crate::preparation::targets::{INSPECT_RATIO, at_least};

/// The whole part.
pub fn part(results: &InspectResults) -> String {
    let mut text = format!(
        "\n### `inspect`\n\n\
         A folder of {}, and beside them {} files with each of {} faults, made from some of them: half of the file, no marker at \
         its end, a PNG or a page of HTML by the name of a JPEG, nothing, a copy, and a picture of one color. Under a fault stands \
         how many files were named as such; *others* are pictures without a fault that were named, for anything. Other \
         libraries than ours were run {}.\n\n",
        pictures(&results.pictures),
        results.each,
        Fault::ALL.len(),
        if results.slow_rounds == 1 { "once".to_string() } else { format!("{} times", results.slow_rounds) },
    );
    for row in &results.rows {
        let _ = writeln!(text, "- `{}`: {}", row.contender.name(), row.contender.description());
    }
    let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    let _ = write!(
        text,
        "\n| contender | seconds | range of runs | MiB | {} | others |\n| --- | ---: | ---: | ---: |{} ---: |\n",
        names.join(" | "),
        " ---: |".repeat(names.len()),
    );
    for row in &results.rows {
        text += &line(row);
    }
    for row in &results.rows {
        if let Some(reason) = &row.stopped {
            let _ = writeln!(
                text,
                "\n`{}` stopped at a file that it cannot read ({reason}), so it was run again without those of the faults {}.",
                row.contender.name(),
                unreadable(),
            );
        }
    }
    let [ours, other] = [Contender::Ours, Contender::Cleanvision].map(|contender| results.figures(contender));
    if let (Some(ours), Some(other)) = (ours, other) {
        text.push('\n');
        text += &at_least("Speed of `ours` over that of `cleanvision`", INSPECT_RATIO, other.median() / ours.median());
    }
    text
}

fn line(row: &InspectRow) -> String {
    let (name, cells) = (row.contender.name(), cells(&row.outcome));
    let Some(named) = &row.named else {
        return format!("| {name} | {cells} |{} - |\n", " - |".repeat(Fault::ALL.len()));
    };
    let count = |fault: &Fault| match row.stopped {
        Some(_) if fault.is_unreadable() => "-".to_string(),
        _ => named.planted[fault].to_string(),
    };
    let counts: Vec<String> = Fault::ALL.iter().map(count).collect();
    format!("| {name} | {cells} | {} | {} |\n", counts.join(" | "), named.others)
}

fn unreadable() -> String {
    let names = Fault::ALL.iter().filter(|fault| fault.is_unreadable()).map(|fault| format!("`{}`", fault.name()));
    names.collect::<Vec<_>>().join(", ")
}
