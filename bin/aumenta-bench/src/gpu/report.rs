//! The sections of `docs/benchmarks.md` about the GPU.

use std::fmt::Write as _;

use super::check::Compared;
use super::contender::Contender;
use super::results::{Figures, Results, Row};
use crate::outcome::Outcome;
use crate::report::{Section, digits, place};

/// How many times as fast as PyTorch, eager, the training from a stream is to be.
const TARGET_OF_PYTORCH: f64 = 1.0;

/// The share of the speed on a resident batch that the training from a stream is to reach: so much of the time the GPU is busy.
const TARGET_OF_BUSY: f64 = 0.95;

/// A section with the checks, where there are some, and one for each network.
pub fn on_gpu(results: &Results) -> Vec<Section> {
    let mut sections = Vec::new();
    if !results.checks.is_empty() {
        let heading = "Operations on a GPU against the CPU".to_string();
        sections.push(Section { heading, text: checks(results) });
    }
    for rows in results.rows.chunk_by(|a, b| a.workload.network == b.workload.network) {
        let heading = rows[0].workload.network.title().to_string();
        sections.push(Section { heading, text: training(rows, results) });
    }
    sections
}

/// Where it ran.
fn origin(results: &Results) -> String {
    let place = place(&results.machine, &results.versions);
    format!("    {}\n\n{} {place}\n\n", results.command, results.card.description())
}

fn checks(results: &Results) -> String {
    let mut text = origin(results);
    let failed = match results.failed_checks() {
        0 => "all are met".to_string(),
        failed => format!("**{failed} are not met**"),
    };
    let _ = write!(
        text,
        "Each check is the same code on both devices with the same random numbers: outputs, the gradients to all operands, and what is \
         remembered. A row tells of the output that came nearest to its limit. Operations are compared in f32, relative to the CPU's \
         largest number, with limits that grow with the root of the length of the sums; dropout's masks and the choices of max \
         pooling must be the same bits. Networks are compared with the CPU's f32, by the distance relative to the norm. Of {} \
         checks {failed}.\n\n\
         | check | output | deviation | limit | |\n| --- | --- | ---: | ---: | --- |\n",
        results.checks.len(),
    );
    for (name, outcome) in &results.checks {
        text += &check_line(name, outcome);
    }
    text
}

fn check_line(name: &str, outcome: &Outcome<Compared>) -> String {
    match outcome {
        Outcome::Measured(compared) => {
            let Compared { output, deviation, limit, measure } = compared;
            let verdict = if compared.is_met() { "met" } else { "**not met**" };
            format!("| {name} | {output} | {deviation:.1e} {measure} | {limit:.1e} | {verdict} |\n")
        }
        Outcome::Refused(_) => {
            format!("| {name} | - | - | - | **failed**: {} |\n", outcome.refusal().unwrap_or_default())
        }
    }
}

fn training(rows: &[Row], results: &Results) -> String {
    let settings = &results.settings;
    let photographs = match &settings.origin {
        Some(origin) => format!("those of `{origin}`"),
        None => "drawn, 500x375".to_string(),
    };
    let mut text = origin(results);
    let _ = write!(
        text,
        "{}. A step is forward, loss, backward and RMSprop at 1e-4, without dropout. The contenders of a table are processes that share \
         the GPU and take turns of at least {} ms; a round has one turn of each, beginning with another each time, and a rate is the \
         median over {} rounds, after a turn that does not count, in which kernels are compiled and chosen. A time ends when the GPU \
         is done. Batches are made by {} threads; the photographs are {photographs}: {} files, each {} times in the data set.\n\n",
        rows[0].workload.network.network().description(),
        settings.turn_milliseconds,
        settings.rounds,
        settings.threads,
        settings.photographs,
        settings.copies,
    );
    text += "*f32* is f32 in everything; in *tf32* convolutions round their factors to TF32, as PyTorch does by default; *bf16* is \
             bfloat16 in activations with f32 weights, in PyTorch `autocast`. *Times as fast* compares rounds with each other: the \
             median, and the least and the greatest of them, which with five rounds enclose the true median in 94 of 100 \
             cases. *Waiting* is the share of the time in which the training loop waited for batches. *MiB* is the most memory of the \
             GPU in the first turn: of `ours` what the driver counts as taken since the start, looked at every 2 ms, which includes \
             cuDNN's and cuBLAS' own; of PyTorch what its allocator had reserved, which does not.\n\n";
    let mut contenders: Vec<Contender> = Vec::new();
    for row in rows {
        if !contenders.contains(&row.contender) {
            contenders.push(row.contender);
        }
    }
    for contender in contenders {
        let _ = writeln!(text, "- `{}`: {}", contender.name(), contender.description());
    }
    for rows in rows.chunk_by(|a, b| a.workload == b.workload) {
        text += &table(rows);
    }
    text
}

/// The table of one workload, what was not measured, and the targets.
fn table(rows: &[Row]) -> String {
    let workload = rows[0].workload;
    let mut text = format!(
        "\n### Batch {} in {}\n\n\
         | contender | images/s | range of rounds | times as fast as torch | waiting | MiB |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
        workload.batch, workload.precision,
    );
    let torch = figures_of(rows, Contender::Torch);
    for row in rows {
        text += &line(row, torch);
    }
    for row in rows {
        if let Some(reason) = row.outcome.refusal() {
            let _ = writeln!(text, "\n`{}` was not measured: {reason}.", row.contender.name());
        }
    }
    let judged = judged(rows);
    if !judged.is_empty() {
        let _ = write!(text, "\n{judged}");
    }
    text
}

fn line(row: &Row, torch: Option<&Figures>) -> String {
    let name = row.contender.name();
    let Some(figures) = row.figures() else {
        return format!("| {name} | - | - | - | - | - |\n");
    };
    let (least, most) = figures.range();
    format!(
        "| {name} | {} | {} to {} | {} | {:.1} % | {:.0} |\n",
        digits(figures.median()),
        digits(least),
        digits(most),
        torch.map_or("-".to_string(), |torch| ratio(figures, torch)),
        figures.waiting() * 100.0,
        figures.peak_bytes as f64 / f64::from(1 << 20),
    )
}

/// How many times as fast as another a contender is, with the range over the rounds.
fn ratio(figures: &Figures, other: &Figures) -> String {
    let (ratio, (least, most)) = figures.ratio(other);
    format!("{ratio:.2} ({least:.2} to {most:.2})")
}

/// Which targets `ours` meets.
fn judged(rows: &[Row]) -> String {
    let Some(ours) = figures_of(rows, Contender::Ours) else { return String::new() };
    let targets = [
        (Contender::Torch, TARGET_OF_PYTORCH, "as fast as PyTorch, eager"),
        (Contender::OursResident, TARGET_OF_BUSY, "as fast as on a resident batch, so that the GPU is busy"),
    ];
    let mut text = String::new();
    for (contender, target, what) in targets {
        if let Some(other) = figures_of(rows, contender) {
            let verdict = if ours.ratio(other).0 >= target { "met" } else { "missed" };
            let _ = writeln!(text, "- `ours` at least {target} times {what}: {}, {verdict}.", ratio(ours, other));
        }
    }
    text
}

fn figures_of(rows: &[Row], contender: Contender) -> Option<&Figures> {
    rows.iter().find(|row| row.contender == contender).and_then(Row::figures)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aumenta_nn::Precision;

    use super::super::card::Card;
    use super::super::results::Settings;
    use super::super::workload::{Trained, Workload};
    use super::*;
    use crate::machine::Machine;

    fn row(contender: Contender, precision: Precision, rounds: &[f64], waiting: f64, peak_mib: u64) -> Row {
        let workload = Workload { network: Trained::CatsDogs, batch: 64, precision };
        let waiting = vec![waiting; rounds.len()];
        let figures = Figures { rounds: rounds.to_vec(), waiting, peak_bytes: peak_mib << 20 };
        Row { workload, contender, outcome: Outcome::Measured(figures) }
    }

    fn results() -> Results {
        let compared = |deviation, limit, measure| {
            let output = "gradient of x".to_string();
            Outcome::Measured(Compared { output, deviation, limit, measure })
        };
        let refused = row(Contender::TorchCompile, Precision::F32, &[], 0.0, 0);
        Results {
            command: "aumenta-bench gpu".to_string(),
            machine: Machine {
                processor: "AMD EPYC (family 25, model 17)".to_string(),
                cores: 16,
                units: vec!["avx2".to_string()],
                memory_gib: 128.0,
                load: 0.05,
            },
            card: Card {
                name: "NVIDIA A100-SXM4-40GB".to_string(),
                driver: "580.65.06".to_string(),
                memory_gib: 40.0,
                compute_capability: "8.0".to_string(),
            },
            versions: BTreeMap::from([("cudnn".to_string(), "9.10.2".to_string())]),
            settings: Settings {
                threads: 16,
                rounds: 3,
                turn_milliseconds: 2000,
                photographs: 512,
                copies: 16,
                origin: None,
            },
            checks: vec![
                ("conv2d 3x3".to_string(), compared(2.5e-6, 1e-5, "of the largest")),
                ("dropout".to_string(), compared(0.25, 0.0, "bits")),
                ("dense with ReLU".to_string(), Outcome::Refused("no\nkernel".to_string())),
            ],
            rows: vec![
                row(Contender::Ours, Precision::F32, &[9500.0, 9000.0, 9600.0], 0.01, 1200),
                row(Contender::OursResident, Precision::F32, &[9600.0, 9500.0, 9700.0], 0.0, 1100),
                row(Contender::Torch, Precision::F32, &[8000.0, 9000.0, 8000.0], 0.0, 1300),
                Row { outcome: Outcome::Refused("there is no compiler".to_string()), ..refused },
                row(Contender::Ours, Precision::Bf16, &[9000.0], 0.5, 900),
                row(Contender::Torch, Precision::Bf16, &[10_000.0], 0.0, 900),
            ],
        }
    }

    #[test]
    fn checks_have_a_line_each_and_training_a_table_for_each_workload_with_its_targets() {
        let text: Vec<String> = on_gpu(&results())
            .into_iter()
            .map(|section| format!("## {}\n\n{}", section.heading, section.text))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn a_ratio_is_that_of_rounds_with_each_other() {
        let results = results();
        let [ours, torch] =
            [Contender::Ours, Contender::Torch].map(|contender| figures_of(&results.rows[..4], contender).unwrap());
        assert_eq!(ours.ratio(torch), (1.1875, (1.0, 1.2)));
    }

    #[test]
    fn what_is_different_or_could_not_be_done_counts_as_failed() {
        assert_eq!(results().failed_checks(), 2);
    }
}
