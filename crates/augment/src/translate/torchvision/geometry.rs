//! Motions and windows of torchvision.

use aumenta_imgproc::Fill;

use super::super::TranslateError;
use super::super::call::Call;
use super::super::crop::random_crop;
use super::super::draft::{Draft, Group, Symmetry, around};
use super::{interpolation, resampling};
use crate::{TransformConfig, ZoomRange};

pub(super) fn rotation(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["degrees", "interpolation", "expand", "center", "fill"])?;
    let range = arguments.pair("degrees", (0.0, 0.0), |degrees| (-degrees, degrees))?;
    let (degrees, symmetry) = around(0.0, range);
    resampling(&arguments, "nearest", draft)?;
    if arguments.truth("expand", false)? || arguments.value("center").is_some() {
        draft.approximate("RandomRotation", "the picture keeps its size and turns about its center");
    } else if symmetry == Symmetry::Lopsided {
        draft.approximate("RandomRotation", &format!("turns by up to {degrees} degrees either way"));
    } else {
        draft.exact("RandomRotation");
    }
    Ok(Group::one(TransformConfig::Rotation { degrees }, 1.0))
}

pub(super) fn affine(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let parameters = ["degrees", "translate", "scale", "shear", "interpolation", "fill", "center"];
    let arguments = call.bind(&parameters)?;
    let mut parts = Vec::new();
    let (degrees, turns) = around(0.0, arguments.pair("degrees", (0.0, 0.0), |degrees| (-degrees, degrees))?);
    if degrees != 0.0 {
        parts.push(TransformConfig::Rotation { degrees });
    }
    let (width, height) = arguments.pair("translate", (0.0, 0.0), |both| (both, both))?;
    if (width, height) != (0.0, 0.0) {
        parts.push(TransformConfig::Shift { width, height });
    }
    let (low, high) = arguments.pair("scale", (1.0, 1.0), |both| (both, both))?;
    if (low, high) != (1.0, 1.0) {
        parts.push(TransformConfig::Zoom { range: ZoomRange::Between([low, high]) });
        draft.approximate("RandomAffine", "scale is drawn for width and height independently");
    }
    let shears = arguments.numbers("shear")?.unwrap_or_default();
    let (lean, leans) = match shears[..] {
        [] => (0.0, Symmetry::Symmetric),
        [degrees] => around(0.0, (-degrees, degrees)),
        [low, high, ..] => around(0.0, (low, high)),
    };
    if lean != 0.0 {
        parts.push(TransformConfig::Shear { degrees: lean });
    }
    let (columns_lean, columns_leans) = match shears[..] {
        [_, _, low, high] => around(0.0, (low, high)),
        _ => (0.0, Symmetry::Symmetric),
    };
    if columns_lean != 0.0 {
        parts.push(TransformConfig::VerticalShear { degrees: columns_lean });
    }
    if [turns, leans, columns_leans].contains(&Symmetry::Lopsided) {
        draft.approximate("RandomAffine", "angles are drawn as far either way");
    }
    if arguments.value("center").is_some() {
        draft.approximate("RandomAffine", "the center is the picture's");
    }
    resampling(&arguments, "nearest", draft)?;
    draft.approximate("RandomAffine", "shear after rotation and shift; shifts need not be whole pixels");
    Ok(Group::all(parts, 1.0))
}

pub(super) fn perspective(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["distortion_scale", "p", "interpolation", "fill"])?;
    let distortion = arguments.number("distortion_scale", 0.5)?;
    resampling(&arguments, "bilinear", draft)?;
    draft.approximate("RandomPerspective", "corners need not lie on whole pixels");
    Ok(Group::one(TransformConfig::Perspective { distortion }, arguments.number("p", 0.5)?))
}

/// torchvision adds `alpha / side` times the smoothed numbers to coordinates from -1 to 1, of which a pixel is `2 / side`.
pub(super) fn elastic(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["alpha", "sigma", "interpolation", "fill"])?;
    let (alpha, alpha_down) = arguments.pair("alpha", (50.0, 50.0), |both| (both, both))?;
    let (sigma_pixels, sigma_down) = arguments.pair("sigma", (5.0, 5.0), |both| (both, both))?;
    if alpha != alpha_down || sigma_pixels != sigma_down {
        draft.approximate("ElasticTransform", "the field is as strong and as smooth in both directions");
    }
    resampling(&arguments, "bilinear", draft)?;
    draft.approximate("ElasticTransform", "the same field in pixels, half of alpha, but as strong at the edges");
    Ok(Group::one(TransformConfig::Elastic { alpha_pixels: alpha / 2.0, sigma_pixels }, 1.0))
}

pub(super) fn crop(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["size", "padding", "pad_if_needed", "fill", "padding_mode"])?;
    let (height, width) = arguments.pair("size", (0.0, 0.0), |side| (side, side))?;
    if height < 1.0 || width < 1.0 {
        return Err(arguments.unexpected("size", "one or two sides in pixels"));
    }
    let paddings = arguments.numbers("padding")?.unwrap_or_default();
    let padding = paddings.iter().copied().fold(0.0, f64::max);
    if paddings.iter().any(|other| *other != padding) {
        draft.approximate("RandomCrop", "the padding is the largest one on each side");
    }
    if padding > 0.0 {
        let fill = match arguments.word("padding_mode", "constant")?.as_str() {
            "constant" => Fill::Constant(arguments.color("fill", 1.0)?.unwrap_or_default()),
            "edge" => Fill::Nearest,
            "symmetric" => Fill::Reflect,
            "reflect" => {
                draft.approximate("padding_mode", "the pixel at the edge is repeated when the picture is reflected");
                Fill::Reflect
            }
            _ => return Err(arguments.unexpected("padding_mode", "constant, edge, reflect or symmetric")),
        };
        draft.fill("padding_mode", fill);
    }
    Ok(random_crop([width, height], padding, 1.0, draft))
}

pub(super) fn resized_crop(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    let arguments = call.bind(&["size", "scale", "ratio", "interpolation", "antialias"])?;
    let areas = arguments.pair("scale", (0.08, 1.0), |area| (area, area))?;
    let ratios = arguments.pair("ratio", (3.0 / 4.0, 4.0 / 3.0), |ratio| (ratio, ratio))?;
    let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
    draft.size_pixels = sides(call)?;
    interpolation(&arguments, "bilinear", draft)?;
    draft.approximate("RandomResizedCrop", "the size is that of the model's input");
    Ok(Group::one(TransformConfig::ResizedCrop { areas, aspect_ratios }, 1.0))
}

pub(super) fn resize(call: &Call, draft: &mut Draft) -> Result<Group, TranslateError> {
    draft.size_pixels = sides(call)?;
    draft.no_equal("Resize", "pictures are resized to the model's input, aspect ratio not kept");
    Ok(Group::none())
}

/// Width and height after a transform whose first argument is their size; one number counts for both.
fn sides(call: &Call) -> Result<Option<[f64; 2]>, TranslateError> {
    let arguments = call.bind(&["size", "scale", "ratio", "interpolation", "max_size", "antialias"])?;
    let (height, width) = arguments.pair("size", (0.0, 0.0), |side| (side, side))?;
    Ok((height >= 1.0 && width >= 1.0).then_some([width, height]))
}
