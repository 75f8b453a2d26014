//! How far an accuracy can be trusted: confidence intervals of shares and of their differences.

/// The standard normal quantile of a two-sided 95% interval.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// The Wilson score interval of a share of `correct` out of `total`, as `(low, high)` within 0 to 1.
///
/// With `p = correct / total`, the interval is
/// `(p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)`. Unlike `p ± z sqrt(p (1 - p) / n)` it stays within
/// 0 to 1 and keeps a width at 0 of n and n of n. Of no samples nothing is known: the interval is `(0, 1)`.
///
/// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
///
/// ```
/// use aumenta_metrics::{Z_95, wilson_interval};
///
/// let (low, high) = wilson_interval(81, 100, Z_95);
/// assert_eq!(format!("{low:.4} {high:.4}"), "0.7222 0.8749");
/// assert_eq!(wilson_interval(0, 0, Z_95), (0.0, 1.0));
/// ```
///
/// # Panics
/// Where `correct` exceeds `total`.
pub fn wilson_interval(correct: u64, total: u64, z: f64) -> (f64, f64) {
    assert!(correct <= total, "{correct} of {total} is no share");
    if total == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (total as f64, correct as f64 / total as f64);
    let z2 = z * z;
    let center = p + z2 / (2.0 * n);
    let half_width = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // Rounding may carry the ends a last bit past the share itself at 0 of n and n of n.
    (((center - half_width) / scale).clamp(0.0, p), ((center + half_width) / scale).clamp(p, 1.0))
}

/// A measured value with the ends of its confidence interval.
///
/// ```
/// use aumenta_metrics::{Estimate, Z_95};
///
/// let plain = Estimate::proportion(810, 1000, Z_95);
/// let augmented = Estimate::proportion(880, 1000, Z_95);
/// let rise = augmented.minus(plain);
/// assert_eq!(format!("{:.2} ({:.2} to {:.2})", rise.value, rise.low, rise.high), "0.07 (0.04 to 0.10)");
/// assert!(rise.is_positive());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The measured value.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

impl Estimate {
    /// The share of `correct` out of `total` with its [`wilson_interval`]; of no samples, 0.5 within 0 to 1.
    ///
    /// # Panics
    /// Where `correct` exceeds `total`.
    pub fn proportion(correct: u64, total: u64, z: f64) -> Self {
        let (low, high) = wilson_interval(correct, total, z);
        let value = if total == 0 { 0.5 } else { correct as f64 / total as f64 };
        Self { value, low, high }
    }

    /// The difference of two independent estimates, with an interval recovered from theirs.
    ///
    /// For `d = a - b` the lower end is `d - sqrt((a - a.low)² + (b.high - b)²)` and the upper end
    /// `d + sqrt((a.high - a)² + (b - b.low)²)`. For two Wilson intervals that is method 10 of Newcombe, "Interval
    /// estimation for the difference between independent proportions", 1998; for differences of differences, Zou and
    /// Donner, "Construction of confidence limits about effect measures: a general approach", 2008.
    ///
    /// Two accuracies on the same images are not independent. Networks that tend to fail on the same images make the
    /// interval too wide rather than too narrow.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let value = self.value - other.value;
        Self {
            value,
            low: value - (self.value - self.low).hypot(other.high - other.value),
            high: value + (self.high - self.value).hypot(other.value - other.low),
        }
    }

    /// Whether the whole interval lies above zero.
    pub fn is_positive(self) -> bool {
        self.low > 0.0
    }

    /// Whether the whole interval lies below zero.
    pub fn is_negative(self) -> bool {
        self.high < 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check((low, high): (f64, f64), expected: (f64, f64)) {
        assert!(
            (low - expected.0).abs() < 5e-5 && (high - expected.1).abs() < 5e-5,
            "({low}, {high}) is not {expected:?}"
        );
    }

    #[test]
    fn wilson_agrees_with_published_examples() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        check(wilson_interval(81, 263, Z_95), (0.2553, 0.3662));
        check(wilson_interval(15, 148, Z_95), (0.0624, 0.1605));
        check(wilson_interval(0, 20, Z_95), (0.0, 0.1611));
        check(wilson_interval(1, 29, Z_95), (0.0061, 0.1718));
    }

    #[test]
    fn wilson_by_hand_with_z_of_one() {
        // 2 of 4 at z = 1: (0.5 + 1/8 ± sqrt(1/16 + 1/64)) / (1 + 1/4).
        let half_width = (5.0_f64 / 64.0).sqrt();
        check(wilson_interval(2, 4, 1.0), ((0.625 - half_width) / 1.25, (0.625 + half_width) / 1.25));
    }

    #[test]
    fn wilson_is_symmetric_and_holds_the_share() {
        for correct in 0..=20 {
            let (low, high) = wilson_interval(correct, 20, Z_95);
            let (mirrored_low, mirrored_high) = wilson_interval(20 - correct, 20, Z_95);
            check((low, high), (1.0 - mirrored_high, 1.0 - mirrored_low));
            let share = correct as f64 / 20.0;
            assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{correct}: {low} to {high}");
        }
    }

    #[test]
    fn a_difference_agrees_with_a_published_example() {
        // Newcombe, "Interval estimation for the difference between independent proportions", 1998, table II, method
        // 10: 56/70 - 48/80 and 9/10 - 3/10.
        let difference = Estimate::proportion(56, 70, Z_95).minus(Estimate::proportion(48, 80, Z_95));
        check((difference.low, difference.high), (0.0524, 0.3339));
        let difference = Estimate::proportion(9, 10, Z_95).minus(Estimate::proportion(3, 10, Z_95));
        check((difference.low, difference.high), (0.1705, 0.8090));
    }

    #[test]
    fn a_difference_from_nothing_known_shows_nothing() {
        let difference = Estimate::proportion(99, 100, Z_95).minus(Estimate::proportion(0, 0, Z_95));
        assert!(!difference.is_positive() && !difference.is_negative());
    }

    #[test]
    fn the_sign_shows_only_where_the_interval_keeps_off_zero() {
        let high = Estimate::proportion(90, 100, Z_95);
        let low = Estimate::proportion(60, 100, Z_95);
        assert!(high.minus(low).is_positive() && low.minus(high).is_negative());
        let near = high.minus(Estimate::proportion(88, 100, Z_95));
        assert!(!near.is_positive() && !near.is_negative());
    }
}
