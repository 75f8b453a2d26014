//! [`Table`]: a CSV file whose rows say something of images, as Kaggle's `train_labels.csv` does.

use std::borrow::Cow;
use std::collections::hash_map::Entry as MapEntry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::source::Source;

/// No honest table is larger; a file that is will not be read into memory.
const MAX_BYTES: u64 = 256 << 20;

/// A column of a CSV file that says something of images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ColumnRule {
    /// The file; in a manifest its name alone.
    pub file: PathBuf,
    /// The column of the images' names; by default the one that names most images of the source.
    ///
    /// A name may stand with or without its extension and with or without folders. An image takes the row that names it
    /// with the most folders.
    pub id_column: Option<String>,
    /// The column of what is asked for; by default the only other one.
    pub column: Option<String>,
}

impl ColumnRule {
    /// The columns that follow from the content of `file`.
    pub fn new(file: PathBuf) -> Self {
        Self { file, id_column: None, column: None }
    }
}

/// Why a CSV file does not say of each image what it is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableFault {
    /// It is not read as CSV.
    #[error("it cannot be read")]
    Syntax(#[from] csv::Error),

    /// A column that was asked for is not there.
    #[error("it has no column `{name}`, but {}", quoted(columns))]
    NoColumn {
        /// What was asked for.
        name: String,
        /// Its columns.
        columns: Vec<String>,
    },

    /// No column names images.
    #[error("none of its columns {} names images of the source: name the one that should", quoted(columns))]
    NoIds {
        /// Its columns.
        columns: Vec<String>,
    },

    /// Several columns could be meant.
    #[error("any of its columns {} could be meant: name the one to take", quoted(columns))]
    ManyColumns {
        /// The columns besides that of the images' names.
        columns: Vec<String>,
    },

    /// There is nothing but the images' names.
    #[error("it has no column besides `{id}`, which names the images")]
    OneColumn {
        /// The only column.
        id: String,
    },

    /// Two rows of one image say different things.
    #[error("its rows of `{id}` say both `{first}` and `{second}`: one of them is wrong")]
    Contradiction {
        /// The image's name in the file.
        id: String,
        /// What one row says.
        first: String,
        /// What another says.
        second: String,
    },

    /// A row fits two images.
    #[error("its row of `{id}` fits both `{first}` and `{second}`: name images with their folders or extensions")]
    SharedId {
        /// The image's name in the file.
        id: String,
        /// The path of one image.
        first: String,
        /// The path of another.
        second: String,
    },

    /// Images have no row.
    #[error("{missing} of {images} images have no row, such as `{entry}`: add their rows or take the images away")]
    RowMissing {
        /// The path of one of them.
        entry: String,
        /// How many have none.
        missing: usize,
        /// How many images there are.
        images: usize,
    },

    /// A row says nothing.
    #[error("`{entry}` has nothing in the column `{column}`: fill it in")]
    EmptyCell {
        /// The image's path.
        entry: String,
        /// The column.
        column: String,
    },
}

impl TableFault {
    /// Whether another call can mend it: what was asked for does not fit the file, which itself is sound.
    pub(crate) fn is_bad_use(&self) -> bool {
        !matches!(self, Self::Syntax(_) | Self::Contradiction { .. } | Self::EmptyCell { .. })
    }
}

fn quoted(columns: &[String]) -> String {
    columns.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}

/// A CSV file, in memory.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    columns: Vec<String>,
    rows: Vec<StringRecord>,
}

/// Two columns of a table: the images' names, and what is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    table: &'a Table,
    id: usize,
    value: usize,
}

/// What a column says of the images of a source.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    /// For each entry what its row says, without spaces around it; `None` where it has no row.
    pub(crate) of_entry: Vec<Option<&'a str>>,
    /// How many names of the table no image has.
    pub(crate) unmatched_rows: usize,
}

impl Table {
    /// Reads a file with a header, its cells separated by what separates the header's: commas, semicolons or tabs.
    pub(crate) fn read(path: &Path) -> Result<Self, DatasetError> {
        if !path.is_file() {
            return Err(DatasetError::TableMissing { path: path.to_owned() });
        }
        let size = fs_err::metadata(path)?.len();
        if size > MAX_BYTES {
            return Err(DatasetError::TooMuch { path: path.to_owned(), what: "bytes", found: size, limit: MAX_BYTES });
        }
        Self::parse(path, &fs_err::read(path)?)
    }

    /// The table that the file at `path` holds as `bytes`.
    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        let read = || -> Result<_, csv::Error> {
            let mut reader =
                csv::ReaderBuilder::new().delimiter(delimiter(bytes)).trim(csv::Trim::All).from_reader(bytes);
            let columns = reader.headers()?.iter().map(str::to_owned).collect();
            Ok((columns, reader.records().collect::<Result<_, _>>()?))
        };
        match read() {
            Ok((columns, rows)) => Ok(Self { path: path.to_owned(), columns, rows }),
            Err(error) => Err(DatasetError::Table { path: path.to_owned(), fault: error.into() }),
        }
    }

    /// The columns that `rule` means.
    pub(crate) fn column(&self, rule: &ColumnRule, source: &dyn Source) -> Result<Column<'_>, DatasetError> {
        let id = match &rule.id_column {
            Some(name) => self.named(name)?,
            None => self.most_naming(source)?,
        };
        let others = || (0..self.columns.len()).filter(|&column| column != id);
        let value = match (&rule.column, &*others().collect::<Vec<_>>()) {
            (Some(name), _) => self.named(name)?,
            (None, [only]) => *only,
            (None, []) => return Err(self.fault(TableFault::OneColumn { id: self.columns[id].clone() })),
            (None, _) => {
                let columns = others().map(|column| self.columns[column].clone()).collect();
                return Err(self.fault(TableFault::ManyColumns { columns }));
            }
        };
        Ok(Column { table: self, id, value })
    }

    /// An error that names the file.
    pub(crate) fn fault(&self, fault: TableFault) -> DatasetError {
        DatasetError::Table { path: self.path.clone(), fault }
    }

    fn named(&self, name: &str) -> Result<usize, DatasetError> {
        let place = self.columns.iter().position(|column| column == name);
        place.ok_or_else(|| self.fault(TableFault::NoColumn { name: name.to_owned(), columns: self.columns.clone() }))
    }

    /// The column that names most images, the first of several.
    fn most_naming(&self, source: &dyn Source) -> Result<usize, DatasetError> {
        let named = |column: usize| {
            let names = Names::of(self.rows.iter().map(|row| &row[column]));
            source.entries().iter().filter(|entry| names.find(&entry.path).is_some()).count()
        };
        let counts = (0..self.columns.len()).rev().map(|column| (named(column), column));
        match counts.max_by_key(|(count, _)| *count) {
            Some((1.., column)) => Ok(column),
            _ => Err(self.fault(TableFault::NoIds { columns: self.columns.clone() })),
        }
    }
}

impl<'a> Column<'a> {
    /// The name of the column of what is asked for.
    pub(crate) fn name(&self) -> &'a str {
        &self.table.columns[self.value]
    }

    /// The rule that names these columns, without the file's folder, as a manifest records it.
    pub(crate) fn rule(&self) -> ColumnRule {
        ColumnRule {
            file: self.table.path.file_name().unwrap_or_default().into(),
            id_column: Some(self.table.columns[self.id].clone()),
            column: Some(self.name().to_owned()),
        }
    }

    /// What the column says of each image of `source`.
    ///
    /// # Errors
    /// Where rows of one image contradict each other, or a row fits several images.
    pub(crate) fn values(&self, source: &dyn Source) -> Result<Values<'a>, DatasetError> {
        let Self { table, id, value } = *self;
        let names = Names::of(table.rows.iter().map(|row| &row[id]));
        let mut said: HashMap<Cow<'_, str>, &str> = HashMap::new();
        for row in &table.rows {
            match said.entry(normal(&row[id])) {
                MapEntry::Vacant(vacant) => {
                    vacant.insert(&row[value]);
                }
                MapEntry::Occupied(earlier) if *earlier.get() == &row[value] => {}
                MapEntry::Occupied(earlier) => {
                    let (first, second) = ((*earlier.get()).to_owned(), row[value].to_owned());
                    let id = row[id].to_owned();
                    return Err(table.fault(TableFault::Contradiction { id, first, second }));
                }
            }
        }
        let mut taken: HashMap<&str, &str> = HashMap::new();
        let mut of_entry = Vec::with_capacity(source.entries().len());
        for entry in source.entries() {
            let name = names.find(&entry.path);
            if let Some(first) = name.and_then(|name| taken.insert(name, &entry.path)) {
                let (id, first, second) = (name.unwrap_or_default().to_owned(), first.to_owned(), entry.path.clone());
                return Err(table.fault(TableFault::SharedId { id, first, second }));
            }
            of_entry.push(name.and_then(|name| said.get(name).copied()));
        }
        Ok(Values { of_entry, unmatched_rows: said.len() - taken.len() })
    }
}

/// The names of images in a column.
struct Names<'a> {
    names: HashSet<Cow<'a, str>>,
    /// The folders that all names begin with, with a slash at the end.
    folder: String,
}

impl<'a> Names<'a> {
    fn of(cells: impl Iterator<Item = &'a str>) -> Self {
        let names: HashSet<Cow<'a, str>> = cells.map(normal).collect();
        let folders = |name: &str| name[..name.rfind('/').map_or(0, |slash| slash + 1)].to_owned();
        let shared = |folder: String, name: &Cow<'_, str>| {
            let common = folder.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
            let end = folder.as_bytes()[..common].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
            folder[..end].to_owned()
        };
        let folder = names.iter().next().map(|name| folders(name)).unwrap_or_default();
        let folder = names.iter().fold(folder, shared);
        Self { names, folder }
    }

    /// The name of the image at `path` with the most folders, where it has one.
    ///
    /// A source may be opened deeper than the names begin: then the folders that they all begin with stand before its
    /// paths.
    fn find(&self, path: &str) -> Option<&str> {
        let tails = || std::iter::successors(Some(path), |tail| Some(tail.split_once('/')?.1));
        let known = |name: &str| {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            [name, stem].into_iter().find_map(|name| self.names.get(name)).map(|name| &**name)
        };
        tails().find_map(known).or_else(|| {
            let is_deeper = !self.folder.is_empty();
            tails().filter(|_| is_deeper).find_map(|tail| known(&format!("{}{tail}", self.folder)))
        })
    }
}

/// The name with `/` between its parts and nothing before the first.
fn normal(name: &str) -> Cow<'_, str> {
    let name = if name.contains('\\') { Cow::Owned(name.replace('\\', "/")) } else { Cow::Borrowed(name) };
    let start = |name: &str| name.len() - name.trim_start_matches("./").trim_start_matches('/').len();
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[start(name)..]),
        Cow::Owned(name) => Cow::Owned(name[start(&name)..].to_owned()),
    }
}

/// What stands most often in the header, of the usual separators.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| header.split(|byte| byte == separator).count();
    // For a tie the last is taken.
    *b"\t;,".iter().max_by_key(|separator| count(separator)).unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use aumenta_seed::Seed;
    use rand::{Rng, RngExt as _};

    use super::*;
    use crate::sample;
    use crate::source::{OpenOptions, open};

    /// What the columns of `csv` say of images at `paths`, by the rule that `change` makes.
    fn values(paths: &[&str], csv: &str, change: impl Fn(&mut ColumnRule)) -> Result<Vec<Option<String>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = paths.iter().map(|path| (*path, sample::png(1))).collect();
        sample::write_files(&folder.path().join("images"), &files);
        let source = open(&folder.path().join("images"), &OpenOptions::default()).unwrap();
        let mut rule = ColumnRule::new(sample::write(folder.path(), "labels.csv", csv.as_bytes()));
        change(&mut rule);
        let found = || {
            let table = Table::read(&rule.file)?;
            let values = table.column(&rule, source.as_ref())?.values(source.as_ref())?;
            Ok(values.of_entry.into_iter().map(|value| value.map(str::to_owned)).collect())
        };
        found().map_err(|error: DatasetError| {
            let fault = error.source().unwrap();
            format!("{fault} {}", fault.source().map(ToString::to_string).unwrap_or_default())
        })
    }

    #[track_caller]
    fn check(paths: &[&str], csv: &str, expected: &[Option<&str>]) {
        let values = values(paths, csv, |_| {}).unwrap();
        assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[track_caller]
    fn check_refused(paths: &[&str], csv: &str, message: &str) {
        let error = values(paths, csv, |_| {}).unwrap_err();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn images_are_named_with_or_without_extensions_and_folders() {
        let paths = ["t/1.png", "t/2.png"];
        let expected = [Some("a"), Some("b")];
        check(&paths, "id,label\n1,a\n2,b\n", &expected);
        check(&paths, "label,file\na,1.png\nb,2.png\n", &expected);
        check(&paths, "id,label\nt/1,a\nt/2.png,b\n", &expected);
        check(&paths, "id,label\n./t/1.png,a\n/t/2.png,b\n", &expected);
        check(&paths, "id,label\nt\\1.png,a\nt\\2.png,b\n", &expected);
        check(&paths, "id,label\nimages/t/1.png,a\nimages/t/2.png,b\n", &expected);
        check(&paths, "id,label\ndata/t/1.png,a\ndata/v/2.png,b\n", &[Some("a"), None]);
        check(&["1.0.png"], "id,label\n1.0,a\n", &[Some("a")]);
    }

    #[test]
    fn the_row_that_names_the_most_folders_is_taken() {
        check(&["a/1.png", "b/1.png"], "id,label\n1,x\nb/1,y\n", &[Some("x"), Some("y")]);
    }

    #[test]
    fn files_of_other_programs_are_read() {
        check(&["1.png"], "\u{feff}id;label\r\n1 ;\"a;b\"\r\n", &[Some("a;b")]);
        check(&["1.png"], "id\tlabel\n1\ta, b\n", &[Some("a, b")]);
        check(&["1.png"], "id,label\n\"1\",\"a\"\n1,a\n", &[Some("a")]);
    }

    #[test]
    fn columns_are_chosen_by_name_where_several_could_be_meant() {
        let csv = "id,breed,age\n1,pug,old\n";
        check_refused(&["1.png"], csv, "its columns `breed`, `age` could be meant");
        let choose = |name: &str| values(&["1.png"], csv, |rule| rule.column = Some(name.to_owned()));
        assert_eq!(choose("age").unwrap(), [Some("old".to_owned())]);
        assert!(choose("size").unwrap_err().contains("no column `size`, but `id`, `breed`, `age`"));
        let by_age = values(&["old.png"], csv, |rule| {
            rule.id_column = Some("age".to_owned());
            rule.column = Some("breed".to_owned());
        });
        assert_eq!(by_age.unwrap(), [Some("pug".to_owned())]);
    }

    #[test]
    fn tables_that_do_not_fit_say_why() {
        check_refused(&["1.png"], "id,label\n7,a\n", "none of its columns `id`, `label` names images");
        check_refused(&["1.png"], "id\n1\n", "no column besides `id`");
        check_refused(&["1.png"], "id,label\n1,a\n1,b\n", "rows of `1` say both `a` and `b`");
        check_refused(&["a/1.png", "b/1.png"], "id,label\n1,a\n", "row of `1` fits both `a/1.png` and `b/1.png`");
        check_refused(&["1.png"], "id,label\n1,a\n2\n", "line: 3");
        check_refused(&["1.png"], "", "none of its columns  names");
    }

    /// Cuts `bytes` off, puts something in that means something in a table or in a path, or takes some bytes out.
    fn damage(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
        const PIECES: [&[u8]; 12] =
            [b",", b";", b"\t", b"\"", b"\n", b"\r\n", b"/", b"\\", b".", b"\0", b"\xc3", "\u{e9}".as_bytes()];
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + 2).min(bytes.len()))),
            _ => drop(bytes.splice(at..at, PIECES[rng.random_range(0..PIECES.len())].iter().copied())),
        }
    }

    #[test]
    fn damaged_tables_are_read_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a/1.png", "a/2.png", "b/1.png"].map(|path| (path, sample::png(1)));
        sample::write_files(folder.path(), &files);
        let source = open(folder.path(), &OpenOptions::default()).unwrap();
        let path = folder.path().join("labels.csv");
        let mut rng = Seed::new(7).rng("damage", 0, 0);
        let (mut read, mut refused) = (0, 0);
        for sound in [
            "id,label\na/1,x\na/2,\"y, z\"\nb/1,\n",
            "file;class\r\nb\\1.png;x\r\n./a/2.png;y\r\n",
            "\u{feff}breed\timage\tage\npug\t1\told\nd\u{e9}r\t2\tnew\n",
        ] {
            for _ in 0..2000 {
                let mut bytes = sound.as_bytes().to_vec();
                for _ in 0..rng.random_range(0..5) {
                    damage(&mut bytes, &mut rng);
                }
                let said = Table::parse(&path, &bytes).and_then(|table| {
                    let rule = ColumnRule::new(path.clone());
                    Ok(table.column(&rule, source.as_ref())?.values(source.as_ref())?.of_entry.len())
                });
                match said {
                    Ok(images) => {
                        assert_eq!(images, 3);
                        read += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Table::read(Path::new("no/such.csv")).unwrap_err();
        assert!(error.to_string().contains("no/such.csv"), "{error}");
    }
}
