//! [`InspectionReport`]: what a data set is like and what is wrong with it, for a terminal and as a page with pictures.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::escape;
use crate::histogram::Histogram;
use crate::number::count;
use crate::page::page;
use crate::table::{Alignment, Table};

/// What is known of a data set: one result, to be shown as text or HTML.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InspectionReport {
    /// The headline.
    pub title: String,
    /// What was found, in sentences.
    pub summary: Vec<String>,
    /// What the images are like.
    pub sections: Vec<Section>,
    /// What is wrong or odd, the worst first.
    pub findings: Vec<FindingGroup>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// A part of an inspection.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// What it shows.
    pub exhibit: Exhibit,
}

/// What a section shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Exhibit {
    /// A table.
    Table(Table),
    /// Bars.
    Histogram(Histogram),
}

/// Findings of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingGroup {
    /// The kind's name.
    pub name: String,
    /// How bad it is, in a word.
    pub severity: String,
    /// What it means and what to do about it.
    pub meaning: String,
    /// All findings of the kind, in the order in which they are to be shown.
    pub findings: Vec<Shown>,
}

/// A finding and what it looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The path of the image.
    pub path: String,
    /// What was found.
    pub text: String,
    /// The image and those that it is compared with; none where the page has no room for it.
    pub pictures: Vec<Picture>,
}

/// An image on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Its path.
    pub path: String,
    /// A small JPEG file; `None` where the image cannot be decoded.
    pub jpeg: Option<Vec<u8>>,
}

/// As many findings of a kind are listed in a terminal.
const LISTED_AS_TEXT: usize = 10;

/// As many findings of a kind without pictures are listed on a page.
const LISTED_ON_PAGE: usize = 500;

impl InspectionReport {
    /// Plain text for a terminal; of each kind the first findings.
    pub fn to_text(&self) -> String {
        let mut text: String = self.summary.iter().map(|line| escape::visible(line) + "\n").collect();
        for Section { heading, exhibit } in &self.sections {
            let exhibit = match exhibit {
                Exhibit::Table(table) => table.to_text(),
                Exhibit::Histogram(histogram) => histogram.to_text(),
            };
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{}\n\n{exhibit}", escape::visible(heading));
        }
        if !self.findings.is_empty() {
            let _ = write!(text, "\nFindings\n\n{}", self.finding_table().to_text());
        }
        for group in &self.findings {
            let _ = write!(text, "\n{}: {}\n", escape::visible(&group.name), escape::visible(&group.meaning));
            for Shown { path, text: found, .. } in group.findings.iter().take(LISTED_AS_TEXT) {
                let _ = writeln!(text, "  {}: {}", escape::visible(path), escape::visible(found));
            }
            if group.findings.len() > LISTED_AS_TEXT {
                let _ = writeln!(text, "  and {} more", count((group.findings.len() - LISTED_AS_TEXT) as u64));
            }
        }
        for note in &self.notes {
            let _ = write!(text, "\n{}\n", escape::visible(note));
        }
        text
    }

    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    pub fn to_html(&self) -> String {
        let paragraph = |text: &String| format!("<p class=\"lead\">{}</p>\n", escape::html(text));
        let note = |text: &String| format!("<p class=\"note\">{}</p>\n", escape::html(text));
        let section = |section: &Section| {
            let exhibit = match &section.exhibit {
                Exhibit::Table(table) => table.to_html(),
                Exhibit::Histogram(histogram) => histogram.to_html(),
            };
            let heading = escape::html(&section.heading);
            format!("<section>\n<h2>{heading}</h2>\n<div class=\"scroll\">{exhibit}</div>\n</section>\n")
        };
        let findings = if self.findings.is_empty() {
            String::new()
        } else {
            let table = self.finding_table().to_html();
            format!("<h2>Findings</h2>\n<div class=\"scroll\">{table}</div>\n")
        };
        let body = [
            format!("<h1>{}</h1>\n", escape::html(&self.title)),
            self.summary.iter().map(paragraph).collect(),
            findings,
            self.findings.iter().map(FindingGroup::to_html).collect(),
            format!("<div class=\"sections\">\n{}</div>\n", self.sections.iter().map(section).collect::<String>()),
            self.notes.iter().map(note).collect(),
        ];
        page(&self.title, &body.concat())
    }

    /// A row a kind.
    fn finding_table(&self) -> Table {
        let columns = [("kind", Alignment::Left), ("severity", Alignment::Left), ("images", Alignment::Right)];
        let mut table = Table::new(columns);
        for FindingGroup { name, severity, findings, .. } in &self.findings {
            table.push([name.clone(), severity.clone(), count(findings.len() as u64)]);
        }
        table
    }
}

impl FindingGroup {
    fn to_html(&self) -> String {
        let (shown, listed): (Vec<&Shown>, Vec<&Shown>) =
            self.findings.iter().partition(|finding| !finding.pictures.is_empty());
        let cards: String = shown.into_iter().map(Shown::to_card).collect();
        let item = |finding: &&Shown| {
            format!("<li><b>{}</b>: {}</li>\n", escape::html(&finding.path), escape::html(&finding.text))
        };
        let items: String = listed.iter().take(LISTED_ON_PAGE).map(item).collect();
        let left = listed.len().saturating_sub(LISTED_ON_PAGE);
        let more =
            if left > 0 { format!("<p class=\"note\">and {} more</p>\n", count(left as u64)) } else { String::new() };
        let list = if listed.is_empty() {
            String::new()
        } else {
            let without = count(listed.len() as u64);
            format!("<details>\n<summary>{without} without pictures</summary>\n<ul>\n{items}</ul>\n{more}</details>\n")
        };
        format!(
            "<h2>{} <small>{}, {}</small></h2>\n<p>{}</p>\n<div class=\"cards\">\n{cards}</div>\n{list}",
            escape::html(&self.name),
            escape::html(&self.severity),
            count(self.findings.len() as u64),
            escape::html(&self.meaning)
        )
    }
}

impl Shown {
    fn to_card(&self) -> String {
        let picture = |picture: &Picture| {
            let path = escape::html(&picture.path);
            match &picture.jpeg {
                Some(jpeg) => {
                    let data = STANDARD.encode(jpeg);
                    format!("<img alt=\"{path}\" title=\"{path}\" src=\"data:image/jpeg;base64,{data}\">")
                }
                None => format!("<span class=\"nothing\" title=\"{path}\">cannot be shown</span>"),
            }
        };
        let pictures: String = self.pictures.iter().map(picture).collect();
        let (path, text) = (escape::html(&self.path), escape::html(&self.text));
        format!("<figure><div>{pictures}</div><figcaption><b>{path}</b> {text}</figcaption></figure>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(path: &str) -> InspectionReport {
        let mut table = Table::new([("class", Alignment::Left), ("images", Alignment::Right)]);
        table.push([path, "2"]);
        let mut histogram = Histogram::new();
        histogram.push(path, 2);
        let picture = |jpeg: Option<&[u8]>| Picture { path: path.to_owned(), jpeg: jpeg.map(<[u8]>::to_vec) };
        let shown = |pictures| Shown { path: path.to_owned(), text: format!("looks like {path}"), pictures };
        let findings = [vec![picture(Some(b"\xff\xd8\xff")), picture(None)], vec![]].map(shown).to_vec();
        InspectionReport {
            title: path.to_owned(),
            summary: vec![format!("{path} holds 2 images.")],
            sections: vec![
                Section { heading: "Classes".to_owned(), exhibit: Exhibit::Table(table) },
                Section { heading: path.to_owned(), exhibit: Exhibit::Histogram(histogram) },
            ],
            findings: vec![FindingGroup {
                name: "near-duplicate".to_owned(),
                severity: "notice".to_owned(),
                meaning: "Look.".to_owned(),
                findings,
            }],
            notes: vec![path.to_owned()],
        }
    }

    #[test]
    fn the_text_stays_as_it_was_written() {
        insta::assert_snapshot!(example("cat.jpg").to_text());
    }

    #[test]
    fn the_page_shows_pictures_side_by_side_and_needs_nothing_from_elsewhere() {
        let html = example("cat.jpg").to_html();
        assert!(html.contains("src=\"data:image/jpeg;base64,/9j/\"><span class=\"nothing\""), "{html}");
        assert!(html.contains("<summary>1 without pictures</summary>"));
        assert!(!html.contains("http") && !html.contains("<script") && !html.contains("<link"));
    }

    #[test]
    fn names_from_strangers_cannot_become_markup() {
        let html = example("<script>\"'&\u{1b}").to_html();
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
        assert!(html.contains("title=\"&lt;script&gt;&quot;&#39;&amp;�\""), "{html}");
        assert!(!example("\u{1b}[2J").to_text().contains('\u{1b}'));
    }

    #[test]
    fn long_lists_end_in_a_count() {
        let mut report = example("a.jpg");
        let one = report.findings[0].findings[1].clone();
        report.findings[0].findings = vec![one; 1234];
        assert!(report.to_text().contains("\n  and 1,224 more\n"));
        assert!(report.to_html().contains("<p class=\"note\">and 734 more</p>"));
    }
}
