//! Blurs, noise and coarser pictures of albumentations.

use super::super::TranslateError;
use super::super::call::{Arguments, Call, Value};
use super::super::draft::{Group, rounded};
use super::{Table, nothing, share};
use crate::TransformConfig;

impl Table<'_> {
    /// Without a sigma OpenCV takes one from the window: 0.3 ((side - 1) / 2 - 1) + 0.8.
    pub(super) fn gaussian_blur(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["blur_limit", "sigma_limit"];
        let arguments = self.bind(call, &own, &own)?;
        let sigmas = arguments.pair("sigma_limit", self.usual((0.0, 0.0), (0.5, 3.0)), |sigma| (0.0, sigma))?;
        let (low, high) = if sigmas == (0.0, 0.0) {
            let (smallest, largest) = arguments.pair("blur_limit", (3.0, 7.0), |side| (3.0, side))?;
            let sigma = |side: f64| rounded(0.3 * ((side - 1.0) / 2.0 - 1.0) + 0.8);
            self.draft.approximate("GaussianBlur", "sigma is drawn evenly from those of the windows");
            (sigma(smallest), sigma(largest))
        } else {
            self.draft.approximate("GaussianBlur", "the window follows from sigma, whatever blur_limit says");
            sigmas
        };
        Ok(Group::one(TransformConfig::GaussianBlur { sigma_pixels: [low, high] }, share(&arguments, 0.5)?))
    }

    pub(super) fn motion_blur(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["blur_limit", "allow_shifted"];
        let arguments = self.bind(call, &own, &[&own[..], &["angle_range", "direction_range"]].concat())?;
        let (low, high) = arguments.pair("blur_limit", (3.0, 7.0), |side| (3.0, side))?;
        if arguments.pair("angle_range", (0.0, 360.0), |angle| (angle, angle))? != (0.0, 360.0) {
            self.draft.approximate("MotionBlur.angle_range", "all angles come as often");
        }
        self.draft.approximate(
            "MotionBlur",
            "lines are centered on their pixel and as long as the window, of a length that is drawn evenly",
        );
        Ok(Group::one(TransformConfig::MotionBlur { length_pixels: [low, high] }, share(&arguments, 0.5)?))
    }

    /// 1 draws a variance in levels, 2.0 a standard deviation in parts of white.
    pub(super) fn gauss_noise(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["var_limit", "mean", "per_channel"];
        let new = ["std_range", "mean_range", "per_channel", "noise_scale_factor"];
        let arguments = self.bind(call, &old, &new)?;
        let has_variance = match (arguments.value("var_limit"), arguments.value("std_range")) {
            (None, None) => self.usual(true, false),
            (variance, _) => variance.is_some(),
        };
        let sigma_levels = if has_variance {
            let (low, high) = arguments.pair("var_limit", (10.0, 50.0), |variance| (0.0, variance))?;
            self.draft.approximate("GaussNoise", "the standard deviation is drawn evenly, not the variance");
            [low, high].map(|variance| rounded(libm::sqrt(variance)))
        } else {
            let (low, high) = arguments.pair("std_range", (0.2, 0.44), |deviation| (deviation, deviation))?;
            self.draft.exact("GaussNoise");
            [low, high].map(|deviation| rounded(255.0 * deviation))
        };
        let means = arguments.pair("mean_range", (0.0, 0.0), |mean| (mean, mean))?;
        if arguments.number("mean", 0.0)? != 0.0 || means != (0.0, 0.0) {
            self.draft.approximate("GaussNoise.mean", "the noise has a mean of 0");
        }
        if !arguments.truth("per_channel", true)? {
            self.draft.approximate("GaussNoise.per_channel", "each channel has noise of its own");
        }
        if arguments.number("noise_scale_factor", 1.0)? != 1.0 {
            self.draft.approximate("GaussNoise.noise_scale_factor", "each pixel has noise of its own");
        }
        Ok(Group::one(TransformConfig::GaussianNoise { sigma_levels }, share(&arguments, 0.5)?))
    }

    pub(super) fn salt_and_pepper(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["amount", "salt_vs_pepper"];
        let arguments = self.bind(call, &own, &own)?;
        let (low, high) = arguments.pair("amount", (0.01, 0.06), |amount| (amount, amount))?;
        self.draft.approximate("SaltAndPepper", "black and white are as likely, and every pixel is drawn by itself");
        Ok(Group::one(TransformConfig::SaltAndPepper { fraction: [low, high] }, share(&arguments, 0.5)?))
    }

    /// A scale is the part of white that one photon makes.
    pub(super) fn shot_noise(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = self.bind(call, &["scale_range"], &["scale_range"])?;
        let (low, high) = arguments.pair("scale_range", (0.1, 0.3), |scale| (scale, scale))?;
        if low <= 0.0 {
            return Err(arguments.unexpected("scale_range", "scales above 0"));
        }
        self.draft.approximate(
            "ShotNoise",
            "photons are counted in levels, not in linear light, and their number is drawn evenly, not its inverse",
        );
        let photons_at_white = [high, low].map(|scale| rounded(scale.recip()));
        Ok(Group::one(TransformConfig::ShotNoise { photons_at_white }, share(&arguments, 0.5)?))
    }

    pub(super) fn compression(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let name = call.short_name();
        let old = ["quality_lower", "quality_upper", "compression_type"];
        let arguments = self.bind(call, &old, &["compression_type", "quality_range"])?;
        let is_webp = match arguments.value("compression_type") {
            Some(Value::Integer(number)) => *number == 1,
            _ => arguments.word("compression_type", "jpeg")? == "webp",
        };
        if is_webp {
            self.draft.no_equal(name, "pictures are stored as JPEG alone");
            return nothing(&arguments);
        }
        let quality = range(&arguments, "quality_range", ["quality_lower", "quality_upper"], (99.0, 100.0))?;
        self.draft.approximate(name, "colors keep their full resolution, in OpenCV's files half of it");
        let quality = quality.map(|quality| quality.clamp(0.0, 255.0) as u8);
        Ok(Group::one(TransformConfig::Jpeg { quality }, share(&arguments, 0.5)?))
    }

    pub(super) fn downscale(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["scale_min", "scale_max", "interpolation"];
        let arguments = self.bind(call, &old, &["scale_range", "interpolation_pair"])?;
        let fraction = range(&arguments, "scale_range", ["scale_min", "scale_max"], (0.25, 0.25))?;
        self.draft.approximate("Downscale", "areas are averaged, and enlarged by repeating pixels");
        Ok(Group::one(TransformConfig::Downscale { fraction }, share(&arguments, 0.5)?))
    }
}

/// A range by its name in 2.0, or by the names of its ends in 1.
fn range(
    arguments: &Arguments<'_>,
    both: &str,
    ends: [&'static str; 2],
    usual: (f64, f64),
) -> Result<[f64; 2], TranslateError> {
    let (low, high) = arguments.pair(both, usual, |value| (value, value))?;
    Ok([arguments.number(ends[0], low)?, arguments.number(ends[1], high)?])
}
