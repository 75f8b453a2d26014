//! The section of `docs/benchmarks.md` about streaming.

use std::fmt::Write as _;

use super::contender::Contender;
use super::on_paper::{rate_on_paper, serial_share};
use super::results::{Results, Row};
use super::targets::judged;
use super::workload::{Augmentation, BATCH};
use crate::report::{Section, digits, place};

/// Threads that are told of on paper.
const THREADS_ON_PAPER: [usize; 3] = [4, 8, 16];

/// The section with a table for each workload.
pub fn streaming(results: &Results) -> Section {
    let mut text = preamble(results);
    for rows in results.rows.chunk_by(|a, b| a.workload == b.workload) {
        text += &table(rows, results);
    }
    Section { heading: "Streaming".to_string(), text }
}

/// Where and how it was measured, and by whom.
fn preamble(results: &Results) -> String {
    let settings = &results.settings;
    let mut text = format!("    {}\n\n{}\n\n", results.command, place(&results.machine, &results.versions));
    let _ = write!(
        text,
        "Every contender reads the same files and makes batches of {BATCH} with {} threads, or as many processes where it is \
         Python that works. The contenders of a table are processes that live at once and take turns. A turn begins with {} \
         batches that do not count, which empty the queues that were filled before it, and then lasts {} ms; a round has one \
         turn of each, beginning with another each time, and no turn begins before all workers of the one before are at rest. A \
         rate is the median over {} rounds, after one turn that does not count. Starting and loading are not in it; {}.\n\n",
        settings.threads,
        settings.inspected_batches + settings.drained_batches,
        settings.turn_milliseconds,
        settings.rounds,
        photographs(results),
    );
    text += "Every contender reports shape, type and range of its batches, and others than those asked for are refused, as is a mean \
             of their values far from that of the others. *Mean* is that mean. The first batch of `ours` is compared with its \
             images, decoded and augmented one by one. *MiB, each* is the sum of the most memory that each process of the \
             contender had resident; *MiB, shared once* is what they had together after a turn, counting once what they share.\n\n";
    let mut contenders: Vec<Contender> = results.rows.iter().map(|row| row.contender).collect();
    contenders.sort();
    contenders.dedup();
    for contender in contenders {
        let _ = writeln!(text, "- `{}`: {}", contender.name(), contender.description());
    }
    text
}

/// What the files are.
fn photographs(results: &Results) -> String {
    let origin = results.origin.as_ref().map_or("drawn".to_string(), |origin| format!("those of `{origin}`"));
    let folders = results.photographs.iter().map(|(name, facts)| {
        format!(
            "{} {name} ones of {:.0} kB and {:.2} million pixels in the mean, each {} times in its folder",
            facts.files,
            facts.mean_bytes / 1e3,
            facts.mean_pixels / 1e6,
            facts.copies,
        )
    });
    format!("the photographs are {origin}: {}", folders.collect::<Vec<_>>().join("; "))
}

/// The table of one workload, what was not measured, the targets, and more threads.
fn table(rows: &[Row], results: &Results) -> String {
    let workload = rows[0].workload;
    let mut text = format!(
        "\n### `{}`\n\n{}.\n\n\
         | contender | images/s | range of rounds | times as fast as ours | mean | MiB, each | MiB, shared once |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        workload.name(),
        workload.description(),
    );
    let ours = rate_of(rows, Contender::Ours);
    for row in rows {
        text += &line(row, ours);
    }
    for row in rows {
        if let Some(reason) = row.outcome.refusal() {
            let _ = writeln!(text, "\n`{}` was not measured: {reason}.", row.contender.name());
        }
    }
    if workload.augmentation() == Augmentation::Book {
        let judged = judged(rows);
        if !judged.is_empty() {
            let _ = write!(text, "\n{judged}");
        }
    }
    if let (Some(one), Some(several)) = (rate_of(rows, Contender::OursOneThread), ours) {
        text += &on_paper(one, several, results.settings.threads);
    }
    text
}

fn line(row: &Row, ours: Option<f64>) -> String {
    let name = row.contender.name();
    let Some(figures) = row.figures() else {
        return format!("| {name} | - | - | - | - | - | - |\n");
    };
    let median = figures.median();
    let (least, most) = figures.range();
    format!(
        "| {name} | {} | {} to {} | {} | {} | {:.0} | {:.0} |\n",
        digits(median),
        digits(least),
        digits(most),
        ours.map_or("-".to_string(), |ours| format!("{:.2}", median / ours)),
        figures.mean().map_or("-".to_string(), |mean| format!("{mean:.3}")),
        figures.peak_kib as f64 / 1024.0,
        figures.shared_once_kib as f64 / 1024.0,
    )
}

/// What more threads would give, which no row shows.
fn on_paper(one: f64, several: f64, threads: usize) -> String {
    if threads < 2 {
        return String::new();
    }
    let share = serial_share(one, several, threads);
    let rate = |&threads: &usize| format!("{} images/s with {threads}", digits(rate_on_paper(one, share, threads)));
    let rates: Vec<String> = THREADS_ON_PAPER.iter().filter(|&&more| more > threads).map(rate).collect();
    format!(
        "\n`ours` is {:.2} times as fast with {threads} threads as with one, which by Amdahl's law is a serial share of {:.1} %. \
         An estimate on paper, where each thread has a core: {}.\n",
        several / one,
        share * 100.0,
        rates.join(", "),
    )
}

fn rate_of(rows: &[Row], contender: Contender) -> Option<f64> {
    Some(rows.iter().find(|row| row.contender == contender)?.figures()?.median())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::machine::Machine;
    use crate::outcome::Outcome;
    use crate::streaming::photographs::Facts;
    use crate::streaming::results::{Figures, Settings};
    use crate::streaming::workload::Workload;

    fn row(workload: Workload, contender: Contender, rounds: &[f64], means: &[f64], mib: u64) -> Row {
        let figures = Figures {
            rounds: rounds.to_vec(),
            peak_kib: mib * 1024,
            shared_once_kib: mib * 512,
            means: means.to_vec(),
        };
        Row { workload, contender, outcome: Outcome::Measured(figures) }
    }

    fn results() -> Results {
        let refused = Outcome::Refused("`python3` cannot be started".to_string());
        let facts = Facts { files: 512, copies: 8, mean_bytes: 56_012.0, mean_pixels: 187_500.0 };
        Results {
            command: "aumenta-bench stream".to_string(),
            machine: Machine {
                processor: "AMD EPYC (family 25, model 17)".to_string(),
                cores: 2,
                units: vec!["avx2".to_string()],
                memory_gib: 23.5,
                load: 0.05,
            },
            versions: BTreeMap::from([("opencv".to_string(), "5.0.0".to_string())]),
            settings: Settings {
                threads: 2,
                rounds: 3,
                turn_milliseconds: 3000,
                inspected_batches: 4,
                drained_batches: 12,
            },
            origin: None,
            photographs: BTreeMap::from([("small".to_string(), facts)]),
            rows: vec![
                row(Workload::Book, Contender::Ours, &[1900.0, 1880.0, 1950.0], &[0.44, 0.46, 0.45], 40),
                row(Workload::Book, Contender::OursOneThread, &[1000.0, 990.0, 1010.0], &[0.45], 30),
                row(Workload::Book, Contender::Albumentations, &[950.0, 1000.0, 700.0], &[0.46], 1500),
                Row { workload: Workload::Book, contender: Contender::Dali, outcome: refused },
                row(Workload::Sources, Contender::Ours, &[1900.0], &[0.45], 40),
                row(Workload::Sources, Contender::OursDecodeOnly, &[2200.0], &[], 20),
            ],
        }
    }

    #[test]
    fn a_workload_has_a_line_a_contender_its_targets_and_more_threads() {
        insta::assert_snapshot!(streaming(&results()).text);
    }

    #[test]
    fn found_photographs_are_named() {
        let results = Results { origin: Some("pets.zip".to_string()), ..results() };
        let text = streaming(&results).text;
        assert!(text.contains("the photographs are those of `pets.zip`: 512 small ones of 56 kB"), "{text}");
    }
}
