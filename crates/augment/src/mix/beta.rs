//! [`symmetric_beta`]: numbers of the distribution Beta(alpha, alpha), the same on every machine.
//!
//! The crate `rand_distr` takes its powers from the platform as soon as any part of a program enables `num-traits/std`,
//! and these differ in the last bit; here they come from `libm`.

use rand::{Rng, RngExt as _};

/// A number of Beta(alpha, alpha), for alphas from 0.001 up; exact methods by rejection.
///
/// Above 1/2 it is Ulrich's (1984; Devroye, "Non-Uniform Random Variate Generation", 1986, section IX.4.2): for a uniform
/// point `(u, v)` of a half disc and `s = u^2 + v^2` it is `1/2 + u v / s * sqrt(1 - s^(2 / (2 alpha - 1)))`. Below, it is
/// Jöhnk's (1964): `x / (x + y)` for `x = u^(1 / alpha)` and `y = v^(1 / alpha)` where they sum to at most 1.
pub(super) fn symmetric_beta(alpha: f64, rng: &mut dyn Rng) -> f64 {
    if alpha > 0.5 { ulrich(alpha, rng) } else { johnk(alpha, rng) }
}

fn ulrich(alpha: f64, rng: &mut dyn Rng) -> f64 {
    loop {
        let (u, v) = (rng.random::<f64>(), 2.0 * rng.random::<f64>() - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s <= 1.0 {
            let radius = (1.0 - libm::pow(s, 2.0 / (2.0 * alpha - 1.0))).sqrt();
            return (0.5 + u * v / s * radius).clamp(0.0, 1.0);
        }
    }
}

/// In logarithms, since both powers can be too small for a float.
fn johnk(alpha: f64, rng: &mut dyn Rng) -> f64 {
    loop {
        // One minus a number of [0, 1) has a logarithm.
        let x = libm::log(1.0 - rng.random::<f64>()) / alpha;
        let y = libm::log(1.0 - rng.random::<f64>()) / alpha;
        if libm::exp(x) + libm::exp(y) <= 1.0 {
            return 1.0 / (1.0 + libm::exp(y - x));
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;

    use super::*;

    /// Mean 1/2, variance `1 / (4 (2 alpha + 1))`, fourth central moment `3 / (16 (2 alpha + 1) (2 alpha + 3))`.
    #[track_caller]
    fn check_moments(alpha: f64) {
        let mut rng = Seed::new(7).rng("mix", 0, 0);
        let numbers: Vec<f64> = (0..40_000).map(|_| symmetric_beta(alpha, &mut rng)).collect();
        assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)));
        let moment = |power| numbers.iter().map(|x| (x - 0.5f64).powi(power)).sum::<f64>() / 40_000.0;
        let (variance, fourth) = (0.25 / (2.0 * alpha + 1.0), 0.1875 / (2.0 * alpha + 1.0) / (2.0 * alpha + 3.0));
        // Four standard errors.
        assert!(moment(1).abs() < 4.0 * (variance / 40_000.0).sqrt(), "{alpha}: the mean is off by {}", moment(1));
        let error = 4.0 * ((fourth - variance * variance) / 40_000.0).sqrt() + 1e-9;
        assert!((moment(2) - variance).abs() < error, "{alpha}: {} instead of {variance}", moment(2));
        assert!((moment(4) - fourth).abs() < 0.05 * fourth, "{alpha}: {} instead of {fourth}", moment(4));
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        for alpha in [0.001, 0.2, 0.5, 0.500_001, 0.75, 1.0, 2.5, 100.0] {
            check_moments(alpha);
        }
    }

    #[test]
    fn alpha_1_is_uniform() {
        let mut rng = Seed::new(7).rng("mix", 0, 1);
        let mut tenths = [0; 10];
        for _ in 0..20_000 {
            tenths[((symmetric_beta(1.0, &mut rng) * 10.0) as usize).min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (1800..2200).contains(count)), "{tenths:?}");
    }
}
