//! The bootstrap interval of a mean, bias-corrected and accelerated.

use aumenta_seed::Seed;
use rand::RngExt as _;
use statrs::distribution::{ContinuousCDF as _, Normal};

use super::{ALPHA, mean};

/// Resamples that an interval rests on: its ends then move by less than a hundredth of its width from seed to seed.
const RESAMPLES: usize = 50_000;

/// The ends of the 95% interval of the mean of `values`, which differ.
///
/// Efron, "Better bootstrap confidence intervals", 1987: the quantiles of resampled means are taken at shares that allow for
/// the bias `z0` of the resamples and for the acceleration `a` of the standard error, from the jackknife. Resamples follow
/// from a seed of their own, so the same values have the same interval.
pub(super) fn bca(values: &[f64]) -> (f64, f64) {
    let means = resampled_means(values);
    let (bias, acceleration) = (bias(&means, mean(values)), acceleration(values));
    let end = |share: f64| {
        let z = bias + normal().inverse_cdf(share);
        quantile(&means, normal().cdf(bias + z / (1.0 - acceleration * z)))
    };
    (end(ALPHA / 2.0), end(1.0 - ALPHA / 2.0))
}

fn normal() -> Normal {
    Normal::standard()
}

/// The means of resamples, ascending.
fn resampled_means(values: &[f64]) -> Vec<f64> {
    let mut rng = Seed::new(0).rng("bootstrap", 0, 0);
    let mut resample = || (0..values.len()).map(|_| values[rng.random_range(0..values.len())]).sum::<f64>();
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample() / values.len() as f64).collect();
    means.sort_by(f64::total_cmp);
    means
}

/// The normal quantile of the share of resampled means below the mean itself, where a tie counts half.
fn bias(means: &[f64], center: f64) -> f64 {
    let below = means.partition_point(|mean| *mean < center);
    let up_to = means.partition_point(|mean| *mean <= center);
    normal().inverse_cdf((below + up_to) as f64 / (2 * means.len()) as f64)
}

fn acceleration(values: &[f64]) -> f64 {
    // The jackknife's means lie about their own by what each value lies about the mean, over n - 1, with the other sign.
    let center = mean(values);
    let power = |power: i32| values.iter().map(|value| (value - center).powi(power)).sum::<f64>();
    power(3) / (6.0 * power(2).powf(1.5))
}

/// The quantile of ascending values, interpolated between neighbors.
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (ascending.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    ascending[below] + (ascending[above] - ascending[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_values_have_the_same_interval() {
        let values = [0.1, 0.4, 0.2, 0.9, 0.3, 0.3, 0.5, 0.2, 0.7, 0.1];
        assert_eq!(bca(&values), bca(&values));
    }

    #[test]
    fn quantiles_lie_between_neighbors() {
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|share| quantile(&[0.0, 1.0, 2.0], share)), [0.0, 0.5, 1.0, 2.0]);
    }
}
