//! Searched policies of torchvision, which are written by its tables here too.

use super::super::TranslateError;
use super::super::call::Call;
use super::super::draft::{Draft, Group};
use super::resampling;
use crate::{AutoAugmentPolicy, TransformConfig};

/// In what all of them differ.
const MOTIONS: &str = "motions beside each other are resampled together, and shears lean about the center";

pub(super) fn rand_augment(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill"])?;
    let [operations, magnitude] = [arguments.number("num_ops", 2.0)?, arguments.number("magnitude", 9.0)?];
    // A magnitude is one of so many bins, here of 31.
    let bins = arguments.number("num_magnitude_bins", 31.0)?;
    let magnitude = if bins > 1.0 { magnitude * 30.0 / (bins - 1.0) } else { 0.0 };
    if magnitude.fract() != 0.0 {
        draft.approximate("RandAugment", "the magnitude is the nearest of 31 bins");
    }
    resampling(&arguments, "nearest", draft)?;
    draft.approximate("RandAugment", MOTIONS);
    let [operations, magnitude] = [operations, magnitude.round()].map(|number| number as u32);
    Ok(Group::one(TransformConfig::RandAugment { operations, magnitude }, 1.0))
}

pub(super) fn trivial_augment_wide(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["num_magnitude_bins", "interpolation", "fill"])?;
    if arguments.number("num_magnitude_bins", 31.0)? != 31.0 {
        draft.approximate("TrivialAugmentWide", "the magnitude is one of 31 bins");
    }
    resampling(&arguments, "nearest", draft)?;
    draft.approximate("TrivialAugmentWide", MOTIONS);
    Ok(Group::one(TransformConfig::TrivialAugmentWide {}, 1.0))
}

pub(super) fn auto_augment(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["policy", "interpolation", "fill"])?;
    let policy = match arguments.word("policy", "imagenet")?.as_str() {
        "imagenet" => AutoAugmentPolicy::ImageNet,
        "cifar10" => AutoAugmentPolicy::Cifar10,
        "svhn" => AutoAugmentPolicy::Svhn,
        _ => return Err(arguments.unexpected("policy", "imagenet, cifar10 or svhn")),
    };
    resampling(&arguments, "nearest", draft)?;
    draft.approximate("AutoAugment", MOTIONS);
    Ok(Group::one(TransformConfig::AutoAugment { policy }, 1.0))
}

pub(super) fn aug_mix(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let parameters = ["severity", "mixture_width", "chain_depth", "alpha", "all_ops", "interpolation", "fill"];
    let arguments = call.bind(&parameters)?;
    let [severity, width] = [arguments.number("severity", 3.0)?, arguments.number("mixture_width", 3.0)?];
    if arguments.truth("all_ops", true)? {
        draft.approximate("AugMix.all_ops", "as in the paper without brightness, color, contrast and sharpness");
    }
    if arguments.number("chain_depth", -1.0)? > 0.0 {
        draft.approximate("AugMix.chain_depth", "chains have one to three operations");
    }
    let alpha = arguments.number("alpha", 1.0)?;
    resampling(&arguments, "bilinear", draft)?;
    draft.approximate("AugMix", MOTIONS);
    Ok(Group::one(TransformConfig::AugMix { severity: severity as u32, width: width as u32, alpha }, 1.0))
}
