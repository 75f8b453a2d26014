//! Tar archives as WebDataset reads them, and the list of classes that their class files hold indices into.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use aumenta_seed::Seed;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;

use super::{ShardSize, first_error};
use crate::atomic::write_file;
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::record::Record;
use crate::scan::Progress;
use crate::source::{CLASSES_FILE, ReadBuffer};
use crate::split::Split;

pub(super) fn write(
    dataset: &Dataset,
    size: ShardSize,
    out: &Path,
    progress: Progress<'_>,
) -> Result<usize, DatasetError> {
    let mut shards = Vec::new();
    for split in Split::ALL {
        let mut records: Vec<&Record> = dataset.records(split).iter().collect();
        records.shuffle(&mut Seed::new(dataset.manifest().seed).rng("shards", 0, split as u64));
        let divided = divide(records, size).into_iter().enumerate();
        shards.extend(divided.map(|(number, records)| (format!("{split}-{number:06}.tar"), records)));
    }
    write_file(&out.join(CLASSES_FILE), |file| {
        dataset.manifest().classes.iter().try_for_each(|class| writeln!(file, "{class}"))
    })?;
    let total = shards.iter().map(|(_, records)| records.len()).sum();
    let done = AtomicUsize::new(0);
    first_error(shards.par_iter().map_init(ReadBuffer::default, |buffer, (name, records)| {
        write_file(&out.join(name), |file| {
            let mut archive = tar::Builder::new(file);
            for record in records {
                dataset.read(record, buffer)?;
                let extension = record.path.rsplit('.').next().unwrap_or_default().to_lowercase();
                add(&mut archive, &format!("{:08}.{extension}", record.id), buffer.bytes())?;
                add(&mut archive, &format!("{:08}.cls", record.id), record.class.to_string().as_bytes())?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            }
            Ok::<_, DatasetError>(archive.finish()?)
        })
    }))?;
    Ok(total)
}

/// The records of each shard, in order.
fn divide(records: Vec<&Record>, size: ShardSize) -> Vec<Vec<&Record>> {
    let mut shards: Vec<Vec<&Record>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let is_full = match (size, shards.last()) {
            (_, None) => true,
            (ShardSize::Images(images), Some(shard)) => shard.len() >= images,
            (ShardSize::Bytes(limit), Some(_)) => bytes + record.size > limit,
        };
        if is_full {
            shards.push(Vec::new());
            bytes = 0;
        }
        bytes += record.size;
        if let Some(shard) = shards.last_mut() {
            shard.push(record);
        }
    }
    shards
}

/// Adds a file whose header follows from its name and its bytes alone.
fn add<W: Write>(archive: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> Result<(), DatasetError> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    Ok(archive.append_data(&mut header, name, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::dataset;
    use super::*;
    use crate::labels::{LabelRule, Labels};
    use crate::sample;
    use crate::source::{OpenOptions, open};

    fn names(size: ShardSize) -> Vec<String> {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let out = folder.path().join("shards");
        fs_err::create_dir(&out).unwrap();
        write(&dataset, size, &out, &|_, _| {}).unwrap();
        let mut names: Vec<String> = fs_err::read_dir(&out)
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".tar"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn shards_are_full_at_a_number_of_images_or_of_bytes() {
        let by_images = names(ShardSize::Images(3));
        assert_eq!(by_images, ["test-000000.tar", "train-000000.tar", "train-000001.tar", "val-000000.tar"]);
        // An image has about 107 bytes; one that is larger than a shard has one for itself.
        assert_eq!(names(ShardSize::Bytes(10)).len(), 8);
        assert_eq!(names(ShardSize::Bytes(1 << 20)).len(), 3);
    }

    #[test]
    fn class_files_hold_indices_that_are_read_again_as_names_and_the_same_manifest_gives_the_same_bytes() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let outs = ["first", "second"].map(|name| folder.path().join(name));
        for out in &outs {
            fs_err::create_dir(out).unwrap();
            write(&dataset, ShardSize::Images(100), out, &|_, _| {}).unwrap();
        }
        let bytes = outs.each_ref().map(|out| fs_err::read(out.join("train-000000.tar")).unwrap());
        assert_eq!(bytes[0], bytes[1]);
        for (of, classes) in [(outs[0].clone(), ["cat", "dog"]), (outs[0].join("train-000000.tar"), ["0", "1"])] {
            let source = open(&of, &OpenOptions::default()).unwrap();
            let labels = Labels::of(source.as_ref(), &LabelRule::Auto).unwrap();
            assert_eq!(labels.classes, classes);
            for (entry, class) in source.entries().iter().zip(&labels.class_of) {
                let id: usize = entry.path.split('.').next().unwrap().parse().unwrap();
                assert_eq!(dataset.manifest().all_records().nth(id).unwrap().class, *class);
            }
        }
    }
}
