//! The table of Keras: the arguments of `ImageDataGenerator`, as of 2.15 and of 2.0.8.

use aumenta_imgproc::{Fill, Interpolation};

use super::TranslateError;
use super::call::{Arguments, Call, Value, number};
use super::draft::{Draft, Symmetry, around, rounded};
use crate::{KerasVersion, ZoomRange};

const PARAMETERS: [&str; 23] = [
    "featurewise_center",
    "samplewise_center",
    "featurewise_std_normalization",
    "samplewise_std_normalization",
    "zca_whitening",
    "zca_epsilon",
    "rotation_range",
    "width_shift_range",
    "height_shift_range",
    "brightness_range",
    "shear_range",
    "zoom_range",
    "channel_shift_range",
    "fill_mode",
    "cval",
    "horizontal_flip",
    "vertical_flip",
    "rescale",
    "preprocessing_function",
    "data_format",
    "validation_split",
    "interpolation_order",
    "dtype",
];

/// What 2.0.8 does not have yet.
const LATER: [&str; 4] = ["brightness_range", "validation_split", "interpolation_order", "dtype"];

/// Our settings for an `ImageDataGenerator`.
pub(super) fn translate(call: &Call, version: KerasVersion, draft: &mut Draft) -> Result<(), TranslateError> {
    let arguments = match version {
        KerasVersion::Keras2_15 => call.bind(&PARAMETERS)?,
        KerasVersion::Keras2_0_8 => {
            // It always reads the nearest pixel.
            draft.interpolation("interpolation_order", Interpolation::Nearest);
            let parameters: Vec<&str> = PARAMETERS.into_iter().filter(|name| !LATER.contains(name)).collect();
            call.bind(&parameters)?
        }
    };
    let names: Vec<&str> = arguments.names().filter(|name| arguments.value(name).is_some()).collect();
    for name in names {
        match name {
            "rotation_range" => rotation(&arguments, draft)?,
            "width_shift_range" | "height_shift_range" => shift(name, &arguments, version, draft)?,
            "shear_range" => shear(&arguments, version, draft)?,
            "zoom_range" => zoom(&arguments, draft)?,
            "brightness_range" => brightness(&arguments, draft)?,
            "horizontal_flip" => {
                draft.config.horizontal_flip = arguments.truth(name, false)?;
                draft.exact(name);
            }
            "vertical_flip" => {
                draft.config.vertical_flip = arguments.truth(name, false)?;
                draft.exact(name);
            }
            "fill_mode" => fill(&arguments, draft)?,
            "interpolation_order" => order(&arguments, draft)?,
            _ => rest(name, &arguments, draft)?,
        }
    }
    Ok(())
}

fn rotation(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let degrees = arguments.number("rotation_range", 0.0)?;
    // A range of more than half a turn draws angles that lie within it again.
    draft.config.rotation_degrees = degrees.clamp(-180.0, 180.0);
    if degrees == 360.0 || (0.0..=180.0).contains(&degrees) {
        draft.exact("rotation_range");
    } else {
        draft.approximate("rotation_range", "more than half a turn either way is drawn as half a turn");
    }
    Ok(())
}

fn shift(
    name: &str,
    arguments: &Arguments<'_>,
    version: KerasVersion,
    draft: &mut Draft,
) -> Result<(), TranslateError> {
    let fraction = match arguments.value(name) {
        Some(Value::Sequence(_)) => None,
        _ => Some(arguments.number(name, 0.0)?).filter(|fraction| (0.0..1.0).contains(fraction)),
    };
    let Some(fraction) = fraction else {
        draft.no_equal(name, "shifts are fractions below 1 here, not pixels or a list to choose from");
        return Ok(());
    };
    if name == "width_shift_range" {
        draft.config.width_shift = fraction;
    } else {
        draft.config.height_shift = fraction;
    }
    match version {
        KerasVersion::Keras2_0_8 => draft.exact(name),
        KerasVersion::Keras2_15 => {
            draft.approximate(name, "Keras 2.15 exchanges the axes of width and height by mistake");
        }
    }
    Ok(())
}

/// The number is in radians in 2.0.8, and up to 2.1.2, and in degrees in 2.15.
fn shear(arguments: &Arguments<'_>, version: KerasVersion, draft: &mut Draft) -> Result<(), TranslateError> {
    let shear = arguments.number("shear_range", 0.0)?;
    let (degrees, other) = match version {
        KerasVersion::Keras2_0_8 => (rounded(shear.to_degrees()), ""),
        KerasVersion::Keras2_15 if shear.abs() < 1.5 => {
            (shear, "; up to Keras 2.1.2 the number was in radians, as --from keras-2.0.8 reads it")
        }
        KerasVersion::Keras2_15 => (shear, ""),
    };
    draft.config.shear_degrees = degrees;
    let how = "rows slide by the tangent of the angle, in Keras by its sine, and Keras stretches the height";
    draft.approximate("shear_range", &format!("{how}{other}"));
    Ok(())
}

fn zoom(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let (low, high) = arguments.pair("zoom_range", (1.0, 1.0), |amount| (1.0 - amount, 1.0 + amount))?;
    if !(low > 0.0 && low <= high) {
        return Err(arguments.unexpected("zoom_range", "factors above 0, the lower one first"));
    }
    draft.config.zoom = ZoomRange::Between([rounded(1.0 / high), rounded(1.0 / low)]);
    draft.approximate("zoom_range", "the same range of sizes; Keras draws its inverse, 1 / enlargement, evenly");
    Ok(())
}

fn brightness(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let range = arguments.pair("brightness_range", (1.0, 1.0), |factor| (factor, factor))?;
    let (amount, symmetry) = around(1.0, range);
    draft.config.brightness = amount.min(1.0);
    if symmetry == Symmetry::Symmetric && amount <= 1.0 {
        draft.exact("brightness_range");
    } else {
        let (low, high) = (1.0 - amount.min(1.0), 1.0 + amount.min(1.0));
        draft.approximate("brightness_range", &format!("the range is centered at 1 here: from {low} to {high}"));
    }
    Ok(())
}

fn fill(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let level = arguments.number("cval", 0.0)?;
    let (fill, difference) = match arguments.word("fill_mode", "nearest")?.as_str() {
        "nearest" => (Fill::Nearest, None),
        "reflect" => (Fill::Reflect, None),
        "wrap" => (Fill::Wrap, Some("the picture repeats after its whole side, in SciPy one pixel earlier")),
        "constant" => {
            let level = level.round().clamp(0.0, 255.0) as u8;
            (Fill::Constant([level; 3]), Some("edges blend with the fill, in SciPy they end at the outermost centers"))
        }
        _ => return Err(arguments.unexpected("fill_mode", "constant, nearest, reflect or wrap")),
    };
    draft.fill("fill_mode", fill);
    match difference {
        None => draft.exact("fill_mode"),
        Some(difference) => draft.approximate("fill_mode", difference),
    }
    Ok(())
}

fn order(arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    let order = arguments.number("interpolation_order", 1.0)?;
    if order == 0.0 {
        draft.interpolation("interpolation_order", Interpolation::Nearest);
        draft.exact("interpolation_order");
    } else if order == 1.0 {
        draft.interpolation("interpolation_order", Interpolation::Bilinear);
        draft.exact("interpolation_order");
    } else {
        draft.approximate("interpolation_order", "bilinear instead of a spline of this order");
    }
    Ok(())
}

/// Arguments that are not about augmentation, or that nothing here does.
fn rest(name: &str, arguments: &Arguments<'_>, draft: &mut Draft) -> Result<(), TranslateError> {
    match name {
        "rescale" => {
            let factor = arguments.number(name, 1.0)?;
            if (factor * 255.0 - 1.0).abs() < 1e-3 {
                draft.exact(name);
            } else {
                draft.preprocessing(name, &format!("normalization = {{ rescale = {{ factor = {factor:?} }} }}"));
            }
        }
        "cval" => {
            if arguments.word("fill_mode", "nearest")? != "constant" {
                draft.exact(name);
            }
        }
        _ if is_off(name, arguments) => draft.exact(name),
        "channel_shift_range" => draft.no_equal(
            name,
            "nothing clips to the picture's own levels here; the dialects keras-2.0.8 and keras-2.15 do",
        ),
        "preprocessing_function" => draft.no_equal(name, "a configuration holds no code"),
        "validation_split" => draft.no_equal(name, "`aumenta split` says which pictures are for validation"),
        "data_format" => draft.exact(name),
        "zca_epsilon" if !arguments.truth("zca_whitening", false)? => draft.exact(name),
        "dtype" if arguments.word(name, "float32")? == "float32" => draft.exact(name),
        "dtype" => draft.no_equal(name, "batches are float32"),
        _ => draft.no_equal(
            name,
            "a dialect in [augment] has it, or a normalization in [preprocessing] that is much the same",
        ),
    }
    Ok(())
}

/// Whether an argument is `False` or 0.
fn is_off(name: &str, arguments: &Arguments<'_>) -> bool {
    arguments.value(name).and_then(number) == Some(0.0)
}
