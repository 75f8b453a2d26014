//! [`Effect`]: how an operation is carried out.

use aumenta_imgproc::{
    ColorChain, ColorStep, GridMask, Hue, Image, Matrix3, Paint, Region, Sampling, Size, Slot, Table, Tone,
    add_gaussian_noise, add_salt_and_pepper, add_shot_noise, autocontrast, clahe, curve, downscale, equalize, erase,
    gaussian_blur, grid_mask, jpeg_recompress, mean_luma, motion_blur, sharpen, write,
};

use crate::Op;
use crate::keras::{self, KerasMap};

/// The three kinds of operations, told apart by what they must see of the picture.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time lives, on the stack, and moves into a list that is reused"
)]
pub(crate) enum Effect<'a> {
    /// Moves pixels: the map from the output's pixels to those of the picture before. Neighbours compose into one.
    Motion(Matrix3),
    /// Changes each pixel by its own color alone. Neighbours compose, and are folded into the resampling.
    Color(ColorStep),
    /// Needs the picture itself, at its output size.
    Pass(Pass<'a>),
}

/// The kinds of passes over a picture of the output's size.
pub(crate) enum Pass<'a> {
    /// A motion that reads the picture in its own way.
    Resample(Matrix3, Sampling),
    /// [`Op::Elastic`].
    Elastic { seed: u64, alpha_pixels: f64, sigma_pixels: f64 },
    /// [`Op::AugMix`].
    Mix { chains: &'a [Vec<Op>], weights: &'a [f64], keep: f64 },
    /// Moves no pixel, but looks at more than one, or at where a pixel is: [`Op::rasterize`] does it.
    Raster,
}

impl Op {
    /// How this operation acts on a picture at the output's `size`.
    pub(crate) fn effect(&self, size: Size) -> Effect<'_> {
        let (width, height) = (size.width as f64, size.height as f64);
        let center = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        match *self {
            Self::Rotate { degrees } => Effect::Motion(Matrix3::rotation(degrees, center)),
            Self::Shift { x_fraction, y_fraction } => {
                Effect::Motion(Matrix3::shift(x_fraction * width, y_fraction * height))
            }
            Self::Shear { degrees } => Effect::Motion(Matrix3::shear(degrees, center)),
            Self::VerticalShear { degrees } => Effect::Motion(Matrix3::vertical_shear(degrees, center)),
            Self::Zoom { x, y } => Effect::Motion(Matrix3::scale(x, y, center)),
            Self::HorizontalFlip {} => Effect::Motion(Matrix3::horizontal_flip(center)),
            Self::VerticalFlip {} => Effect::Motion(Matrix3::vertical_flip(center)),
            Self::QuarterTurns { turns } => Effect::Motion(quarter_turns(turns, size)),
            Self::Crop { x_fraction, y_fraction, width_fraction, height_fraction } => {
                let corner = Matrix3::shift(-x_fraction * width, -y_fraction * height);
                Effect::Motion(Matrix3::grid(width_fraction, height_fraction).then(&corner))
            }
            Self::Perspective { top_left, top_right, bottom_right, bottom_left } => {
                Effect::Motion(perspective([top_left, top_right, bottom_right, bottom_left], width, height))
            }
            Self::Elastic { seed, alpha_pixels, sigma_pixels } => {
                Effect::Pass(Pass::Elastic { seed, alpha_pixels, sigma_pixels })
            }
            Self::AugMix { ref chains, ref weights, keep } => Effect::Pass(Pass::Mix { chains, weights, keep }),
            Self::Brightness { factor } => tone(Tone::brightness(factor)),
            Self::Contrast { factor } => tone(Tone::contrast(factor)),
            Self::Saturation { factor } => tone(Tone::saturation(factor)),
            Self::KerasBrightness { factor } => Effect::Color(keras::brightness(factor)),
            Self::ChannelShift { red_levels, green_levels, blue_levels } => {
                tone(Tone::channel_shift([red_levels, green_levels, blue_levels]))
            }
            Self::Grayscale {} => tone(Tone::grayscale()),
            Self::Hue { turns } => Effect::Color(ColorStep::Hue(Hue::turn(turns))),
            Self::Gamma { exponent } => table(curve::gamma(exponent)),
            Self::Invert {} => table(curve::invert()),
            Self::Posterize { bits } => table(curve::posterize(bits)),
            Self::Solarize { threshold_level } => table(curve::solarize(threshold_level)),
            Self::KerasAffine {
                version,
                theta_degrees,
                tx_pixels,
                ty_pixels,
                shear_radians,
                zx,
                zy,
                fill,
                interpolation,
            } => {
                let map = KerasMap { version, theta_degrees, tx_pixels, ty_pixels, shear_radians, zx, zy };
                Effect::Pass(Pass::Resample(map.matrix(size), Sampling { fill, interpolation }))
            }
            Self::KerasChannelShift { .. }
            | Self::ContrastAboutMean { .. }
            | Self::Equalize {}
            | Self::Autocontrast { .. }
            | Self::Clahe { .. }
            | Self::Sharpness { .. }
            | Self::GaussianBlur { .. }
            | Self::MotionBlur { .. }
            | Self::GaussianNoise { .. }
            | Self::SaltAndPepper { .. }
            | Self::ShotNoise { .. }
            | Self::Jpeg { .. }
            | Self::Downscale { .. }
            | Self::Erase { .. }
            | Self::GridMask { .. } => Effect::Pass(Pass::Raster),
        }
    }

    /// Carries out an operation whose pass is [`Pass::Raster`], in place; `spare` is a buffer of any content.
    pub(crate) fn rasterize(&self, image: &mut Image, spare: &mut Image) {
        match *self {
            Self::KerasChannelShift { red, green, blue } => keras::shift_channels(image, [red, green, blue]),
            Self::ContrastAboutMean { factor } => {
                let chain = ColorChain::from(Tone::contrast_about(mean_luma(image), factor));
                spare.clone_from(image);
                write(spare, &chain, Slot::Bytes(image.pixels_mut()));
            }
            Self::Equalize {} => equalize(image),
            Self::Autocontrast { cutoff_percent } => autocontrast(image, cutoff_percent),
            Self::Clahe { clip_limit, tiles } => clahe(image, clip_limit, tiles),
            Self::Sharpness { factor } => sharpen(image, factor, spare),
            Self::GaussianBlur { sigma_pixels } => gaussian_blur(image, sigma_pixels, spare),
            Self::MotionBlur { length_pixels, angle_degrees } => {
                motion_blur(image, length_pixels, angle_degrees, spare);
            }
            Self::GaussianNoise { sigma_levels, seed } => add_gaussian_noise(image, sigma_levels, seed),
            Self::SaltAndPepper { fraction, seed } => add_salt_and_pepper(image, fraction, seed),
            Self::ShotNoise { photons_at_white, seed } => add_shot_noise(image, photons_at_white, seed),
            Self::Jpeg { quality } => jpeg_recompress(image, quality),
            Self::Downscale { fraction } => downscale(image, fraction, spare),
            Self::Erase { left_fraction, top_fraction, width_fraction, height_fraction, paint } => {
                let Size { width, height } = image.size();
                let (x, columns) = span(left_fraction, width_fraction, width);
                let (y, rows) = span(top_fraction, height_fraction, height);
                erase(image, Region { x, y, width: columns, height: rows }, paint);
            }
            Self::GridMask { unit_fraction, keep_fraction, x_offset_units, y_offset_units, paint } => {
                mask_grid(image, unit_fraction, keep_fraction, [x_offset_units, y_offset_units], paint);
            }
            Self::Rotate { .. }
            | Self::Shift { .. }
            | Self::Shear { .. }
            | Self::VerticalShear { .. }
            | Self::Zoom { .. }
            | Self::HorizontalFlip {}
            | Self::VerticalFlip {}
            | Self::QuarterTurns { .. }
            | Self::Crop { .. }
            | Self::Perspective { .. }
            | Self::Elastic { .. }
            | Self::AugMix { .. }
            | Self::KerasAffine { .. }
            | Self::Brightness { .. }
            | Self::Contrast { .. }
            | Self::Saturation { .. }
            | Self::KerasBrightness { .. }
            | Self::ChannelShift { .. }
            | Self::Hue { .. }
            | Self::Gamma { .. }
            | Self::Grayscale {}
            | Self::Invert {}
            | Self::Posterize { .. }
            | Self::Solarize { .. } => unreachable!("{self} is carried out while the picture is resampled"),
        }
    }
}

/// The turned picture has the canvas' sides swapped; the grid stretches it back over the canvas.
fn quarter_turns(turns: i32, size: Size) -> Matrix3 {
    let turn = Matrix3::quarter_turns(turns, size);
    if turns % 2 == 0 {
        return turn;
    }
    let ratio = size.height as f64 / size.width as f64;
    Matrix3::grid(ratio, ratio.recip()).then(&turn)
}

/// The perspective that draws the canvas' outer corners, clockwise from the top left, at these fractions of it.
fn perspective(corners: [[f64; 2]; 4], width: f64, height: f64) -> Matrix3 {
    let place = |[x, y]: [f64; 2]| (x * width - 0.5, y * height - 0.5);
    let rest = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    Matrix3::perspective(rest.map(place), corners.map(place)).unwrap_or(Matrix3::IDENTITY)
}

/// The first pixel and the number of pixels of a part of a side, of which what lies outside is left out.
fn span(start_fraction: f64, length_fraction: f64, side: usize) -> (usize, usize) {
    let edge = |fraction: f64| (fraction * side as f64).round().clamp(0.0, side as f64) as usize;
    let (first, end) = (edge(start_fraction), edge(start_fraction + length_fraction));
    (first, end.saturating_sub(first))
}

fn mask_grid(image: &mut Image, unit_fraction: f64, keep_fraction: f64, offset_units: [f64; 2], paint: Paint) {
    let side = image.width().min(image.height());
    let unit_pixels = ((unit_fraction * side as f64).round().clamp(1.0, side.max(1) as f64)) as usize;
    let [x_offset_pixels, y_offset_pixels] =
        offset_units.map(|units| ((units - units.floor()) * unit_pixels as f64) as usize);
    grid_mask(image, &GridMask { unit_pixels, keep_fraction, x_offset_pixels, y_offset_pixels }, paint);
}

fn table(curve: [u8; 256]) -> Effect<'static> {
    Effect::Color(ColorStep::Table(Table::from_channels([curve; 3])))
}

fn tone(tone: Tone) -> Effect<'static> {
    Effect::Color(ColorStep::Matrix(tone))
}
