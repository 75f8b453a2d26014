//! Motions and windows of albumentations.

use aumenta_imgproc::{Fill, Interpolation};

use super::super::TranslateError;
use super::super::call::{Arguments, Call, Value, number};
use super::super::crop::random_crop;
use super::super::draft::{Group, Symmetry, around};
use super::{Table, given, limits, nothing, share};
use crate::{TransformConfig, ZoomRange};

/// What every transform with a border has, in 1 after its own parameters.
const BORDER: [&str; 7] =
    ["interpolation", "border_mode", "value", "mask_value", "fill", "fill_mask", "mask_interpolation"];

impl Table<'_> {
    pub(super) fn rotate(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = self.bind(
            call,
            &[&["limit"][..], &BORDER].concat(),
            &["limit", "interpolation", "border_mode", "rotate_method", "crop_border"],
        )?;
        let (degrees, symmetry) = around(0.0, limits(&arguments, "limit", 90.0)?);
        self.border(&arguments, self.usual("reflect_101", "constant"))?;
        if arguments.truth("crop_border", false)? {
            self.draft.approximate("Rotate", "the border is filled, not cropped away");
        } else if symmetry == Symmetry::Lopsided {
            self.draft.approximate("Rotate", &format!("turns by up to {degrees} degrees either way"));
        } else {
            self.draft.exact("Rotate");
        }
        Ok(Group::one(TransformConfig::Rotation { degrees }, share(&arguments, 0.5)?))
    }

    pub(super) fn shift_scale_rotate(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["shift_limit", "scale_limit", "rotate_limit"];
        let more = ["shift_limit_x", "shift_limit_y", "rotate_method"];
        let arguments = self.bind(call, &[&own[..], &BORDER, &more].concat(), &[&own[..], &BORDER[..2]].concat())?;
        let (degrees, turns) = around(0.0, limits(&arguments, "rotate_limit", 45.0)?);
        let both = limits(&arguments, "shift_limit", 0.0625)?;
        let along = |name| if arguments.value(name).is_some() { limits(&arguments, name, 0.0) } else { Ok(both) };
        let (width, sideways) = around(0.0, along("shift_limit_x")?);
        let (height, up_or_down) = around(0.0, along("shift_limit_y")?);
        let (low, high) = limits(&arguments, "scale_limit", 0.1)?;
        self.border(&arguments, self.usual("reflect_101", "constant"))?;
        if [turns, sideways, up_or_down].contains(&Symmetry::Lopsided) {
            self.draft.approximate("ShiftScaleRotate", "angles and shifts are drawn as far either way");
        }
        self.draft.approximate("ShiftScaleRotate", "scale is drawn for width and height independently");
        let parts = vec![
            TransformConfig::Rotation { degrees },
            TransformConfig::Zoom { range: ZoomRange::Between([1.0 + low, 1.0 + high]) },
            TransformConfig::Shift { width, height },
        ];
        Ok(Group::all(parts, share(&arguments, 0.5)?))
    }

    pub(super) fn affine(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["scale", "translate_percent", "translate_px", "rotate", "shear", "interpolation"];
        let old = ["mask_interpolation", "cval", "cval_mask", "mode", "fit_output", "keep_ratio", "rotate_method"];
        let new = ["mask_interpolation", "fit_output", "keep_ratio", "rotate_method", "balanced_scale"];
        let border = ["border_mode", "fill", "fill_mask"];
        let arguments = self.bind(call, &[&own[..], &old].concat(), &[&own[..], &new, &border].concat())?;
        for name in ["scale", "translate_percent", "shear"] {
            if matches!(arguments.value(name), Some(Value::Dictionary(_))) {
                self.draft.no_equal("Affine", &format!("{name} with a range for each axis is not read"));
                return nothing(&arguments);
            }
        }
        let (low, high) = arguments.pair("scale", (1.0, 1.0), |both| (both, both))?;
        let (degrees, turns) = around(0.0, arguments.pair("rotate", (0.0, 0.0), |degrees| (-degrees, degrees))?);
        let (shift, shifts) = around(0.0, arguments.pair("translate_percent", (0.0, 0.0), |both| (-both, both))?);
        let (lean, leans) = around(0.0, arguments.pair("shear", (0.0, 0.0), |degrees| (-degrees, degrees))?);
        let mut parts = Vec::new();
        if (low, high) != (1.0, 1.0) {
            parts.push(TransformConfig::Zoom { range: ZoomRange::Between([low, high]) });
        }
        if lean != 0.0 {
            parts.push(TransformConfig::Shear { degrees: lean });
            self.draft.approximate("Affine", "shear moves rows alone, never columns");
        }
        if degrees != 0.0 {
            parts.push(TransformConfig::Rotation { degrees });
        }
        if shift != 0.0 {
            parts.push(TransformConfig::Shift { width: shift, height: shift });
        }
        if arguments.value("translate_px").is_some() {
            self.draft.no_equal("Affine", "shifts are fractions of the picture, not pixels");
        }
        if [turns, shifts, leans].contains(&Symmetry::Lopsided) {
            self.draft.approximate("Affine", "angles and shifts are drawn as far either way");
        }
        self.border(&arguments, "constant")?;
        self.draft.approximate("Affine", "scale is drawn for width and height independently");
        Ok(Group::all(parts, share(&arguments, 0.5)?))
    }

    /// The smoothed numbers are uniform from -1 to 1 here and in 1. In 2.0 they are normal ones over the largest, which in a
    /// picture of 224x224 pixels is 4.5 standard deviations: 0.39 times as strong as uniform ones, of a deviation of 0.58.
    pub(super) fn elastic(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["alpha", "sigma", "alpha_affine", "interpolation", "border_mode", "value", "mask_value"];
        let new = ["alpha", "sigma", "interpolation", "approximate", "same_dxdy", "mask_interpolation"];
        let later = ["noise_distribution", "keypoint_remapping_method", "border_mode", "fill", "fill_mask"];
        let arguments = self.bind(call, &old, &[&new[..], &later].concat())?;
        let alpha = arguments.number("alpha", 1.0)?;
        let sigma_pixels = arguments.number("sigma", 50.0)?;
        let is_uniform = arguments.word("noise_distribution", self.usual("uniform", "gaussian"))? == "uniform";
        if arguments.number("alpha_affine", self.usual(50.0, 0.0))? != 0.0 {
            self.draft.approximate("ElasticTransform.alpha_affine", "no affine transform comes with it");
        }
        if arguments.truth("same_dxdy", false)? {
            self.draft.approximate("ElasticTransform.same_dxdy", "both directions have fields of their own");
        }
        self.border(&arguments, self.usual("reflect_101", "constant"))?;
        self.draft.approximate(
            "ElasticTransform",
            if is_uniform {
                "the field is as strong at the edges as in the middle"
            } else {
                "uniform numbers, smoothed, of the strength that normal ones over their largest have at 224 pixels"
            },
        );
        let alpha_pixels = if is_uniform { alpha } else { 0.39 * alpha };
        Ok(Group::one(TransformConfig::Elastic { alpha_pixels, sigma_pixels }, share(&arguments, 0.5)?))
    }

    pub(super) fn crop(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["height", "width"];
        let new = ["pad_if_needed", "pad_position", "border_mode", "fill", "fill_mask"];
        let arguments =
            self.bind(call, &own, &[&own[..], &new, &["pad_mode", "pad_cval", "pad_cval_mask"]].concat())?;
        let [width, height] = ["width", "height"].map(|name| arguments.number(name, 0.0));
        let (width, height) = (width?, height?);
        if width < 1.0 || height < 1.0 {
            return Err(arguments.unexpected("height", "a side in pixels"));
        }
        Ok(random_crop([width, height], 0.0, share(&arguments, 1.0)?, self.draft))
    }

    pub(super) fn resized_crop(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["height", "width", "scale", "ratio", "interpolation"];
        let new = ["size", "scale", "ratio", "interpolation", "mask_interpolation", "area_for_downscale"];
        let arguments = self.bind(call, &old, &new)?;
        let areas = arguments.pair("scale", (0.08, 1.0), |area| (area, area))?;
        let ratios = arguments.pair("ratio", (0.75, 4.0 / 3.0), |ratio| (ratio, ratio))?;
        self.draft.size_pixels = sides(&arguments)?;
        let [areas, aspect_ratios] = [areas, ratios].map(<[f64; 2]>::from);
        self.draft.approximate("RandomResizedCrop", "the size is that of the model's input");
        Ok(Group::one(TransformConfig::ResizedCrop { areas, aspect_ratios }, share(&arguments, 1.0)?))
    }

    pub(super) fn resize(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["height", "width", "interpolation"];
        let arguments = self.bind(call, &own, &[&own[..], &["mask_interpolation", "area_for_downscale"]].concat())?;
        self.draft.size_pixels = sides(&arguments)?;
        self.draft.no_equal("Resize", "pictures are resized to the model's input, aspect ratio not kept");
        Ok(Group::none())
    }

    /// What `interpolation` and `border_mode` say, as OpenCV's names or numbers.
    fn border(&mut self, arguments: &Arguments<'_>, usual: &str) -> Result<(), TranslateError> {
        let interpolation = match code(arguments, "interpolation", "linear", &["nearest", "linear", "cubic"])?.as_str()
        {
            "inter_nearest" | "nearest" => Interpolation::Nearest,
            "inter_linear" | "linear" => Interpolation::Bilinear,
            "inter_cubic" | "cubic" => Interpolation::Bicubic,
            _ => {
                self.draft.approximate("interpolation", "bilinear");
                Interpolation::Bilinear
            }
        };
        self.draft.interpolation("interpolation", interpolation);
        let modes = ["constant", "replicate", "reflect", "wrap", "reflect_101"];
        let name = given(arguments, &["mode", "border_mode"]);
        let mode = code(arguments, name, usual, &modes)?;
        let fill = match mode.strip_prefix("border_").unwrap_or(&mode) {
            "constant" => {
                Fill::Constant(arguments.color(given(arguments, &["value", "cval", "fill"]), 1.0)?.unwrap_or_default())
            }
            "replicate" => Fill::Nearest,
            "reflect" => Fill::Reflect,
            "wrap" => Fill::Wrap,
            "reflect_101" | "reflect101" | "default" => {
                self.draft
                    .approximate("border_mode", "the pixel at the edge is repeated when the picture is reflected");
                Fill::Reflect
            }
            _ => return Err(arguments.unexpected(name, "constant, replicate, reflect, wrap or reflect_101")),
        };
        self.draft.fill("border_mode", fill);
        Ok(())
    }
}

/// Width and height after a transform that gives them as `size` or as `height` and `width`.
fn sides(arguments: &Arguments<'_>) -> Result<Option<[f64; 2]>, TranslateError> {
    let (height, width) = arguments.pair("size", (0.0, 0.0), |side| (side, side))?;
    let (height, width) = (arguments.number("height", height)?, arguments.number("width", width)?);
    Ok((height >= 1.0 && width >= 1.0).then_some([width, height]))
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
