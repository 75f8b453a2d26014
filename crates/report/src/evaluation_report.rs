//! [`EvaluationReport`]: how a network did on a split, for a terminal and as a page with pictures.

use std::fmt::Write as _;

use aumenta_metrics::{Measure, Score};
use aumenta_runs::Evaluation;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::confusion_chart::confusion_chart;
use crate::contact_sheet::{Cell, Row};
use crate::escape;
use crate::evaluation::{class_name, class_table, confused_table, confusion_table, measure_table};
use crate::number::{count, decimal};
use crate::page::page;
use crate::reliability_chart::reliability_chart;
use crate::table::{Alignment, Table};

/// How a network did on a split: one result, to be shown as text or HTML.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationReport {
    /// The headline.
    pub title: String,
    /// Names and values, such as the checkpoint's epoch.
    pub facts: Vec<(String, String)>,
    /// What was measured.
    pub evaluation: Evaluation,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The images with the largest losses, the largest first.
    pub hardest: Vec<HardImage>,
    /// A PNG file that shows them, as [`hard_rows`] arranges them.
    pub hardest_png: Option<Vec<u8>>,
}

/// An image that a network finds hard.
#[derive(Clone, Debug, PartialEq)]
pub struct HardImage {
    /// Its path within the source.
    pub path: String,
    /// Its class.
    pub truth: usize,
    /// The class that was predicted.
    pub predicted: usize,
    /// The probability of that.
    pub probability: f32,
    /// Its loss.
    pub loss: f32,
}

/// A terminal shows at most as many classes one by one, as many as a matrix, and as many pairs and images.
const CLASSES_AS_TEXT: usize = 20;
const MATRIX_AS_TEXT: usize = 10;
const LISTED_AS_TEXT: usize = 5;

/// A page lists as many pairs.
const PAIRS_ON_PAGE: usize = 20;

/// Images in a row of [`hard_rows`].
const IN_A_ROW: usize = 6;

impl EvaluationReport {
    /// Plain text for a terminal: all measures, classes (the worst ones where there are many), what was most often taken
    /// for what, and the images with the largest losses.
    pub fn to_text(&self) -> String {
        let Self { evaluation, classes, .. } = self;
        let confusion = &evaluation.confusion;
        let mut text = format!("{}\n{}\n", escape::visible(&self.title), escape::visible(&self.verdict()));
        // Writing to a string cannot fail, here and below.
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{}: {}", escape::visible(name), escape::visible(value));
        }
        let _ = write!(text, "\n{}", measure_table(evaluation).to_text());
        let (worst, others) = self.worst_classes(CLASSES_AS_TEXT);
        let _ = write!(text, "\n{}", class_table(confusion, classes, worst).to_text());
        if others > 0 {
            let _ = writeln!(text, "and {others} classes with a higher F1");
        }
        if classes.len() <= MATRIX_AS_TEXT {
            let _ = write!(text, "\n{}", confusion_table(confusion, classes).to_text());
        } else if confusion.correct() < confusion.total() {
            let _ = write!(text, "\n{}", confused_table(confusion, classes, LISTED_AS_TEXT).to_text());
        }
        if !self.hardest.is_empty() {
            let _ = write!(text, "\n{}", self.hardest_table(LISTED_AS_TEXT).to_text());
        }
        text
    }

    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    pub fn to_html(&self) -> String {
        let Self { evaluation, classes, .. } = self;
        let confusion = &evaluation.confusion;
        let fact = |(name, value): &(String, String)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", escape::html(name), escape::html(value))
        };
        let every_class = class_table(confusion, classes, 0..confusion.classes());
        let body = [
            format!(
                "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n",
                escape::html(&self.title),
                escape::html(&self.verdict())
            ),
            format!("<dl>\n{}</dl>\n", self.facts.iter().map(fact).collect::<String>()),
            section("Measures", &measure_table(evaluation).to_html(), ""),
            section("What was taken for what", &confusion_chart(confusion, classes), CONFUSION_NOTE),
            if confusion.correct() < confusion.total() {
                section("Most confused", &confused_table(confusion, classes, PAIRS_ON_PAGE).to_html(), "")
            } else {
                String::new()
            },
            section(
                "Is it right as often as it is sure?",
                &reliability_chart(&evaluation.calibration),
                CALIBRATION_NOTE,
            ),
            section("Classes", &every_class.to_html(), ""),
            self.hardest_section(),
        ];
        page(&self.title, &body.concat())
    }

    /// The accuracy, in a sentence.
    fn verdict(&self) -> String {
        let Evaluation { split, images, skipped, .. } = &self.evaluation;
        let percent = |share: f64| decimal(100.0 * share, 1);
        let Some(Score { value, interval: Some((low, high)) }) = self.evaluation.score(Measure::Accuracy) else {
            return format!("No image of the split {split} could be measured.");
        };
        let left_out = match skipped {
            0 => String::new(),
            skipped => format!(" {} images could not be used and were left out.", count(*skipped)),
        };
        format!(
            "Of {} images of the split {split}, {} % are predicted right (95% interval {} to {} %).{left_out}",
            count(*images),
            percent(value),
            percent(low),
            percent(high)
        )
    }

    /// At most `most` classes, those with the lowest F1 in the order of the classes, and how many are left.
    fn worst_classes(&self, most: usize) -> (Vec<usize>, usize) {
        let confusion = &self.evaluation.confusion;
        let f1 = |class: usize| confusion.class_scores(class).f1.unwrap_or(1.0);
        let mut classes: Vec<usize> = (0..confusion.classes()).collect();
        classes.sort_by(|a, b| f1(*a).total_cmp(&f1(*b)));
        let others = classes.split_off(most.min(classes.len())).len();
        classes.sort_unstable();
        (classes, others)
    }

    fn hardest_table(&self, most: usize) -> Table {
        let mut table = Table::new([
            ("largest losses", Alignment::Left),
            ("true", Alignment::Left),
            ("predicted", Alignment::Left),
            ("probability", Alignment::Right),
            ("loss", Alignment::Right),
        ]);
        for HardImage { path, truth, predicted, probability, loss } in self.hardest.iter().take(most) {
            let [truth, predicted] = [truth, predicted].map(|class| class_name(&self.classes, *class));
            let numbers = [decimal(f64::from(*probability), 3), decimal(f64::from(*loss), 3)];
            table.push([path.clone(), truth, predicted].into_iter().chain(numbers));
        }
        table
    }

    fn hardest_section(&self) -> String {
        let picture = self.hardest_png.as_ref().map(|png| {
            let data = STANDARD.encode(png);
            format!(
                "<img alt=\"The images with the largest losses, captioned with what they are and what they were taken \
                 for\" src=\"data:image/png;base64,{data}\">\n"
            )
        });
        if self.hardest.is_empty() {
            return String::new();
        }
        let table = self.hardest_table(self.hardest.len()).to_html();
        section("Largest losses", &(picture.unwrap_or_default() + &table), HARDEST_NOTE)
    }
}

const CONFUSION_NOTE: &str = "A row is a true class, a column what it was taken for. Numbers are images; the deeper the blue, the \
                              larger the share of the row.";
const CALIBRATION_NOTE: &str = "Blue bars are the share of images predicted right, by the confidence they were predicted with; \
                                vermilion lines lead to the mean confidence. Bars below the dashed line are overconfident.";
const HARDEST_NOTE: &str = "The network gave the true class of these images the lowest probability: wrong labels and odd images \
                            are found here first.";

fn section(heading: &str, exhibit: &str, note: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>\n") };
    format!("<h2>{heading}</h2>\n{note}<div class=\"scroll\">{exhibit}</div>\n")
}

/// Rows of a [`contact_sheet`](crate::contact_sheet()) that shows hard images with what they are, what they were taken for
/// and their loss.
pub fn hard_rows(images: Vec<(HardImage, aumenta_imgproc::Image)>, classes: &[String]) -> Vec<Row> {
    let cells: Vec<Cell> = images
        .into_iter()
        .map(|(hard, image)| {
            let HardImage { path, truth, predicted, probability, loss } = hard;
            let said = if truth == predicted {
                "recognized".to_owned()
            } else {
                format!("taken for {}", class_name(classes, predicted))
            };
            let (truth, name) = (class_name(classes, truth), path.rsplit('/').next().unwrap_or(&path));
            let (probability, loss) = (decimal(f64::from(probability), 2), decimal(f64::from(loss), 2));
            Cell { image, caption: format!("{truth}, {said} {probability}; loss {loss}; {name}") }
        })
        .collect();
    cells.chunks(IN_A_ROW).map(|cells| Row { title: String::new(), cells: cells.to_vec() }).collect()
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Image;

    use super::*;
    use crate::evaluation::tests::evaluation;

    fn hard(path: &str) -> HardImage {
        HardImage { path: path.to_owned(), truth: 0, predicted: 1, probability: 0.98, loss: 3.912 }
    }

    fn example(name: &str) -> EvaluationReport {
        EvaluationReport {
            title: format!("The run {name} on test"),
            facts: vec![("checkpoint".to_owned(), name.to_owned())],
            evaluation: evaluation(&[&[40, 10], &[5, 45]]),
            classes: vec!["cat".to_owned(), name.to_owned()],
            hardest: vec![hard(&format!("train/{name}"))],
            hardest_png: None,
        }
    }

    #[test]
    fn the_text_stays_as_it_was_written() {
        insta::assert_snapshot!(example("dog").to_text());
    }

    #[test]
    fn many_classes_are_cut_to_the_worst() {
        let rows: Vec<Vec<u64>> = (0..30)
            .map(|class| (0..30).map(|other| if class == other { 1 + class as u64 } else { 1 }).collect())
            .collect();
        let rows: Vec<&[u64]> = rows.iter().map(Vec::as_slice).collect();
        let classes = (0..30).map(|class| format!("kind {class}")).collect();
        let report = EvaluationReport { evaluation: evaluation(&rows), classes, ..example("dog") };
        let text = report.to_text();
        assert!(text.contains("kind 19") && !text.contains("kind 20 "), "{text}");
        assert!(text.contains("and 10 classes with a higher F1") && text.contains("taken for"), "{text}");
        assert!(report.to_html().contains("kind 29"));
    }

    #[test]
    fn the_page_says_and_shows_and_needs_nothing_from_elsewhere() {
        let html = EvaluationReport { hardest_png: Some(b"\x89PNG".to_vec()), ..example("dog") }.to_html();
        let said = "Of 100 images of the split test, 85.0 % are predicted right (95% interval 76.7 to 90.7 %).";
        assert!(html.contains(said), "{html}");
        assert_eq!(html.matches("<svg ").count(), 2);
        assert!(html.contains("src=\"data:image/png;base64,iVBORw==\""));
        assert_eq!(html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").matches("http").count(), 0);
        assert!(!html.contains("<script") && !html.contains("<link"));
    }

    #[test]
    fn names_from_strangers_cannot_become_markup() {
        let report = example("<script>\"'&\u{1b}");
        let html = report.to_html();
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
        assert!(!report.to_text().contains('\u{1b}'));
    }

    #[test]
    fn an_evaluation_of_no_images_is_shown_too() {
        let report = EvaluationReport { evaluation: evaluation(&[&[0, 0], &[0, 0]]), ..example("dog") };
        assert!(report.to_html().contains("No image of the split test could be measured."));
        assert!(!report.to_html().contains("NaN"));
    }

    #[test]
    fn hard_images_stand_in_rows_with_captions() {
        let images = vec![(hard("train/cat.7.jpg"), Image::filled(8, 8, [0; 3])); 7];
        let rows = hard_rows(images, &["cat".to_owned(), "dog".to_owned()]);
        assert_eq!(rows.iter().map(|row| row.cells.len()).collect::<Vec<_>>(), [6, 1]);
        assert_eq!(rows[0].cells[0].caption, "cat, taken for dog 0.98; loss 3.91; cat.7.jpg");
    }
}
