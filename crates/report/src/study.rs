//! [`StudyReport`]: what a study has come to, as a page, as Markdown and as JSON.

mod band;
mod band_chart;
mod book;
mod factor;
mod heat_map;
mod interval_chart;
mod response_chart;
mod sentence;

use aumenta_study::{ArmResult, Comparison, Fate, Outcome, StudyResult, Verdict};
use serde_json::json;

use self::book::{BOOK, BookNumber};
use self::factor::{grids, responses};
use self::heat_map::heat_map;
use self::interval_chart::interval_chart;
use self::response_chart::response_chart;
use self::sentence::{capitalized, findings, seeds, signed, with_interval};
use crate::curves::Quantity;
use crate::error::ReportError;
use crate::escape;
use crate::number::{count, decimal, duration, probability};
use crate::page::{MEASURED, page};
use crate::table::{Alignment, Table};

/// What a study has come to: one result with several exporters.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyReport {
    /// The headline.
    pub title: String,
    /// The arms and how they compare.
    pub result: StudyResult,
    /// The outcomes that sentences and charts speak of.
    pub outcomes: Vec<Outcome>,
    /// Names and values, such as the data and the base's model.
    pub facts: Vec<(String, String)>,
    /// What differs from the book's protocol, where its numbers are to be shown beside.
    pub book: Option<Vec<String>>,
    /// The commands that make this report again, one a line of a shell.
    pub commands: Vec<String>,
}

/// A chart of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyChart {
    /// The name of its file, without an extension.
    pub name: String,
    /// What it shows.
    pub heading: String,
    /// An SVG document.
    pub svg: String,
}

/// Arms of more than so many are not drawn one by one.
const ONE_BY_ONE: usize = 12;

impl StudyReport {
    /// What the study shows, in words: plain text, not yet escaped for any format.
    pub fn findings(&self) -> Vec<String> {
        findings(&self.result, &self.outcomes)
    }

    /// All charts, in their order.
    ///
    /// # Errors
    /// [`ReportError::Chart`] where the plotting library refuses.
    pub fn charts(&self) -> Result<Vec<StudyChart>, ReportError> {
        let arms = &self.result.arms;
        let lines: &[BookNumber] = if self.book.is_some() { &BOOK } else { &[] };
        let lines: Vec<BookNumber> = lines.iter().copied().filter(|number| number.is_line).collect();
        let mut charts = Vec::new();
        if arms.len() <= ONE_BY_ONE {
            for quantity in [Quantity::Accuracy, Quantity::Loss] {
                let references: &[BookNumber] = if quantity == Quantity::Accuracy { &lines } else { &[] };
                charts.push(StudyChart {
                    name: format!("validation-{}", quantity.name()),
                    heading: format!("Validation {} by epoch", quantity.name()),
                    svg: band_chart::validation_chart(arms, quantity, references)?,
                });
            }
        }
        for outcome in &self.outcomes {
            charts.push(StudyChart {
                name: outcome.name().to_owned(),
                heading: capitalized(outcome.title()),
                svg: interval_chart(arms, *outcome),
            });
        }
        for response in responses(arms, &self.outcomes) {
            let (setting, outcome) = (&response.setting, response.outcome);
            charts.extend(response_chart(&response)?.map(|svg| StudyChart {
                name: format!("{}-by-{}", outcome.name(), setting.replace('.', "-")),
                heading: format!("{} against {setting}", capitalized(outcome.title())),
                svg,
            }));
        }
        charts.extend(grids(arms, &self.outcomes).iter().map(|grid| StudyChart {
            name: format!("{}-map", grid.outcome.name()),
            heading: format!("{} over both settings", capitalized(grid.outcome.title())),
            svg: heat_map(grid),
        }));
        Ok(charts)
    }

    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    ///
    /// # Errors
    /// As [`StudyReport::charts`].
    pub fn to_html(&self) -> Result<String, ReportError> {
        let paragraph = |text: &String| format!("<p class=\"lead\">{}</p>\n", escape::html(text));
        let figure =
            |chart: &StudyChart| format!("<div>\n<h2>{}</h2>\n{}</div>\n", escape::html(&chart.heading), chart.svg);
        let charts: String = self.charts()?.iter().map(figure).collect();
        let body = [
            format!("<h1>{}</h1>\n", escape::html(&self.title)),
            self.findings().iter().map(paragraph).collect(),
            section("The arms", ARMS_NOTE, &self.arm_table().to_html()),
            format!("<div class=\"curves\">\n{charts}</div>\n<p class=\"note\">{BANDS_NOTE}</p>\n"),
            self.arm_curves()?,
            section("Comparisons", COMPARISONS_NOTE, &self.comparison_table(&self.outcomes).to_html()),
            self.left_out().map_or_else(String::new, |table| section("Left out", "", &table.to_html())),
            self.book.as_ref().map_or_else(String::new, |differences| book_section(differences)),
            self.fact_section(),
        ];
        Ok(page(&self.title, &body.concat()))
    }

    /// The words and tables of the page, as GitHub Flavored Markdown.
    pub fn to_markdown(&self) -> String {
        let list = |lines: &[String]| {
            lines.iter().map(|line| format!("- {}\n", escape::markdown(line))).collect::<Vec<String>>().concat()
        };
        let findings: Vec<String> = self.findings().iter().map(|text| escape::markdown(text) + "\n").collect();
        let book = self.book.as_ref().map(|differences| {
            format!("## {BOOK_HEADING}\n\n{}\n{BOOK_NOTE}\n\n{}", book_table().to_markdown(), list(differences))
        });
        let facts: Vec<String> = self.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let command = |line: &String| format!("    {}\n", escape::visible(line));
        let commands: String = self.commands.iter().map(command).collect();
        let parts = [
            Some(format!("# {}\n", escape::markdown(&self.title))),
            Some(findings.join("\n")),
            Some(format!("## The arms\n\n{}\n{ARMS_NOTE}\n", self.arm_table().to_markdown())),
            Some(format!(
                "## Comparisons\n\n{}\n{COMPARISONS_NOTE}\n",
                self.comparison_table(&self.outcomes).to_markdown()
            )),
            self.left_out().map(|table| format!("## Left out\n\n{}", table.to_markdown())),
            book,
            (!facts.is_empty()).then(|| format!("## Data and base\n\n{}", list(&facts))),
            (!commands.is_empty()).then(|| format!("## Run it again\n\n{commands}")),
        ];
        parts.into_iter().flatten().collect::<Vec<String>>().join("\n")
    }

    /// Plain text for a terminal: the arms in the outcomes that are spoken of, and what they show.
    pub fn to_text(&self) -> String {
        let columns = self.outcomes.iter().map(|outcome| (outcome.title(), Alignment::Right));
        let mut table = Table::new([("arm", Alignment::Left), ("seeds", Alignment::Right)].into_iter().chain(columns));
        for arm in &self.result.arms {
            let cells = self.outcomes.iter().map(|outcome| self.spread_cell(arm, *outcome));
            table.push([arm.name.clone(), seeds_cell(arm)].into_iter().chain(cells));
        }
        let findings: Vec<String> = self.findings().iter().map(|text| escape::visible(text) + "\n").collect();
        format!("{}\n\n{}\n{}", escape::visible(&self.title), table.to_text(), findings.join("\n"))
    }

    /// All numbers: arms with their trials and spreads, comparisons in every outcome, and the findings.
    pub fn to_json(&self) -> serde_json::Value {
        json!({
            "format": 1,
            "title": self.title,
            "findings": self.findings(),
            "outcomes": self.outcomes,
            "arms": self.result.arms,
            "comparisons": self.result.comparisons,
            "facts": self.facts.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
        })
    }

    /// A row an arm: each outcome over its finished seeds.
    pub fn arm_table(&self) -> Table {
        let arms = &self.result.arms;
        let shown = |outcome: &Outcome| arms.iter().any(|arm| arm.spreads.contains_key(outcome));
        let rest = Outcome::ALL.into_iter().filter(|outcome| !self.outcomes.contains(outcome));
        let outcomes: Vec<Outcome> = self.outcomes.iter().copied().chain(rest).filter(shown).collect();
        let columns = outcomes.iter().map(|outcome| (outcome.title(), Alignment::Right));
        let mut table = Table::new([("arm", Alignment::Left), ("seeds", Alignment::Right)].into_iter().chain(columns));
        for arm in arms {
            let cells = outcomes.iter().map(|outcome| self.spread_cell(arm, *outcome));
            table.push([arm.name.clone(), seeds_cell(arm)].into_iter().chain(cells));
        }
        table
    }

    /// With its interval where it is spoken of, else with its standard deviation.
    fn spread_cell(&self, arm: &ArmResult, outcome: Outcome) -> String {
        let Some(spread) = arm.spreads.get(&outcome) else { return decimal(f64::NAN, 0) };
        let of = match spread.count {
            count if count == arm.finished().count() => String::new(),
            count => format!(" ({})", seeds(count)),
        };
        let digits = outcome.digits();
        let value = match (outcome, spread.standard_deviation) {
            (Outcome::Seconds, _) => duration(spread.mean),
            (outcome, _) if self.outcomes.contains(&outcome) => with_interval(spread, outcome),
            (_, Some(deviation)) => format!("{} ± {}", decimal(spread.mean, digits), decimal(deviation, digits)),
            (_, None) => decimal(spread.mean, digits),
        };
        value + &of
    }

    /// A row a comparison in one of `outcomes`.
    pub fn comparison_table(&self, outcomes: &[Outcome]) -> Table {
        let mut table = Table::new([
            ("arm", Alignment::Left),
            ("against", Alignment::Left),
            ("outcome", Alignment::Left),
            ("pairs", Alignment::Right),
            ("difference [95%]", Alignment::Right),
            ("effect size", Alignment::Right),
            ("p permutation", Alignment::Right),
            ("Holm", Alignment::Right),
            ("p t test", Alignment::Right),
            ("Holm", Alignment::Right),
            ("verdict", Alignment::Left),
        ]);
        let asked = outcomes.iter().flat_map(|outcome| {
            self.result.comparisons.iter().filter(move |comparison| comparison.outcome == *outcome)
        });
        for comparison in asked {
            table.push(self.comparison_row(comparison));
        }
        table
    }

    fn comparison_row(&self, comparison: &Comparison) -> [String; 11] {
        let (paired, digits) = (&comparison.paired, comparison.outcome.digits());
        let name = |arm: usize| self.result.arms[arm].name.clone();
        let interval = paired.interval.map_or_else(String::new, |interval| {
            format!(" [{}, {}]", decimal(interval.low, digits), decimal(interval.high, digits))
        });
        let p = |p: Option<f64>| p.map_or_else(|| decimal(f64::NAN, 0), probability);
        [
            name(comparison.arm),
            name(comparison.against),
            comparison.outcome.title().to_owned(),
            count(paired.pairs as u64),
            signed(paired.difference, digits) + &interval,
            decimal(paired.effect_size.unwrap_or(f64::NAN), 1),
            p(Some(paired.sign_flip.p)),
            p(Some(comparison.corrected_sign_flip_p)),
            p(paired.t_p),
            p(comparison.corrected_t_p),
            match comparison.verdict {
                Verdict::Higher => "higher",
                Verdict::Lower => "lower",
                Verdict::NotShown => "no difference shown",
            }
            .to_owned(),
        ]
    }

    /// A row a trial that is in no number, and why; `None` where all are.
    fn left_out(&self) -> Option<Table> {
        let mut table = Table::new([
            ("arm", Alignment::Left),
            ("seed", Alignment::Right),
            ("epochs", Alignment::Right),
            ("why", Alignment::Left),
        ]);
        let mut any = false;
        for (arm, trial) in self.result.arms.iter().flat_map(|arm| arm.trials.iter().map(move |trial| (arm, trial))) {
            let why = match &trial.fate {
                Fate::Finished => continue,
                Fate::Failed { cause } => format!("failed: {cause}"),
                Fate::Ended => "ended by halving: other arms were better after as many epochs".to_owned(),
                Fate::Unfinished => "interrupted, or the budget was spent".to_owned(),
            };
            any = true;
            table.push([arm.name.clone(), trial.seed.to_string(), count(trial.epochs.len() as u64), why]);
        }
        any.then_some(table)
    }

    fn arm_curves(&self) -> Result<String, ReportError> {
        if self.result.arms.len() > ONE_BY_ONE {
            return Ok(String::new());
        }
        let charts = |quantity| band_chart::arm_charts(&self.result.arms, quantity);
        let (accuracy, loss) = (charts(Quantity::Accuracy)?.concat(), charts(Quantity::Loss)?.concat());
        Ok(format!(
            "<h2>Both curves of each arm: accuracy</h2>\n<p class=\"note\">{MEASURED}</p>\n<div class=\"curves\">\n{accuracy}\
             </div>\n<h2>Both curves of each arm: loss</h2>\n<div class=\"curves\">\n{loss}</div>\n"
        ))
    }

    fn fact_section(&self) -> String {
        let fact = |(name, value): &(String, String)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", escape::html(name), escape::html(value))
        };
        let facts: String = self.facts.iter().map(fact).collect();
        let commands: String = self.commands.iter().map(|line| escape::html(line) + "\n").collect();
        let facts = if facts.is_empty() { facts } else { format!("<h2>Data and base</h2>\n<dl>\n{facts}</dl>\n") };
        let commands =
            if commands.is_empty() { commands } else { format!("<h2>Run it again</h2>\n<pre>{commands}</pre>\n") };
        facts + &commands
    }
}

const ARMS_NOTE: &str = "Means over the seeds that have finished: in brackets the 95% interval of the mean, after ± the standard \
                         deviation. The best validation accuracy is chosen among epochs by the validation images themselves, so \
                         it is a little too good.";
const BANDS_NOTE: &str = "Curves are means over seeds, and bands reach from the lowest to the highest seed. In charts of outcomes, \
                          bars are 95% intervals of the mean.";
const COMPARISONS_NOTE: &str = "Differences are taken seed by seed, arm minus the one it is compared with. The effect size is \
                                Cohen's d of pairs with Hedges' correction. p are two-sided; Holm corrects them for all \
                                comparisons in one outcome.";
const BOOK_HEADING: &str = "The book's numbers";
const BOOK_NOTE: &str = "François Chollet, \"Deep Learning with Python\", 2017, chapter 5, one run each. What differs here from its \
                         protocol:";

fn book_section(differences: &[String]) -> String {
    let item = |line: &String| format!("<li>{}</li>\n", escape::html(line));
    let items: String = differences.iter().map(item).collect();
    section(BOOK_HEADING, "", &book_table().to_html()) + &format!("<p>{BOOK_NOTE}</p>\n<ul>\n{items}</ul>\n")
}

fn book_table() -> Table {
    let mut table = Table::new([
        ("section", Alignment::Left),
        ("trained", Alignment::Left),
        ("measured", Alignment::Left),
        ("accuracy", Alignment::Right),
        ("what is known of it", Alignment::Left),
    ]);
    for BookNumber { section, what, measured, accuracy, known, .. } in BOOK {
        table.push([section.to_owned(), what.to_owned(), measured.to_owned(), decimal(accuracy, 3), known.to_owned()]);
    }
    table
}

fn section(heading: &str, note: &str, exhibit: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>\n") };
    format!("<h2>{heading}</h2>\n{note}<div class=\"scroll\">{exhibit}</div>\n")
}

fn seeds_cell(arm: &ArmResult) -> String {
    let (finished, all) = (arm.finished().count(), arm.trials.len());
    if finished == all { finished.to_string() } else { format!("{finished} of {all}") }
}

#[cfg(test)]
pub(crate) mod tests {
    use aumenta_metrics::Measure;
    use aumenta_study::TrialResult;

    use super::*;
    use crate::summary::tests::run;

    pub(crate) fn trial(seed: u64, fate: Fate, accuracies: &[(f64, f64)]) -> TrialResult {
        TrialResult::new(seed, fate, run("trial", accuracies).epochs, Measure::Accuracy, None)
    }

    /// An arm whose trials, with seeds from 1, have an epoch for each pair of accuracies (training, validation).
    pub(crate) fn arm(name: &str, against: Option<usize>, trials: &[&[(f64, f64)]]) -> ArmResult {
        let trials = (1..).zip(trials).map(|(seed, accuracies)| trial(seed, Fate::Finished, accuracies));
        ArmResult::new(name, Vec::new(), against, trials.collect())
    }

    /// An arm whose trials have one epoch with these accuracies.
    pub(crate) fn ends(name: &str, against: Option<usize>, endings: &[(f64, f64)]) -> ArmResult {
        let trials: Vec<&[(f64, f64)]> = endings.iter().map(std::slice::from_ref).collect();
        arm(name, against, &trials)
    }

    fn example(name: &str) -> StudyReport {
        let mut plain = arm("plain", None, &[&[(0.7, 0.7), (0.98, 0.72)], &[(0.7, 0.7), (0.97, 0.73)]]);
        let mut both = arm(name, Some(0), &[&[(0.6, 0.65), (0.8, 0.8)], &[(0.6, 0.64), (0.81, 0.84)]]);
        for (arm, dropout) in [(&mut plain, "0"), (&mut both, "0.5")] {
            arm.trials.push(trial(3, Fate::Failed { cause: format!("no memory for {name}") }, &[(0.5, 0.5)]));
            let settings = vec![("model.dropout".to_owned(), dropout.to_owned())];
            *arm = ArmResult::new(arm.name.clone(), settings, arm.against, arm.trials.clone());
        }
        StudyReport {
            title: format!("Does {name} help?"),
            result: StudyResult::of(vec![plain, both]),
            outcomes: vec![Outcome::FinalGap, Outcome::LateValidation],
            facts: vec![("data".to_owned(), name.to_owned())],
            book: Some(vec![format!("the images are of {name}")]),
            commands: vec!["aumenta study --preset lecture".to_owned()],
        }
    }

    #[test]
    fn the_markdown_stays_as_it_was_written() {
        insta::assert_snapshot!(example("both").to_markdown());
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_shows_every_chart() {
        let report = example("both");
        let html = report.to_html().unwrap();
        let addresses = html.split("http").skip(1).filter(|rest| !rest.starts_with("://www.w3.org/2000/svg\""));
        assert_eq!(addresses.count(), 0);
        assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("NaN"));
        let names: Vec<String> = report.charts().unwrap().into_iter().map(|chart| chart.name).collect();
        let expected = [
            "validation-accuracy",
            "validation-loss",
            "final-gap",
            "late-validation",
            "final-gap-by-model-dropout",
            "late-validation-by-model-dropout",
        ];
        assert_eq!(names, expected);
        assert_eq!(html.matches("<svg ").count(), 6 + 4);
        assert!(html.contains("book 5.2: 0.724"));
    }

    #[test]
    fn names_from_strangers_cannot_become_markup() {
        let report = example("<script>|\u{1b}");
        let (html, markdown) = (report.to_html().unwrap(), report.to_markdown());
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
        assert!(!markdown.replace("\\<", "").contains('<') && !markdown.contains('\u{1b}'), "{markdown}");
    }

    #[test]
    fn the_numbers_are_there_for_machines() {
        let json = example("both").to_json();
        assert_eq!(json["arms"][1]["trials"][0]["outcomes"]["final-validation"], 0.8);
        assert_eq!(json["arms"][0]["trials"][2]["fate"]["cause"], "no memory for both");
        let comparison = &json["comparisons"][0];
        assert_eq!((&comparison["paired"]["pairs"], &comparison["basis"]), (&json!(2), &json!("t")));
    }

    #[test]
    fn a_study_of_nothing_is_still_a_page() {
        let result = StudyResult::of(vec![arm("plain", None, &[])]);
        let report = StudyReport { result, book: None, facts: vec![], commands: vec![], ..example("both") };
        let html = report.to_html().unwrap();
        assert!(html.contains("No trial has finished") && !html.contains("NaN"), "{html}");
    }
}
