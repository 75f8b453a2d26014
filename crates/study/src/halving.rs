//! [`Halving`]: successive halving, which ends hopeless arms early.

use serde::{Deserialize, Serialize};

use crate::error::StudyError;

/// Successive halving: all arms train for a few epochs, the better ones go on for some times as many, and so on.
///
/// Arms are ranked by the mean over their seeds of the best measurement so far of what the runs monitor. Of `n` arms
/// `n / factor`, rounded up, go on. What an arm would have come to that was ended is not known: it is marked, and left out of
/// all comparisons.
///
/// Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Halving {
    /// Epochs before the first decision.
    pub first_epochs: usize,
    /// How many times as many epochs lie before each next decision, and which share of the arms goes on: one in so many.
    #[serde(default = "two")]
    pub factor: usize,
}

fn two() -> usize {
    2
}

impl Halving {
    /// Checks that there is a first decision and that epochs grow from one to the next.
    ///
    /// # Errors
    /// [`StudyError::Setting`].
    pub fn check(&self) -> Result<(), StudyError> {
        if self.first_epochs == 0 {
            let setting = "halving.first-epochs";
            return Err(StudyError::Setting { setting, value: "0".into(), expected: "at least 1" });
        }
        if self.factor < 2 {
            let (setting, value) = ("halving.factor", self.factor.to_string());
            return Err(StudyError::Setting { setting, value, expected: "at least 2" });
        }
        Ok(())
    }

    /// The epochs at which it is decided, for arms that train `epochs`.
    ///
    /// ```
    /// let halving = aumenta_study::Halving { first_epochs: 5, factor: 2 };
    /// assert_eq!(halving.decisions(30), [5, 10, 20]);
    /// ```
    pub fn decisions(&self, epochs: usize) -> Vec<usize> {
        let next = |reached: &usize| reached.checked_mul(self.factor);
        std::iter::successors(Some(self.first_epochs), next).take_while(|reached| *reached < epochs).collect()
    }

    /// Which arms end, given how good each that is still there is: larger is better, and `None`, of which nothing is known,
    /// is worst. Of equals the earlier one goes on.
    ///
    /// ```
    /// let halving = aumenta_study::Halving { first_epochs: 5, factor: 2 };
    /// assert_eq!(halving.ended(&[(0, Some(0.7)), (2, Some(0.9)), (3, None)]), [3]);
    /// ```
    pub fn ended(&self, merits: &[(usize, Option<f64>)]) -> Vec<usize> {
        let mut ranked: Vec<(usize, f64)> =
            merits.iter().map(|(arm, merit)| (*arm, merit.unwrap_or(f64::NEG_INFINITY))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut ended: Vec<usize> =
            ranked.into_iter().skip(merits.len().div_ceil(self.factor)).map(|(arm, _)| arm).collect();
        ended.sort_unstable();
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_THREE: Halving = Halving { first_epochs: 2, factor: 3 };

    #[test]
    fn decisions_lie_before_the_end() {
        assert_eq!(BY_THREE.decisions(18), [2, 6]);
        assert_eq!(BY_THREE.decisions(2), [0; 0]);
        assert_eq!(Halving { first_epochs: usize::MAX / 2, factor: 3 }.decisions(usize::MAX).len(), 1);
    }

    #[test]
    fn one_in_so_many_goes_on_and_at_least_one() {
        let merits = |values: &[f64]| values.iter().map(|value| Some(*value)).enumerate().collect::<Vec<_>>();
        assert_eq!(BY_THREE.ended(&merits(&[0.5, 0.9, 0.7, 0.8])), [0, 2]);
        assert_eq!(BY_THREE.ended(&merits(&[0.5])), [0; 0]);
        assert_eq!(BY_THREE.ended(&merits(&[0.5, 0.5, 0.5])), [1, 2]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(Halving { first_epochs: 0, factor: 2 }.check().is_err());
        assert!(Halving { first_epochs: 1, factor: 1 }.check().is_err());
        assert!(BY_THREE.check().is_ok());
    }
}
