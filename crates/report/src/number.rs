//! How numbers are written: accuracies, counts, durations. What is not a number is an en dash.

/// An accuracy or a share with `digits` digits; never `-0.00`.
pub fn decimal(value: f64, digits: usize) -> String {
    if value.is_finite() {
        let text = format!("{value:.digits$}");
        match text.strip_prefix('-') {
            Some(zero) if zero.chars().all(|c| matches!(c, '0' | '.')) => zero.to_owned(),
            Some(positive) => format!("−{positive}"),
            None => text,
        }
    } else {
        "–".to_owned()
    }
}

/// A whole number with its thousands set apart: `3,453,121`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate, rounded to a whole number.
pub fn rate(value: f64) -> String {
    if value.is_finite() { count(value.round() as u64) } else { "–".to_owned() }
}

/// A p: as many digits as it needs, three at most, and no zero.
pub fn probability(p: f64) -> String {
    if p < 0.0005 {
        return "< 0.001".to_owned();
    }
    let text = decimal(p, 3);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A duration: `42 s`, `3 min 12 s`, `1 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    match seconds.round() as u64 {
        whole @ 0..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        whole => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_a_true_minus_and_no_negative_zero() {
        assert_eq!(decimal(0.8125, 3), "0.812");
        assert_eq!(decimal(-0.05, 2), "−0.05");
        assert_eq!(decimal(-0.001, 2), "0.00");
        assert_eq!(decimal(f64::NAN, 2), "–");
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 25_000, 3_453_121].map(count), ["0", "999", "1,000", "25,000", "3,453,121"]);
        assert_eq!([949.6, f64::INFINITY].map(rate), ["950", "–"]);
    }

    #[test]
    fn probabilities_have_no_idle_digits_and_are_never_zero() {
        assert_eq!([0.25, 1.0, 0.0312, 1e-9, 0.0].map(probability), ["0.25", "1", "0.031", "< 0.001", "< 0.001"]);
        assert_eq!(probability(f64::NAN), "–");
    }

    #[test]
    fn durations_use_two_units_at_most() {
        let seconds = [0.4, 59.4, 59.6, 192.0, 3600.0, 3900.0, f64::NAN];
        assert_eq!(seconds.map(duration), ["0 s", "59 s", "1 min 00 s", "3 min 12 s", "1 h 00 min", "1 h 05 min", "–"]);
    }
}
