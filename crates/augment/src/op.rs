//! [`Op`]: one change of a picture, as data.

use aumenta_imgproc::{Fill, Interpolation, Paint};
use serde::{Deserialize, Serialize};

use crate::KerasVersion;

/// One change of a picture, with the drawn numbers.
///
/// The geometric ones act on the picture **after** its resize to the output size, about the output's centre, so an
/// angle is an angle in what the network sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// Turns the picture counter-clockwise about its centre.
    Rotate {
        /// The angle; a negative one turns clockwise.
        degrees: f64,
    },
    /// Moves the picture.
    Shift {
        /// To the right, in widths of the output; negative to the left.
        x_fraction: f64,
        /// Down, in heights of the output; negative up.
        y_fraction: f64,
    },
    /// Leans the picture's vertical lines counter-clockwise; the middle row stays.
    ///
    /// Rows slide by the tangent of the angle and keep their height. (Keras slides by the sine and also stretches the
    /// picture's height by the inverse cosine, which differs by 2% at 11 degrees.)
    Shear {
        /// The angle between the leaning lines and the vertical, from -90 to 90 exclusive.
        degrees: f64,
    },
    /// Leans the picture's horizontal lines counter-clockwise; the middle column stays.
    VerticalShear {
        /// The angle between the leaning lines and the horizontal, from -90 to 90 exclusive.
        degrees: f64,
    },
    /// Enlarges the picture about its centre.
    ///
    /// (Keras gives its factors to the inverse map: there, 1.2 shrinks. Its range around 1 is the same idea mirrored.)
    Zoom {
        /// Factor in width: 1.2 shows everything a fifth wider, 0.8 a fifth narrower. Positive.
        x: f64,
        /// Factor in height. Positive.
        y: f64,
    },
    /// Mirrors the picture left to right.
    HorizontalFlip {},
    /// Mirrors the picture top to bottom.
    VerticalFlip {},
    /// Turns the picture counter-clockwise by quarters, exactly. On a canvas that is no square the turned picture is
    /// stretched to fill it, as the plain resize stretches a picture.
    QuarterTurns {
        /// How many; negative ones turn clockwise.
        turns: i32,
    },
    /// Shows a window of the picture on the whole canvas. What a window shows beyond the picture is the plan's fill.
    Crop {
        /// The window's left edge, in widths of the picture from its left edge.
        x_fraction: f64,
        /// The window's top edge, in heights of the picture from its top edge.
        y_fraction: f64,
        /// The window's width, in widths of the picture.
        width_fraction: f64,
        /// The window's height, in heights of the picture.
        height_fraction: f64,
    },
    /// Draws the picture's outer corners elsewhere, the rest in perspective. Each corner is a fraction of the width from
    /// the left and a fraction of the height from the top. Three corners on one line are no perspective and change nothing.
    Perspective {
        /// `[0, 0]` at rest.
        top_left: [f64; 2],
        /// `[1, 0]` at rest.
        top_right: [f64; 2],
        /// `[1, 1]` at rest.
        bottom_right: [f64; 2],
        /// `[0, 1]` at rest.
        bottom_left: [f64; 2],
    },
    /// Moves each pixel by a smooth random field of its own; see [`Displacement`](aumenta_imgproc::Displacement).
    Elastic {
        /// The number from which the field follows.
        seed: u64,
        /// What the smoothed numbers, which were drawn from -1 to 1, are multiplied by.
        alpha_pixels: f64,
        /// The standard deviation of the Gaussian that smooths them.
        sigma_pixels: f64,
    },
    /// Mixes the picture with the weighted sum of what chains of operations make of it: `keep * picture + (1 - keep) * sum`,
    /// rounded half up and clipped. Masks, boxes and points stay where they are.
    AugMix {
        /// Operations for each part of the sum, which start from the same picture.
        chains: Vec<Vec<Op>>,
        /// The weight of each chain; chains beyond the last weight have none.
        weights: Vec<f64>,
        /// The picture's own share, from 0 to 1.
        keep: f64,
    },
    /// Multiplies all channels; see [`Tone::brightness`](aumenta_imgproc::Tone::brightness).
    Brightness {
        /// 0 is black, 1 changes nothing.
        factor: f64,
    },
    /// Multiplies the distance from mid gray; see [`Tone::contrast`](aumenta_imgproc::Tone::contrast).
    Contrast {
        /// 0 is flat gray, 1 changes nothing.
        factor: f64,
    },
    /// Multiplies the distance from the pixel's own gray; see [`Tone::saturation`](aumenta_imgproc::Tone::saturation).
    Saturation {
        /// 0 is a gray picture, 1 changes nothing.
        factor: f64,
    },
    /// Rotates, shifts, shears and zooms as Keras does, in one resampling of the resized picture; see
    /// [`KerasConfig`](crate::KerasConfig). The map goes from output to source: positive numbers move, turn and shrink
    /// the picture the other way.
    KerasAffine {
        /// Whose map.
        version: KerasVersion,
        /// The rotation's angle.
        theta_degrees: f64,
        /// The shift along the first axis: rows in 2.0.8, columns in 2.15.
        tx_pixels: f64,
        /// The shift along the second axis.
        ty_pixels: f64,
        /// The shear's angle.
        shear_radians: f64,
        /// The zoom along the first axis; above 1 shrinks.
        zx: f64,
        /// The zoom along the second axis.
        zy: f64,
        /// What shows outside of the picture.
        fill: Fill,
        /// How colors between pixels are read.
        interpolation: Interpolation,
    },
    /// Adds a number of levels to each channel and clips to the range of the levels that the picture had, in any channel;
    /// rounded half up.
    KerasChannelShift {
        /// Added to red.
        red: f64,
        /// Added to green.
        green: f64,
        /// Added to blue.
        blue: f64,
    },
    /// Multiplies all levels in single precision and cuts the fraction off, as Pillow's `ImageEnhance.Brightness` does.
    KerasBrightness {
        /// Added to the levels before. Keras cuts the fractions of levels before this operation, and where they were rounded
        /// here, -0.5 stands between the level and the one below, whichever Keras has.
        #[serde(default)]
        offset_levels: f64,
        /// 0 is black, 1 changes nothing.
        factor: f64,
    },
    /// Multiplies the distance from the picture's mean gray; see [`Tone::contrast_about`](aumenta_imgproc::Tone::contrast_about).
    ContrastAboutMean {
        /// 0 is flat gray, 1 changes nothing.
        factor: f64,
    },
    /// Adds to the channels; see [`Tone::channel_shift`](aumenta_imgproc::Tone::channel_shift).
    ChannelShift {
        /// Added to red, in levels of 255.
        red_levels: f64,
        /// Added to green, in levels of 255.
        green_levels: f64,
        /// Added to blue, in levels of 255.
        blue_levels: f64,
    },
    /// Turns the color wheel; see [`Hue`](aumenta_imgproc::Hue).
    Hue {
        /// Whole turns, from -0.5 to 0.5; 0 changes nothing.
        turns: f64,
    },
    /// Brightens or darkens the middle values; see [`curve::gamma`](aumenta_imgproc::curve::gamma()).
    Gamma {
        /// Below 1 brightens, 1 changes nothing.
        exponent: f64,
    },
    /// Leaves the gray of every pixel; see [`Tone::grayscale`](aumenta_imgproc::Tone::grayscale).
    Grayscale {},
    /// The negative; see [`curve::invert`](aumenta_imgproc::curve::invert()).
    Invert {},
    /// Keeps the highest bits of every value; see [`curve::posterize`](aumenta_imgproc::curve::posterize()).
    Posterize {
        /// From 0 (black) to 8 (no change).
        bits: u8,
    },
    /// Inverts bright values; see [`curve::solarize`](aumenta_imgproc::curve::solarize()).
    Solarize {
        /// The darkest level that is inverted: 0 inverts all, 256 nothing.
        threshold_level: u16,
    },
    /// Flattens each channel's histogram; see [`equalize`](aumenta_imgproc::equalize()).
    Equalize {},
    /// Stretches each channel over all levels; see [`autocontrast`](aumenta_imgproc::autocontrast()).
    Autocontrast {
        /// The share of pixels at either end that may be lost, in percent.
        cutoff_percent: f64,
    },
    /// Equalizes brightness by neighborhoods; see [`clahe`](aumenta_imgproc::clahe()).
    Clahe {
        /// The highest count of a level, in mean counts; 0 is no limit.
        clip_limit: f64,
        /// Neighborhoods to a side, from 1 to 64.
        tiles: usize,
    },
    /// Smooths or sharpens; see [`sharpen`](aumenta_imgproc::sharpen()).
    Sharpness {
        /// 0 smooths, 1 changes nothing, 2 sharpens.
        factor: f64,
    },
    /// Blurs evenly; see [`gaussian_blur`](aumenta_imgproc::gaussian_blur()).
    GaussianBlur {
        /// The standard deviation, in pixels of the output.
        sigma_pixels: f64,
    },
    /// Blurs along a line; see [`motion_blur`](aumenta_imgproc::motion_blur()).
    MotionBlur {
        /// The line's length, in pixels of the output; 1 changes nothing.
        length_pixels: f64,
        /// The line's angle to the horizontal, counter-clockwise.
        angle_degrees: f64,
    },
    /// Adds a normal draw to every value; see [`add_gaussian_noise`](aumenta_imgproc::add_gaussian_noise()).
    GaussianNoise {
        /// The standard deviation, in levels of 255.
        sigma_levels: f64,
        /// What the draws follow from.
        seed: u64,
    },
    /// Turns pixels black or white; see [`add_salt_and_pepper`](aumenta_imgproc::add_salt_and_pepper()).
    SaltAndPepper {
        /// The expected share of such pixels, from 0 to 1.
        fraction: f64,
        /// What the draws follow from.
        seed: u64,
    },
    /// Counts photons; see [`add_shot_noise`](aumenta_imgproc::add_shot_noise()).
    ShotNoise {
        /// The mean count of white; few are noisy.
        photons_at_white: f64,
        /// What the draws follow from.
        seed: u64,
    },
    /// Loses what a JPEG file loses; see [`jpeg_recompress`](aumenta_imgproc::jpeg_recompress()).
    Jpeg {
        /// From 1 (coarse) to 100 (fine).
        quality: u8,
    },
    /// Makes pixels fewer and larger; see [`downscale`](aumenta_imgproc::downscale()).
    Downscale {
        /// The share of the width and height that is left, from 0 to 1.
        fraction: f64,
    },
    /// Paints over a rectangle; see [`erase`](aumenta_imgproc::erase()).
    Erase {
        /// The left edge, in widths of the output; below 0 it lies outside.
        left_fraction: f64,
        /// The upper edge, in heights of the output; below 0 it lies outside.
        top_fraction: f64,
        /// The width, in widths of the output.
        width_fraction: f64,
        /// The height, in heights of the output.
        height_fraction: f64,
        /// What is seen instead.
        paint: Paint,
    },
    /// Paints over a grid of squares; see [`grid_mask`](aumenta_imgproc::grid_mask()).
    GridMask {
        /// The side of a unit, in sides of the output's shorter side.
        unit_fraction: f64,
        /// The part of a unit's side that stays, from 0 to 1.
        keep_fraction: f64,
        /// The grid's shift to the right, in units.
        x_offset_units: f64,
        /// The grid's shift down, in units.
        y_offset_units: f64,
        /// The grid's turn about the center, counter-clockwise; 0 in a plan that does not say it.
        #[serde(default)]
        rotation_degrees: f64,
        /// What is seen instead.
        paint: Paint,
    },
}
