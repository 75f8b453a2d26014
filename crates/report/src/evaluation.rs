//! Tables of an evaluation: all measures, scores of each class, and what was taken for what.

use aumenta_metrics::{ClassScores, ConfusionMatrix, Score};
use aumenta_runs::Evaluation;

use crate::csv::{csv_line, optional};
use crate::number::{count, decimal};
use crate::table::{Alignment, Table};

/// A row a measure that is defined, with its 95% interval where it has one.
pub fn measure_table(evaluation: &Evaluation) -> Table {
    let columns = [("measure", Alignment::Left), ("value", Alignment::Right), ("95% interval", Alignment::Left)];
    let mut table = Table::new(columns);
    for (measure, Score { value, interval }) in evaluation.measures.iter() {
        let interval = interval.map(|(low, high)| format!("{} to {}", decimal(low, 4), decimal(high, 4)));
        table.push([measure.name().to_owned(), decimal(value, 4), interval.unwrap_or_default()]);
    }
    table
}

/// Precision and recall with their 95% Wilson intervals, F1 and number of images of each of the classes `which`. A class
/// beyond `classes` is called by its number.
///
/// ```
/// use aumenta_metrics::ConfusionMatrix;
/// use aumenta_report::class_table;
///
/// let confusion = ConfusionMatrix::from_pairs(2, &[0, 0, 1, 1], &[0, 1, 1, 1]);
/// let table = class_table(&confusion, &["cat".to_owned(), "dog".to_owned()], 0..2);
/// assert_eq!(
///     table.to_text(),
///     "class  images               precision                  recall     F1\n\
///      -----  ------  ----------------------  ----------------------  -----\n\
///      cat         2  1.000 (0.207 to 1.000)  0.500 (0.095 to 0.905)  0.667\n\
///      dog         2  0.667 (0.208 to 0.939)  1.000 (0.342 to 1.000)  0.800\n"
/// );
/// ```
pub fn class_table(confusion: &ConfusionMatrix, classes: &[String], which: impl IntoIterator<Item = usize>) -> Table {
    let mut table = Table::new([
        ("class", Alignment::Left),
        ("images", Alignment::Right),
        ("precision", Alignment::Right),
        ("recall", Alignment::Right),
        ("F1", Alignment::Right),
    ]);
    for class in which {
        let (shares, scores) = (Shares::of(confusion, class), confusion.class_scores(class));
        let [precision, recall] = [shares.precision, shares.recall].map(with_interval);
        let f1 = decimal(scores.f1.unwrap_or(f64::NAN), 3);
        table.push([class_name(classes, class), count(scores.support), precision, recall, f1]);
    }
    table
}

/// All of [`class_table`] as a CSV file, with every digit, a line a class; what is not defined is an empty cell.
pub fn class_csv(confusion: &ConfusionMatrix, classes: &[String]) -> String {
    let header = "class,images,precision,precision-low,precision-high,recall,recall-low,recall-high,f1\n".to_owned();
    (0..confusion.classes()).fold(header, |csv, class| {
        let (shares, ClassScores { f1, support, .. }) = (Shares::of(confusion, class), confusion.class_scores(class));
        let numbers = [shares.precision, shares.recall].into_iter().flat_map(|share| {
            let ends = share.and_then(|share| share.interval);
            [share.map(|share| share.value), ends.map(|ends| ends.0), ends.map(|ends| ends.1)]
        });
        let first = [class_name(classes, class), support.to_string()];
        csv + &csv_line(first.into_iter().chain(numbers.chain([f1]).map(optional)))
    })
}

/// The confusion matrix: a row a true class, a column a predicted one. A class beyond `classes` is called by its
/// number.
pub fn confusion_table(confusion: &ConfusionMatrix, classes: &[String]) -> Table {
    let predicted = (0..confusion.classes()).map(|class| class_name(classes, class));
    let columns = predicted.map(|name| (name, Alignment::Right));
    let mut table = Table::new([("true \\ predicted".to_owned(), Alignment::Left)].into_iter().chain(columns));
    for (class, counts) in confusion.rows().enumerate() {
        table.push([class_name(classes, class)].into_iter().chain(counts.iter().map(|&images| count(images))));
    }
    table
}

/// The `most` pairs of a true and a predicted class that differ and were met most often, the first of equals first.
pub fn confused_table(confusion: &ConfusionMatrix, classes: &[String], most: usize) -> Table {
    let mut pairs: Vec<(usize, usize, u64)> = confusion
        .rows()
        .enumerate()
        .flat_map(|(truth, row)| row.iter().enumerate().map(move |(predicted, images)| (truth, predicted, *images)))
        .filter(|(truth, predicted, images)| truth != predicted && *images > 0)
        .collect();
    pairs.sort_by_key(|(_, _, images)| std::cmp::Reverse(*images));
    let mut table = Table::new([
        ("true", Alignment::Left),
        ("taken for", Alignment::Left),
        ("images", Alignment::Right),
        ("of the class", Alignment::Right),
    ]);
    for (truth, predicted, images) in pairs.into_iter().take(most) {
        let share = 100.0 * images as f64 / confusion.class_scores(truth).support as f64;
        let share = format!("{} %", decimal(share, 1));
        table.push([class_name(classes, truth), class_name(classes, predicted), count(images), share]);
    }
    table
}

/// A class's name or, without one, its number.
pub(crate) fn class_name(classes: &[String], class: usize) -> String {
    classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}

/// The scores of a class that are shares, with their intervals.
struct Shares {
    precision: Option<Score>,
    recall: Option<Score>,
}

impl Shares {
    fn of(confusion: &ConfusionMatrix, class: usize) -> Self {
        let right = confusion.count(class, class);
        let predicted = confusion.rows().map(|row| row[class]).sum();
        let support = confusion.class_scores(class).support;
        Self { precision: Score::share(right, predicted), recall: Score::share(right, support) }
    }
}

/// A share with its interval, a dash where there is none.
pub(crate) fn with_interval(score: Option<Score>) -> String {
    match score {
        Some(Score { value, interval: Some((low, high)) }) => {
            format!("{} ({} to {})", decimal(value, 3), decimal(low, 3), decimal(high, 3))
        }
        score => decimal(score.map_or(f64::NAN, |score| score.value), 3),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aumenta_metrics::Scored;

    use super::*;

    /// An evaluation on the test split of images that were taken for classes as `rows` count them, with a probability of
    /// 3/4 for the predicted class.
    pub(crate) fn evaluation(rows: &[&[u64]]) -> Evaluation {
        let classes = rows.len();
        let (mut truth, mut probabilities) = (Vec::new(), Vec::new());
        for (class, row) in rows.iter().enumerate() {
            for (predicted, images) in row.iter().enumerate() {
                for _ in 0..*images {
                    truth.push(class);
                    let other = 0.25 / (classes - 1) as f32;
                    probabilities.extend((0..classes).map(|class| if class == predicted { 0.75 } else { other }));
                }
            }
        }
        let losses = vec![0.5; truth.len()];
        Evaluation::of("test", &Scored::new(classes, &truth, &probabilities), &losses)
    }

    fn names() -> [String; 3] {
        ["cat", "dog", "emu"].map(str::to_owned)
    }

    #[test]
    fn a_score_that_does_not_exist_is_a_dash_and_in_a_file_an_empty_cell() {
        let confusion = evaluation(&[&[1200, 30], &[0, 0]]).confusion;
        let text = class_table(&confusion, &["cat".to_owned()], 0..2).to_text();
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("class 1       0") && last.ends_with("–  0.000"), "{text}");
        let csv = class_csv(&confusion, &["cat, tabby".to_owned()]);
        assert!(csv.contains("\n\"cat, tabby\",1230,1,"), "{csv}");
        assert!(csv.lines().last().unwrap().ends_with(",,,,0"), "{csv}");
    }

    #[test]
    fn the_confusion_table_has_true_classes_in_rows() {
        let confusion = evaluation(&[&[1200, 30], &[0, 0]]).confusion;
        let text = confusion_table(&confusion, &["cat".to_owned(), "dog".to_owned()]).to_text();
        let expected = "true \\ predicted    cat  dog\n----------------  -----  ---\ncat               1,200   30\ndog                   0    0\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn pairs_are_listed_by_how_often_they_were_met() {
        let confusion = evaluation(&[&[5, 2, 0], &[3, 9, 2], &[0, 0, 4]]).confusion;
        let markdown = confused_table(&confusion, &names(), 2).to_markdown();
        let rows: Vec<&str> = markdown.lines().skip(2).collect();
        assert_eq!(rows, ["| dog | cat | 3 | 21.4 % |", "| cat | dog | 2 | 28.6 % |"]);
    }

    #[test]
    fn every_measure_that_is_defined_has_a_row() {
        let text = measure_table(&evaluation(&[&[8, 2], &[1, 9]])).to_text();
        assert!(text.contains("accuracy            0.8500  0.6396 to 0.9476\n"), "{text}");
        assert!(text.contains("ece                 0.1000\n"), "{text}");
        assert!(!text.contains("top-3"), "{text}");
    }
}
