//! [`Paired`]: whether an arm differs from another with the same seeds on the same images.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, t_p};
use super::permutation::SignFlip;
use super::{are_alike, mean, standard_deviation};

/// Two arms compared seed by seed.
///
/// What seeds share (initial weights, the order of images, which images are for training) drops out of each difference, so
/// pairs show smaller effects than the same number of runs that share nothing.
///
/// ```
/// use aumenta_study::Paired;
///
/// let paired = Paired::of(&[(0.26, 0.16), (0.25, 0.15), (0.28, 0.16)]).ok_or("there are pairs")?;
/// assert_eq!(format!("{:.3}", paired.difference), "-0.107");
/// assert_eq!((paired.pairs, paired.sign_flip.p), (3, 0.25));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Paired {
    /// How many seeds both arms have.
    pub pairs: usize,
    /// The mean of the first ones.
    pub before: f64,
    /// The mean of the second ones.
    pub after: f64,
    /// The mean difference, second minus first.
    pub difference: f64,
    /// The standard deviation of the differences; of one pair there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
    /// The 95% interval of the mean difference; as that of a [`Spread`](crate::Spread), of one pair and of equal differences
    /// there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The paired permutation test.
    pub sign_flip: SignFlip,
    /// The two-sided p of the paired t test, which takes differences for normal; of one pair there is none, and none of equal
    /// differences, which would be certainty from a chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_p: Option<f64>,
    /// The effect size: the mean difference over the standard deviation of the differences (Cohen's d of pairs), times
    /// Hedges' correction for few pairs, `1 - 3 / (4 (n - 1) - 1)`. `None` of fewer than three pairs, and where all
    /// differences are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_size: Option<f64>,
}

impl Paired {
    /// The comparison of `pairs`, all finite; `None` of no pair.
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let differences: Vec<f64> = pairs.iter().map(|(before, after)| after - before).collect();
        let side = |side: fn(&(f64, f64)) -> f64| mean(&pairs.iter().map(side).collect::<Vec<f64>>());
        (!pairs.is_empty()).then(|| Self {
            pairs: pairs.len(),
            before: side(|pair| pair.0),
            after: side(|pair| pair.1),
            difference: mean(&differences),
            standard_deviation: standard_deviation(&differences),
            interval: Interval::of_mean(&differences),
            sign_flip: SignFlip::of(&differences),
            t_p: t_test(&differences),
            effect_size: effect_size(&differences),
        })
    }

    /// The same, the interval ending where the differences can go no further: see [`Interval::within`].
    #[must_use]
    pub fn within(self, range: (f64, f64)) -> Self {
        Self { interval: self.interval.map(|interval| interval.within(range)), ..self }
    }
}

/// The two-sided p of the t test that the mean of `differences` is zero.
fn t_test(differences: &[f64]) -> Option<f64> {
    let deviation = standard_deviation(differences).filter(|_| !are_alike(differences))?;
    let n = differences.len() as f64;
    Some(t_p(mean(differences) / (deviation / n.sqrt()), n - 1.0))
}

fn effect_size(differences: &[f64]) -> Option<f64> {
    let deviation = standard_deviation(differences).filter(|_| differences.len() > 2 && !are_alike(differences))?;
    let freedom = (differences.len() - 1) as f64;
    Some(mean(differences) / deviation * (1.0 - 3.0 / (4.0 * freedom - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_has_a_difference_and_nothing_more() {
        let paired = Paired::of(&[(0.75, 0.5)]).unwrap();
        assert_eq!((paired.difference, paired.sign_flip.p), (-0.25, 1.0));
        assert_eq!((paired.interval, paired.t_p, paired.effect_size), (None, None, None));
        assert_eq!(Paired::of(&[]), None);
    }

    #[test]
    fn equal_differences_are_no_certainty() {
        for pairs in [[(0.0, 0.5), (0.25, 0.75), (0.5, 1.0)], [(0.5, 0.5), (0.25, 0.25), (0.0, 0.0)]] {
            let paired = Paired::of(&pairs).unwrap();
            assert_eq!((paired.interval, paired.effect_size, paired.t_p), (None, None, None));
        }
    }
}
