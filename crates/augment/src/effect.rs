//! [`Effect`]: how an operation is carried out.

use aumenta_imgproc::{
    ClaheScratch, ColorChain, ColorStep, DownscaleScratch, GridMask, Hue, Image, Matrix3, MotionBlurScratch, Paint,
    Region, Sampling, ShotNoiseScratch, Size, Slot, Table, Tone, add_gaussian_noise, add_salt_and_pepper,
    add_shot_noise, autocontrast, clahe, curve, downscale, equalize, erase, gaussian_blur, grid_mask, jpeg_recompress,
    mean_luma, motion_blur, sharpen, write,
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
    /// Moves no pixel, but looks at more than one, or at where a pixel is.
    Raster(Raster),
}

/// Operations in place on a picture of the output's size: what [`Raster::run`] does, and with which numbers.
#[derive(Clone, Copy)]
pub(crate) enum Raster {
    KerasChannelShift([f64; 3]),
    ContrastAboutMean { factor: f64 },
    Equalize,
    Autocontrast { cutoff_percent: f64 },
    Clahe { clip_limit: f64, tiles: usize },
    Sharpness { factor: f64 },
    GaussianBlur { sigma_pixels: f64 },
    MotionBlur { length_pixels: f64, angle_degrees: f64 },
    GaussianNoise { sigma_levels: f64, seed: u64 },
    SaltAndPepper { fraction: f64, seed: u64 },
    ShotNoise { photons_at_white: f64, seed: u64 },
    Jpeg { quality: u8 },
    Downscale { fraction: f64 },
    Erase { left_fraction: f64, top_fraction: f64, width_fraction: f64, height_fraction: f64, paint: Paint },
    GridMask { unit_fraction: f64, keep_fraction: f64, offset_units: [f64; 2], rotation_degrees: f64, paint: Paint },
}

/// Buffers that [`Raster::run`] reuses.
#[derive(Debug, Default)]
pub(crate) struct RasterScratch {
    clahe: ClaheScratch,
    motion_blur: MotionBlurScratch,
    shot_noise: ShotNoiseScratch,
    downscale: DownscaleScratch,
    /// A JPEG's planes. They have other sizes than the picture, with whose buffers they must not change places.
    jpeg: Image,
    contrast: ColorChain,
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
            Self::KerasBrightness { offset_levels, factor } => Effect::Color(keras::brightness(offset_levels, factor)),
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
            Self::KerasChannelShift { red, green, blue } => raster(Raster::KerasChannelShift([red, green, blue])),
            Self::ContrastAboutMean { factor } => raster(Raster::ContrastAboutMean { factor }),
            Self::Equalize {} => raster(Raster::Equalize),
            Self::Autocontrast { cutoff_percent } => raster(Raster::Autocontrast { cutoff_percent }),
            Self::Clahe { clip_limit, tiles } => raster(Raster::Clahe { clip_limit, tiles }),
            Self::Sharpness { factor } => raster(Raster::Sharpness { factor }),
            Self::GaussianBlur { sigma_pixels } => raster(Raster::GaussianBlur { sigma_pixels }),
            Self::MotionBlur { length_pixels, angle_degrees } => {
                raster(Raster::MotionBlur { length_pixels, angle_degrees })
            }
            Self::GaussianNoise { sigma_levels, seed } => raster(Raster::GaussianNoise { sigma_levels, seed }),
            Self::SaltAndPepper { fraction, seed } => raster(Raster::SaltAndPepper { fraction, seed }),
            Self::ShotNoise { photons_at_white, seed } => raster(Raster::ShotNoise { photons_at_white, seed }),
            Self::Jpeg { quality } => raster(Raster::Jpeg { quality }),
            Self::Downscale { fraction } => raster(Raster::Downscale { fraction }),
            Self::Erase { left_fraction, top_fraction, width_fraction, height_fraction, paint } => {
                raster(Raster::Erase { left_fraction, top_fraction, width_fraction, height_fraction, paint })
            }
            Self::GridMask {
                unit_fraction,
                keep_fraction,
                x_offset_units,
                y_offset_units,
                rotation_degrees,
                paint,
            } => {
                let offset_units = [x_offset_units, y_offset_units];
                raster(Raster::GridMask { unit_fraction, keep_fraction, offset_units, rotation_degrees, paint })
            }
        }
    }
}

impl Raster {
    /// Does it to `image`; `spare` is a buffer of any content.
    pub(crate) fn run(self, image: &mut Image, spare: &mut Image, scratch: &mut RasterScratch) {
        match self {
            Self::KerasChannelShift(levels) => keras::shift_channels(image, levels),
            Self::ContrastAboutMean { factor } => {
                scratch.contrast.clear();
                scratch.contrast.push(ColorStep::Matrix(Tone::contrast_about(mean_luma(&*image), factor)));
                std::mem::swap(image, spare);
                image.resize_buffer(spare.width(), spare.height());
                write(&*spare, &scratch.contrast, Slot::rgb(image.pixels_mut()));
            }
            Self::Equalize => equalize(image),
            Self::Autocontrast { cutoff_percent } => autocontrast(image, cutoff_percent),
            Self::Clahe { clip_limit, tiles } => clahe(image, clip_limit, tiles, &mut scratch.clahe),
            Self::Sharpness { factor } => sharpen(image, factor, spare),
            Self::GaussianBlur { sigma_pixels } => gaussian_blur(image, sigma_pixels, spare),
            Self::MotionBlur { length_pixels, angle_degrees } => {
                motion_blur(image, length_pixels, angle_degrees, &mut scratch.motion_blur);
            }
            Self::GaussianNoise { sigma_levels, seed } => add_gaussian_noise(image, sigma_levels, seed),
            Self::SaltAndPepper { fraction, seed } => add_salt_and_pepper(image, fraction, seed),
            Self::ShotNoise { photons_at_white, seed } => {
                add_shot_noise(image, photons_at_white, seed, &mut scratch.shot_noise);
            }
            Self::Jpeg { quality } => jpeg_recompress(image, quality, &mut scratch.jpeg),
            Self::Downscale { fraction } => downscale(image, fraction, &mut scratch.downscale),
            Self::Erase { left_fraction, top_fraction, width_fraction, height_fraction, paint } => {
                let Size { width, height } = image.size();
                let (x, columns) = span(left_fraction, width_fraction, width);
                let (y, rows) = span(top_fraction, height_fraction, height);
                erase(image, Region { x, y, width: columns, height: rows }, paint);
            }
            Self::GridMask { unit_fraction, keep_fraction, offset_units, rotation_degrees, paint } => {
                let unit_pixels = unit(unit_fraction, image.size());
                let [x_offset_pixels, y_offset_pixels] =
                    offset_units.map(|units| ((units - units.floor()) * unit_pixels as f64) as usize);
                let mask = GridMask { unit_pixels, keep_fraction, x_offset_pixels, y_offset_pixels, rotation_degrees };
                grid_mask(image, &mask, paint);
            }
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

/// The side of a grid's unit, in pixels.
fn unit(fraction: f64, size: Size) -> usize {
    let side = size.width.min(size.height).max(1) as f64;
    (fraction * side).round().clamp(1.0, side) as usize
}

fn raster(raster: Raster) -> Effect<'static> {
    Effect::Pass(Pass::Raster(raster))
}

fn table(curve: [u8; 256]) -> Effect<'static> {
    Effect::Color(ColorStep::Table(Table::from_channels([curve; 3])))
}

fn tone(tone: Tone) -> Effect<'static> {
    Effect::Color(ColorStep::Matrix(tone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Plan, Scratch};

    fn applied(ops: &[Op], source: &Image, output: Size) -> Image {
        let mut out = Image::default();
        let plan = Plan { ops: ops.to_vec(), ..Plan::identity() };
        plan.apply(source, output, &mut Scratch::default(), &mut out);
        out
    }

    fn ramp(width: usize, height: usize) -> Image {
        let values = (0..width * height).flat_map(|at| [(at * 7) as u8, (at * 3) as u8, at as u8]);
        Image::from_pixels(width, height, values.collect())
    }

    /// Every operation on colors, degradation and occlusion, with `x` for its numbers.
    fn ops(x: f64) -> Vec<Op> {
        let paint = Paint::Noise { seed: 3 };
        let seed = 7;
        let whole = x as u8;
        vec![
            Op::ContrastAboutMean { factor: x },
            Op::ChannelShift { red_levels: x, green_levels: -x, blue_levels: 0.0 },
            Op::Hue { turns: x },
            Op::Gamma { exponent: x },
            Op::Grayscale {},
            Op::Invert {},
            Op::Posterize { bits: whole },
            Op::Solarize { threshold_level: x as u16 },
            Op::Equalize {},
            Op::Autocontrast { cutoff_percent: x },
            Op::Clahe { clip_limit: x, tiles: x as usize },
            Op::Sharpness { factor: x },
            Op::GaussianBlur { sigma_pixels: x },
            Op::MotionBlur { length_pixels: x, angle_degrees: x },
            Op::GaussianNoise { sigma_levels: x, seed },
            Op::SaltAndPepper { fraction: x, seed },
            Op::ShotNoise { photons_at_white: x, seed },
            Op::Jpeg { quality: whole },
            Op::Downscale { fraction: x },
            Op::Erase { left_fraction: x, top_fraction: -x, width_fraction: x, height_fraction: x, paint },
            Op::GridMask {
                unit_fraction: x,
                keep_fraction: x,
                x_offset_units: x,
                y_offset_units: -x,
                rotation_degrees: x,
                paint,
            },
        ]
    }

    #[test]
    fn no_number_and_no_size_panics() {
        for x in [f64::NAN, f64::INFINITY, f64::MAX, -1.0, 0.0, 0.5, 3.0, 1e-300] {
            for (source, output) in [((3, 2), (4, 4)), ((0, 0), (2, 2)), ((3, 3), (0, 2)), ((9, 1), (1, 7))] {
                let source = Image::filled(source.0, source.1, [9; 3]);
                let output = Size { width: output.0, height: output.1 };
                for op in ops(x) {
                    assert_eq!(applied(&[op], &source, output).size(), output);
                }
            }
        }
    }

    #[test]
    fn every_operation_reads_back_and_has_a_caption() {
        let plan = Plan { ops: ops(2.0), ..Plan::identity() };
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        assert_eq!(
            plan.to_string(),
            "mean-contrast 2.00 channels +2,-2,+0 hue +2.00 gamma 2.00 gray invert posterize 2 solarize 2 equalize \
             autocontrast 2% clahe 2.0,2 sharp 2.00 blur 2.0px motion 2px +2° noise 2.0 salt 2.000 shot 2 jpeg 2 \
             downscale 2.00 erase 2.00x2.00+2.00-2.00 grid 2.00 keep 2.00 +2°"
        );
    }

    #[test]
    fn a_raster_operation_works_on_the_picture_at_its_output_size() {
        let source = ramp(40, 30);
        let mut expected = applied(&[], &source, Size::square(20));
        gaussian_blur(&mut expected, 1.5, &mut Image::default());
        assert_eq!(applied(&[Op::GaussianBlur { sigma_pixels: 1.5 }], &source, Size::square(20)), expected);
    }

    #[test]
    fn the_order_of_raster_and_color_operations_is_kept() {
        let mut dark = ramp(32, 32);
        dark.pixels_mut().iter_mut().for_each(|value| *value /= 4);
        let ops = [Op::Equalize {}, Op::Posterize { bits: 1 }];
        let mut expected = dark.clone();
        equalize(&mut expected);
        expected.pixels_mut().iter_mut().for_each(|value| *value &= 0x80);
        assert_eq!(applied(&ops, &dark, dark.size()), expected);
        let reversed = [ops[1].clone(), ops[0].clone()];
        assert_eq!(
            applied(&reversed, &dark, dark.size()),
            Image::filled(32, 32, [0; 3]),
            "dark values have no highest bit"
        );
    }

    #[test]
    fn contrast_keeps_the_mean_gray() {
        let source = Image::from_pixels(2, 1, vec![40, 40, 40, 100, 100, 100]);
        let out = applied(&[Op::ContrastAboutMean { factor: 2.0 }], &source, source.size());
        assert_eq!(out.pixels(), [10, 10, 10, 130, 130, 130]);
    }

    #[test]
    fn a_rectangle_is_placed_in_fractions_and_cut_at_the_edge() {
        let paint = Paint::Color([1, 2, 3]);
        let op =
            Op::Erase { left_fraction: -0.25, top_fraction: 0.5, width_fraction: 0.5, height_fraction: 2.0, paint };
        let out = applied(&[op], &Image::filled(4, 4, [9; 3]), Size::square(4));
        for (y, x) in (0..4).flat_map(|y| (0..4).map(move |x| (y, x))) {
            assert_eq!(out.get(x, y), if x < 1 && y >= 2 { [1, 2, 3] } else { [9; 3] }, "({x}, {y})");
        }
    }

    #[test]
    fn a_grid_is_placed_in_units() {
        let paint = Paint::Color([0; 3]);
        let op = Op::GridMask {
            unit_fraction: 0.5,
            keep_fraction: 0.5,
            x_offset_units: 0.25,
            y_offset_units: -0.75,
            rotation_degrees: 0.0,
            paint,
        };
        let out = applied(&[op], &Image::filled(8, 8, [9; 3]), Size::square(8));
        let hidden = |at: usize| (1..3).contains(&(at % 4));
        for (y, x) in (0..8).flat_map(|y| (0..8).map(move |x| (y, x))) {
            assert_eq!(out.get(x, y), if hidden(x) && hidden(y) { [0; 3] } else { [9; 3] }, "({x}, {y})");
        }
    }
}
