//! From an inspection to the report that shows it.

use std::fmt::Display;

use aumenta_dataset::{Bin, Finding, Inspection, PassedOver, Severity, Tally};
use aumenta_report::{Alignment, Exhibit, FindingGroup, Histogram, InspectionReport, Section, Shown, Table, count};

use super::thumbnails::Thumbnails;
use crate::depth::crowded_remark;

/// The most pictures of one kind of finding, so that other kinds have some too.
const MOST_OF_A_KIND: usize = 100;

/// The report of an inspection, with pictures where there is someone to make them.
pub fn of(inspection: &Inspection, mut thumbnails: Option<&mut Thumbnails<'_>>) -> InspectionReport {
    let groups = inspection.counts().into_iter().map(|Tally { value: kind, .. }| {
        let findings = inspection.findings.iter().filter(|finding| finding.cause.kind() == kind);
        FindingGroup {
            name: kind.name().to_owned(),
            severity: severity(kind.severity()).to_owned(),
            meaning: kind.meaning().to_owned(),
            findings: shown(findings, thumbnails.as_deref_mut()),
        }
    });
    InspectionReport {
        title: format!("Inspection of {}", name(inspection)),
        summary: summary(inspection),
        findings: groups.collect(),
        sections: sections(inspection),
        notes: vec![inspection.color_policy.clone()],
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Fault => "fault",
        Severity::Notice => "notice",
    }
}

fn shown<'a>(findings: impl Iterator<Item = &'a Finding>, mut thumbnails: Option<&mut Thumbnails<'_>>) -> Vec<Shown> {
    let one = |(number, finding): (usize, &Finding)| {
        let others = finding.cause.other();
        let pictures = match &mut thumbnails {
            Some(thumbnails) if number < MOST_OF_A_KIND && thumbnails.left() > usize::from(others.is_some()) => {
                let paths = others.into_iter().chain([finding.path.as_str()]);
                paths.map(|path| thumbnails.picture(path)).collect()
            }
            _ => Vec::new(),
        };
        Shown { path: finding.path.clone(), text: finding.cause.to_string(), pictures }
    };
    findings.enumerate().map(one).collect()
}

/// The source with the archive within it.
fn name(inspection: &Inspection) -> String {
    match &inspection.inner {
        Some(inner) => inspection.source.join(inner).display().to_string(),
        None => inspection.source.display().to_string(),
    }
}

fn summary(inspection: &Inspection) -> Vec<String> {
    let Inspection { images, usable, bytes, classes, label_rule, label_problem, .. } = inspection;
    let of_classes = match (label_rule, label_problem) {
        (Some(rule), _) => format!(" of {} classes (labels by {})", classes.len(), rule.name()),
        (None, Some(problem)) => format!(", whose classes are not known ({problem})"),
        (None, None) => String::new(),
    };
    let images = count(*images as u64);
    let usable = if usable == &inspection.images { "All".to_owned() } else { count(*usable as u64) };
    let looked = if inspection.is_quick { "have a sound header" } else { "can be decoded" };
    let (faults, notices) = (inspection.count(Severity::Fault), inspection.count(Severity::Notice));
    let lines = [
        format!("{}: {images} images{of_classes}, {}.", name(inspection), volume(*bytes)),
        format!(
            "{usable} of them {looked}. Findings: {}.",
            match (faults, notices) {
                (0, 0) => "none".to_owned(),
                (faults, notices) => format!("{} faults, {} notices", count(faults as u64), count(notices as u64)),
            }
        ),
    ];
    lines.into_iter().chain(crowded_remark(inspection.crowded)).collect()
}

fn volume(bytes: u64) -> String {
    if bytes < 1_000_000 { format!("{:.1} kB", bytes as f64 / 1e3) } else { format!("{:.1} MB", bytes as f64 / 1e6) }
}

fn sections(inspection: &Inspection) -> Vec<Section> {
    let passed_over = &inspection.passed_over;
    let sections = [
        ("Classes", (!inspection.classes.is_empty()).then(|| Exhibit::Table(classes(inspection)))),
        ("Files and colors", Some(Exhibit::Table(properties(inspection)))),
        ("Longer side in pixels", bars(&inspection.longer_sides, 0)),
        ("Width over height", bars(&inspection.aspects, 2)),
        ("Passed over", (*passed_over != PassedOver::default()).then(|| Exhibit::Table(others(passed_over)))),
    ];
    let section =
        |(heading, exhibit): (&str, Option<Exhibit>)| Some(Section { heading: heading.to_owned(), exhibit: exhibit? });
    sections.into_iter().filter_map(section).collect()
}

fn classes(inspection: &Inspection) -> Table {
    let columns = [("class", Alignment::Left), ("images", Alignment::Right), ("faulty", Alignment::Right)];
    let mut table = Table::new(columns);
    for class in &inspection.classes {
        table.push([class.name.clone(), count(class.images as u64), count(class.faulty as u64)]);
    }
    table
}

fn properties(inspection: &Inspection) -> Table {
    let columns = [("property", Alignment::Left), ("value", Alignment::Left), ("images", Alignment::Right)];
    let mut table = Table::new(columns);
    push_tallies(&mut table, "format", &inspection.formats);
    push_tallies(&mut table, "colors", &inspection.colors);
    push_tallies(&mut table, "bits a channel", &inspection.bits);
    push_tallies(&mut table, "orientation", &inspection.orientations);
    if inspection.animated > 0 {
        table.push(["frames", "several", &count(inspection.animated as u64)]);
    }
    if let Some(sizes) = &inspection.sizes {
        for (side, [least, median, greatest]) in [("width", sizes.width), ("height", sizes.height)] {
            table.push([side, &format!("{least} to {greatest}, median {median}"), ""]);
        }
    }
    table
}

fn push_tallies(table: &mut Table, property: &str, tallies: &[Tally<impl Display>]) {
    for (row, Tally { value, images }) in tallies.iter().enumerate() {
        table.push([if row == 0 { property } else { "" }, &value.to_string(), &count(*images as u64)]);
    }
}

fn bars(bins: &[Bin], digits: usize) -> Option<Exhibit> {
    let mut histogram = Histogram::new();
    for Bin { from, to, images } in bins {
        let label = match to {
            Some(to) => format!("{from:.digits$} to below {to:.digits$}"),
            None => format!("{from:.digits$} and above"),
        };
        histogram.push(label, *images as u64);
    }
    (!bins.is_empty()).then_some(Exhibit::Histogram(histogram))
}

fn others(passed_over: &PassedOver) -> Table {
    let PassedOver { litter, archives, others, examples } = passed_over;
    let columns = [("files", Alignment::Left), ("count", Alignment::Right), ("such as", Alignment::Left)];
    let mut table = Table::new(columns);
    let first = |is_archive: bool| {
        let mut paths = examples.iter().filter(|path| path.to_ascii_lowercase().ends_with(".zip") == is_archive);
        paths.by_ref().take(3).cloned().collect::<Vec<_>>().join(", ")
    };
    for (kind, number, such_as) in [
        ("archives", *archives, first(true)),
        ("other files", *others, first(false)),
        ("litter of operating systems", *litter, String::new()),
    ] {
        if number > 0 {
            table.push([kind.to_owned(), count(number as u64), such_as]);
        }
    }
    table
}
