//! The images of a split that a network finds hardest, each with where it looked.

use std::time::Instant;

use anyhow::Result;
use aumenta_dataset::{Record, Split};
use aumenta_report::{Cell, ExplanationReport, PictureSection, Row, SheetStyle, contact_sheet};
use aumenta_runs::RunFolder;
use aumenta_stream::OnError;

use super::Args;
use super::gallery::{self, Gallery, class_layers};
use super::subject::Subject;
use crate::command::evaluate::Measurement;
use crate::failure::BadUse;

/// The side of an image on the sheet, in pixels.
const SIDE: usize = 240;

/// Measures the split, and explains the `count` images with the largest losses.
pub fn report(args: &Args, subject: &Subject, count: usize, gallery: &mut Gallery) -> Result<ExplanationReport> {
    if !args.run.is_dir() {
        return Err(BadUse::message("--top-losses needs a run's folder, whose data set has the classes".to_owned()));
    }
    if args.layer.len() > 1 {
        return Err(BadUse::message("--top-losses makes one map an image: name one --layer".to_owned()));
    }
    let split: Split = args.split.into();
    let measurement = Measurement {
        kept: args.checkpoint.into(),
        data: None,
        split,
        tta: &[],
        batch_size: 32,
        workers: None,
        on_error: OnError::Fail,
        device: subject.device.clone(),
    };
    let start = Instant::now();
    let outcome = measurement.of(&RunFolder::open(&args.run)?)?;
    let (predictions, dataset) = (&outcome.measured.predictions, &outcome.dataset);
    let hardest = predictions.hardest(count);
    let ids: Vec<u32> = hardest.iter().map(|index| predictions.ids[*index]).collect();
    let images = subject.images_of(dataset, split, &ids)?;
    let layer = class_layers(args, subject)?.swap_remove(0);
    let (mut rows, mut sections) = (Vec::new(), Vec::new());
    for (index, image) in hardest.into_iter().zip(images) {
        let seen = subject.see(image)?;
        let (truth, predicted) = (predictions.truth[index], predictions.predicted(index));
        let title = title(
            record(dataset.records(split), predictions.ids[index]),
            subject,
            truth,
            &seen.probabilities,
            predictions.losses[index],
        );
        let mut cells =
            vec![Cell { image: gallery::unmapped(&seen.image), caption: "as the network gets it".to_owned() }];
        let mut classes = vec![predicted, truth];
        classes.dedup();
        for class in classes {
            let (image, caption) = gallery::mapped(args, subject, &seen, class)?;
            cells.push(Cell { image, caption });
        }
        let pictures = cells.iter().map(|Cell { image, caption }| gallery::on_page(image, caption.clone()));
        let pictures = pictures.collect::<Result<Vec<_>>>()?;
        sections.push(PictureSection { heading: title.clone(), note: String::new(), pictures });
        rows.push(Row { title, cells });
    }
    let sheet = contact_sheet(&rows, &SheetStyle { cell_side: SIDE, ..SheetStyle::default() });
    gallery.put("top-losses", &sheet, start.elapsed().as_secs_f64())?;
    let mut facts = subject.facts.clone();
    facts.push(("maps".to_owned(), format!("Grad-CAM by layer {}", layer.name)));
    Ok(ExplanationReport {
        title: format!("The images of the split {split} that {} finds hardest", subject.architecture.name()),
        facts,
        sections,
        ..ExplanationReport::default()
    })
}

/// The record with this id.
fn record(records: &[Record], id: u32) -> &Record {
    // Ids of a split follow each other.
    &records[(id - records[0].id) as usize]
}

fn title(record: &Record, subject: &Subject, truth: usize, probabilities: &[f32], loss: f32) -> String {
    let predicted = aumenta_metrics::predicted_class(probabilities);
    let (name, probability) = (&subject.classes[predicted], probabilities[predicted]);
    let said = if predicted == truth {
        format!("{name}, rightly, but with {probability:.2} only")
    } else {
        format!("{} taken for {name} with {probability:.3}", subject.classes[truth])
    };
    format!("{}: {said}; loss {loss:.2}", record.path)
}
