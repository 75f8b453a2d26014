//! [`SubmissionForm`]: a competition's sample submission, to be filled with predictions.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::csv::{csv_line, csv_probability};
use crate::error::ReportError;

/// A competition's sample submission: a column of ids, and one or more that predictions go to.
///
/// ```
/// use aumenta_report::{ImageProbabilities, SubmissionForm, SubmissionSettings};
///
/// let form = SubmissionForm::parse(b"id,label\n2,0.5\n1,0.5\n")?;
/// let classes = ["cat".to_owned(), "dog".to_owned()];
/// let images = [("test/1.jpg", [0.75, 0.25]), ("test/2.jpg", [0.125, 0.875])]
///     .map(|(path, row)| ImageProbabilities { path: path.to_owned(), probabilities: Some(row.to_vec()) });
/// let filled = form.fill(&images, &SubmissionSettings::new(&classes))?;
/// assert_eq!(filled, "id,label\n2,0.875\n1,0.25\n");
/// # Ok::<(), aumenta_report::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SubmissionForm {
    columns: StringRecord,
    rows: Vec<StringRecord>,
}

/// How a form is filled.
#[derive(Clone, Copy, Debug)]
pub struct SubmissionSettings<'a> {
    /// The classes of the predictions.
    pub classes: &'a [String],
    /// The class whose probability a form with one column gets, by its index; by default the last one of two.
    pub positive: Option<usize>,
    /// What stands for an image that cannot be used; by default that is an error.
    pub fill: Option<f64>,
    /// How far probabilities are kept from 0 and 1; by default they are not.
    pub clip: Option<f64>,
}

impl<'a> SubmissionSettings<'a> {
    /// The default for these classes.
    pub fn new(classes: &'a [String]) -> Self {
        Self { classes, positive: None, fill: None, clip: None }
    }
}

/// What is said of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProbabilities {
    /// Its path.
    pub path: String,
    /// The probability of each class; `None` where the image cannot be used.
    pub probabilities: Option<Vec<f32>>,
}

/// Why a form cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum FormFault {
    /// It is no CSV file.
    #[error("it is no CSV file with a header and rows of one length")]
    Syntax(#[from] csv::Error),
    /// It has no column for predictions, or no row.
    #[error(
        "it has {columns} columns and {rows} rows, but an id column, a column for predictions and a row are needed"
    )]
    Empty {
        /// Its columns.
        columns: usize,
        /// Its rows.
        rows: usize,
    },
    /// Its columns are not the classes.
    #[error("its columns are not the network's classes: {}", differences(missing, extra))]
    Columns {
        /// Classes without a column.
        missing: Vec<String>,
        /// Columns that are no class.
        extra: Vec<String>,
    },
    /// It has one column, and there are more than two classes.
    #[error(
        "its column `{column}` takes one number, but there are {classes} classes: say which class's probability it gets"
    )]
    Positive {
        /// The column.
        column: String,
        /// The number of classes.
        classes: usize,
    },
    /// A positive class was chosen where every class has its column.
    #[error("it has a column for each class, so that no class can be chosen for it: leave out the positive class")]
    NoPositive,
    /// Ids without an image.
    #[error("{count} of its {rows} ids have no image, the first one is `{first}`")]
    MissingImages {
        /// How many.
        count: usize,
        /// Rows of the form.
        rows: usize,
        /// The first of them.
        first: String,
    },
    /// Images without an id.
    #[error("{count} of {images} images have no id in it, the first one is `{first}`")]
    ExtraImages {
        /// How many.
        count: usize,
        /// All images.
        images: usize,
        /// The first of them.
        first: String,
    },
    /// Images that it asks for cannot be used.
    #[error(
        "{count} of the images that it asks for cannot be used, the first one is `{first}`: say what to fill in for them"
    )]
    Unusable {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// An id that could mean two images.
    #[error("its id `{id}` could mean `{first}` and `{second}`")]
    Ambiguous {
        /// The id.
        id: String,
        /// An image.
        first: String,
        /// Another one.
        second: String,
    },
}

fn differences(missing: &[String], extra: &[String]) -> String {
    let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (missing.is_empty(), extra.is_empty()) {
        (false, true) => format!("{} are missing", list(missing)),
        (true, _) => format!("{} are none of them", list(extra)),
        (false, false) => format!("{} are missing, and {} are none of them", list(missing), list(extra)),
    }
}

/// What the columns behind the ids get.
enum Content {
    /// The probability of one class.
    Probability(usize),
    /// The name of the predicted class.
    Name,
    /// For each column the probability of a class.
    Probabilities(Vec<usize>),
}

impl SubmissionForm {
    /// Reads a form: CSV with a header, the ids in the first column.
    ///
    /// # Errors
    /// [`ReportError::Form`] where it is no such file.
    pub fn parse(csv: &[u8]) -> Result<Self, ReportError> {
        let read = || -> Result<Self, csv::Error> {
            let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(csv);
            Ok(Self { columns: reader.headers()?.clone(), rows: reader.records().collect::<Result<_, _>>()? })
        };
        let form = read().map_err(FormFault::from)?;
        if form.columns.len() < 2 || form.rows.is_empty() {
            return Err(FormFault::Empty { columns: form.columns.len(), rows: form.rows.len() }.into());
        }
        Ok(form)
    }

    /// Whether it could be filled with predictions for the images at `paths`, before anything is predicted.
    ///
    /// # Errors
    /// As [`fill`](Self::fill), but for images that cannot be used.
    pub fn check(
        &self,
        paths: impl IntoIterator<Item = String>,
        settings: &SubmissionSettings<'_>,
    ) -> Result<(), ReportError> {
        let images = paths.into_iter().map(|path| ImageProbabilities { path, probabilities: None });
        self.content(settings)?;
        self.matched(&images.collect::<Vec<_>>())?;
        Ok(())
    }

    /// The form with predictions in place of its sample values, in the order of its rows.
    ///
    /// An id is the path of an image, its file's name, or that without its extension. A form with a column for each class
    /// gets their probabilities by name. A form with one column gets names of predicted classes where its sample values
    /// are such names, and else the probability of the positive class.
    ///
    /// # Errors
    /// [`ReportError::Form`] where ids and images are not the same, an id could mean several, an image cannot be used and
    /// nothing is to be filled in, or the columns do not fit the classes.
    pub fn fill(
        &self,
        images: &[ImageProbabilities],
        settings: &SubmissionSettings<'_>,
    ) -> Result<String, ReportError> {
        let content = self.content(settings)?;
        let image_of = self.matched(images)?;
        if settings.fill.is_none() {
            let mut unusable = image_of.iter().filter(|image| image.probabilities.is_none());
            if let Some(first) = unusable.next() {
                return Err(FormFault::Unusable { count: 1 + unusable.count(), first: first.path.clone() }.into());
            }
        }
        let mut filled = csv_line(&self.columns);
        for (row, image) in self.rows.iter().zip(image_of) {
            let cells = match &image.probabilities {
                Some(probabilities) => content.cells(probabilities, settings),
                None => vec![settings.fill.unwrap_or(f64::NAN).to_string(); self.columns.len() - 1],
            };
            filled += &csv_line([row[0].to_owned()].into_iter().chain(cells));
        }
        Ok(filled)
    }

    /// What its columns are for.
    fn content(&self, settings: &SubmissionSettings<'_>) -> Result<Content, FormFault> {
        let SubmissionSettings { classes, positive, .. } = *settings;
        let class_of = |name: &str| classes.iter().position(|class| class == name);
        let columns: Vec<&str> = self.columns.iter().skip(1).collect();
        if let [column] = columns[..] {
            let has_names = self.rows.iter().all(|row| class_of(&row[1]).is_some());
            let by_default = || class_of(column).or((classes.len() == 2).then_some(1));
            return match positive {
                None if has_names => Ok(Content::Name),
                chosen => match chosen.or_else(by_default) {
                    Some(class) => Ok(Content::Probability(class)),
                    None => Err(FormFault::Positive { column: column.to_owned(), classes: classes.len() }),
                },
            };
        }
        let missing: Vec<String> = classes.iter().filter(|class| !columns.contains(&class.as_str())).cloned().collect();
        let extra = columns.iter().filter(|column| class_of(column).is_none());
        let extra: Vec<String> = extra.map(ToString::to_string).collect();
        match positive {
            _ if !missing.is_empty() || !extra.is_empty() => Err(FormFault::Columns { missing, extra }),
            Some(_) => Err(FormFault::NoPositive),
            None => Ok(Content::Probabilities(columns.into_iter().filter_map(class_of).collect())),
        }
    }

    /// The image that each row means.
    fn matched<'a>(&self, images: &'a [ImageProbabilities]) -> Result<Vec<&'a ImageProbabilities>, FormFault> {
        let names = [paths_of(images), names_of(images), stems_of(images)];
        let mut is_asked_for = vec![false; images.len()];
        let mut missing = Vec::new();
        let mut matched = Vec::with_capacity(self.rows.len());
        for id in self.rows.iter().map(|row| &row[0]) {
            match names.iter().find_map(|names| names.get(id)).map(Vec::as_slice) {
                Some([image]) => {
                    is_asked_for[*image] = true;
                    matched.push(&images[*image]);
                }
                Some([first, second, ..]) => {
                    let [first, second] = [first, second].map(|image| images[*image].path.clone());
                    return Err(FormFault::Ambiguous { id: id.to_owned(), first, second });
                }
                _ => missing.push(id),
            }
        }
        if let Some(first) = missing.first() {
            let (count, rows, first) = (missing.len(), self.rows.len(), (*first).to_owned());
            return Err(FormFault::MissingImages { count, rows, first });
        }
        let mut extra = images.iter().zip(&is_asked_for).filter(|(_, is_asked_for)| !**is_asked_for);
        match extra.next() {
            None => Ok(matched),
            Some((first, _)) => {
                let (count, images, first) = (1 + extra.count(), images.len(), first.path.clone());
                Err(FormFault::ExtraImages { count, images, first })
            }
        }
    }
}

impl Content {
    fn cells(&self, probabilities: &[f32], settings: &SubmissionSettings<'_>) -> Vec<String> {
        let of_class = |class: &usize| csv_probability(probabilities[*class], settings.clip);
        match self {
            Self::Probability(class) => vec![of_class(class)],
            Self::Name => vec![settings.classes[aumenta_metrics::predicted_class(probabilities)].clone()],
            Self::Probabilities(classes) => classes.iter().map(of_class).collect(),
        }
    }
}

type Names<'a> = HashMap<&'a str, Vec<usize>>;

fn paths_of(images: &[ImageProbabilities]) -> Names<'_> {
    named(images, |path| path)
}

fn names_of(images: &[ImageProbabilities]) -> Names<'_> {
    named(images, file_name)
}

fn stems_of(images: &[ImageProbabilities]) -> Names<'_> {
    named(images, |path| file_name(path).rsplit_once('.').map_or(file_name(path), |(stem, _)| stem))
}

fn named<'a>(images: &'a [ImageProbabilities], name: impl Fn(&'a str) -> &'a str) -> Names<'a> {
    let mut names = Names::new();
    for (index, image) in images.iter().enumerate() {
        names.entry(name(&image.path)).or_default().push(index);
    }
    names
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(paths: &[&str]) -> Vec<ImageProbabilities> {
        let of = |(index, path): (usize, &&str)| {
            let first = 1.0 / (index + 2) as f32;
            ImageProbabilities { path: (*path).to_owned(), probabilities: Some(vec![first, 1.0 - first]) }
        };
        paths.iter().enumerate().map(of).collect()
    }

    fn cats_and_dogs() -> [String; 2] {
        ["cat".to_owned(), "dog".to_owned()]
    }

    #[track_caller]
    fn check(form: &str, paths: &[&str], expected: &str) {
        let (form, classes) = (SubmissionForm::parse(form.as_bytes()).unwrap(), cats_and_dogs());
        assert_eq!(form.fill(&images(paths), &SubmissionSettings::new(&classes)).unwrap(), expected);
    }

    #[track_caller]
    fn check_refused(form: &str, paths: &[&str], message: &str) {
        let classes = cats_and_dogs();
        let filled = SubmissionForm::parse(form.as_bytes())
            .and_then(|form| form.fill(&images(paths), &SubmissionSettings::new(&classes)));
        let ReportError::Form(fault) = filled.unwrap_err() else { panic!("it is no fault of the form") };
        assert!(fault.to_string().contains(message), "{fault}");
        let early = SubmissionForm::parse(form.as_bytes())
            .and_then(|form| form.check(paths.iter().map(ToString::to_string), &SubmissionSettings::new(&classes)));
        assert!(matches!(early, Err(ReportError::Form(early)) if early.to_string() == fault.to_string()));
    }

    #[test]
    fn ids_are_paths_names_or_names_without_extensions() {
        let paths = ["test/1.jpg", "test/2.jpg", "3.jpg"];
        check("id,label\n3,0\ntest/2.jpg,0\n1.jpg,0\n", &paths, "id,label\n3,0.75\ntest/2.jpg,0.6666666\n1.jpg,0.5\n");
    }

    #[test]
    fn one_column_gets_the_probability_of_the_last_class_or_of_the_class_that_it_is_named_after() {
        check("id,p\n1,0.5\n", &["1.png"], "id,p\n1,0.5\n");
        check("id,dog\n2,0\n1,0\n", &["1.png", "2.png"], "id,dog\n2,0.6666666\n1,0.5\n");
        check("id,cat\n2,0\n1,0\n", &["1.png", "2.png"], "id,cat\n2,0.33333334\n1,0.5\n");
    }

    #[test]
    fn names_of_classes_are_answered_by_names() {
        check("file,species\n1.png,cat\n2.png,cat\n", &["1.png", "2.png"], "file,species\n1.png,cat\n2.png,dog\n");
    }

    #[test]
    fn columns_of_classes_are_found_by_name() {
        check("id,dog,cat\n2,0,0\n1,0,0\n", &["1.png", "2.png"], "id,dog,cat\n2,0.6666666,0.33333334\n1,0.5,0.5\n");
        check_refused("id,dog,bird\n1,0,0\n", &["1.png"], "`cat` are missing, and `bird` are none of them");
    }

    #[test]
    fn ids_and_images_must_be_the_same() {
        check_refused("id,label\n1,0\n7,0\n8,0\n", &["1.png"], "2 of its 3 ids have no image, the first one is `7`");
        check_refused(
            "id,label\n1,0\n",
            &["1.png", "2.png"],
            "1 of 2 images have no id in it, the first one is `2.png`",
        );
        check_refused("id,label\n1,0\n", &["a/1.png", "b/1.png"], "could mean `a/1.png` and `b/1.png`");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        check_refused("id\n1\n", &["1.png"], "it has 1 columns and 1 rows");
        check_refused("id,label\n", &["1.png"], "0 rows");
        check_refused("id,label\n1,2,3\n", &["1.png"], "it is no CSV file");
    }

    #[test]
    fn one_column_for_many_classes_needs_a_choice() {
        let form = SubmissionForm::parse(b"id,label\n1,0.5\n").unwrap();
        let classes = ["a", "b", "c"].map(str::to_owned);
        let images = [ImageProbabilities { path: "1.png".to_owned(), probabilities: Some(vec![0.5, 0.25, 0.25]) }];
        let error = form.fill(&images, &SubmissionSettings::new(&classes)).unwrap_err();
        assert!(matches!(error, ReportError::Form(FormFault::Positive { classes: 3, .. })), "{error}");
        let chosen = SubmissionSettings { positive: Some(0), ..SubmissionSettings::new(&classes) };
        assert_eq!(form.fill(&images, &chosen).unwrap(), "id,label\n1,0.5\n");
    }

    #[test]
    fn an_image_that_cannot_be_used_is_an_error_or_is_filled_in() {
        let form = SubmissionForm::parse(b"id,label\n2,0\n1,0\n").unwrap();
        let classes = cats_and_dogs();
        let mut images = images(&["1.png", "2.png"]);
        images[0].probabilities = None;
        let error = form.fill(&images, &SubmissionSettings::new(&classes)).unwrap_err();
        assert!(matches!(error, ReportError::Form(FormFault::Unusable { count: 1, .. })), "{error}");
        let filling = SubmissionSettings { fill: Some(0.5), ..SubmissionSettings::new(&classes) };
        assert_eq!(form.fill(&images, &filling).unwrap(), "id,label\n2,0.6666666\n1,0.5\n");
    }
}
