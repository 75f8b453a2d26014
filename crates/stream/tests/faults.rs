//! Images that cannot be used: what a stream does about them, and that it accounts for each.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aumenta_augment::{AugmentConfig, Canvas, Pipeline, Plan, Transform};
use aumenta_dataset::{Amounts, Dataset, Existing, Format, Link, PrepareConfig, Split, export, prepare};
use aumenta_imgproc::{Fill, Interpolation};
use aumenta_seed::Seed;
use aumenta_stream::{
    Batch, Color, EvalConfig, EvalStream, Loader, OnError, Preprocessing, Stage, StreamError, TrainConfig, TrainStream,
};

const PREPROCESSING: Preprocessing = Preprocessing::new(20, 24, Color::Rgb);

/// A data set in a folder: 10 training, 4 validation and 4 test images of each of two classes.
fn unpacked(folder: &Path) -> Arc<Dataset> {
    let zip = folder.join("drawn.zip");
    aumenta_drawn::write_zip(&zip, 18, 40, Seed::new(7)).unwrap();
    let config = PrepareConfig::new(Amounts::Counts { train: 10, val: 4, test: Some(4) });
    let prepared = |source: &Path| {
        prepare(source, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
        Arc::new(Dataset::open(folder, None).unwrap())
    };
    let files = folder.join("files");
    export(&prepared(&zip), Format::Folders(Link::Copy), &files, Existing::Refuse, &|_, _| {}).unwrap();
    prepared(&files)
}

/// Overwrites the images at these positions of a split, whose manifest still means the old ones; their ids.
fn spoil(folder: &Path, dataset: &Dataset, split: Split, positions: &[usize]) -> Vec<u32> {
    let spoil_one = |position: &usize| {
        let record = &dataset.records(split)[*position];
        fs_err::write(folder.join("files").join(&record.path), vec![7; usize::try_from(record.size).unwrap()]).unwrap();
        record.id
    };
    positions.iter().map(spoil_one).collect()
}

fn stream(dataset: &Arc<Dataset>, on_error: OnError, workers: usize) -> TrainStream {
    let config = TrainConfig {
        augment: AugmentConfig::book().build().unwrap(),
        on_error,
        loader: Loader::with_workers(workers),
        ..TrainConfig::new(PREPROCESSING, 3, Seed::new(7))
    };
    TrainStream::new(Arc::clone(dataset), config).unwrap()
}

fn all(batches: impl Iterator<Item = Result<Batch, StreamError>>) -> Vec<Batch> {
    batches.collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_is_skipped_is_missing_counted_and_the_same_for_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = unpacked(folder.path());
    let clean = all(stream(&dataset, OnError::Skip, 2).epoch(0));
    let spoiled = spoil(folder.path(), &dataset, Split::Train, &[3, 4, 12]);
    let mut epoch = stream(&dataset, OnError::Skip, 2).epoch(0);
    let batches = all(epoch.by_ref());
    assert!(batches == all(stream(&dataset, OnError::Skip, 7).epoch(0)));

    let faulty: BTreeSet<u32> = epoch.faults().iter().map(|fault| fault.id).collect();
    assert_eq!(faulty, spoiled.iter().copied().collect());
    for fault in epoch.faults() {
        assert!(fault.reason.contains("changed") && fault.replaced_by.is_none(), "{fault:?}");
    }
    // What is left is what a clean epoch delivers, closed up.
    let len = PREPROCESSING.len();
    let values = |batches: &[Batch]| {
        let images = batches.iter().flat_map(|batch| batch.ids.iter().zip(batch.floats().chunks(len)));
        images.filter(|(id, _)| !spoiled.contains(id)).map(|(id, values)| (*id, values.to_vec())).collect::<Vec<_>>()
    };
    assert!(values(&batches) == values(&clean));
    assert_eq!(batches.iter().map(Batch::len).sum::<usize>(), 17);
}

#[test]
fn a_batch_without_any_image_left_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = unpacked(folder.path());
    spoil(folder.path(), &dataset, Split::Val, &[0, 1, 2, 4]);
    let config = EvalConfig { on_error: OnError::Skip, ..EvalConfig::new(PREPROCESSING, 3) };
    let eval = EvalStream::new(Arc::clone(&dataset), Split::Val, &config).unwrap();
    let mut pass = eval.pass();
    let sizes: Vec<(usize, usize)> = all(pass.by_ref()).iter().map(|batch| (batch.index, batch.len())).collect();
    assert_eq!(sizes, [(1, 2), (2, 2)]);
    assert_eq!(pass.faults().len(), 4);
}

#[test]
fn what_is_replaced_is_of_the_same_class_and_the_same_for_any_number_of_workers() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = unpacked(folder.path());
    let clean = all(stream(&dataset, OnError::Replace, 2).epoch(0));
    let spoiled = spoil(folder.path(), &dataset, Split::Train, &[0, 1, 5, 17]);
    let mut epoch = stream(&dataset, OnError::Replace, 2).epoch(0);
    let batches = all(epoch.by_ref());
    assert!(batches == all(stream(&dataset, OnError::Replace, 7).epoch(0)));
    assert_eq!(epoch.faults().len(), spoiled.len());
    for fault in epoch.faults() {
        assert!(!spoiled.contains(&fault.replaced_by.unwrap()), "{fault:?}");
    }
    for (batch, clean) in batches.iter().zip(&clean) {
        assert_eq!((&batch.classes, batch.len()), (&clean.classes, clean.len()));
        assert!(batch.ids.iter().all(|id| !spoiled.contains(id)));
        for (id, clean) in batch.ids.iter().zip(&clean.ids) {
            assert!(id == clean || spoiled.contains(clean));
        }
    }
}

#[test]
fn where_nothing_can_take_its_place_the_epoch_ends_with_the_image_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = unpacked(folder.path());
    spoil(folder.path(), &dataset, Split::Train, &(0..20).collect::<Vec<_>>());
    let error = stream(&dataset, OnError::Replace, 2).epoch(0).find_map(Result::err).unwrap();
    assert!(matches!(error, StreamError::NoSubstitute { .. }), "{error}");
}

/// A transform that waits until its door opens.
#[derive(Debug)]
struct Waits(Arc<Mutex<()>>);

impl Transform for Waits {
    fn draw(&self, _: Canvas, _rng: &mut dyn rand::Rng, _plan: &mut Plan) {
        drop(self.0.lock());
    }
}

#[test]
fn what_never_ends_becomes_an_error_that_names_the_image_and_the_stage() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = unpacked(folder.path());
    let door = Arc::new(Mutex::new(()));
    let closed = door.lock().unwrap();
    let waiting = Waits(Arc::clone(&door));
    let config = TrainConfig {
        augment: Pipeline::new(vec![Box::new(waiting)], Fill::default(), Interpolation::default()),
        loader: Loader { patience: Duration::from_millis(200), ..Loader::with_workers(2) },
        ..TrainConfig::new(PREPROCESSING, 3, Seed::new(7))
    };
    let stream = TrainStream::new(dataset, config).unwrap();
    let started = Instant::now();
    let mut epoch = stream.epoch(0);
    let error = epoch.next().unwrap().unwrap_err();
    assert!(
        matches!(&error, StreamError::Stalled { path, stage: Stage::Augment, .. } if path.contains('.')),
        "{error}"
    );
    assert!(epoch.next().is_none());
    assert!(started.elapsed() < Duration::from_mins(1));
    drop(closed);
}
