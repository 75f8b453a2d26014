//! [`SignFlip`]: the paired permutation test.

use aumenta_seed::Seed;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// The outcome of a paired permutation test.
///
/// Where two arms do the same, each difference could as well have the other sign. The p is the share of all signs whose
/// mean difference is as far from zero as the observed one (Fisher, "The design of experiments", 1935, section 21). All
/// `2^n` signs are tried for up to 16 pairs, and 65,536 drawn ones for more.
///
/// ```
/// use aumenta_study::SignFlip;
///
/// let test = SignFlip::of(&[0.11, 0.08, 0.14]);
/// assert_eq!((test.p, test.least_p, test.exact), (0.25, 0.25, true));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignFlip {
    /// The two-sided p.
    pub p: f64,
    /// The least p that so many pairs can give: `2 / 2^n`.
    pub least_p: f64,
    /// Whether all signs were tried.
    pub exact: bool,
}

/// All signs of up to so many pairs are tried.
const EXACT_UP_TO: usize = 16;
const DRAWN: u32 = 1 << EXACT_UP_TO;

impl SignFlip {
    /// The test of `differences`, one a pair.
    pub fn of(differences: &[f64]) -> Self {
        let exact = differences.len() <= EXACT_UP_TO;
        let least_p = (2.0 * 0.5_f64.powi(differences.len() as i32)).min(1.0);
        if exact {
            let signs = 1_u64 << differences.len();
            let extreme = (0..signs).filter(|signs| is_extreme(differences, *signs)).count();
            return Self { p: extreme as f64 / signs as f64, least_p, exact };
        }
        let mut rng = Seed::new(0).rng("sign-flip", 0, 0);
        let extreme = (0..DRAWN).filter(|_| is_extreme(differences, rng.random())).count();
        // The observed signs are one of those that there are.
        let drawn_least = 1.0 / f64::from(DRAWN + 1);
        Self { p: (extreme + 1) as f64 * drawn_least, least_p: least_p.max(drawn_least), exact }
    }
}

/// Whether the sum with the signs of `bits` is as far from zero as the sum itself, but for rounding.
fn is_extreme(differences: &[f64], bits: u64) -> bool {
    let flipped = |(index, difference): (usize, &f64)| {
        if bits >> (index % 64) & 1 == 1 { -difference } else { *difference }
    };
    let sum: f64 = differences.iter().enumerate().map(flipped).sum();
    let observed: f64 = differences.iter().sum();
    let magnitude: f64 = differences.iter().map(|difference| difference.abs()).sum();
    sum.abs() >= observed.abs() - 1e-12 * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(differences: &[f64], p: f64) {
        assert_eq!(SignFlip::of(differences).p, p);
    }

    #[test]
    fn differences_of_one_sign_have_the_least_p() {
        for pairs in 1..=8 {
            let test = SignFlip::of(&vec![0.5; pairs]);
            assert_eq!((test.p, test.p), (test.least_p, 2.0 / f64::from(1 << pairs)));
        }
    }

    #[test]
    fn a_small_case_by_hand() {
        // Sums of ±1 ±2 ±3: as far from zero as 1 + 2 - 3 = 0 are all; as 3 + 2 - 1 = 4 are ±6 and ±4.
        check(&[1.0, 2.0, -3.0], 1.0);
        check(&[3.0, 2.0, -1.0], 0.5);
    }

    #[test]
    fn no_difference_is_no_evidence() {
        check(&[0.0; 5], 1.0);
        check(&[], 1.0);
    }

    #[test]
    fn many_pairs_are_drawn_and_give_the_same_again() {
        let differences: Vec<f64> = (0..40).map(|pair| f64::from(pair % 7) - 2.0).collect();
        let test = SignFlip::of(&differences);
        assert!(!test.exact && test.p < 0.02, "{test:?}");
        assert_eq!(SignFlip::of(&differences), test);
    }
}
