//! [`Average`]: scores of all classes as one number.

use crate::confusion::{ClassScores, ConfusionMatrix};
use crate::interval::Z_95;
use crate::score::Score;

/// How scores of classes become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Every class that occurs in the truth or among the predictions counts alike.
    Macro,
    /// A class counts by its number of samples.
    Weighted,
}

impl ConfusionMatrix {
    /// The average of a score of all classes; a score that would divide by zero counts as 0, as in scikit-learn. `None`
    /// where there are no samples.
    ///
    /// ```
    /// use aumenta_metrics::{Average, ConfusionMatrix};
    ///
    /// let matrix = ConfusionMatrix::from_pairs(2, &[0, 0, 0, 1], &[0, 0, 1, 1]);
    /// assert_eq!(matrix.average(Average::Macro, |scores| scores.recall), Some((2.0 / 3.0 + 1.0) / 2.0));
    /// assert_eq!(matrix.average(Average::Weighted, |scores| scores.recall), Some(0.75));
    /// ```
    pub fn average(&self, average: Average, score: impl Fn(&ClassScores) -> Option<f64>) -> Option<f64> {
        let (mut sum, mut weights) = (0.0, 0.0);
        for scores in (0..self.classes()).map(|class| self.class_scores(class)) {
            let weight = match average {
                Average::Macro => f64::from(u8::from(scores.f1.is_some())),
                Average::Weighted => scores.support as f64,
            };
            sum += weight * score(&scores).unwrap_or(0.0);
            weights += weight;
        }
        (weights > 0.0).then(|| sum / weights)
    }

    /// The macro average of F1, with an interval by the delta method over the counts of the matrix as one multinomial
    /// draw, cut to 0 to 1. There is none where every sample is right, since the method sees no spread there. `None` where
    /// there are no samples.
    ///
    /// Source: Takahashi, Yamamoto, Kuchiba and Koyama, "Confidence interval for micro-averaged F1 and macro-averaged F1
    /// scores", 2022.
    pub fn macro_f1(&self) -> Option<Score> {
        let value = self.average(Average::Macro, |scores| scores.f1)?;
        let n = self.total() as f64;
        let scores: Vec<ClassScores> = (0..self.classes()).map(|class| self.class_scores(class)).collect();
        let present = scores.iter().filter(|scores| scores.f1.is_some()).count() as f64;
        // F1 is 2 right / size of shares: what a share more of all samples would add to it, right or in the size alone.
        let size = |class: usize| {
            let predicted: u64 = self.rows().map(|row| row[class]).sum();
            (scores[class].support + predicted) as f64 / n
        };
        let slopes: Vec<(f64, f64)> = (0..self.classes())
            .map(|class| (2.0 / size(class), -scores[class].f1.unwrap_or(0.0) / size(class)))
            .collect();
        let variance: f64 = self
            .rows()
            .enumerate()
            .flat_map(|(truth, row)| row.iter().enumerate().map(move |(predicted, count)| (truth, predicted, *count)))
            .filter(|(_, _, count)| *count > 0)
            .map(|(truth, predicted, count)| {
                let right = if truth == predicted { slopes[truth].0 } else { 0.0 };
                let slope = (right + slopes[truth].1 + slopes[predicted].1) / present;
                count as f64 / n * slope * slope
            })
            .sum();
        let half_width = Z_95 * (variance / n).sqrt();
        let is_certain = self.correct() == self.total();
        let interval = (!is_certain).then(|| ((value - half_width).max(0.0), (value + half_width).min(1.0)));
        Some(Score { value, interval })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
        ConfusionMatrix::try_from(rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_class_that_never_occurs_does_not_count_and_one_without_a_score_counts_as_zero() {
        // Class 1 is never predicted, so it has no precision; class 2 does not occur.
        let matrix = matrix(&[&[3, 0, 0], &[1, 0, 0], &[0, 0, 0]]);
        assert_eq!(matrix.average(Average::Macro, |scores| scores.precision), Some(0.375));
        assert_eq!(matrix.average(Average::Weighted, |scores| scores.precision), Some(0.5625));
    }

    #[test]
    fn averages_of_nothing_are_none() {
        let nothing = ConfusionMatrix::new(3);
        assert_eq!(nothing.average(Average::Macro, |scores| scores.f1), None);
        assert_eq!(nothing.average(Average::Weighted, |scores| scores.f1), None);
        assert_eq!(nothing.macro_f1(), None);
    }

    #[test]
    fn macro_f1_where_all_is_right_has_no_interval() {
        assert_eq!(matrix(&[&[4, 0], &[0, 2]]).macro_f1(), Some(Score::plain(1.0)));
    }

    #[test]
    fn the_interval_of_macro_f1_agrees_with_differences() {
        let counts = [[30_u64, 4, 1], [6, 20, 2], [0, 5, 9]];
        let f1 = |shares: &[[f64; 3]; 3]| {
            let of_class = |class: usize| {
                let size: f64 = (0..3).map(|other| shares[class][other] + shares[other][class]).sum();
                2.0 * shares[class][class] / size
            };
            (0..3).map(of_class).sum::<f64>() / 3.0
        };
        let n = 77.0;
        let shares = counts.map(|row| row.map(|count| count as f64 / n));
        let mut variance = 0.0;
        for truth in 0..3 {
            for predicted in 0..3 {
                let moved = |by: f64| {
                    let mut moved = shares;
                    moved[truth][predicted] += by;
                    f1(&moved)
                };
                let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                variance += shares[truth][predicted] * slope * slope / n;
            }
        }
        let score = matrix(&counts.each_ref().map(<[u64; 3]>::as_slice)).macro_f1().unwrap();
        let (low, high) = score.interval.unwrap();
        assert!((high - low - 2.0 * Z_95 * variance.sqrt()).abs() < 1e-7, "{low} to {high}");
        assert!((f64::midpoint(low, high) - score.value).abs() < 1e-12);
    }
}
