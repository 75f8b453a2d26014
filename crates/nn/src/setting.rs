//! The ranges that settings are checked against, so that every refusal reads alike.

use crate::error::NnError;

pub(crate) fn above_zero(name: &'static str, value: f32) -> Result<(), NnError> {
    check(name, "above 0", value, value > 0.0 && value.is_finite())
}

pub(crate) fn at_least_zero(name: &'static str, value: f32) -> Result<(), NnError> {
    check(name, "at least 0", value, value >= 0.0 && value.is_finite())
}

/// For the decay of a running mean, which would never change at 1.
pub(crate) fn below_one(name: &'static str, value: f32) -> Result<(), NnError> {
    check(name, "at least 0 and below 1", value, (0.0..1.0).contains(&value))
}

pub(crate) fn at_most_one(name: &'static str, value: f32) -> Result<(), NnError> {
    check(name, "at least 0 and at most 1", value, (0.0..=1.0).contains(&value))
}

pub(crate) fn finite(name: &'static str, value: f32) -> Result<(), NnError> {
    check(name, "finite", value, value.is_finite())
}

pub(crate) fn check(name: &'static str, range: &'static str, value: f32, fits: bool) -> Result<(), NnError> {
    if fits { Ok(()) } else { Err(NnError::Setting { name, range, value }) }
}
