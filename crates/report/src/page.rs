//! [`OverfittingReport`]: the page that shows what over-fitting is and what was done against it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::curves::{Curve, Quantity, panels};
use crate::error::ReportError;
use crate::escape;
use crate::number::count;
use crate::sentence::conclusion;
use crate::summary::{RunSummary, summary_table};
use crate::table::{Alignment, Table};

/// Runs side by side, with the data they were trained on: one result, to be shown as HTML or Markdown.
#[derive(Clone, Debug, PartialEq)]
pub struct OverfittingReport {
    /// The headline.
    pub title: String,
    /// The runs; the first is the one that the others are compared with.
    pub runs: Vec<RunSummary>,
    /// What they were trained on.
    pub data: DataFacts,
    /// A PNG file with augmented images, such as [`contact_sheet`](crate::contact_sheet) makes.
    pub contact_sheet_png: Option<Vec<u8>>,
    /// The commands that make this report again, one a line of a shell.
    pub commands: Vec<String>,
}

/// What the runs were trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFacts {
    /// Where the images came from, in a phrase.
    pub source: String,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The splits, in the order in which they are to be shown.
    pub splits: Vec<SplitFacts>,
    /// The hash of the manifest that says which image is in which split.
    pub manifest_hash: String,
}

/// How many images a split has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitFacts {
    /// The split's name.
    pub name: String,
    /// The number of images of each class, in the order of [`DataFacts::classes`].
    pub images_by_class: Vec<u64>,
}

impl OverfittingReport {
    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    ///
    /// # Errors
    /// [`ReportError::Chart`] where the curves cannot be drawn.
    pub fn to_html(&self) -> Result<String, ReportError> {
        let title = escape::html(&self.title);
        let paragraph = |text: &String| format!("<p class=\"lead\">{}</p>\n", escape::html(text));
        let paragraphs: Vec<String> = conclusion(&self.runs).iter().map(paragraph).collect();
        let sections = [
            format!("<h1>{title}</h1>\n"),
            paragraphs.concat(),
            format!("<h2>The runs</h2>\n<div class=\"scroll\">{}</div>\n", summary_table(&self.runs).to_html()),
            descriptions(&self.runs),
            self.curves(Quantity::Accuracy, "Accuracy by epoch")?,
            format!("<p class=\"note\">{}</p>\n", escape::html(MEASURED)),
            self.curves(Quantity::Loss, "Loss by epoch")?,
            self.contact_sheet(),
            self.data_section(),
            self.command_section(),
        ];
        Ok(page(&self.title, &sections.concat()))
    }

    /// The words and tables of the page, as GitHub Flavored Markdown.
    pub fn to_markdown(&self) -> String {
        let paragraphs: Vec<String> = conclusion(&self.runs).iter().map(|text| escape::markdown(text) + "\n").collect();
        let description =
            |run: &RunSummary| format!("- **{}**: {}\n", escape::markdown(&run.name), escape::markdown(&describe(run)));
        let descriptions: Vec<String> = self.runs.iter().map(description).collect();
        let commands: Vec<String> =
            self.commands.iter().map(|command| format!("    {}\n", escape::visible(command))).collect();
        let parts = [
            format!("# {}\n", escape::markdown(&self.title)),
            paragraphs.join("\n"),
            summary_table(&self.runs).to_markdown(),
            descriptions.concat(),
            format!("{MEASURED}\n"),
            format!("## The data\n\n{}\n", escape::markdown(&self.data.source)),
            self.data.table().to_markdown(),
            format!("Manifest: {}\n", escape::markdown(&self.data.manifest_hash)),
            if commands.is_empty() { String::new() } else { format!("## Run it again\n\n{}", commands.concat()) },
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    fn curves(&self, quantity: Quantity, heading: &str) -> Result<String, ReportError> {
        let curves: Vec<Curve> = self.runs.iter().map(|run| Curve { name: &run.name, epochs: &run.epochs }).collect();
        Ok(format!("<h2>{heading}</h2>\n<div class=\"curves\">\n{}</div>\n", panels(&curves, quantity)?.concat()))
    }

    fn contact_sheet(&self) -> String {
        let section = |png: &Vec<u8>| {
            let data = STANDARD.encode(png);
            format!(
                "<h2>What augmentation makes of an image</h2>\n<div class=\"scroll\"><img alt=\"Augmented images, captioned \
                 with what was drawn for each\" src=\"data:image/png;base64,{data}\"></div>\n"
            )
        };
        self.contact_sheet_png.as_ref().map(section).unwrap_or_default()
    }

    fn data_section(&self) -> String {
        format!(
            "<h2>The data</h2>\n<p>{}</p>\n<div class=\"scroll\">{}</div>\n<p class=\"note\">Manifest {}</p>\n",
            escape::html(&self.data.source),
            self.data.table().to_html(),
            escape::html(&self.data.manifest_hash)
        )
    }

    fn command_section(&self) -> String {
        if self.commands.is_empty() {
            return String::new();
        }
        format!("<h2>Run it again</h2>\n<pre>{}</pre>\n", escape_lines(&self.commands))
    }
}

impl DataFacts {
    /// A row a split: its images of each class and in all.
    fn table(&self) -> Table {
        let classes = self.classes.iter().map(|class| (class.as_str(), Alignment::Right));
        let columns = [("split", Alignment::Left)].into_iter().chain(classes).chain([("images", Alignment::Right)]);
        let mut table = Table::new(columns);
        for split in &self.splits {
            let of_class = |class: usize| split.images_by_class.get(class).copied().unwrap_or(0);
            let counts = (0..self.classes.len()).map(|class| count(of_class(class)));
            let total = count(split.images_by_class.iter().sum());
            table.push([split.name.clone()].into_iter().chain(counts).chain([total]));
        }
        table
    }
}

const STYLE: &str = include_str!("page.css");

/// A page around `body`, which is HTML.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escape::html(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// What a reader must know to read the gap right.
pub const MEASURED: &str = "Training accuracy is measured while training, with the run's augmentation and dropout on; \
                        validation accuracy after each epoch, with both off.";

fn descriptions(runs: &[RunSummary]) -> String {
    let row =
        |run: &RunSummary| format!("<dt>{}</dt><dd>{}</dd>\n", escape::html(&run.name), escape::html(&describe(run)));
    format!("<dl>\n{}</dl>\n", runs.iter().map(row).collect::<String>())
}

/// What was done to a run, and with which network.
fn describe(run: &RunSummary) -> String {
    let network = format!("{}, {} parameters, seed {}", run.info.model, count(run.info.parameters), run.info.seed);
    if run.description.is_empty() { network } else { format!("{}; {network}", run.description) }
}

fn escape_lines(lines: &[String]) -> String {
    lines.iter().map(|line| escape::html(line) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::{evaluation, run};

    fn example() -> OverfittingReport {
        let mut plain = run("plain", &[(0.7, 0.7), (0.9, 0.8), (0.99, 0.81)]);
        plain.evaluation = Some(evaluation(800));
        let mut augmented = run("augmented", &[(0.65, 0.7), (0.8, 0.83), (0.89, 0.88)]);
        augmented.evaluation = Some(evaluation(870));
        augmented.description = "augmentation and dropout".to_owned();
        OverfittingReport {
            title: "Cats and dogs".to_owned(),
            runs: vec![plain, augmented],
            data: DataFacts {
                source: "4,000 photographs of a Kaggle competition".to_owned(),
                classes: vec!["cat".to_owned(), "dog".to_owned()],
                splits: vec![
                    SplitFacts { name: "train".to_owned(), images_by_class: vec![1000, 1000] },
                    SplitFacts { name: "validation".to_owned(), images_by_class: vec![500, 500] },
                ],
                manifest_hash: "9f2c41".to_owned(),
            },
            contact_sheet_png: Some(b"\x89PNG".to_vec()),
            commands: vec!["aumenta study my-run --seed 7".to_owned()],
        }
    }

    #[test]
    fn the_markdown_stays_as_it_was_written() {
        insta::assert_snapshot!(example().to_markdown());
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let html = example().to_html().unwrap();
        let addresses = html.split("http").skip(1).filter(|rest| !rest.starts_with("://www.w3.org/2000/svg\""));
        assert_eq!(addresses.count(), 0);
        assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("@import"));
        assert!(html.contains("data:image/png;base64,iVBORw==\""));
    }

    #[test]
    fn the_page_says_shows_and_tells_how() {
        let html = example().to_html().unwrap();
        assert!(html.contains("the gap closes from 0.18 to 0.01 and validation accuracy rises from 0.81 to 0.88"));
        assert!(html.contains("0.870 (0.848 to 0.889)"));
        assert_eq!(html.matches("<svg ").count(), 4);
        assert!(html.contains("aumenta study my-run --seed 7"));
    }

    #[test]
    fn names_from_strangers_cannot_become_markup() {
        let hostile = "<script>alert('x')</script>\"&";
        let mut report = example();
        report.title = hostile.to_owned();
        report.runs[0].name = hostile.to_owned();
        report.runs[0].description = hostile.to_owned();
        report.runs[0].info.model = hostile.to_owned();
        report.data.source = hostile.to_owned();
        report.data.classes[0] = hostile.to_owned();
        report.data.splits[0].name = hostile.to_owned();
        report.data.manifest_hash = hostile.to_owned();
        report.commands[0] = hostile.to_owned();
        let html = report.to_html().unwrap();
        assert!(!html.contains("<script"), "{html}");
        let (prose, commands) =
            report.to_markdown().split_once("## Run it again").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(!prose.replace("\\<", "").contains('<'), "{prose}");
        assert_eq!(commands, format!("\n\n    {hostile}\n"));
    }

    #[test]
    fn a_report_of_nothing_is_still_a_page() {
        let data = DataFacts { source: String::new(), classes: vec![], splits: vec![], manifest_hash: String::new() };
        let report =
            OverfittingReport { title: String::new(), runs: vec![], data, contact_sheet_png: None, commands: vec![] };
        let html = report.to_html().unwrap();
        assert!(
            html.contains("There is no run to speak about.")
                && !html.contains("<img")
                && !html.contains("Run it again")
        );
    }

    #[test]
    fn the_same_report_gives_the_same_bytes() {
        assert_eq!(example().to_html().unwrap(), example().to_html().unwrap());
    }
}
