//! The section of `docs/benchmarks.md` about preparation.

mod growth;
mod hashes;
mod inspect;
mod near;
mod split;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::figures::Figures;
use super::pictures::Facts;
use super::results::Results;
use crate::outcome::Outcome;
use crate::report::{Section, digits, place};

/// The section with a table for each part.
pub fn preparing(results: &Results) -> Section {
    let mut text = preamble(results);
    if let Some(split) = &results.split {
        text += &split::part(split);
    }
    if let Some(inspect) = &results.inspect {
        text += &inspect::part(inspect);
    }
    if let Some(near) = &results.near {
        text += &near::part(near);
    }
    if let Some(hashes) = &results.hashes {
        text += &hashes::part(hashes);
    }
    if let Some(growth) = &results.growth {
        text += &growth::part(growth);
    }
    for (name, reason) in results.refusals() {
        let _ = writeln!(text, "\n`{name}` was not measured: {reason}.");
    }
    Section { heading: "Preparing".to_string(), text }
}

/// Where and how it was measured.
fn preamble(results: &Results) -> String {
    let photographs = match &results.photographs[..] {
        [] => "All pictures are drawn.".to_string(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("Photographs are those of {}.", names.join(" and "))
        }
    };
    format!(
        "    {}\n\n{}\n\n\
         A time is that of whole processes, from the start to the end, with all that they load: the median over {} runs of each \
         contender, or where a table says so over {} of those that take long. Each round begins with another contender, files \
         that are read lie in the system's memory, and what was written before is on the disk before a run starts. *MiB* is the \
         most memory that a process and those that it starts had resident at once, counting once what they share. {photographs}\n",
        results.command,
        place(&results.machine, &results.versions),
        results.settings.rounds,
        results.settings.slow_rounds,
    )
}

/// The median seconds, their range and the memory, as cells of a table.
fn cells(outcome: &Outcome<Figures>) -> String {
    let Some(figures) = outcome.figures() else { return "- | - | -".to_string() };
    let (least, most) = figures.range();
    format!("{} | {} to {} | {:.0}", digits(figures.median()), digits(least), digits(most), figures.peak_mib())
}

/// What pictures there are.
fn pictures(facts: &Facts) -> String {
    let Facts { files, side, mean_bytes, drawn } = facts;
    let origin = match drawn {
        0 => "tiles of photographs that show nothing twice".to_string(),
        drawn if drawn == files => "drawn".to_string(),
        drawn => format!("tiles of photographs, and {drawn} of them drawn"),
    };
    format!(
        "{files} different JPEGs of {side}x{side} pixels and {:.1} kB in the mean, of quality 80 with all colors, {origin}",
        mean_bytes / 1e3,
    )
}

/// How often each contender of a table ran.
fn runs(rounds: usize) -> String {
    if rounds == 1 { "Each contender ran once.".to_string() } else { format!("Each contender ran {rounds} times.") }
}
