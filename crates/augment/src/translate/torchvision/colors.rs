//! Colors of torchvision.

use super::super::TranslateError;
use super::super::call::Call;
use super::super::color_jitter::{Usual, color_jitter};
use super::super::draft::{Draft, Group};
use crate::TransformConfig;

pub(super) fn jitter(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["brightness", "contrast", "saturation", "hue"])?;
    let usual = Usual { factors: (1.0, 1.0), turns: (0.0, 0.0) };
    Ok(Group::all(color_jitter(&arguments, &usual, draft)?, 1.0))
}

pub(super) fn grayscale(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    if call.bind(&["num_output_channels"])?.number("num_output_channels", 1.0)? == 3.0 {
        draft.exact("Grayscale");
    } else {
        draft.approximate("Grayscale", "three equal channels; [preprocessing] says how many a network takes");
    }
    Ok(Group::one(TransformConfig::Grayscale {}, 1.0))
}

pub(super) fn posterize(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["bits", "p"])?;
    let bits = arguments.number("bits", 8.0)?.clamp(0.0, 8.0) as u8;
    draft.exact("RandomPosterize");
    Ok(Group::one(TransformConfig::Posterize { bits: [bits; 2] }, arguments.number("p", 0.5)?))
}

pub(super) fn solarize(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["threshold", "p"])?;
    let threshold = arguments.number("threshold", 256.0)?.clamp(0.0, 256.0) as u16;
    draft.exact("RandomSolarize");
    Ok(Group::one(TransformConfig::Solarize { threshold_levels: [threshold; 2] }, arguments.number("p", 0.5)?))
}

pub(super) fn sharpness(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["sharpness_factor", "p"])?;
    let amount = (arguments.number("sharpness_factor", 1.0)? - 1.0).abs().min(1.0);
    let (low, high) = (1.0 - amount, 1.0 + amount);
    draft.approximate("RandomAdjustSharpness", &format!("the factor is drawn from {low} to {high}"));
    Ok(Group::one(TransformConfig::Sharpness { amount }, arguments.number("p", 0.5)?))
}
