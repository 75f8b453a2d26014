use std::collections::BTreeMap;

use super::*;
use crate::machine::Machine;
use crate::preparation::fault::Fault;
use crate::preparation::fault_set::Named;
use crate::preparation::growth::{Depth, GrowthResults, GrowthRow};
use crate::preparation::hash_search::HashSearch;
use crate::preparation::hashes::HashesResults;
use crate::preparation::inspect::{Contender as Inspector, InspectResults, InspectRow};
use crate::preparation::near::{Contender as NearContender, NearResults, NearRow};
use crate::preparation::pairs::{FoundPair, Judgement};
use crate::preparation::settings::Settings;
use crate::preparation::split::{Contender as Splitter, SplitResults, SplitRow};
use crate::preparation::variant::Variant;

fn measured(rounds: &[f64], mib: u64) -> Outcome<Figures> {
    Outcome::Measured(Figures { rounds: rounds.to_vec(), peak_kib: mib * 1024, written_bytes: mib * 1_000_000 })
}

fn facts(drawn: usize) -> Facts {
    Facts { files: 2500, side: 200, mean_bytes: 7512.0, drawn }
}

fn split() -> SplitResults {
    let row = |contender, seconds: &[f64], mib| SplitRow { contender, outcome: measured(seconds, mib) };
    let rows = vec![
        row(Splitter::UnzipSplitFolders, &[4.0, 4.2, 3.9], 30),
        row(Splitter::OursMaterialize, &[1.0, 1.1, 1.2], 20),
        row(Splitter::OursContent, &[0.25], 10),
    ];
    SplitResults { pictures: facts(0), rows }
}

fn inspect() -> InspectResults {
    let named = |count| Named { planted: Fault::ALL.map(|fault| (fault, count)).into(), others: 3 };
    let row = |contender, seconds, stopped: Option<&str>| InspectRow {
        contender,
        outcome: measured(&[seconds], 100),
        named: Some(named(5)),
        stopped: stopped.map(str::to_string),
    };
    let rows = vec![
        row(Inspector::Ours, 2.0, None),
        row(Inspector::Cleanvision, 15.0, Some("it ended with exit status: 1: cannot identify image file")),
    ];
    InspectResults { pictures: facts(2500), each: 5, slow_rounds: 1, rows }
}

fn growth() -> GrowthResults {
    let row = |depth, images, seconds| GrowthRow { depth, images, outcome: measured(&[seconds], 40) };
    let rows = vec![
        row(Depth::Content, 2500, 0.5),
        row(Depth::Content, 25_000, 5.0),
        row(Depth::Likeness, 2500, 1.0),
        row(Depth::Likeness, 25_000, 20.0),
    ];
    GrowthResults { pictures: facts(12), rows }
}

fn near() -> NearResults {
    let judgement = |recalled: [usize; 7], wrong| Judgement {
        recalled: Variant::ALL.into_iter().zip(recalled).collect(),
        right: 700,
        equal: 2,
        wrong,
        listed: vec![FoundPair {
            first: "photographs/1/train/cat.125.jpg".to_string(),
            second: "photographs/1/train/cat.574.jpg".to_string(),
            similarity: Some(0.8125),
        }],
    };
    let row = |contender, outcome, judgement| NearRow { contender, outcome, work_seconds: Some(4.5), judgement };
    let stopped = Outcome::Refused("`python3` cannot be started".to_string());
    let ours = judgement([100, 98, 97, 96, 81, 79, 50], 1);
    NearResults {
        files: 2500,
        photographs: 1000,
        originals: 100,
        rounds: 1,
        rows: vec![
            row(NearContender::Ours, measured(&[5.0], 120), Some(ours)),
            row(NearContender::Imagededup, measured(&[61.0], 900), Some(judgement([100, 100, 90, 0, 40, 2, 0], 300))),
            NearRow { work_seconds: None, ..row(NearContender::Cleanvision, stopped, None) },
        ],
    }
}

fn hashes() -> HashesResults {
    let search = |search_seconds| HashSearch {
        hashes: 1_000_000,
        build_seconds: 0.5,
        search_seconds,
        planted: 10_000,
        found: 10_000,
        pairs: 10_400,
    };
    HashesResults { outcome: measured(&[5.0, 6.0, 5.5], 90), searches: [4.0, 5.0, 4.5].map(search).to_vec() }
}

fn results() -> Results {
    Results {
        command: "aumenta-bench prepare".to_string(),
        machine: Machine {
            processor: "AMD EPYC (family 25, model 17)".to_string(),
            cores: 2,
            units: vec!["avx2".to_string()],
            memory_gib: 23.5,
            load: 0.05,
        },
        versions: BTreeMap::from([("imagededup".to_string(), "0.3.3".to_string())]),
        settings: Settings { rounds: 3, slow_rounds: 1 },
        photographs: vec!["pets.zip".to_string()],
        split: Some(split()),
        inspect: Some(inspect()),
        near: Some(near()),
        hashes: Some(hashes()),
        growth: Some(growth()),
    }
}

#[test]
fn each_part_has_a_table_and_its_targets() {
    insta::assert_snapshot!(preparing(&results()).text);
}

#[test]
fn what_was_not_measured_is_left_out() {
    let nothing = Results {
        split: None,
        inspect: None,
        near: None,
        hashes: None,
        growth: None,
        photographs: Vec::new(),
        ..results()
    };
    let text = preparing(&nothing).text;
    assert!(text.trim_end().ends_with("All pictures are drawn."), "{text}");
}
