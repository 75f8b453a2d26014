//! Assignment by hash: what a group's key alone decides.

use aumenta_seed::Seed;

/// The part, of those with these shares, that the group of this key belongs to.
///
/// The keyed BLAKE3 hash of the group's key, its first 8 bytes little-endian over 2^64, is a number in [0, 1), on which the
/// shares lie one behind the other. The key follows from the seed, `purpose` and `number`.
pub(super) fn part(group: &str, shares: &[f64], seed: Seed, (purpose, number): (&str, u64)) -> usize {
    let material = [&seed.value().to_le_bytes()[..], &number.to_le_bytes(), purpose.as_bytes()].concat();
    let key = blake3::derive_key("aumenta 2026 split by hash", &material);
    let hash = blake3::keyed_hash(&key, group.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    let place = u64::from_le_bytes(first) as f64 / 2f64.powi(64);
    let ends = shares.iter().scan(0.0, |end, share| {
        *end += share;
        Some(*end)
    });
    let total: f64 = shares.iter().sum();
    // Rounding may leave a gap before 1, which belongs to the last part.
    ends.take(shares.len() - 1).position(|end| place < end / total).unwrap_or(shares.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_get_their_shares_and_never_change_between_versions() {
        let part = |name: &str| part(name, &[0.7, 0.2, 0.1], Seed::new(7), ("split", 0));
        let mut counts = [0; 3];
        for number in 0..10_000 {
            counts[part(&number.to_string())] += 1;
        }
        for (count, share) in counts.into_iter().zip([0.7, 0.2, 0.1]) {
            assert!((f64::from(count) / 10_000.0 - share).abs() < 0.015, "{counts:?}");
        }
        // Written down once: a changed number here means that every split by hash changes with it.
        assert_eq!(counts, [6994, 1941, 1065]);
    }
}
