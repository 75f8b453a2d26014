//! Tables of an evaluation: scores of each class, and what was taken for what.

use aumenta_runs::Evaluation;

use crate::number::{count, decimal};
use crate::table::{Alignment, Table};

/// Precision, recall, F1 and number of images of each class. A class beyond `classes` is called by its number.
///
/// ```
/// use aumenta_metrics::ConfusionMatrix;
/// use aumenta_report::class_table;
/// use aumenta_runs::Evaluation;
///
/// let confusion = ConfusionMatrix::from_pairs(2, &[0, 0, 1, 1], &[0, 1, 1, 1]);
/// let table = class_table(&Evaluation::new("test", 0.5, confusion), &["cat".to_owned(), "dog".to_owned()]);
/// assert_eq!(
///     table.to_text(),
///     "class  precision  recall     F1  images\n\
///      -----  ---------  ------  -----  ------\n\
///      cat        1.000   0.500  0.667       2\n\
///      dog        0.667   1.000  0.800       2\n"
/// );
/// ```
pub fn class_table(evaluation: &Evaluation, classes: &[String]) -> Table {
    let mut table = Table::new([
        ("class", Alignment::Left),
        ("precision", Alignment::Right),
        ("recall", Alignment::Right),
        ("F1", Alignment::Right),
        ("images", Alignment::Right),
    ]);
    for class in 0..evaluation.confusion.classes() {
        let scores = evaluation.confusion.class_scores(class);
        let [precision, recall, f1] =
            [scores.precision, scores.recall, scores.f1].map(|score| decimal(score.unwrap_or(f64::NAN), 3));
        table.push([class_name(classes, class), precision, recall, f1, count(scores.support)]);
    }
    table
}

/// The confusion matrix: a row a true class, a column a predicted one. A class beyond `classes` is called by its
/// number.
pub fn confusion_table(evaluation: &Evaluation, classes: &[String]) -> Table {
    let predicted = (0..evaluation.confusion.classes()).map(|class| class_name(classes, class));
    let columns = predicted.map(|name| (name, Alignment::Right));
    let mut table = Table::new([("true \\ predicted".to_owned(), Alignment::Left)].into_iter().chain(columns));
    for (class, counts) in evaluation.confusion.rows().enumerate() {
        table.push([class_name(classes, class)].into_iter().chain(counts.iter().map(|&images| count(images))));
    }
    table
}

fn class_name(classes: &[String], class: usize) -> String {
    classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}

#[cfg(test)]
mod tests {
    use aumenta_metrics::ConfusionMatrix;

    use super::*;

    fn example() -> Evaluation {
        let confusion = ConfusionMatrix::try_from(vec![vec![1200, 30], vec![0, 0]]).unwrap();
        Evaluation::new("test", 0.5, confusion)
    }

    #[test]
    fn a_score_that_does_not_exist_is_a_dash() {
        let text = class_table(&example(), &["cat".to_owned()]).to_text();
        let last = text.lines().last().unwrap();
        assert_eq!(last.split_whitespace().collect::<Vec<_>>(), ["class", "1", "0.000", "–", "0.000", "0"]);
    }

    #[test]
    fn the_confusion_table_has_true_classes_in_rows() {
        let text = confusion_table(&example(), &["cat".to_owned(), "dog".to_owned()]).to_text();
        let expected = "true \\ predicted    cat  dog\n----------------  -----  ---\ncat               1,200   30\ndog                   0    0\n";
        assert_eq!(text, expected);
    }
}
