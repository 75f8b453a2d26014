//! [`ticks`]: the values that an axis is labeled with.

/// Round values from `low` to `high`, about five of them: multiples of 1, 2 or 5 times a power of ten.
pub fn ticks(low: f64, high: f64) -> Vec<f64> {
    let least = (high - low) / 6.0;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= least);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|tick| tick as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_about_five() {
        assert_eq!(ticks(-0.31, 0.42), [-0.2, 0.0, 0.2, 0.4]);
        assert_eq!(ticks(3.0, 61.0), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        assert_eq!(ticks(0.0, 1.0).len(), 6);
    }
}
