//! [`TarSource`]: images read straight from a tar archive, or from a folder of tar archives, its shards.
//!
//! Shards are how [WebDataset](https://github.com/webdataset/webdataset) packs large data sets: files of one name but for
//! the ending are one sample, and `key.cls` holds the class of `key.jpg`, by its name or by its index into a list of names.
//! The headers of all shards are read once; images are then read by position, in any order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::entry_path::{EntryKind, is_compressed_tar, is_tar, kind};
use super::folder::leads_to_file_below;
use super::read_buffer::ReadBuffer;
use super::tar_contents::{Member, TarContents};
use super::window::{Window, open_unnamed};
use super::{Entry, PassedOver, Source, SourceKind, SourceLimits};
use crate::error::{DatasetError, EntryFault};
use crate::positional::read_at;

/// As many shards are kept open. An operating system may allow a program as few as 256 files, and a data set can have
/// thousands of shards, so the others are opened for each image.
const MAX_OPEN_SHARDS: usize = 128;

/// The file beside shards that names the classes, a line a class. Class files then hold the index of a line, from 0, as
/// programs want it that read WebDataset's shards for training.
pub(crate) const CLASSES_FILE: &str = "classes.txt";

/// No honest list of classes is larger.
const MAX_CLASSES_BYTES: u64 = 16 << 20;

/// Images in one or many tar archives.
#[derive(Debug)]
pub(super) struct TarSource {
    path: PathBuf,
    shards: Vec<Shard>,
    entries: Vec<Entry>,
    places: Vec<Place>,
    /// The names of the classes.
    classes: Vec<String>,
    passed_over: PassedOver,
    max_entry_bytes: u64,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    /// The archive, if it is kept open.
    window: Option<Window>,
}

/// Where an image lies, and the index of its class.
#[derive(Clone, Copy, Debug)]
struct Place {
    shard: usize,
    position: u64,
    is_sparse: bool,
    class: Option<u32>,
}

impl TarSource {
    /// Opens the archive at `path`.
    pub(super) fn open(path: &Path, limits: &SourceLimits) -> Result<Self, DatasetError> {
        Self::read(path, vec![path.to_owned()], PassedOver::default(), limits)
    }

    /// Opens the shards in the folder at `path`, or says that there are none.
    pub(super) fn open_shards(path: &Path, limits: &SourceLimits) -> Result<Option<Self>, DatasetError> {
        let root = fs_err::canonicalize(path)?;
        let (mut shards, mut compressed, mut passed_over) = (Vec::new(), None, PassedOver::default());
        let mut classes_file = None;
        for item in fs_err::read_dir(path)? {
            let item = item?;
            let file_type = item.file_type()?;
            if !(file_type.is_file() || leads_to_file_below(&root, &item.path())) {
                continue;
            }
            let name = item.file_name().into_string();
            let name = name.map_err(|name| DatasetError::NotUtf8 { path: path.join(name) })?;
            let kind = kind(&name);
            if is_tar(&name) && kind != EntryKind::Litter {
                shards.push(item.path());
                continue;
            }
            if name == CLASSES_FILE {
                classes_file = Some(item.path());
                continue;
            }
            passed_over.add(kind, &name);
            if is_compressed_tar(&name) {
                compressed = Some(item.path());
            }
        }
        match compressed {
            _ if !shards.is_empty() => {
                shards.sort();
                let mut source = Self::read(path, shards, passed_over, limits)?;
                if let Some(file) = classes_file {
                    source.name_classes(&class_names(&file)?)?;
                }
                Ok(Some(source))
            }
            Some(path) => Err(DatasetError::CompressedTar { path }),
            None => Ok(None),
        }
    }

    /// Reads the headers of all `shards` of the source at `path`, beside which other files were passed over.
    fn read(
        path: &Path,
        shards: Vec<PathBuf>,
        passed_over: PassedOver,
        limits: &SourceLimits,
    ) -> Result<Self, DatasetError> {
        let opened: Vec<Result<(Shard, TarContents), DatasetError>> = shards
            .into_par_iter()
            .enumerate()
            .map(|(number, path)| {
                let window = Window::open(&path)?;
                let contents = TarContents::read(&path, &window, limits.max_entries)?;
                let window = (number < MAX_OPEN_SHARDS).then_some(window);
                Ok((Shard { path, window }, contents))
            })
            .collect();
        let mut source = Self {
            path: path.to_owned(),
            shards: Vec::new(),
            entries: Vec::new(),
            places: Vec::new(),
            classes: Vec::new(),
            passed_over,
            max_entry_bytes: limits.max_entry_bytes,
        };
        let mut images = Vec::new();
        for result in opened {
            let (shard, contents) = result?;
            let number = source.shards.len();
            source.shards.push(shard);
            source.passed_over.append(contents.passed_over);
            images.extend(contents.images.into_iter().map(|image| (number, image)));
        }
        if images.is_empty() {
            return Err(DatasetError::NoImages { path: path.to_owned(), ignored: source.ignored() });
        }
        if images.len() as u64 > limits.max_entries {
            let (found, limit) = (images.len() as u64, limits.max_entries);
            return Err(DatasetError::TooMuch { path: path.to_owned(), what: "entries", found, limit });
        }
        source.make_paths_unique(&mut images)?;
        source.fill(images);
        Ok(source)
    }

    /// Sorts images by their paths. Where two shards hold the same path, every path gets its shard's name before it.
    fn make_paths_unique(&self, images: &mut [(usize, Member)]) -> Result<(), DatasetError> {
        let sort = |images: &mut [(usize, Member)]| images.sort_by(|a, b| (&a.1.path, a.0).cmp(&(&b.1.path, b.0)));
        sort(images);
        let mut repeated = images.windows(2).filter(|pair| pair[0].1.path == pair[1].1.path).peekable();
        if repeated.peek().is_none() {
            return Ok(());
        }
        if let Some(pair) = repeated.find(|pair| pair[0].0 == pair[1].0) {
            return Err(DatasetError::RepeatedPath { path: self.shards[pair[0].0].path.clone() });
        }
        for (shard, image) in &mut *images {
            let name = self.shards[*shard].path.file_name().unwrap_or_default();
            image.path = format!("{}/{}", name.to_string_lossy(), image.path);
        }
        sort(images);
        Ok(())
    }

    fn fill(&mut self, images: Vec<(usize, Member)>) {
        let mut known = HashMap::new();
        for (shard, Member { path, size, position, is_sparse, class }) in images {
            let class = class.map(|class| {
                *known.entry(class).or_insert_with_key(|class| {
                    self.classes.push(class.clone());
                    self.classes.len() as u32 - 1
                })
            });
            self.entries.push(Entry { path, size, crc32: None });
            self.places.push(Place { shard, position, is_sparse, class });
        }
    }

    /// Puts names in the place of their indices into `names`.
    fn name_classes(&mut self, names: &[String]) -> Result<(), DatasetError> {
        for class in 0..self.classes.len() {
            let said = &self.classes[class];
            let name = match said.parse::<usize>() {
                Ok(index) => names.get(index),
                Err(_) => names.iter().find(|name| *name == said),
            };
            let Some(name) = name else { return Err(self.unnamed(class as u32)) };
            self.classes[class].clone_from(name);
        }
        Ok(())
    }

    /// The error that names the first class file of a class that is not in the list of names.
    fn unnamed(&self, class: u32) -> DatasetError {
        let first = self.places.iter().zip(&self.entries).find(|(place, _)| place.class == Some(class));
        let (path, entry) = first.map_or((self.path.clone(), String::new()), |(place, entry)| {
            let stem = entry.path.rsplit_once('.').map_or(&*entry.path, |(stem, _)| stem);
            (self.shards[place.shard].path.clone(), format!("{stem}.cls"))
        });
        DatasetError::ClassFile { path, entry, reason: "holds neither a name in `classes.txt` nor the index of one" }
    }

    fn read_image(&self, index: usize, bytes: &mut Vec<u8>) -> Result<(), EntryFault> {
        let (size, limit, place) = (self.entries[index].size, self.max_entry_bytes, self.places[index]);
        if size > limit {
            return Err(EntryFault::TooLarge { size, limit });
        }
        if place.is_sparse {
            return Err(EntryFault::Sparse);
        }
        bytes.resize(size as usize, 0);
        let shard = &self.shards[place.shard];
        match &shard.window {
            Some(window) => window.read_at(place.position, bytes)?,
            None => read_at(&open_unnamed(&shard.path)?, place.position, bytes)?,
        }
        Ok(())
    }
}

/// The names of classes in the file at `path`, in the order of their indices.
fn class_names(path: &Path) -> Result<Vec<String>, DatasetError> {
    let found = fs_err::metadata(path)?.len();
    if found > MAX_CLASSES_BYTES {
        return Err(DatasetError::TooMuch { path: path.to_owned(), what: "bytes", found, limit: MAX_CLASSES_BYTES });
    }
    Ok(fs_err::read_to_string(path)?.lines().map(str::to_owned).collect())
}

impl Source for TarSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Tar
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn passed_over(&self) -> &PassedOver {
        &self.passed_over
    }

    fn read(&self, index: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        self.read_image(index, &mut buffer.bytes).map_err(|fault| DatasetError::Entry {
            path: self.shards[self.places[index].shard].path.clone(),
            entry: self.entries[index].path.clone(),
            fault,
        })
    }

    fn label(&self, index: usize) -> Option<&str> {
        Some(&self.classes[self.places[index].class? as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn open(bytes: &[u8]) -> Result<TarSource, DatasetError> {
        open_under(&SourceLimits::default(), bytes)
    }

    fn open_under(limits: &SourceLimits, bytes: &[u8]) -> Result<TarSource, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        TarSource::open(&sample::write(folder.path(), "data.tar", bytes), limits)
    }

    fn open_shards(shards: &[(&str, Vec<u8>)]) -> Result<TarSource, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), shards);
        TarSource::open_shards(folder.path(), &SourceLimits::default()).map(Option::unwrap)
    }

    fn read(source: &TarSource, index: usize) -> Result<Vec<u8>, EntryFault> {
        let mut buffer = ReadBuffer::default();
        match source.read(index, &mut buffer) {
            Ok(()) => Ok(buffer.bytes().to_vec()),
            Err(DatasetError::Entry { fault, .. }) => Err(fault),
            Err(error) => panic!("{error}"),
        }
    }

    fn paths(source: &TarSource) -> Vec<&str> {
        source.entries().iter().map(|entry| entry.path.as_str()).collect()
    }

    fn labels(source: &TarSource) -> Vec<Option<&str>> {
        (0..source.entries().len()).map(|index| source.label(index)).collect()
    }

    #[test]
    fn images_are_read_in_order_of_their_paths_and_other_files_are_counted() {
        let source = open(&sample::tar(&[
            ("dog/b.png", sample::png(2)),
            ("notes.txt", vec![0; 700]),
            ("cat/._a.png", vec![0]),
            ("cat/a.png", sample::png(1)),
            ("empty.png", Vec::new()),
        ]))
        .unwrap();
        assert_eq!(paths(&source), ["cat/a.png", "dog/b.png", "empty.png"]);
        assert_eq!(read(&source, 0).unwrap(), sample::png(1));
        assert_eq!(read(&source, 1).unwrap(), sample::png(2));
        assert_eq!(read(&source, 2).unwrap(), b"");
        assert_eq!(source.ignored(), 1);
        assert_eq!(source.label(0), None);
    }

    #[test]
    fn class_files_give_the_classes_and_side_files_are_passed_over() {
        let source = open(&sample::tar(&[
            ("000.cls", b"7\n".to_vec()),
            ("000.jpg", sample::png(1)),
            ("000.json", b"{}".to_vec()),
            ("001.png", sample::png(2)),
            ("001.cls", b" great dane".to_vec()),
            ("002.png", sample::png(3)),
            ("article.cls", vec![b'x'; 3000]),
        ]))
        .unwrap();
        assert_eq!(labels(&source), [Some("7"), Some("great dane"), None]);
        assert_eq!(source.ignored(), 2);
    }

    #[test]
    fn shards_are_one_data_set_under_the_paths_within_them() {
        let shard = |numbers: [usize; 2]| {
            let files = numbers.map(|n| [(format!("{n}.png"), sample::png(n)), (format!("{n}.cls"), vec![b'0'])]);
            sample::tar(files.as_flattened())
        };
        let source =
            open_shards(&[("1.tar", shard([3, 0])), ("0.tar", shard([1, 2])), ("info.json", vec![0])]).unwrap();
        assert_eq!(paths(&source), ["0.png", "1.png", "2.png", "3.png"]);
        for index in 0..4 {
            assert_eq!(read(&source, index).unwrap(), sample::png(index));
        }
        assert_eq!(labels(&source), [Some("0"); 4]);
        assert_eq!(source.ignored(), 1);
    }

    #[test]
    fn a_list_of_classes_beside_shards_names_them_by_index() {
        let shard = |classes: [&str; 3]| {
            let files = classes.iter().enumerate().map(|(n, class)| {
                [(format!("{n}.png"), sample::png(n)), (format!("{n}.cls"), class.as_bytes().to_vec())]
            });
            ("0.tar", sample::tar(files.collect::<Vec<_>>().as_flattened()))
        };
        let names = (CLASSES_FILE, b"cat\ngreat dane\r\n".to_vec());
        let source = open_shards(&[shard(["1", "0\n", "cat"]), names.clone()]).unwrap();
        assert_eq!(labels(&source), [Some("great dane"), Some("cat"), Some("cat")]);
        assert_eq!(source.ignored(), 0);
        for unknown in ["2", "pug", "-1"] {
            let error = open_shards(&[shard(["0", unknown, "1"]), names.clone()]).unwrap_err().to_string();
            assert!(error.contains("0.tar` holds neither") && error.contains("`1.cls`"), "{error}");
        }
        let endless = vec![b'\n'; MAX_CLASSES_BYTES as usize + 1];
        let error = open_shards(&[shard(["0", "1", "1"]), (CLASSES_FILE, endless)]).unwrap_err();
        assert!(matches!(error, DatasetError::TooMuch { what: "bytes", .. }), "{error}");
    }

    #[test]
    fn the_same_path_in_two_shards_gets_the_shards_name() {
        let [first, second] = [1, 2].map(|n| sample::tar(&[("a.png", sample::png(n))]));
        let third = sample::tar(&[("b.png", sample::png(3))]);
        let source = open_shards(&[("x-0.tar", first), ("x-1.tar", second), ("x-2.tar", third)]).unwrap();
        assert_eq!(paths(&source), ["x-0.tar/a.png", "x-1.tar/a.png", "x-2.tar/b.png"]);
        assert_eq!(read(&source, 1).unwrap(), sample::png(2));
    }

    #[test]
    fn more_shards_than_are_kept_open_are_read_too() {
        let shards: Vec<(String, Vec<u8>)> = (0..MAX_OPEN_SHARDS + 2)
            .map(|n| (format!("{n:03}.tar"), sample::tar(&[(format!("{n:03}.png"), sample::png(n))])))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        sample::write_files(folder.path(), &shards);
        let source = TarSource::open_shards(folder.path(), &SourceLimits::default()).unwrap().unwrap();
        for index in 0..shards.len() {
            assert_eq!(read(&source, index).unwrap(), sample::png(index));
        }
    }

    #[test]
    fn a_folder_of_compressed_shards_is_refused_and_others_are_no_shards() {
        let folder = tempfile::tempdir().unwrap();
        let open = || TarSource::open_shards(folder.path(), &SourceLimits::default());
        sample::write(folder.path(), "a.txt", b"");
        assert!(open().unwrap().is_none());
        sample::write(folder.path(), "a.tgz", b"");
        assert!(matches!(open(), Err(DatasetError::CompressedTar { path }) if path.ends_with("a.tgz")));
    }

    #[test]
    fn limits_hold_for_images_and_their_number() {
        let archive = sample::tar(&[("a.png", sample::png(1)), ("b.png", sample::png(2))]);
        let source = open_under(&SourceLimits { max_entry_bytes: 10, ..SourceLimits::default() }, &archive).unwrap();
        assert!(matches!(read(&source, 0), Err(EntryFault::TooLarge { limit: 10, .. })));
        let error = open_under(&SourceLimits { max_entries: 1, ..SourceLimits::default() }, &archive).unwrap_err();
        assert!(matches!(error, DatasetError::TooMuch { what: "entries", found: 2, limit: 1, .. }), "{error}");
    }

    #[test]
    fn a_path_that_one_archive_holds_twice_is_refused() {
        let twice = |name: &str| sample::tar(&[("a.png", sample::png(1)), (name, vec![b'1']), (name, vec![b'1'])]);
        for name in ["a.png", "a.cls"] {
            assert!(matches!(open(&twice(name)), Err(DatasetError::RepeatedPath { .. })), "{name}");
        }
    }

    #[test]
    fn an_archive_that_shrank_is_a_fault_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = sample::write(folder.path(), "data.tar", &sample::tar(&[("a.png", sample::png(1))]));
        let source = TarSource::open(&path, &SourceLimits::default()).unwrap();
        sample::write(folder.path(), "data.tar", b"");
        let error = source.read(0, &mut ReadBuffer::default()).unwrap_err();
        assert!(
            matches!(&error, DatasetError::Entry { path, fault: EntryFault::Read(_), .. } if path.ends_with("data.tar"))
        );
    }
}
