//! What a stream promises: the same bytes for any number of workers, every image once, errors that name the image.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aumenta_augment::{AugmentConfig, Blend, Canvas, Mix, MixConfig, Normalization, Pipeline, Plan, Transform};
use aumenta_dataset::{Amounts, Dataset, Existing, Format, Link, PrepareConfig, ReadBuffer, Split, export, prepare};
use aumenta_imgproc::{Fill, Interpolation, Layout, Size};
use aumenta_seed::Seed;
use aumenta_stream::{
    Batch, Color, Cursor, EvalConfig, EvalStream, Layout as BatchLayout, Loader, OnError, Preprocessing, Sampling,
    Shard, Stage, StreamError, TrainConfig, TrainStream,
};

const PREPROCESSING: Preprocessing = Preprocessing::new(20, 24, Color::Rgb);

/// A data set of 10 training, 4 validation and 4 test images of each of two classes, in `folder`.
fn drawn(folder: &Path) -> Arc<Dataset> {
    let zip = folder.join("drawn.zip");
    aumenta_drawn::write_zip(&zip, 18, 40, Seed::new(7)).unwrap();
    prepared(folder, &zip)
}

fn prepared(folder: &Path, source: &Path) -> Arc<Dataset> {
    let config = PrepareConfig::new(Amounts::Counts { train: 10, val: 4, test: Some(4) });
    prepare(source, &config, &|_, _| {}).unwrap().write(&folder.join("manifest.json")).unwrap();
    Arc::new(Dataset::open(folder, None).unwrap())
}

fn train_config(workers: usize, seed: u64, augment: Pipeline) -> TrainConfig {
    let loader = Loader::with_workers(workers);
    TrainConfig { augment, loader, ..TrainConfig::new(PREPROCESSING, 3, Seed::new(seed)) }
}

fn train_stream(dataset: &Arc<Dataset>, workers: usize, seed: u64, augment: Pipeline) -> TrainStream {
    TrainStream::new(Arc::clone(dataset), train_config(workers, seed, augment)).unwrap()
}

/// Mixup and cutmix, for two of three images.
fn mixing_stream(dataset: &Arc<Dataset>, workers: usize) -> TrainStream {
    let config =
        MixConfig { probability: 0.67, mixup_alpha: Some(0.4), cutmix_alpha: Some(1.0), ..MixConfig::default() };
    let config = TrainConfig { mix: config.build().unwrap(), ..train_config(workers, 7, book()) };
    TrainStream::new(Arc::clone(dataset), config).unwrap()
}

fn book() -> Pipeline {
    AugmentConfig::book().build().unwrap()
}

fn eval_stream(dataset: &Arc<Dataset>, workers: usize) -> EvalStream {
    let config = EvalConfig { loader: Loader::with_workers(workers), ..EvalConfig::new(PREPROCESSING, 3) };
    EvalStream::new(Arc::clone(dataset), Split::Val, &config).unwrap()
}

fn all(batches: impl Iterator<Item = Result<Batch, StreamError>>) -> Vec<Batch> {
    batches.collect::<Result<_, _>>().unwrap()
}

#[test]
fn any_number_of_workers_delivers_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let epochs = |workers| {
        let stream = train_stream(&dataset, workers, 7, book());
        (0..2).flat_map(|epoch| all(stream.epoch(epoch))).collect::<Vec<_>>()
    };
    let one = epochs(1);
    assert!(one == epochs(2));
    assert!(one == epochs(7));
    assert!(one == epochs(64));
    assert!(all(eval_stream(&dataset, 1).pass()) == all(eval_stream(&dataset, 7).pass()));
}

#[test]
fn batches_are_the_same_on_every_machine() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for batch in all(train_stream(&dataset, 2, 7, book()).epoch(0)) {
        for value in batch.floats() {
            hash = (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    // Written down once: a changed number here means that every training changes with it.
    assert_eq!(hash, 3_332_444_510_687_903_415);
}

#[test]
fn any_prefetch_delivers_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let expected = all(train_stream(&dataset, 2, 7, book()).epoch(0));
    for prefetch in [1, 2, 100] {
        let loader = Loader { prefetch: Some(prefetch), ..Loader::with_workers(3) };
        let config = TrainConfig { loader, ..train_config(3, 7, book()) };
        assert!(all(TrainStream::new(Arc::clone(&dataset), config).unwrap().epoch(0)) == expected);
    }
}

#[test]
fn any_packing_delivers_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let zipped = drawn(folder.path());
    let expected = all(train_stream(&zipped, 2, 7, book()).epoch(0));
    let (files, tar) = (folder.path().join("files"), folder.path().join("images.tar"));
    let mut archive = tar::Builder::new(fs_err::File::create(&tar).unwrap());
    for record in zipped.manifest().all_records() {
        let mut buffer = ReadBuffer::default();
        zipped.read(record, &mut buffer).unwrap();
        let path = files.join(&record.path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, buffer.bytes()).unwrap();
        archive.append_path_with_name(&path, &record.path).unwrap();
    }
    archive.finish().unwrap();
    for source in [files, tar] {
        let dataset = Arc::new(Dataset::open(folder.path(), Some(&source)).unwrap());
        assert!(all(train_stream(&dataset, 2, 7, book()).epoch(0)) == expected, "{}", source.display());
    }
}

#[test]
fn a_stream_goes_on_where_its_cursor_stood() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let whole = all(train_stream(&dataset, 2, 7, book()).epoch(1));
    for stop in 0..=whole.len() {
        let mut epoch = train_stream(&dataset, 3, 7, book()).epoch(1);
        epoch.by_ref().take(stop).for_each(drop);
        let cursor = epoch.cursor();
        assert_eq!(cursor, Cursor { epoch: 1, batch: stop });
        drop(epoch);
        let rest = all(train_stream(&dataset, 2, 7, book()).resume(cursor).unwrap());
        assert!(rest == whole[stop..]);
    }
    let beyond = Cursor { epoch: 1, batch: whole.len() + 1 };
    let error = train_stream(&dataset, 2, 7, book()).resume(beyond).unwrap_err();
    assert!(error.to_string().contains("7 batches"), "{error}");
}

#[test]
fn shards_put_together_are_the_whole_epoch_with_its_mixes() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let whole = all(mixing_stream(&dataset, 2).epoch(2));
    let shards = (0..3).flat_map(|index| {
        let mix =
            MixConfig { probability: 0.67, mixup_alpha: Some(0.4), cutmix_alpha: Some(1.0), ..MixConfig::default() };
        let shard = Shard { index, count: 3 };
        let config = TrainConfig { mix: mix.build().unwrap(), shard, ..train_config(2, 7, book()) };
        all(TrainStream::new(Arc::clone(&dataset), config).unwrap().epoch(2))
    });
    let mut shards: Vec<Batch> = shards.collect();
    shards.sort_by_key(|batch| batch.index);
    assert!(shards == whole);
    let config = TrainConfig { shard: Shard { index: 3, count: 3 }, ..train_config(2, 7, book()) };
    assert!(TrainStream::new(Arc::clone(&dataset), config).is_err());
}

#[test]
fn layouts_hold_the_same_values_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    for color in [Color::Rgb, Color::Gray] {
        let preprocessing = Preprocessing { color, ..PREPROCESSING };
        let batches = |layout| {
            let base = train_config(2, 7, book());
            let config = TrainConfig { layout, preprocessing: preprocessing.clone(), ..base };
            all(TrainStream::new(Arc::clone(&dataset), config).unwrap().epoch(0))
        };
        let (pixels, planes, bytes) =
            (batches(BatchLayout::F32Nhwc), batches(BatchLayout::F32Nchw), batches(BatchLayout::U8Nhwc));
        let channels = color.channels();
        assert_eq!(planes[0].dimensions(), [3, channels, 20, 24]);
        assert_eq!(bytes[0].dimensions(), [3, 20, 24, channels]);
        for ((pixels, planes), bytes) in pixels.iter().zip(&planes).zip(&bytes) {
            assert!(
                pixels.floats().iter().zip(bytes.bytes()).all(|(float, byte)| *float == f32::from(*byte) / 255.0
                    || (float * 255.0 - f32::from(*byte)).abs() < 1e-4)
            );
            for (image, image_planes) in
                pixels.floats().chunks(preprocessing.len()).zip(planes.floats().chunks(preprocessing.len()))
            {
                for (at, value) in image.iter().enumerate() {
                    assert_eq!(image_planes[at % channels * 20 * 24 + at / channels], *value);
                }
            }
        }
    }
}

#[test]
fn views_of_an_image_are_augmented_apart_and_one_size_is_drawn_for_each_batch() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let sizes = vec![Size::square(16), Size { width: 24, height: 20 }];
    let sampling = Sampling { views: 3, ..Sampling::default() };
    let config = TrainConfig { sampling, sizes: sizes.clone(), ..train_config(2, 7, book()) };
    let stream = TrainStream::new(Arc::clone(&dataset), config).unwrap();
    let batches = all(stream.epoch(0));
    assert_eq!(stream.image_count(), 60);
    for batch in &batches {
        assert!(sizes.contains(&batch.shape.size));
        assert_eq!(batch.floats().len(), 3 * batch.shape.len());
        assert_eq!(batch.views, [0, 1, 2]);
        assert!(batch.ids.iter().all(|id| *id == batch.ids[0]));
        assert!(batch.plans[0] != batch.plans[1] && batch.plans[1] != batch.plans[2]);
    }
    assert!(sizes.iter().all(|size| batches.iter().any(|batch| batch.shape.size == *size)));
}

#[test]
fn without_its_last_batch_an_epoch_has_whole_ones_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let config = TrainConfig { drop_last: true, ..train_config(2, 7, book()) };
    let stream = TrainStream::new(Arc::clone(&dataset), config).unwrap();
    let batches = all(stream.epoch(0));
    assert!(batches.len() == 6 && batches.iter().all(|batch| batch.len() == 3));
    assert_eq!((stream.batch_count(), stream.image_count()), (6, 18));
    assert!(batches == all(train_stream(&dataset, 2, 7, book()).epoch(0))[..6]);
}

#[test]
fn settings_that_exclude_each_other_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let refused = |config: TrainConfig| TrainStream::new(Arc::clone(&dataset), config).unwrap_err().to_string();
    let mix = MixConfig { mixup_alpha: Some(0.4), ..MixConfig::default() }.build().unwrap();
    let error = refused(TrainConfig { mix, layout: BatchLayout::U8Nhwc, ..train_config(1, 7, book()) });
    assert!(error.contains("`mix` and `layout"), "{error}");
    let normalization = Normalization::Samplewise { scale: 1.0, center: true, std: true };
    let preprocessing = Preprocessing { normalization, ..PREPROCESSING };
    let error = refused(TrainConfig { preprocessing, layout: BatchLayout::U8Nhwc, ..train_config(1, 7, book()) });
    assert!(error.contains("normalization"), "{error}");
    let config = EvalConfig { on_error: OnError::Replace, ..EvalConfig::new(PREPROCESSING, 3) };
    let error = EvalStream::new(Arc::clone(&dataset), Split::Val, &config).unwrap_err().to_string();
    assert!(error.contains("on-error"), "{error}");
}

#[test]
fn every_image_comes_once_an_epoch_and_the_last_batch_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let batches = all(train_stream(&dataset, 2, 7, book()).epoch(3));
    assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [3, 3, 3, 3, 3, 3, 2]);
    let ids: Vec<u32> = batches.iter().flat_map(|batch| batch.ids.clone()).collect();
    let expected: BTreeSet<u32> = dataset.records(Split::Train).iter().map(|record| record.id).collect();
    assert_eq!(ids.len(), expected.len());
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
    for batch in &batches {
        assert_eq!(batch.floats().len(), batch.len() * 20 * 24 * 3);
        assert!(batch.floats().iter().all(|value| (0.0..=1.0).contains(value)));
        for (id, class) in batch.ids.iter().zip(&batch.classes) {
            assert_eq!(dataset.manifest().all_records().find(|record| record.id == *id).unwrap().class, *class);
        }
    }
}

#[test]
fn epochs_and_seeds_differ() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let first = |seed, epoch| all(train_stream(&dataset, 2, seed, book()).epoch(epoch)).swap_remove(0);
    assert_eq!(first(7, 0), first(7, 0));
    assert_ne!(first(7, 0), first(7, 1));
    assert_ne!(first(7, 0), first(8, 0));
}

#[test]
fn the_plan_told_beforehand_is_the_one_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let stream = train_stream(&dataset, 2, 7, book());
    for batch in all(stream.epoch(5)) {
        for (id, plan) in batch.ids.iter().zip(&batch.plans) {
            let record = dataset.records(Split::Train).iter().find(|record| record.id == *id).unwrap();
            assert_eq!(stream.plan(5, record), *plan);
        }
    }
}

#[test]
fn a_sample_made_again_has_the_delivered_place_plan_and_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    for color in [Color::Rgb, Color::Gray] {
        let preprocessing = Preprocessing { color, ..PREPROCESSING };
        let config = TrainConfig { preprocessing: preprocessing.clone(), ..train_config(2, 7, book()) };
        let stream = TrainStream::new(Arc::clone(&dataset), config).unwrap();
        for (index, batch) in all(stream.epoch(2)).into_iter().enumerate() {
            for (position, pixels) in batch.floats().chunks(preprocessing.len()).enumerate() {
                let record = &dataset.records(Split::Train)[batch.ids[position] as usize];
                let sample = stream.sample(2, record).unwrap().unwrap();
                assert_eq!((sample.batch, sample.position), (index, position));
                assert_eq!(sample.plan, batch.plans[position]);
                let copies = 3 / color.channels();
                let bytes = pixels.iter().flat_map(|value| vec![(value * 255.0).round() as u8; copies]);
                assert!(sample.image.pixels() == bytes.collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn mixes_are_the_same_for_any_number_of_workers_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let one = all(mixing_stream(&dataset, 1).epoch(1));
    assert!(one == all(mixing_stream(&dataset, 3).epoch(1)));
    let plain = all(train_stream(&dataset, 2, 7, book()).epoch(1));
    let (size, len) = (PREPROCESSING.size(), PREPROCESSING.len());
    for (batch, plain) in one.iter().zip(&plain) {
        assert_eq!((&batch.ids, &batch.classes, &batch.plans), (&plain.ids, &plain.classes, &plain.plans));
        for (position, mix) in batch.mixes.iter().enumerate() {
            let mut expected = plain.floats()[position * len..][..len].to_vec();
            if let Some(mix) = mix {
                mix.apply(&mut expected, &plain.floats()[mix.partner * len..][..len], size, Layout::Hwc);
            }
            assert!(batch.floats()[position * len..][..len] == expected);
        }
        assert!(batch.soft_targets(2).chunks(2).all(|shares| (shares[0] + shares[1] - 1.0).abs() < 1e-6));
    }
    let mixes: Vec<&Mix> = one.iter().flat_map(|batch| batch.mixes.iter().flatten()).collect();
    assert!((5..20).contains(&mixes.len()), "{mixes:?}");
    assert!(mixes.iter().any(|mix| mix.blend == Blend::Mixup {}));
    assert!(mixes.iter().any(|mix| mix.blend != Blend::Mixup {}));
}

#[test]
fn a_mixed_sample_made_again_names_its_partner_and_has_the_delivered_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let stream = mixing_stream(&dataset, 2);
    for batch in all(stream.epoch(2)) {
        for (position, pixels) in batch.floats().chunks(PREPROCESSING.len()).enumerate() {
            let record = &dataset.records(Split::Train)[batch.ids[position] as usize];
            let sample = stream.sample(2, record).unwrap().unwrap();
            assert_eq!(sample.mixed.as_ref().map(|mixed| mixed.mix), batch.mixes[position]);
            if let Some(mixed) = &sample.mixed {
                assert_eq!(mixed.partner_id, batch.ids[mixed.mix.partner]);
                assert_eq!(mixed.partner_plan, batch.plans[mixed.mix.partner]);
            }
            // A sum that lies in the middle between two bytes may be rounded either way.
            let close = |(value, byte): (&f32, &u8)| (value * 255.0 - f32::from(*byte)).abs() <= 0.5 + 1e-4;
            assert!(pixels.iter().zip(sample.delivered().pixels()).all(close));
        }
    }
}

#[test]
fn evaluation_is_the_same_on_every_pass_and_never_augmented() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let stream = eval_stream(&dataset, 2);
    let first = all(stream.pass());
    assert_eq!(first, all(stream.pass()));
    assert!(first.iter().flat_map(|batch| &batch.plans).all(|plan| *plan == Plan::identity()));
    let ids: Vec<u32> = first.iter().flat_map(|batch| batch.ids.clone()).collect();
    assert_eq!(ids, dataset.records(Split::Val).iter().map(|record| record.id).collect::<Vec<_>>());
}

#[test]
fn training_without_augmentation_sees_the_pixels_of_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let config = EvalConfig::new(PREPROCESSING, 1);
    let evaluated = all(EvalStream::new(Arc::clone(&dataset), Split::Train, &config).unwrap().pass());
    for batch in all(train_stream(&dataset, 1, 7, Pipeline::empty()).epoch(0)) {
        for (id, pixels) in batch.ids.iter().zip(batch.floats().chunks(20 * 24 * 3)) {
            let same = evaluated.iter().find(|other| other.ids == [*id]).unwrap();
            assert_eq!(same.floats(), pixels);
        }
    }
}

#[test]
fn an_image_that_changed_since_the_split_ends_the_epoch_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let zipped = drawn(folder.path());
    let files = folder.path().join("files");
    export(&zipped, Format::Folders(Link::Copy), &files, Existing::Refuse, &|_, _| {}).unwrap();
    let dataset = prepared(folder.path(), &files);
    let victim = &dataset.records(Split::Train)[4];
    let path = files.join(&victim.path);
    fs_err::write(&path, vec![7; usize::try_from(victim.size).unwrap()]).unwrap();

    let mut errors = 0;
    for batch in train_stream(&dataset, 3, 7, book()).epoch(0) {
        if let Err(error) = batch {
            assert!(error.to_string().contains(&victim.path), "{error}");
            errors += 1;
        }
    }
    assert_eq!(errors, 1);
}

/// A transform with a defect.
#[derive(Debug)]
struct Panics;

impl Transform for Panics {
    fn draw(&self, _: Canvas, _rng: &mut dyn rand::Rng, _plan: &mut Plan) {
        panic!("a defect");
    }
}

#[test]
fn a_panic_in_a_transform_becomes_an_error_that_names_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    for workers in [1, 3] {
        let broken = Pipeline::new(vec![Box::new(Panics)], Fill::default(), Interpolation::default());
        let stream = train_stream(&dataset, workers, 7, broken);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(stream.epoch(0).find_map(Result::err)).unwrap());
        let error = receiver.recv_timeout(Duration::from_mins(1)).expect("the epoch hangs").unwrap();
        assert!(error.to_string().contains("a defect"), "{error}");
        assert!(matches!(error, StreamError::Panic { stage: Stage::Augment, .. }));
    }
}

#[test]
fn an_epoch_that_is_dropped_early_ends_its_threads() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    let stream = train_stream(&dataset, 3, 7, book());
    let references = Arc::strong_count(&dataset);
    let mut epoch = stream.epoch(0);
    epoch.next().unwrap().unwrap();
    drop(epoch);
    drop(stream);
    // The workers held the data set through the stream's recipe; with all of them gone, this test holds it alone.
    assert_eq!(Arc::strong_count(&dataset), references - 1);
}

#[test]
fn settings_that_no_stream_can_have_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = drawn(folder.path());
    for (batch_size, workers, field) in [(0, 1, "batch-size"), (1, 0, "workers")] {
        let config = EvalConfig { loader: Loader::with_workers(workers), ..EvalConfig::new(PREPROCESSING, batch_size) };
        let error = EvalStream::new(Arc::clone(&dataset), Split::Val, &config).unwrap_err();
        assert_eq!(error.to_string(), format!("`{field}` must be at least 1"));
    }
}
