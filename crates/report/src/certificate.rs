//! [`CertificatePage`]: whether a data set's division keeps what it promises, for people.

use crate::escape;
use crate::page::page;
use crate::table::Table;

/// What was verified of a data set, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatePage {
    /// The headline.
    pub title: String,
    /// What was found, in a sentence.
    pub verdict: String,
    /// What was looked for, and how often it was found.
    pub checks: Table,
    /// How many images there are of each class and split.
    pub counts: Table,
    /// Names and values, such as the manifest's hash.
    pub facts: Vec<(String, String)>,
    /// Every violation, in a sentence.
    pub violations: Vec<String>,
}

impl CertificatePage {
    /// One HTML file that needs no network and no script, and follows the reader's light or dark setting.
    pub fn to_html(&self) -> String {
        let title = escape::html(&self.title);
        let fact = |(name, value): &(String, String)| {
            format!("<dt>{}</dt><dd>{}</dd>\n", escape::html(name), escape::html(value))
        };
        let body = [
            format!("<h1>{title}</h1>\n<p class=\"lead\">{}</p>\n", escape::html(&self.verdict)),
            self.violations(),
            section("What was looked for", &self.checks),
            section("The images", &self.counts),
            format!("<h2>The data</h2>\n<dl>\n{}</dl>\n", self.facts.iter().map(fact).collect::<String>()),
        ];
        page(&self.title, &body.concat())
    }

    fn violations(&self) -> String {
        if self.violations.is_empty() {
            return String::new();
        }
        let item = |violation: &String| format!("<li>{}</li>\n", escape::html(violation));
        format!("<h2>Violations</h2>\n<ul>\n{}</ul>\n", self.violations.iter().map(item).collect::<String>())
    }
}

fn section(heading: &str, table: &Table) -> String {
    format!("<h2>{heading}</h2>\n<div class=\"scroll\">{}</div>\n", table.to_html())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Alignment;

    fn page(violations: &[&str]) -> String {
        let mut checks = Table::new([("what", Alignment::Left), ("found", Alignment::Right)]);
        checks.push(["contents in several splits", "1"]);
        CertificatePage {
            title: "Cats & dogs".to_owned(),
            verdict: "One violation.".to_owned(),
            counts: Table::new([("class", Alignment::Left)]),
            checks,
            facts: vec![("manifest".to_owned(), "<a>".to_owned())],
            violations: violations.iter().map(ToString::to_string).collect(),
        }
        .to_html()
    }

    #[test]
    fn names_from_strangers_are_escaped() {
        let html = page(&["<script>alert(1)</script>.jpg is not in the source"]);
        assert!(html.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt;.jpg is not in the source</li>"), "{html}");
        assert!(html.contains("<title>Cats &amp; dogs</title>") && html.contains("<dd>&lt;a&gt;</dd>"), "{html}");
    }

    #[test]
    fn a_certificate_that_holds_has_no_list_of_violations_and_the_page_needs_nothing_else() {
        let html = page(&[]);
        assert!(!html.contains("Violations"), "{html}");
        assert!(!html.contains("http") && !html.contains("<script"), "{html}");
    }
}
