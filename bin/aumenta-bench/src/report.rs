//! Results as Markdown: the sections of `docs/benchmarks.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::contender::{Contender, Library};
use crate::machine::Machine;
use crate::results::{Figures, Results, Row};

/// A part of the document that a command replaces when it is run again.
pub struct Section {
    /// Unique within the document.
    pub heading: String,
    pub text: String,
}

/// What our step's time may be of Keras' fastest.
const TARGET_OF_KERAS: f64 = 0.85;
/// What our step's time may be of PyTorch's fastest.
const TARGET_OF_PYTORCH: f64 = 0.75;
/// What our memory may be of that of Keras' fastest.
const TARGET_OF_MEMORY: f64 = 0.25;

/// The sections that compare libraries, one a network: a table a batch, each with the targets met or missed.
pub fn training(results: &Results) -> Vec<Section> {
    let networks = results.rows.chunk_by(|a, b| a.network == b.network);
    let section = |rows: &[Row]| Section {
        heading: rows[0].network.title().to_string(),
        text: network(&Results { rows: rows.to_vec(), ..results.clone() }),
    };
    networks.map(section).collect()
}

fn network(results: &Results) -> String {
    let mut text = preamble(results);
    text += "A training step is forward, loss, backward and one step of RMSprop at 1e-4, on the same batch of random images, \
             without dropout, and its loss is fetched. An evaluation is a forward pass in evaluation mode of which one logit \
             is fetched; `ours` folds batch normalization into the weights of each pass, as its `predict` does, the others \
             compute it as their evaluation mode does. Every contender reports its number of parameters, and another \
             number than the one in the heading is refused; batch normalization counts with scale and shift.\n\n";
    text += "*Whole process* is the peak of resident memory of the process, with Python and all libraries that it loaded. *Net* \
             is that peak less what was resident after loading them and before anything was built: the network, its batch \
             and its training. `ours`, `candle` and `burn` are one program with mimalloc as its allocator, built in release \
             mode without flags for this processor.\n\n";
    text += &contenders(&results.rows);
    for rows in results.rows.chunk_by(|a, b| (a.network, a.batch) == (b.network, b.batch)) {
        text += &comparison(rows);
    }
    text
}

/// The section with our own step over batch sizes: a table a network.
pub fn scaling(results: &Results) -> Vec<Section> {
    vec![Section { heading: "Our step by batch size".to_string(), text: by_batch(results) }]
}

fn by_batch(results: &Results) -> String {
    let mut text = preamble(results);
    text += "Time that grows in proportion to the batch has the same milliseconds an image in every row.\n";
    for rows in results.rows.chunk_by(|a, b| a.network == b.network) {
        let _ = write!(
            text,
            "\n### {}\n\n\
             | batch | ms a step | range of rounds | ms an image | MiB, net | MiB an image |\n\
             | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            rows[0].network.description(),
        );
        for row in rows {
            text += &scaling_line(row);
        }
        text += &refusals(rows);
    }
    text
}

/// `document` with `section`, in place of what stood under its heading, or at the end.
pub fn with_section(document: &str, section: &Section) -> String {
    let heading = &section.heading;
    let section = format!("## {heading}\n\n{}\n", section.text.trim_end());
    let Some(start) = document.find(&format!("## {heading}\n")) else {
        return format!("{}\n\n{section}", document.trim_end());
    };
    let after = document[start..].find("\n## ").map_or("", |length| &document[start + length..]);
    format!("{}{section}{after}", &document[..start])
}

/// Where and how it was measured.
fn preamble(results: &Results) -> String {
    let Results { command, machine, versions, settings, .. } = results;
    format!(
        "    {command}\n\n\
         {}\n\n\
         All contenders of a table are processes of {} threads that live at once and take turns. A turn is {} steps, and a round has one turn \
         of each, beginning with another contender each time. Before each turn all rest for {} ms, so that the threads of the \
         one before are asleep. A time is the median over {} rounds of the median in each; {} steps before the first round do \
         not count.\n\n",
        place(machine, versions),
        settings.threads,
        settings.steps,
        settings.pause,
        settings.rounds,
        settings.warm_up,
    )
}

/// The machine and the versions, in two sentences.
pub fn place(machine: &Machine, versions: &BTreeMap<String, String>) -> String {
    let Machine { processor, cores, units, memory_gib, load } = machine;
    let units = units.join(", ");
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let versions = versions.join(", ");
    format!(
        "Machine: {cores} cores of {processor}, with {units}; {memory_gib:.0} GiB; load {load:.2} before the run. Versions: \
         {versions}."
    )
}

/// Three digits, and all before the point.
pub fn digits(value: f64) -> String {
    let decimals = match value {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// What each contender is.
fn contenders(rows: &[Row]) -> String {
    let mut seen: Vec<Contender> = Vec::new();
    for row in rows {
        if !seen.contains(&row.contender) {
            seen.push(row.contender);
        }
    }
    let lines = seen.iter().map(|contender| format!("- `{}`: {}\n", contender.name(), contender.description()));
    lines.collect()
}

/// The table of one network and batch, what was not measured, and the targets.
fn comparison(rows: &[Row]) -> String {
    let ours = figures_of(rows, Contender::Ours);
    let keras = fastest(rows, Library::Keras);
    let mut text = format!(
        "\n### {}, batch {}\n\n\
         | contender | ms a step | images/s | range of rounds | times ours | times Keras | MiB, whole process | MiB, net |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        rows[0].network.description(),
        rows[0].batch,
    );
    for row in rows {
        text += &comparison_line(row, ours, keras.map(|(_, figures)| figures));
    }
    text += &refusals(rows);
    text.push('\n');
    match ours {
        Some(ours) => text += &targets(ours, keras, fastest(rows, Library::PyTorch)),
        None => text += "Aumenta was not measured here, so no target is judged.\n",
    }
    text
}

fn comparison_line(row: &Row, ours: Option<&Figures>, keras: Option<&Figures>) -> String {
    let name = row.contender.name();
    let Some(figures) = row.figures() else {
        return format!("| {name} | - | - | - | - | - | - | - |\n");
    };
    let median = figures.median();
    let (least, most) = figures.range();
    let times =
        |other: Option<&Figures>| other.map_or("-".to_string(), |other| format!("{:.2}", median / other.median()));
    format!(
        "| {name} | {} | {:.0} | {} to {} | {} | {} | {:.0} | {:.0} |\n",
        digits(median),
        row.batch as f64 * 1000.0 / median,
        digits(least),
        digits(most),
        times(ours),
        times(keras),
        figures.peak_mib(),
        figures.net_mib(),
    )
}

fn scaling_line(row: &Row) -> String {
    let Some(figures) = row.figures() else {
        return format!("| {} | - | - | - | - | - |\n", row.batch);
    };
    let (median, batch) = (figures.median(), row.batch as f64);
    let (least, most) = figures.range();
    format!(
        "| {} | {} | {} to {} | {:.3} | {:.0} | {:.2} |\n",
        row.batch,
        digits(median),
        digits(least),
        digits(most),
        median / batch,
        figures.net_mib(),
        figures.net_mib() / batch,
    )
}

/// A sentence for each row without figures.
fn refusals(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        if let Some(reason) = row.outcome.refusal() {
            let _ = write!(text, "\n`{}`, batch {}, was not measured: {reason}.\n", row.contender.name(), row.batch);
        }
    }
    text
}

/// Which targets `ours` meets.
fn targets(ours: &Figures, keras: Option<(&Row, &Figures)>, pytorch: Option<(&Row, &Figures)>) -> String {
    let mut text = String::new();
    if let Some((row, keras)) = keras {
        let name = row.contender.name();
        let step = judged(ours.median() / keras.median(), TARGET_OF_KERAS);
        let whole = judged(ours.peak_mib() / keras.peak_mib(), TARGET_OF_MEMORY);
        let net = judged(ours.net_mib() / keras.net_mib(), TARGET_OF_MEMORY);
        let _ = writeln!(text, "- Step at most {TARGET_OF_KERAS} of Keras' fastest (`{name}`): {step}.");
        let _ =
            writeln!(text, "- Memory at most {TARGET_OF_MEMORY} of that row's: {whole} (whole process); {net} (net).");
    }
    if let Some((row, pytorch)) = pytorch {
        let step = judged(ours.median() / pytorch.median(), TARGET_OF_PYTORCH);
        let _ = writeln!(
            text,
            "- Step at most {TARGET_OF_PYTORCH} of PyTorch's fastest (`{}`): {step}.",
            row.contender.name()
        );
    }
    text
}

fn judged(ratio: f64, target: f64) -> String {
    format!("{ratio:.2}, {}", if ratio <= target { "met" } else { "missed" })
}

fn figures_of(rows: &[Row], contender: Contender) -> Option<&Figures> {
    rows.iter().find(|row| row.contender == contender).and_then(Row::figures)
}

/// The row of `library` with the least time, among those that compute in float32.
fn fastest(rows: &[Row], library: Library) -> Option<(&Row, &Figures)> {
    let rows = rows.iter().filter(|row| row.contender.library() == library && row.contender.is_float32());
    let measured = rows.filter_map(|row| Some((row, row.figures()?)));
    measured.min_by(|(_, a), (_, b)| a.median().total_cmp(&b.median()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use crate::outcome::Outcome;
    use crate::results::Settings;

    fn row(contender: Contender, batch: usize, rounds: &[f64], peak_mib: u64, baseline_mib: u64) -> Row {
        let rounds = rounds.to_vec();
        let figures = Figures { rounds, peak_kib: peak_mib * 1024, baseline_kib: baseline_mib * 1024 };
        Row { contender, network: Network::Mnist, batch, outcome: Outcome::Measured(figures) }
    }

    fn results(rows: Vec<Row>) -> Results {
        Results {
            command: "aumenta-bench train --networks mnist".to_string(),
            machine: Machine {
                processor: "AMD EPYC (family 25, model 17)".to_string(),
                cores: 2,
                units: vec!["avx2".to_string(), "avx512f".to_string()],
                memory_gib: 23.5,
                load: 0.05,
            },
            versions: BTreeMap::from([("rustc".to_string(), "1.95.0".to_string())]),
            settings: Settings { threads: 2, rounds: 3, steps: 5, warm_up: 3, pause: 300 },
            rows,
        }
    }

    #[test]
    fn a_comparison_has_a_line_a_contender_and_judges_the_targets() {
        let refused = Outcome::Refused("this program was built without Burn".to_string());
        let rows = vec![
            row(Contender::Ours, 20, &[8.0, 9.0, 8.5], 60, 10),
            Row { contender: Contender::Burn, network: Network::Mnist, batch: 20, outcome: refused },
            row(Contender::Torch, 20, &[11.0, 10.0, 12.0], 700, 500),
            row(Contender::TorchBfloat16, 20, &[5.0, 5.0, 5.0], 700, 500),
            row(Contender::Keras, 20, &[20.0, 20.0, 20.0], 700, 500),
            row(Contender::KerasFunction, 20, &[16.0, 17.0, 18.0], 640, 500),
        ];
        let text = &training(&results(rows))[0].text;
        assert!(text.starts_with("    aumenta-bench train --networks mnist\n\nMachine: 2 cores of AMD EPYC"), "{text}");
        let section = &text[text.find("\n### ").unwrap()..];
        assert_eq!(
            section,
            "
### Training the MNIST convnet, 28x28x1, 93,322 parameters, softmax cross-entropy, batch 20

| contender | ms a step | images/s | range of rounds | times ours | times Keras | MiB, whole process | MiB, net |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| ours | 8.50 | 2353 | 8.00 to 9.00 | 1.00 | 0.50 | 60 | 50 |
| burn | - | - | - | - | - | - | - |
| torch | 11.0 | 1818 | 10.0 to 12.0 | 1.29 | 0.65 | 700 | 200 |
| torch-bfloat16 | 5.00 | 4000 | 5.00 to 5.00 | 0.59 | 0.29 | 700 | 200 |
| keras | 20.0 | 1000 | 20.0 to 20.0 | 2.35 | 1.18 | 700 | 200 |
| keras-function | 17.0 | 1176 | 16.0 to 18.0 | 2.00 | 1.00 | 640 | 140 |

`burn`, batch 20, was not measured: this program was built without Burn.

- Step at most 0.85 of Keras' fastest (`keras-function`): 0.50, met.
- Memory at most 0.25 of that row's: 0.09, met (whole process); 0.36, missed (net).
- Step at most 0.75 of PyTorch's fastest (`torch`): 0.77, missed.
"
        );
    }

    #[test]
    fn each_network_and_batch_has_its_own_table() {
        let rows = [20, 20, 64].map(|batch| row(Contender::Torch, batch, &[1.0], 700, 500)).to_vec();
        let text = &training(&results(rows))[0].text;
        assert_eq!(text.matches("\n### ").count(), 2);
        assert_eq!(text.matches("Aumenta was not measured here").count(), 2);
        assert_eq!(text.matches("- `torch`: PyTorch as it comes").count(), 1);
    }

    #[test]
    fn scaling_shows_the_time_and_the_memory_an_image() {
        let rows = vec![row(Contender::Ours, 8, &[4.0], 18, 10), row(Contender::Ours, 256, &[102.4], 138, 10)];
        let text = by_batch(&results(rows));
        assert!(text.contains("| 8 | 4.00 | 4.00 to 4.00 | 0.500 | 8 | 1.00 |\n"), "{text}");
        assert!(text.contains("| 256 | 102 | 102 to 102 | 0.400 | 128 | 0.50 |\n"), "{text}");
    }

    #[test]
    fn a_section_replaces_its_old_self_and_leaves_the_others() {
        let document = "# Benchmarks\n\n## One\n\nold\n\n### Part\n\n## Two\n\nkept\n";
        let section = |heading: &str| Section { heading: heading.to_string(), text: "new\n".to_string() };
        let (one, two) = (section("One"), section("Two"));
        let changed = with_section(document, &one);
        assert_eq!(changed, "# Benchmarks\n\n## One\n\nnew\n\n## Two\n\nkept\n");
        assert_eq!(with_section(&changed, &two), "# Benchmarks\n\n## One\n\nnew\n\n## Two\n\nnew\n");
        assert_eq!(with_section("# Benchmarks\n", &one), "# Benchmarks\n\n## One\n\nnew\n");
    }
}
