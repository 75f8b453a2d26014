//! What Aumenta's streaming is to reach, and whether it does.

use std::fmt::Write as _;

use super::contender::Contender;
use super::results::{Figures, Row};

/// So many times as fast as others a contender is to be.
struct Target {
    contender: Contender,
    least_ratio: f64,
    /// Those that it is compared with; of several, with the fastest.
    others: &'static [Contender],
}

const TARGETS: [Target; 5] = [
    Target { contender: Contender::Ours, least_ratio: 1.7, others: &[Contender::Albumentations] },
    Target {
        contender: Contender::Ours,
        least_ratio: 6.0,
        others: &[Contender::KerasThreads, Contender::KerasProcesses],
    },
    Target { contender: Contender::OursTurbo, least_ratio: 1.5, others: &[Contender::OpencvReduced] },
    Target { contender: Contender::OursTurbo, least_ratio: 2.5, others: &[Contender::Albumentations] },
    Target { contender: Contender::Ours, least_ratio: 0.9, others: &[Contender::OursDecodeOnly] },
];

/// Images a second that streaming from decoded pixels in memory is to reach.
const CACHED_RATE: f64 = 25_000.0;

/// A line for each target that the rows of a workload can tell of; the targets are those of the book's augmentation.
pub fn judged(rows: &[Row]) -> String {
    let mut text = String::new();
    for Target { contender, least_ratio, others } in TARGETS {
        let own = rows.iter().find(|row| row.contender == contender).and_then(Row::figures);
        if let (Some(own), Some((row, other))) = (own, fastest(rows, others)) {
            let ratio = own.median() / other.median();
            let _ = writeln!(
                text,
                "- `{}` at least {least_ratio} times as fast as `{}`: {ratio:.2}, {}.",
                contender.name(),
                row.contender.name(),
                if ratio >= least_ratio { "met" } else { "missed" },
            );
        }
    }
    if let Some(cached) = rows.iter().find(|row| row.contender == Contender::OursCacheRam).and_then(Row::figures) {
        let (name, rate) = (Contender::OursCacheRam.name(), cached.median());
        let verdict = if rate >= CACHED_RATE { "met" } else { "missed" };
        let _ = writeln!(text, "- `{name}` at least {CACHED_RATE:.0} images a second: {rate:.0}, {verdict}.");
    }
    text
}

fn fastest<'a>(rows: &'a [Row], contenders: &[Contender]) -> Option<(&'a Row, &'a Figures)> {
    let rows = rows.iter().filter(|row| contenders.contains(&row.contender));
    let measured = rows.filter_map(|row| Some((row, row.figures()?)));
    measured.max_by(|(_, a), (_, b)| a.median().total_cmp(&b.median()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use crate::streaming::workload::Workload;

    fn row(contender: Contender, rate: f64) -> Row {
        let figures = Figures { rounds: vec![rate], peak_kib: 1, shared_once_kib: 1, means: Vec::new() };
        Row { workload: Workload::Book, contender, outcome: Outcome::Measured(figures) }
    }

    #[test]
    fn targets_are_met_or_missed_against_the_fastest() {
        let rows = [
            row(Contender::Ours, 2400.0),
            row(Contender::Albumentations, 1500.0),
            row(Contender::KerasThreads, 200.0),
            row(Contender::KerasProcesses, 400.0),
        ];
        assert_eq!(
            judged(&rows),
            "- `ours` at least 1.7 times as fast as `albumentations`: 1.60, missed.\n\
             - `ours` at least 6 times as fast as `keras-processes`: 6.00, met.\n"
        );
    }

    #[test]
    fn a_cache_has_a_rate_to_reach() {
        let judged = judged(&[row(Contender::OursCacheRam, 24_000.4)]);
        assert_eq!(judged, "- `ours-cache-ram` at least 25000 images a second: 24000, missed.\n");
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert_eq!(judged(&[row(Contender::Ours, 2400.0), row(Contender::OpencvReduced, 1.0)]), "");
        assert_eq!(judged(&[row(Contender::OursDecodeOnly, 2400.0)]), "");
    }
}
