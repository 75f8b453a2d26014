//! What preparation with Aumenta is to reach, and whether it does.

use super::variant::Variant;

/// So many times as fast as unpacking and split-folders a split is to be that writes the same files.
pub const MATERIALIZE_RATIO: f64 = 2.0;

/// So many times as fast as these a split in place is to be.
pub const IN_PLACE_RATIO: f64 = 20.0;

/// So many times as fast as `CleanVision` an inspection is to be.
pub const INSPECT_RATIO: f64 = 5.0;

/// The share of pairs that a search for near-duplicates may not fall below of being right.
pub const NEAR_PRECISION: f64 = 0.98;

/// The seconds in which a million hashes are to be indexed and searched for.
pub const HASHES_SECONDS: f64 = 30.0;

/// The MiB that this is to take.
pub const HASHES_MIB: f64 = 200.0;

/// The hashes that these two are about.
pub const HASHES: usize = 1_000_000;

/// The share of originals of which a variant is to be found, where one is asked for.
pub fn near_recall(variant: Variant) -> Option<f64> {
    match variant {
        Variant::Recompressed | Variant::Resized => Some(0.99),
        Variant::Brightened | Variant::Mirrored => Some(0.95),
        Variant::Cropped | Variant::Turned => Some(0.8),
        Variant::Mixed => None,
    }
}

/// A line of the report: what is asked for, what was reached, and whether that is enough.
pub fn at_least(what: &str, target: f64, reached: f64) -> String {
    line(&format!("{what} at least {target}"), reached, reached >= target)
}

/// A line of the report about a bound from above.
pub fn at_most(what: &str, target: f64, reached: f64) -> String {
    line(&format!("{what} at most {target}"), reached, reached <= target)
}

fn line(asked: &str, reached: f64, is_met: bool) -> String {
    // Three decimals tell a share just below its target from one that reaches it.
    let reached = if reached < 1.0 { format!("{reached:.3}") } else { format!("{reached:.2}") };
    format!("- {asked}: {reached}, {}.\n", if is_met { "met" } else { "missed" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_met_or_missed_from_either_side() {
        assert_eq!(at_least("Recall", 0.99, 0.9867), "- Recall at least 0.99: 0.987, missed.\n");
        assert_eq!(at_least("Recall", 0.95, 1.0), "- Recall at least 0.95: 1.00, met.\n");
        assert_eq!(at_most("Seconds", 30.0, 4.5), "- Seconds at most 30: 4.50, met.\n");
        assert_eq!(at_most("Seconds", 30.0, 31.0), "- Seconds at most 30: 31.00, missed.\n");
    }
}
