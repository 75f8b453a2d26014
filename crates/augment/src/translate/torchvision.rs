//! The table of torchvision: transforms of `torchvision.transforms` and `torchvision.transforms.v2`, as of 0.20.

use aumenta_imgproc::{Fill, Interpolation};

use super::TranslateError;
use super::call::{Arguments, Call, Value};
use super::draft::{Draft, Symmetry, around};
use crate::{AutoAugmentPolicy, Cover, TransformConfig, ZoomRange};

/// Our settings for a `Compose`.
pub(super) fn translate(call: &Call, draft: &mut Draft) -> Result<(), TranslateError> {
    let arguments = call.bind(&["transforms"])?;
    each(&arguments, draft, 1.0)
}

/// The transforms in the argument `transforms`, each for this share of pictures.
fn each(arguments: &Arguments<'_>, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let Some(Value::Sequence(transforms)) = arguments.value("transforms") else {
        return Err(arguments.unexpected("transforms", "a list of transforms"));
    };
    for transform in transforms {
        match transform {
            Value::Call(call) => one(call, draft, probability)?,
            other => draft.no_equal(&other.to_string(), "only calls are read"),
        }
    }
    Ok(())
}

fn one(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let name = call.short_name();
    match name {
        "Compose" => each(&call.bind(&["transforms"])?, draft, probability),
        "RandomApply" => {
            let arguments = call.bind(&["transforms", "p"])?;
            if matches!(arguments.value("transforms"), Some(Value::Sequence(transforms)) if transforms.len() > 1) {
                draft.approximate(name, "each of its transforms is drawn on its own, not all or none");
            }
            each(&arguments, draft, probability * arguments.number("p", 0.5)?)
        }
        "RandomHorizontalFlip" => {
            let chance = call.bind(&["p"])?.number("p", 0.5)?;
            draft.push(TransformConfig::HorizontalFlip {}, probability * chance);
            draft.exact(name);
            Ok(())
        }
        "RandomVerticalFlip" => {
            let chance = call.bind(&["p"])?.number("p", 0.5)?;
            draft.push(TransformConfig::VerticalFlip {}, probability * chance);
            draft.exact(name);
            Ok(())
        }
        "RandomRotation" => rotation(call, draft, probability),
        "RandomAffine" => affine(call, draft, probability),
        "ColorJitter" => color_jitter(call, draft, probability),
        "RandomGrayscale" => sometimes(call, 0.1, TransformConfig::Grayscale {}, draft, probability),
        "RandomInvert" => sometimes(call, 0.5, TransformConfig::Invert {}, draft, probability),
        "RandomEqualize" => sometimes(call, 0.5, TransformConfig::Equalize {}, draft, probability),
        "RandomAutocontrast" => {
            sometimes(call, 0.5, TransformConfig::Autocontrast { cutoff_percent: 0.0 }, draft, probability)
        }
        "RandomPosterize" | "RandomSolarize" => fewer_levels(call, draft, probability),
        "GaussianBlur" => gaussian_blur(call, draft, probability),
        "RandomPerspective" | "RandomResizedCrop" => reshaped(call, draft, probability),
        "RandomErasing" => erasing(call, draft, probability),
        "RandAugment" | "TrivialAugmentWide" | "AutoAugment" => policy(call, draft, probability),
        _ => {
            draft.no_equal(name, elsewhere(name));
            Ok(())
        }
    }
}

fn rotation(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["degrees", "interpolation", "expand", "center", "fill"])?;
    let range = arguments.pair("degrees", (0.0, 0.0), |degrees| (-degrees, degrees))?;
    let (degrees, symmetry) = around(0.0, range);
    draft.push(TransformConfig::Rotation { degrees }, probability);
    resampling(&arguments, draft)?;
    if arguments.truth("expand", false)? || arguments.value("center").is_some() {
        draft.approximate("RandomRotation", "the picture keeps its size and turns about its center");
    } else if symmetry == Symmetry::Lopsided {
        draft.approximate("RandomRotation", &format!("turns by up to {degrees} degrees either way"));
    } else {
        draft.exact("RandomRotation");
    }
    Ok(())
}

fn affine(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let parameters = ["degrees", "translate", "scale", "shear", "interpolation", "fill", "center"];
    let arguments = call.bind(&parameters)?;
    let (degrees, turns) = around(0.0, arguments.pair("degrees", (0.0, 0.0), |degrees| (-degrees, degrees))?);
    if degrees != 0.0 {
        draft.push(TransformConfig::Rotation { degrees }, probability);
    }
    let (width, height) = arguments.pair("translate", (0.0, 0.0), |both| (both, both))?;
    if (width, height) != (0.0, 0.0) {
        draft.push(TransformConfig::Shift { width, height }, probability);
    }
    let (low, high) = arguments.pair("scale", (1.0, 1.0), |both| (both, both))?;
    if (low, high) != (1.0, 1.0) {
        draft.push(TransformConfig::Zoom { range: ZoomRange::Between([low, high]) }, probability);
        draft.approximate("RandomAffine", "scale is drawn for width and height independently");
    }
    let shears = arguments.numbers("shear")?.unwrap_or_default();
    let (lean, leans) = match shears[..] {
        [] => (0.0, Symmetry::Symmetric),
        [degrees] => around(0.0, (-degrees, degrees)),
        [low, high, ..] => around(0.0, (low, high)),
    };
    if lean != 0.0 {
        draft.push(TransformConfig::Shear { degrees: lean }, probability);
    }
    if shears.len() > 2 {
        draft.no_equal("RandomAffine", "shear moves rows alone, never columns");
    }
    if turns == Symmetry::Lopsided || leans == Symmetry::Lopsided {
        draft.approximate("RandomAffine", "angles are drawn as far either way");
    }
    if arguments.value("center").is_some() {
        draft.approximate("RandomAffine", "the center is the picture's");
    }
    resampling(&arguments, draft)?;
    draft.approximate("RandomAffine", "shear after rotation and shift; shifts need not be whole pixels");
    Ok(())
}

fn color_jitter(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["brightness", "contrast", "saturation", "hue"])?;
    for name in ["brightness", "contrast", "saturation"] {
        let subject = format!("ColorJitter.{name}");
        let range = arguments.pair(name, (1.0, 1.0), |amount| ((1.0 - amount).max(0.0), 1.0 + amount))?;
        let (amount, symmetry) = around(1.0, range);
        if amount == 0.0 {
            continue;
        }
        let amount = amount.min(1.0);
        draft.push(
            match name {
                "brightness" => TransformConfig::Brightness { amount },
                "contrast" => TransformConfig::ContrastAboutMean { amount },
                _ => TransformConfig::Saturation { amount },
            },
            probability,
        );
        if symmetry == Symmetry::Lopsided {
            draft.approximate(&subject, &format!("the factor is drawn from {} to {}", 1.0 - amount, 1.0 + amount));
        } else {
            draft.exact(&subject);
        }
    }
    let (turns, symmetry) = around(0.0, arguments.pair("hue", (0.0, 0.0), |turn| (-turn, turn))?);
    if turns != 0.0 {
        draft.push(TransformConfig::Hue { turns }, probability);
        if symmetry == Symmetry::Lopsided {
            draft.approximate("ColorJitter.hue", "hues turn as far either way");
        } else {
            draft.exact("ColorJitter.hue");
        }
    }
    draft.approximate("ColorJitter", "brightness, contrast, saturation and hue act in this order, not in a random one");
    Ok(())
}

/// A transform whose one argument is its probability.
fn sometimes(
    call: &Call,
    usual: f64,
    transform: TransformConfig,
    draft: &mut Draft,
    probability: f64,
) -> Result<(), TranslateError> {
    let chance = call.bind(&["p"])?.number("p", usual)?;
    draft.push(transform, probability * chance);
    draft.exact(call.short_name());
    Ok(())
}

fn fewer_levels(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let name = call.short_name();
    let arguments = call.bind(if name == "RandomPosterize" { &["bits", "p"] } else { &["threshold", "p"] })?;
    let transform = if name == "RandomPosterize" {
        TransformConfig::Posterize { bits: [arguments.number("bits", 8.0)?.clamp(0.0, 8.0) as u8; 2] }
    } else {
        let threshold = arguments.number("threshold", 256.0)?.clamp(0.0, 256.0) as u16;
        TransformConfig::Solarize { threshold_levels: [threshold; 2] }
    };
    draft.push(transform, probability * arguments.number("p", 0.5)?);
    draft.exact(name);
    Ok(())
}

fn gaussian_blur(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["kernel_size", "sigma"])?;
    let (low, high) = arguments.pair("sigma", (0.1, 2.0), |sigma| (sigma, sigma))?;
    draft.push(TransformConfig::GaussianBlur { sigma_pixels: [low, high] }, probability);
    draft.approximate("GaussianBlur", "the window follows from sigma, whatever the kernel's size");
    Ok(())
}

/// What shows another part of the picture, or from another side.
fn reshaped(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    if call.short_name() == "RandomPerspective" {
        let arguments = call.bind(&["distortion_scale", "p", "interpolation", "fill"])?;
        let distortion = arguments.number("distortion_scale", 0.5)?;
        draft.push(TransformConfig::Perspective { distortion }, probability * arguments.number("p", 0.5)?);
        draft.approximate("RandomPerspective", "fill and interpolation are those of all transforms, not its own");
        return Ok(());
    }
    let arguments = call.bind(&["size", "scale", "ratio", "interpolation", "antialias"])?;
    let areas = arguments.pair("scale", (0.08, 1.0), |area| (area, area))?;
    let ratios = arguments.pair("ratio", (3.0 / 4.0, 4.0 / 3.0), |ratio| (ratio, ratio))?;
    let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
    draft.push(TransformConfig::ResizedCrop { areas, aspect_ratios }, probability);
    draft.approximate("RandomResizedCrop", "the size is that of the model's input");
    Ok(())
}

fn erasing(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["p", "scale", "ratio", "value", "inplace"])?;
    let areas = arguments.pair("scale", (0.02, 0.33), |area| (area, area))?;
    let ratios = arguments.pair("ratio", (0.3, 3.3), |ratio| (ratio, ratio))?;
    let is_noise = matches!(arguments.value("value"), Some(Value::Text(_)));
    let cover = if is_noise { Cover::Noise } else { Cover::Color([0; 3]) };
    let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
    let erasing = TransformConfig::Erasing { areas, aspect_ratios, cover };
    draft.push(erasing, probability * arguments.number("p", 0.5)?);
    draft.approximate("RandomErasing", "it paints levels before normalization: black, or noise for a value in words");
    Ok(())
}

fn policy(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let name = call.short_name();
    let arguments = call.bind(match name {
        "RandAugment" => &["num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill"],
        "AutoAugment" => &["policy", "interpolation", "fill"],
        _ => &["num_magnitude_bins", "interpolation", "fill"],
    })?;
    if name == "AutoAugment" && arguments.value("policy").is_some() {
        draft.no_equal(name, "write the policy as `auto-augment` has it: imagenet, cifar10 or svhn");
        return Ok(());
    }
    let transform = match name {
        "RandAugment" => {
            let [operations, magnitude] = [arguments.number("num_ops", 2.0)?, arguments.number("magnitude", 9.0)?];
            TransformConfig::RandAugment { operations: operations as u32, magnitude: magnitude as u32 }
        }
        "AutoAugment" => TransformConfig::AutoAugment { policy: AutoAugmentPolicy::default() },
        _ => TransformConfig::TrivialAugmentWide {},
    };
    draft.push(transform, probability);
    draft.approximate(
        name,
        "motions are resampled together with the fill of all transforms, and shears lean about the center",
    );
    Ok(())
}

/// What an interpolation and a fill say; torchvision's defaults are nearest and black.
fn resampling(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let interpolation = match arguments.word("interpolation", "nearest")?.as_str() {
        "nearest" | "nearest_exact" => Interpolation::Nearest,
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        _ => return Err(arguments.unexpected("interpolation", "nearest, bilinear or bicubic")),
    };
    draft.interpolation("interpolation", interpolation);
    let levels = arguments.numbers("fill")?.unwrap_or_else(|| vec![0.0]);
    let level = |value: f64| value.round().clamp(0.0, 255.0) as u8;
    let fill = match levels[..] {
        [gray] => [level(gray); 3],
        [red, green, blue] => [level(red), level(green), level(blue)],
        _ => return Err(arguments.unexpected("fill", "one or three levels")),
    };
    draft.fill("fill", Fill::Constant(fill));
    Ok(())
}

/// Why a transform is not among ours.
fn elsewhere(name: &str) -> &'static str {
    match name {
        "Resize" => "pictures are resized to the model's input, aspect ratio not kept",
        "ToTensor" | "PILToTensor" | "ToImage" | "ToImageTensor" | "ToDtype" | "ToPureTensor" | "ConvertImageDtype"
        | "ConvertDtype" => "batches are float32 from 0 to 1 without it",
        "Normalize" => "it belongs to the normalization of the preprocessing, not to the augmentation",
        _ => "it is not translated; the page about augmentation lists what there is",
    }
}
