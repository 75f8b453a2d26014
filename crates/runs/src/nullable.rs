//! Numbers that JSON cannot hold: what is not finite is written as `null` and read as NaN. For `#[serde(with)]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a finite number as it is and any other as `null`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands every field over by reference")]
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

/// Reads a number, and `null` as NaN.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
