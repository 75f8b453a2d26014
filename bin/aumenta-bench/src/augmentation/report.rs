//! The section of `docs/benchmarks.md` about augmentation.

use std::fmt::Write as _;

use super::contender::Contender;
use super::operation::Kind;
use super::results::{Cell, Results};
use crate::report::{Section, digits, place};

/// The columns of the table of single operations.
const COLUMNS: [Contender; 6] = [
    Contender::Ours,
    Contender::Torchvision,
    Contender::Albumentations,
    Contender::Opencv,
    Contender::KorniaRs,
    Contender::Pillow,
];

/// The difference of mean levels above which two libraries do different things.
const ANOTHER_PICTURE: f64 = 3.0;

/// The section with all tables.
pub fn augmentation(results: &Results) -> Section {
    let mut text = preamble(results);
    let mut singles = Vec::new();
    for cells in results.cells.chunk_by(|a, b| a.operation == b.operation) {
        match cells[0].operation.kind() {
            Kind::Whole => text += &whole(cells),
            Kind::Single => singles.push(cells),
        }
    }
    if !singles.is_empty() {
        text += &table(&singles);
    }
    text += &notes(results);
    Section { heading: "Augmentation".to_string(), text }
}

/// Where and how it was measured, and by whom.
fn preamble(results: &Results) -> String {
    let settings = &results.settings;
    let mut text = format!("    {}\n\n{}\n\n", results.command, place(&results.machine, &results.versions));
    let _ = write!(
        text,
        "Every contender is a process with one thread. All live at once and have the same {} decoded photographs in memory; \
         starting, loading and decoding are not in the times. A turn is as many passes over them as last {} ms, at least one; \
         a round has one turn of each contender that has the operation, beginning with another each time, after a rest of {} \
         ms. A time is the median over {} rounds, after one pass that does not count. The libraries in Python are called once a \
         picture, the call included.\n\n",
        settings.photographs, settings.turn_milliseconds, settings.pause_milliseconds, settings.rounds,
    );
    let mut contenders: Vec<Contender> = results.cells.iter().map(|cell| cell.contender).collect();
    contenders.sort();
    contenders.dedup();
    for contender in contenders {
        let _ = writeln!(text, "- `{}`: {}", contender.name(), contender.description());
    }
    text
}

/// The table of one operation, a line a contender.
fn whole(cells: &[Cell]) -> String {
    let operation = cells[0].operation;
    let mut text = format!(
        "\n### `{}`\n\n{}.\n\n\
         | contender | µs an image | images/s | range of rounds | times ours |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
        operation.name(),
        operation.description(),
    );
    for cell in cells {
        let name = cell.contender.name();
        let Some(figures) = cell.figures() else {
            let _ = writeln!(text, "| {name} | - | - | - | - |");
            continue;
        };
        let (median, ratio) = (figures.median(), ratio(cell, cells));
        let (least, most) = figures.range();
        let _ = writeln!(
            text,
            "| {name} | {} | {:.0} | {} to {} | {} |",
            digits(median),
            1e6 / median,
            digits(least),
            digits(most),
            ratio.map_or("-".to_string(), |ratio| format!("{ratio:.2}")),
        );
    }
    text
}

/// The table of single operations, a line each.
fn table(operations: &[&[Cell]]) -> String {
    let mut text = "\n### Single operations\n\n\
                    On bytes, 150x150 to 150x150 where nothing else is said. Microseconds an image, and in parentheses how many \
                    times ours.\n\n| operation |"
        .to_string();
    for column in COLUMNS {
        let _ = write!(text, " {} |", column.name());
    }
    text += "\n| --- |";
    text += &" ---: |".repeat(COLUMNS.len());
    text.push('\n');
    for cells in operations {
        let operation = cells[0].operation;
        let comma = if operation.description().is_empty() { "" } else { ", " };
        let _ = write!(text, "| `{}`{comma}{} |", operation.name(), operation.description());
        for column in COLUMNS {
            let cell = cells.iter().find(|cell| cell.contender == column);
            let _ = write!(text, " {} |", cell.map_or("-".to_string(), |cell| entry(cell, cells)));
        }
        text.push('\n');
    }
    text
}

fn entry(cell: &Cell, cells: &[Cell]) -> String {
    let Some(figures) = cell.figures() else { return "-".to_string() };
    let median = digits(figures.median());
    match ratio(cell, cells) {
        Some(ratio) if cell.contender != Contender::Ours => format!("{median} ({ratio:.2})"),
        _ => median,
    }
}

/// How many times our time a cell takes.
fn ratio(cell: &Cell, cells: &[Cell]) -> Option<f64> {
    Some(cell.figures()?.median() / ours(cells)?.figures()?.median())
}

fn ours(cells: &[Cell]) -> Option<&Cell> {
    cells.iter().find(|cell| cell.contender == Contender::Ours)
}

/// Rows that are lost, results that differ, and what was not measured.
fn notes(results: &Results) -> String {
    let mut text = String::new();
    let groups = || results.cells.chunk_by(|a, b| a.operation == b.operation);
    let lost: Vec<String> = groups().filter_map(lost).collect();
    if !lost.is_empty() {
        let _ = writeln!(text, "\nNot first: {}.", lost.join("; "));
    }
    let others: Vec<String> = groups().filter(|cells| cells[0].operation.is_fixed()).flat_map(other_pictures).collect();
    if !others.is_empty() {
        let _ = writeln!(
            text,
            "\nAnother result than ours, by the mean of the last picture's levels: {}.",
            others.join("; ")
        );
    }
    for (contender, reason) in &results.absent {
        let _ = writeln!(text, "\n`{}` was not measured: {}.", contender.name(), reason.replace('\n', " "));
    }
    for cell in &results.cells {
        if let Some(reason) = cell.outcome.refusal() {
            let (operation, contender) = (cell.operation.name(), cell.contender.name());
            let _ = writeln!(text, "\n`{operation}` of `{contender}` was not measured: {reason}.");
        }
    }
    text
}

/// The operation, the fastest contender and its time in ours, where that is below 1.
fn lost(cells: &[Cell]) -> Option<String> {
    let rated = cells.iter().filter_map(|cell| Some((cell, ratio(cell, cells)?)));
    let (fastest, ratio) = rated.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let operation = cells[0].operation.name();
    (fastest.contender != Contender::Ours)
        .then(|| format!("`{operation}`, {} takes {ratio:.2}", fastest.contender.name()))
}

/// The contenders whose result has another mean level than ours.
fn other_pictures(cells: &[Cell]) -> Vec<String> {
    let Some(ours) = ours(cells).and_then(Cell::figures) else { return Vec::new() };
    let differing = |cell: &Cell| {
        let difference = cell.figures()?.mean_level - ours.mean_level;
        let operation = cell.operation.name();
        (difference.abs() > ANOTHER_PICTURE)
            .then(|| format!("`{operation}`, {} {difference:+.0}", cell.contender.name()))
    };
    cells.iter().filter_map(differing).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::augmentation::operation::Operation;
    use crate::augmentation::results::{Figures, Settings};
    use crate::machine::Machine;
    use crate::outcome::Outcome;

    fn cell(operation: Operation, contender: Contender, rounds: &[f64], mean_level: f64) -> Cell {
        let figures = Figures { rounds: rounds.to_vec(), mean_level };
        Cell { operation, contender, outcome: Outcome::Measured(figures) }
    }

    fn text(cells: Vec<Cell>) -> String {
        let results = Results {
            command: "aumenta-bench augment".to_string(),
            machine: Machine {
                processor: "AMD EPYC (family 25, model 17)".to_string(),
                cores: 2,
                units: vec!["avx2".to_string()],
                memory_gib: 23.5,
                load: 0.05,
            },
            versions: BTreeMap::from([("opencv".to_string(), "5.0.0".to_string())]),
            settings: Settings { rounds: 3, photographs: 64, turn_milliseconds: 50, pause_milliseconds: 50 },
            absent: BTreeMap::from([(Contender::Pillow, "`python3` cannot be started".to_string())]),
            cells,
        };
        augmentation(&results).text
    }

    #[test]
    fn a_whole_operation_has_a_line_a_contender() {
        let text = text(vec![
            cell(Operation::WarpBytes, Contender::Ours, &[80.0, 81.0, 200.0], 120.0),
            cell(Operation::WarpBytes, Contender::Opencv, &[162.0, 160.0, 170.0], 120.4),
        ]);
        assert!(text.starts_with("    aumenta-bench augment\n\nMachine: 2 cores of AMD EPYC"), "{text}");
        assert!(text.contains("| ours | 81.0 | 12346 | 80.0 to 200 | 1.00 |\n"), "{text}");
        assert!(text.contains("| opencv | 162 | 6173 | 160 to 170 | 2.00 |\n"), "{text}");
        assert!(!text.contains("Not first") && !text.contains("Another result"), "{text}");
        assert!(text.ends_with("\n`pillow` was not measured: `python3` cannot be started.\n"), "{text}");
    }

    #[test]
    fn single_operations_share_a_table_and_lost_rows_are_named() {
        let refused = Outcome::Refused("ValueError: low >= high".to_string());
        let text = text(vec![
            cell(Operation::HorizontalFlip, Contender::Ours, &[10.0], 100.0),
            cell(Operation::HorizontalFlip, Contender::Opencv, &[5.0], 104.0),
            cell(Operation::HorizontalFlip, Contender::Pillow, &[12.5], 97.5),
            cell(Operation::Clahe, Contender::Opencv, &[250.0], 100.0),
            Cell { operation: Operation::Clahe, contender: Contender::Albumentations, outcome: refused },
        ]);
        assert!(text.contains("| `horizontal-flip` | 10.0 | - | - | 5.00 (0.50) | - | 12.5 (1.25) |\n"), "{text}");
        assert!(text.contains("| `clahe`, clip limit 2, 8x8 tiles | - | - | - | 250 | - | - |\n"), "{text}");
        assert!(text.contains("\nNot first: `horizontal-flip`, opencv takes 0.50.\n"), "{text}");
        assert!(text.contains("levels: `horizontal-flip`, opencv +4.\n"), "{text}");
        assert!(text.contains("\n`clahe` of `albumentations` was not measured: ValueError: low >= high.\n"), "{text}");
    }
}
