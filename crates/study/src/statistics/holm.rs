//! Holm's correction for several comparisons.

/// The p of each comparison, corrected for there being several: the smallest times their number, the next times one less,
/// and so on, never less than one before and never above 1.
///
/// Where a corrected p is at most 0.05, the chance of even one wrong claim among all is at most 5 %.
///
/// Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
///
/// ```
/// assert_eq!(aumenta_study::holm(&[0.25, 0.01, 0.5]), [0.5, 0.03, 0.5]);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut corrected = vec![1.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[index]).min(1.0);
        corrected[index] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comparison_needs_no_correction() {
        assert_eq!(holm(&[0.04]), [0.04]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_larger_p_is_never_corrected_to_a_smaller_one() {
        assert_eq!(holm(&[0.25, 0.375, 0.25]), [0.75, 0.75, 0.75]);
    }
}
