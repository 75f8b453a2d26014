//! The table of albumentations: transforms as of 1.4 and 2.0, in Python or as `A.save` writes them.

use aumenta_imgproc::{Fill, Interpolation};

use super::TranslateError;
use super::call::{Arguments, Call, Value, number};
use super::draft::{Draft, Symmetry, around};
use crate::{TransformConfig, ZoomRange};

/// Our settings for a `Compose`.
pub(super) fn translate(call: &Call, draft: &mut Draft) -> Result<(), TranslateError> {
    composed(call, draft, 1.0)
}

/// The transforms of a `Compose` or `Sequential`, which is itself drawn for this share of pictures.
fn composed(call: &Call, draft: &mut Draft, probability: f64) -> Result<(), TranslateError> {
    let parameters = [
        "transforms",
        "bbox_params",
        "keypoint_params",
        "additional_targets",
        "p",
        "is_check_shapes",
        "strict",
        "mask_interpolation",
        "seed",
        "save_applied_params",
        "telemetry",
        "is_check_args",
    ];
    let arguments = call.bind(&parameters)?;
    let usual = if call.short_name() == "Compose" { 1.0 } else { 0.5 };
    let own = arguments.number("p", usual)?;
    let Some(Value::Sequence(transforms)) = arguments.value("transforms") else {
        return Err(arguments.unexpected("transforms", "a list of transforms"));
    };
    if own != 1.0 && transforms.len() > 1 {
        draft.approximate(call.short_name(), "each of its transforms is drawn on its own, not all or none");
    }
    for transform in transforms {
        match transform {
            Value::Call(call) => one(call, draft, probability * own)?,
            other => draft.no_equal(&other.to_string(), "only calls are read"),
        }
    }
    Ok(())
}

fn one(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let name = call.short_name();
    match name {
        "Compose" | "Sequential" => composed(call, draft, outer),
        "HorizontalFlip" => flip(call, TransformConfig::HorizontalFlip {}, draft, outer),
        "VerticalFlip" => flip(call, TransformConfig::VerticalFlip {}, draft, outer),
        "Rotate" => rotate(call, draft, outer),
        "ShiftScaleRotate" => shift_scale_rotate(call, draft, outer),
        "Affine" => affine(call, draft, outer),
        "ColorJitter" => color_jitter(call, draft, outer),
        "RandomBrightnessContrast" => brightness_contrast(call, draft, outer),
        "ToGray" => plain(call, TransformConfig::Grayscale {}, draft, outer),
        "InvertImg" => plain(call, TransformConfig::Invert {}, draft, outer),
        "RandomRotate90" => plain(call, TransformConfig::QuarterTurns {}, draft, outer),
        "GaussianBlur" => gaussian_blur(call, draft, outer),
        "RandomGamma" => gamma(call, draft, outer),
        "RandomResizedCrop" => resized_crop(call, draft, outer),
        _ => {
            draft.no_equal(name, elsewhere(name));
            Ok(())
        }
    }
}

fn flip(call: &Call, flip: TransformConfig, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let own = call.bind(&["p", "always_apply"])?.number("p", 0.5)?;
    draft.push(flip, outer * own);
    draft.exact(call.short_name());
    Ok(())
}

/// A transform of which only its probability is read.
fn plain(call: &Call, transform: TransformConfig, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let own = call.bind(&["p", "always_apply", "num_output_channels", "method"])?.number("p", 0.5)?;
    draft.push(transform, outer * own);
    draft.exact(call.short_name());
    Ok(())
}

fn gaussian_blur(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["blur_limit", "sigma_limit", "p", "always_apply"])?;
    let (low, high) = arguments.pair("sigma_limit", (0.5, 3.0), |sigma| (0.0, sigma))?;
    draft.push(TransformConfig::GaussianBlur { sigma_pixels: [low, high] }, outer * arguments.number("p", 0.5)?);
    draft.approximate("GaussianBlur", "the window follows from sigma, whatever blur_limit says");
    Ok(())
}

fn gamma(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["gamma_limit", "p", "always_apply"])?;
    let (low, high) = arguments.pair("gamma_limit", (80.0, 120.0), |percent| (percent, percent))?;
    let exponents = [low / 100.0, high / 100.0];
    draft.push(TransformConfig::Gamma { exponents }, outer * arguments.number("p", 0.5)?);
    draft.approximate("RandomGamma", "exponents are drawn evenly, not in whole percent");
    Ok(())
}

fn resized_crop(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let parameters = ["size", "scale", "ratio", "height", "width", "interpolation", "mask_interpolation"];
    let arguments = call.bind(&[&parameters[..], &["area_for_downscale", "p", "always_apply"]].concat())?;
    let areas = arguments.pair("scale", (0.08, 1.0), |area| (area, area))?;
    let ratios = arguments.pair("ratio", (0.75, 4.0 / 3.0), |ratio| (ratio, ratio))?;
    let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
    draft.push(TransformConfig::ResizedCrop { areas, aspect_ratios }, outer * arguments.number("p", 1.0)?);
    draft.approximate("RandomResizedCrop", "the size is that of the model's input");
    Ok(())
}

fn rotate(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&with_border(&["limit", "rotate_method", "crop_border"]))?;
    let (degrees, symmetry) = around(0.0, limits(&arguments, "limit", 90.0)?);
    draft.push(TransformConfig::Rotation { degrees }, outer * arguments.number("p", 0.5)?);
    border(&arguments, draft, "reflect_101")?;
    if arguments.truth("crop_border", false)? {
        draft.approximate("Rotate", "the border is filled, not cropped away");
    } else if symmetry == Symmetry::Lopsided {
        draft.approximate("Rotate", &format!("turns by up to {degrees} degrees either way"));
    } else {
        draft.exact("Rotate");
    }
    Ok(())
}

fn shift_scale_rotate(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let parameters = ["shift_limit", "scale_limit", "rotate_limit", "shift_limit_x", "shift_limit_y", "rotate_method"];
    let arguments = call.bind(&with_border(&parameters))?;
    let probability = outer * arguments.number("p", 0.5)?;
    let (degrees, turns) = around(0.0, limits(&arguments, "rotate_limit", 45.0)?);
    let both = limits(&arguments, "shift_limit", 0.0625)?;
    let along = |name| if arguments.value(name).is_some() { limits(&arguments, name, 0.0) } else { Ok(both) };
    let (width, sideways) = around(0.0, along("shift_limit_x")?);
    let (height, up_or_down) = around(0.0, along("shift_limit_y")?);
    let (low, high) = limits(&arguments, "scale_limit", 0.1)?;
    draft.push(TransformConfig::Rotation { degrees }, probability);
    draft.push(TransformConfig::Zoom { range: ZoomRange::Between([1.0 + low, 1.0 + high]) }, probability);
    draft.push(TransformConfig::Shift { width, height }, probability);
    border(&arguments, draft, "reflect_101")?;
    if [turns, sideways, up_or_down].contains(&Symmetry::Lopsided) {
        draft.approximate("ShiftScaleRotate", "angles and shifts are drawn as far either way");
    }
    draft.approximate(
        "ShiftScaleRotate",
        "rotation, scale and shift are each drawn on their own, and scale for width and height independently",
    );
    Ok(())
}

fn affine(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let parameters = [
        "scale",
        "translate_percent",
        "translate_px",
        "rotate",
        "shear",
        "cval",
        "cval_mask",
        "mode",
        "fit_output",
        "keep_ratio",
        "rotate_method",
        "balanced_scale",
    ];
    let arguments = call.bind(&with_border(&parameters))?;
    let probability = outer * arguments.number("p", 0.5)?;
    for name in ["scale", "translate_percent", "shear"] {
        if matches!(arguments.value(name), Some(Value::Dictionary(_))) {
            draft.no_equal("Affine", &format!("{name} with a range for each axis is not read"));
            return Ok(());
        }
    }
    let (low, high) = arguments.pair("scale", (1.0, 1.0), |both| (both, both))?;
    let (degrees, turns) = around(0.0, arguments.pair("rotate", (0.0, 0.0), |degrees| (-degrees, degrees))?);
    let (shift, shifts) = around(0.0, arguments.pair("translate_percent", (0.0, 0.0), |both| (-both, both))?);
    let (lean, leans) = around(0.0, arguments.pair("shear", (0.0, 0.0), |degrees| (-degrees, degrees))?);
    if (low, high) != (1.0, 1.0) {
        draft.push(TransformConfig::Zoom { range: ZoomRange::Between([low, high]) }, probability);
    }
    if lean != 0.0 {
        draft.push(TransformConfig::Shear { degrees: lean }, probability);
        draft.approximate("Affine", "shear moves rows alone, never columns");
    }
    if degrees != 0.0 {
        draft.push(TransformConfig::Rotation { degrees }, probability);
    }
    if shift != 0.0 {
        draft.push(TransformConfig::Shift { width: shift, height: shift }, probability);
    }
    if arguments.value("translate_px").is_some() {
        draft.no_equal("Affine", "shifts are fractions of the picture, not pixels");
    }
    if [turns, shifts, leans].contains(&Symmetry::Lopsided) {
        draft.approximate("Affine", "angles and shifts are drawn as far either way");
    }
    border(&arguments, draft, "constant")?;
    draft.approximate("Affine", "its parts are each drawn on their own, and scale for width and height independently");
    Ok(())
}

fn color_jitter(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let arguments = call.bind(&["brightness", "contrast", "saturation", "hue", "p", "always_apply"])?;
    let probability = outer * arguments.number("p", 0.5)?;
    for name in ["brightness", "contrast", "saturation"] {
        let range = arguments.pair(name, (0.8, 1.2), |amount| ((1.0 - amount).max(0.0), 1.0 + amount))?;
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
            let factors = format!("the factor is drawn from {} to {}", 1.0 - amount, 1.0 + amount);
            draft.approximate(&format!("ColorJitter.{name}"), &factors);
        }
    }
    let (turns, symmetry) = around(0.0, arguments.pair("hue", (-0.5, 0.5), |turn| (-turn, turn))?);
    if turns != 0.0 {
        draft.push(TransformConfig::Hue { turns }, probability);
        if symmetry == Symmetry::Lopsided {
            draft.approximate("ColorJitter.hue", "hues turn as far either way");
        }
    }
    draft.approximate("ColorJitter", "its parts are each drawn on their own and act in a fixed order");
    Ok(())
}

fn brightness_contrast(call: &Call, draft: &mut Draft, outer: f64) -> Result<(), TranslateError> {
    let parameters =
        ["brightness_limit", "contrast_limit", "brightness_by_max", "p", "always_apply", "ensure_safe_range"];
    let arguments = call.bind(&parameters)?;
    let probability = outer * arguments.number("p", 0.5)?;
    let (amount, symmetry) = around(0.0, limits(&arguments, "contrast_limit", 0.2)?);
    if amount != 0.0 {
        draft.push(TransformConfig::Brightness { amount: amount.min(1.0) }, probability);
        draft.approximate(
            "RandomBrightnessContrast.contrast_limit",
            if symmetry == Symmetry::Symmetric {
                "it multiplies all levels, which is called brightness here"
            } else {
                "it multiplies all levels, which is called brightness here, by as much either way"
            },
        );
    }
    if limits(&arguments, "brightness_limit", 0.2)? != (0.0, 0.0) {
        draft.no_equal("RandomBrightnessContrast.brightness_limit", "no transform adds the same to all levels");
    }
    Ok(())
}

/// A range that one number gives to both sides: 30 is from -30 to 30.
fn limits(arguments: &Arguments<'_>, name: &str, usual: f64) -> Result<(f64, f64), TranslateError> {
    arguments.pair(name, (-usual, usual), |limit| (-limit, limit))
}

/// `parameters`, and then those that every transform with a border has.
fn with_border(parameters: &[&'static str]) -> Vec<&'static str> {
    let border = [
        "interpolation",
        "border_mode",
        "value",
        "mask_value",
        "fill",
        "fill_mask",
        "mask_interpolation",
        "p",
        "always_apply",
    ];
    parameters.iter().copied().chain(border).collect()
}

/// What `interpolation` and `border_mode` say, as OpenCV's names or numbers.
fn border(arguments: &Arguments<'_>, draft: &mut Draft, usual: &str) -> Result<(), TranslateError> {
    let interpolation = match code(arguments, "interpolation", "linear", &["nearest", "linear", "cubic"])?.as_str() {
        "inter_nearest" | "nearest" => Interpolation::Nearest,
        "inter_linear" | "linear" => Interpolation::Bilinear,
        "inter_cubic" | "cubic" => Interpolation::Bicubic,
        _ => {
            draft.approximate("interpolation", "bilinear");
            Interpolation::Bilinear
        }
    };
    draft.interpolation("interpolation", interpolation);
    let modes = ["constant", "replicate", "reflect", "wrap", "reflect_101"];
    let mode_name = if arguments.names().any(|name| name == "mode") { "mode" } else { "border_mode" };
    let mode = code(arguments, mode_name, usual, &modes)?;
    let fill = match mode.strip_prefix("border_").unwrap_or(&mode) {
        "constant" => Fill::Constant(color(arguments)?),
        "replicate" => Fill::Nearest,
        "reflect" => Fill::Reflect,
        "wrap" => Fill::Wrap,
        "reflect_101" | "reflect101" | "default" => {
            draft.approximate("border_mode", "the pixel at the edge is repeated when the picture is reflected");
            Fill::Reflect
        }
        _ => return Err(arguments.unexpected(mode_name, "constant, replicate, reflect, wrap or reflect_101")),
    };
    draft.fill("border_mode", fill);
    Ok(())
}

/// A constant of OpenCV by its name in lower case, or by its number, the place in `names`.
fn code(arguments: &Arguments<'_>, name: &str, usual: &str, names: &[&str]) -> Result<String, TranslateError> {
    match arguments.value(name).and_then(number) {
        Some(place) => names
            .iter()
            .enumerate()
            .find(|(at, _)| *at as f64 == place)
            .map(|(_, name)| (*name).to_string())
            .ok_or_else(|| arguments.unexpected(name, "a constant of OpenCV that is known here")),
        None => arguments.word(name, usual),
    }
}

/// The color of a constant border: `fill`, or `value` or `cval` in older versions.
fn color(arguments: &Arguments<'_>) -> Result<[u8; 3], TranslateError> {
    let name = ["fill", "value", "cval"].into_iter().find(|name| arguments.value(name).is_some());
    let Some(name) = name else { return Ok([0; 3]) };
    let level = |value: f64| value.round().clamp(0.0, 255.0) as u8;
    match arguments.numbers(name)?.as_deref() {
        Some([gray]) => Ok([level(*gray); 3]),
        Some([red, green, blue]) => Ok([level(*red), level(*green), level(*blue)]),
        _ => Err(arguments.unexpected(name, "one or three levels")),
    }
}

/// Why a transform is not among ours.
fn elsewhere(name: &str) -> &'static str {
    match name {
        "Resize" => "pictures are resized to the model's input, aspect ratio not kept",
        "ToFloat" | "ToTensorV2" => "batches are float32 from 0 to 1 without it",
        "Normalize" => "it belongs to the normalization of the preprocessing, not to the augmentation",
        _ => "it is not translated; the page about augmentation lists what there is",
    }
}
