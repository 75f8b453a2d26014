//! More threads than were measured, on paper: Amdahl's law, from the times with one thread and with several.

/// The share of one thread's time that more threads do not shorten, where one thread makes `one` images a second and `threads`
/// threads make `several`; at least 0.
///
/// With the share `s` the time of `n` threads is `s + (1 - s) / n` of one thread's, which is solved for `s`.
pub fn serial_share(one: f64, several: f64, threads: usize) -> f64 {
    let n = threads as f64;
    ((n * one / several - 1.0) / (n - 1.0)).clamp(0.0, 1.0)
}

/// The images a second of `threads` threads, where one makes `one` and the share `serial_share` of its time stays.
pub fn rate_on_paper(one: f64, serial_share: f64, threads: usize) -> f64 {
    one / (serial_share + (1.0 - serial_share) / threads as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_gives_back_the_rate_that_it_was_taken_from() {
        let share = serial_share(1000.0, 1900.0, 2);
        assert!((share - 0.0526).abs() < 1e-4, "{share}");
        assert!((rate_on_paper(1000.0, share, 2) - 1900.0).abs() < 1e-9);
        assert!((rate_on_paper(1000.0, share, 1_000_000) - 19_000.0).abs() < 1.0);
    }

    #[test]
    fn a_share_is_never_below_nothing_nor_above_all() {
        assert_eq!(serial_share(1000.0, 2100.0, 2), 0.0);
        assert_eq!(serial_share(1000.0, 900.0, 2), 1.0);
        assert_eq!(rate_on_paper(1000.0, 0.0, 4), 4000.0);
    }
}
