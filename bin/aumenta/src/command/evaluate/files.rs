//! The files of an evaluation: a page, its pictures and tables, and every prediction.

use std::path::Path;

use anyhow::{Context as _, Result};
use aumenta_dataset::{ReadBuffer, Record};
use aumenta_imgproc::{Image, Limits, decode, encode_png};
use aumenta_report::{
    EvaluationReport, HardImage, SheetStyle, class_csv, confusion_chart, contact_sheet, csv_line, csv_probability,
    hard_rows, reliability_chart,
};
use aumenta_runs::{RunFolder, write_atomic, write_atomic_bytes};

use super::Outcome;

/// The page's name.
pub const PAGE: &str = "evaluation.html";

/// How many of the images with the largest losses are shown.
const HARDEST: usize = 24;

/// What an evaluation shows, without pictures.
pub fn report(run: &RunFolder, outcome: &Outcome) -> EvaluationReport {
    let Outcome { checkpoint, dataset, views, measured } = outcome;
    let evaluation = measured.evaluation.clone();
    let hardest = measured.predictions.hardest(HARDEST).into_iter().map(|index| hard_image(outcome, index));
    EvaluationReport {
        title: format!("{} on the split {}", name(run), evaluation.split),
        facts: [
            Some(("model".to_owned(), format!("{}, epoch {}", checkpoint.model.name(), checkpoint.epoch))),
            (*views > 1).then(|| ("probabilities".to_owned(), format!("means over {views} views of each image"))),
            Some(("manifest".to_owned(), dataset.manifest().hash())),
        ]
        .into_iter()
        .flatten()
        .collect(),
        evaluation,
        classes: checkpoint.classes.clone(),
        hardest: hardest.collect(),
        hardest_png: None,
    }
}

/// The run's folder without what it lies in.
fn name(run: &RunFolder) -> String {
    let path = run.path().canonicalize().unwrap_or_else(|_| run.path().to_owned());
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Writes all files into `out`, each whole or not at all, and puts the picture of the hardest images into `report`.
pub fn write(out: &Path, report: &mut EvaluationReport, outcome: &Outcome) -> Result<()> {
    let (evaluation, classes) = (&outcome.measured.evaluation, &outcome.checkpoint.classes);
    fs_err::create_dir_all(out)?;
    let picture = encode_png(&contact_sheet(&hard_rows(pictures(outcome)?, classes), &SheetStyle::default()))?;
    let text_files = [
        ("evaluation.json", serde_json::to_string_pretty(evaluation)? + "\n"),
        ("confusion.svg", confusion_chart(&evaluation.confusion, classes)),
        ("calibration.svg", reliability_chart(&evaluation.calibration)),
        ("classes.csv", class_csv(&evaluation.confusion, classes)),
    ];
    for (name, text) in text_files {
        write_atomic_bytes(&out.join(name), text.as_bytes())?;
    }
    write_predictions(&out.join("predictions.csv"), outcome)?;
    write_atomic_bytes(&out.join("top-losses.png"), &picture)?;
    report.hardest_png = Some(picture);
    Ok(write_atomic_bytes(&out.join(PAGE), report.to_html().as_bytes())?)
}

fn hard_image(outcome: &Outcome, index: usize) -> HardImage {
    let predictions = &outcome.measured.predictions;
    let predicted = predictions.predicted(index);
    HardImage {
        path: record(outcome, index).path.clone(),
        truth: predictions.truth[index],
        predicted,
        probability: predictions.row(index)[predicted],
        loss: predictions.losses[index],
    }
}

/// The record of prediction `index`.
fn record(outcome: &Outcome, index: usize) -> &Record {
    let Outcome { dataset, measured, .. } = outcome;
    let id = measured.predictions.ids[index];
    let splits = aumenta_dataset::Split::ALL.into_iter();
    let records =
        splits.map(|split| dataset.records(split)).find(|records| records.last().is_some_and(|last| id <= last.id));
    let records = records.expect("an evaluation's ids are the manifest's");
    &records[(id - records[0].id) as usize]
}

/// The images with the largest losses.
fn pictures(outcome: &Outcome) -> Result<Vec<(HardImage, Image)>> {
    let mut buffer = ReadBuffer::default();
    let hardest = outcome.measured.predictions.hardest(HARDEST).into_iter();
    let picture = |index: usize| {
        let record = record(outcome, index);
        outcome.dataset.read(record, &mut buffer)?;
        let image = decode(buffer.bytes(), &Limits::default());
        let image = image.with_context(|| format!("cannot decode `{}`", record.path))?;
        Ok((hard_image(outcome, index), image))
    };
    hardest.map(picture).collect()
}

/// A line an image: its record, what it is and what was said of it.
fn write_predictions(path: &Path, outcome: &Outcome) -> Result<()> {
    let (predictions, classes) = (&outcome.measured.predictions, &outcome.checkpoint.classes);
    let header = ["id", "path", "true", "predicted", "loss"].into_iter().chain(classes.iter().map(String::as_str));
    let line = |index: usize| {
        let (truth, predicted) = (predictions.truth[index], predictions.predicted(index));
        let cells = [
            predictions.ids[index].to_string(),
            record(outcome, index).path.clone(),
            classes[truth].clone(),
            classes[predicted].clone(),
            predictions.losses[index].to_string(),
        ];
        let probabilities = predictions.row(index).iter().map(|probability| csv_probability(*probability, None));
        csv_line(cells.into_iter().chain(probabilities))
    };
    Ok(write_atomic(path, |writer| {
        writer.write_all(csv_line(header).as_bytes())?;
        (0..predictions.len()).try_for_each(|index| writer.write_all(line(index).as_bytes()))
    })?)
}
