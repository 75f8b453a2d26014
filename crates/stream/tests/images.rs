//! Streams of images without classes: the same pixels as evaluation's, whole images, every one accounted for.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::path::Path;
use std::sync::Arc;

use aumenta_augment::AugmentConfig;
use aumenta_dataset::{Amounts, Dataset, OpenOptions, PrepareConfig, Source, Split, open, prepare};
use aumenta_seed::Seed;
use aumenta_stream::{
    Color, DrawnViews, EvalConfig, EvalStream, Fault, ImageConfig, ImageStream, Loader, OnError, Preprocessing,
    StreamError, Views,
};

const PREPROCESSING: Preprocessing = Preprocessing::new(20, 24, Color::Rgb);

/// The drawn images in `folder`, three of each of two classes.
fn drawn(folder: &Path) -> Arc<dyn Source> {
    let zip = folder.join("drawn.zip");
    aumenta_drawn::write_zip(&zip, 3, 40, Seed::new(7)).unwrap();
    Arc::from(open(&zip, &OpenOptions::default()).unwrap())
}

/// The values of all views of an image, with its path.
type Delivered = (String, Vec<f32>);

/// What a pass delivers, and its faults.
fn all(source: Arc<dyn Source>, config: ImageConfig) -> Result<(Vec<Delivered>, Vec<Fault>), StreamError> {
    let stream = ImageStream::new(source, config)?;
    let mut pass = stream.pass();
    let mut images = Vec::new();
    for batch in pass.by_ref() {
        let batch = batch?;
        let row = batch.dimensions()[1..].iter().product::<usize>();
        for (index, rows) in batch.images() {
            let values = batch.floats()[rows.start * row..rows.end * row].to_vec();
            images.push((stream.path(index).to_owned(), values));
        }
    }
    let faults = pass.faults();
    Ok((images, faults))
}

fn views() -> Views {
    let augment = AugmentConfig::book().build().unwrap();
    Views { mirrored: true, drawn: Some(DrawnViews { count: 2, augment, seed: Seed::new(7) }) }
}

#[test]
fn images_have_the_pixels_that_evaluation_sees_and_the_order_of_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let source = drawn(folder.path());
    let amounts = Amounts::Counts { train: 1, val: 1, test: Some(1) };
    let manifest = prepare(&folder.path().join("drawn.zip"), &PrepareConfig::new(amounts), &|_, _| {}).unwrap();
    manifest.write(&folder.path().join("manifest.json")).unwrap();
    let dataset = Arc::new(Dataset::open(folder.path(), None).unwrap());
    let (images, _) = all(source, ImageConfig::new(PREPROCESSING, 4)).unwrap();
    assert_eq!(images.len(), 6);
    assert!(images.is_sorted_by_key(|(path, _)| path));
    for batch in EvalStream::new(Arc::clone(&dataset), Split::Test, &EvalConfig::new(PREPROCESSING, 1)).unwrap().pass()
    {
        let batch = batch.unwrap();
        let record = dataset.manifest().all_records().find(|record| record.id == batch.ids[0]).unwrap();
        let (_, values) = images.iter().find(|(path, _)| *path == record.path).unwrap();
        assert!(values == batch.floats());
    }
}

#[test]
fn the_images_of_a_split_come_in_the_order_of_the_manifest_by_their_own_paths() {
    let folder = tempfile::tempdir().unwrap();
    drawn(folder.path());
    let amounts = Amounts::Counts { train: 1, val: 1, test: Some(1) };
    let manifest = prepare(&folder.path().join("drawn.zip"), &PrepareConfig::new(amounts), &|_, _| {}).unwrap();
    manifest.write(&folder.path().join("manifest.json")).unwrap();
    let dataset = Arc::new(Dataset::open(folder.path(), None).unwrap());
    let config = ImageConfig { views: views(), ..ImageConfig::new(PREPROCESSING, 4) };
    let stream = ImageStream::of_split(Arc::clone(&dataset), Split::Test, config).unwrap();
    let own = EvalStream::new(Arc::clone(&dataset), Split::Test, &EvalConfig::new(PREPROCESSING, 9)).unwrap();
    let own = own.pass().next().unwrap().unwrap();
    let mut records = dataset.records(Split::Test).iter().zip(own.floats().chunks_exact(PREPROCESSING.len()));
    for batch in stream.pass() {
        let batch = batch.unwrap();
        for (index, rows) in batch.images() {
            let (record, values) = records.next().unwrap();
            assert_eq!(stream.path(index), record.path);
            assert!(batch.floats()[rows.start * values.len()..][..values.len()] == *values);
        }
    }
    assert_eq!(records.count(), 0);
}

#[test]
fn views_are_the_same_for_any_number_of_workers_and_any_size_of_batches() {
    let folder = tempfile::tempdir().unwrap();
    let source = drawn(folder.path());
    let passes = [(1, 1), (2, 4), (7, 9)].map(|(workers, batch_size)| {
        let loader = Loader::with_workers(workers);
        let config = ImageConfig { views: views(), loader, ..ImageConfig::new(PREPROCESSING, batch_size) };
        all(Arc::clone(&source), config).unwrap().0
    });
    assert_eq!(passes[0].len(), 6);
    assert!(passes.iter().all(|pass| *pass == passes[0]));
}

#[test]
fn the_second_view_is_the_first_one_mirrored() {
    let folder = tempfile::tempdir().unwrap();
    let config = ImageConfig { views: Views { mirrored: true, drawn: None }, ..ImageConfig::new(PREPROCESSING, 4) };
    for (path, values) in all(drawn(folder.path()), config).unwrap().0 {
        let (plain, mirrored) = values.split_at(values.len() / 2);
        let pixels = plain.chunks_exact(24 * 3).flat_map(|row| row.chunks_exact(3).rev().flatten());
        let differences = pixels.zip(mirrored).map(|(a, b)| (a - b).abs());
        assert!(differences.fold(0.0, f32::max) <= 2.0 / 255.0, "{path}");
    }
}

#[test]
fn an_image_that_cannot_be_used_is_named_once_or_ends_the_pass() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("bad.zip");
    let good = aumenta_imgproc::encode_png(&aumenta_imgproc::Image::filled(8, 8, [9, 9, 9])).unwrap();
    let files = [("a.png", good.clone()), ("b.png", b"no image".to_vec()), ("c.png", good)];
    aumenta_dataset::write_zip(&zip, files.map(|(path, bytes)| (path.to_owned(), bytes))).unwrap();
    let source: Arc<dyn Source> = Arc::from(open(&zip, &OpenOptions::default()).unwrap());
    let config = |on_error, views| ImageConfig { views, on_error, ..ImageConfig::new(PREPROCESSING, 2) };
    let (images, faults) = all(Arc::clone(&source), config(OnError::Skip, views())).unwrap();
    assert_eq!(images.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["a.png", "c.png"]);
    assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["b.png"]);
    let error = all(Arc::clone(&source), config(OnError::Fail, Views::default())).unwrap_err();
    assert!(matches!(&error, StreamError::Decode { path, .. } if path == "b.png"), "{error}");
    let error = all(source, config(OnError::Replace, Views::default())).unwrap_err();
    assert!(matches!(error, StreamError::Excluded { one: "prediction", .. }), "{error}");
}
