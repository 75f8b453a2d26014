//! [`Generator`]: what `ImageDataGenerator` draws for one picture, in its order.

use aumenta_imgproc::{Fill, Interpolation};
use rand::Rng;

use super::{KerasConfig, KerasFillMode, KerasMap, KerasShiftRange, KerasVersion};
use crate::transform::in_range;
use crate::{AugmentError, Canvas, Op, Plan, Transform, ZoomRange};

/// The checked arguments of an `ImageDataGenerator`, as a transform.
#[derive(Debug)]
pub(super) struct Generator {
    version: KerasVersion,
    rotation_degrees: f64,
    height_shift: Shift,
    width_shift: Shift,
    shear_radians: f64,
    zoom: (f64, f64),
    channel_shift_levels: f64,
    horizontal_flip: bool,
    vertical_flip: bool,
    brightness: Option<[f64; 2]>,
    fill: Fill,
    interpolation: Interpolation,
}

/// How far a picture moves along an axis.
#[derive(Clone, Debug, PartialEq)]
enum Shift {
    None,
    /// Any number up to this, either way.
    UpTo(f64, Unit),
    /// One of these numbers, either way.
    OneOf(Vec<f64>, Unit),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    /// Sides of the picture.
    Fraction,
    Pixels,
}

impl Generator {
    pub fn new(config: &KerasConfig) -> Result<Self, AugmentError> {
        check_known(config)?;
        config.normalization()?;
        if config.validation_split.is_some_and(|share| share != 0.0) {
            return Err(AugmentError::NoEqual {
                field: "validation_split",
                reason: "the manifest says which pictures are for validation",
            });
        }
        if let Some(range) = config.brightness_range {
            ordered("brightness_range", range)?;
        }
        let shear = not_negative("shear_range", config.shear_range)?;
        Ok(Self {
            version: config.dialect,
            rotation_degrees: not_negative("rotation_range", config.rotation_range)?,
            height_shift: Shift::new("height_shift_range", &config.height_shift_range, config.dialect)?,
            width_shift: Shift::new("width_shift_range", &config.width_shift_range, config.dialect)?,
            shear_radians: match config.dialect {
                KerasVersion::Keras2_0_8 => shear,
                KerasVersion::Keras2_15 => shear.to_radians(),
            },
            zoom: zoom(config.zoom_range)?,
            channel_shift_levels: not_negative("channel_shift_range", config.channel_shift_range)?,
            horizontal_flip: config.horizontal_flip,
            vertical_flip: config.vertical_flip,
            brightness: config.brightness_range,
            fill: fill(config.fill_mode, config.cval)?,
            interpolation: interpolation(config)?,
        })
    }
}

impl Transform for Generator {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let map = self.draw_map(canvas, rng);
        if !map.is_identity() {
            plan.ops.push(Op::KerasAffine {
                version: map.version,
                theta_degrees: map.theta_degrees,
                tx_pixels: map.tx_pixels,
                ty_pixels: map.ty_pixels,
                shear_radians: map.shear_radians,
                zx: map.zx,
                zy: map.zy,
                fill: self.fill,
                interpolation: self.interpolation,
            });
        }
        match self.version {
            KerasVersion::Keras2_0_8 => self.draw_rest_2_0_8(rng, plan),
            KerasVersion::Keras2_15 => {
                let moves_between_pixels = !map.is_identity() && self.interpolation == Interpolation::Bilinear;
                let is_rounded = moves_between_pixels || self.channel_shift_levels != 0.0;
                self.draw_rest_2_15(if is_rounded { -0.5 } else { 0.0 }, rng, plan);
            }
        }
    }
}

impl Generator {
    fn draw_map(&self, canvas: Canvas, rng: &mut dyn Rng) -> KerasMap {
        let theta_degrees = either_way(self.rotation_degrees, rng);
        let tx_pixels = self.height_shift.draw(canvas.output.height, rng);
        let ty_pixels = self.width_shift.draw(canvas.output.width, rng);
        let shear_radians = either_way(self.shear_radians, rng);
        let (low, high) = self.zoom;
        let (zx, zy) =
            if self.zoom == (1.0, 1.0) { (1.0, 1.0) } else { (uniform(low, high, rng), uniform(low, high, rng)) };
        KerasMap { version: self.version, theta_degrees, tx_pixels, ty_pixels, shear_radians, zx, zy }
    }

    fn draw_rest_2_0_8(&self, rng: &mut dyn Rng, plan: &mut Plan) {
        if self.channel_shift_levels != 0.0 {
            let mut channel = || either_way(self.channel_shift_levels, rng);
            plan.ops.push(Op::KerasChannelShift { red: channel(), green: channel(), blue: channel() });
        }
        if self.horizontal_flip && unit(rng) < 0.5 {
            plan.ops.push(Op::HorizontalFlip {});
        }
        if self.vertical_flip && unit(rng) < 0.5 {
            plan.ops.push(Op::VerticalFlip {});
        }
    }

    /// `offset_levels` is what [`Op::KerasBrightness`] adds.
    fn draw_rest_2_15(&self, offset_levels: f64, rng: &mut dyn Rng, plan: &mut Plan) {
        let (horizontal, vertical) = (unit(rng) < 0.5, unit(rng) < 0.5);
        if self.channel_shift_levels != 0.0 {
            let levels = either_way(self.channel_shift_levels, rng);
            plan.ops.push(Op::KerasChannelShift { red: levels, green: levels, blue: levels });
        }
        if horizontal && self.horizontal_flip {
            plan.ops.push(Op::HorizontalFlip {});
        }
        if vertical && self.vertical_flip {
            plan.ops.push(Op::VerticalFlip {});
        }
        if let Some([low, high]) = self.brightness {
            plan.ops.push(Op::KerasBrightness { offset_levels, factor: uniform(low, high, rng) });
        }
    }
}

impl Shift {
    fn new(field: &'static str, range: &KerasShiftRange, version: KerasVersion) -> Result<Self, AugmentError> {
        match version {
            KerasVersion::Keras2_0_8 => Self::new_2_0_8(field, range),
            KerasVersion::Keras2_15 => Self::new_2_15(field, range),
        }
    }

    fn new_2_0_8(field: &'static str, range: &KerasShiftRange) -> Result<Self, AugmentError> {
        let fraction = match range {
            KerasShiftRange::Pixels(sides) => f64::from(*sides),
            KerasShiftRange::UpTo(fraction) => not_negative(field, *fraction)?,
            KerasShiftRange::OneOf(_) => {
                return Err(AugmentError::NoEqual { field, reason: "Keras 2.0.8 knows one fraction, and no list" });
            }
        };
        Ok(if fraction == 0.0 { Self::None } else { Self::UpTo(fraction, Unit::Fraction) })
    }

    fn new_2_15(field: &'static str, range: &KerasShiftRange) -> Result<Self, AugmentError> {
        let unit = |largest: f64| if largest < 1.0 { Unit::Fraction } else { Unit::Pixels };
        Ok(match range {
            range if range.is_zero() => Self::None,
            KerasShiftRange::Pixels(count) => {
                Self::OneOf((0..in_pixels(field, *count)?).map(f64::from).collect(), unit(f64::from(*count)))
            }
            KerasShiftRange::UpTo(value) => Self::UpTo(not_negative(field, *value)?, unit(*value)),
            KerasShiftRange::OneOf(values) => {
                if values.is_empty() {
                    return Err(AugmentError::Empty { field });
                }
                for &value in values {
                    in_range(field, value, -LARGEST_SHIFT, LARGEST_SHIFT, "numbers from -65536 to 65536")?;
                }
                let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                Self::OneOf(values.clone(), unit(largest))
            }
        })
    }

    /// A distance in pixels, along a side of `side` pixels.
    fn draw(&self, side: usize, rng: &mut dyn Rng) -> f64 {
        let (distance, unit) = match self {
            Self::None => return 0.0,
            Self::UpTo(largest, unit) => (either_way(*largest, rng), unit),
            Self::OneOf(values, unit) => {
                let distance = choice(values, rng);
                (distance * choice(&[-1.0, 1.0], rng), unit)
            }
        };
        match unit {
            Unit::Fraction => distance * side as f64,
            Unit::Pixels => distance,
        }
    }
}

/// The largest shift that makes sense: a picture's side.
const LARGEST_SHIFT: f64 = 65536.0;

fn in_pixels(field: &'static str, count: u32) -> Result<u32, AugmentError> {
    in_range(field, f64::from(count), 0.0, LARGEST_SHIFT, "pixels from 0 to 65536")?;
    Ok(count)
}

/// Refuses what came after 2.0.8 there.
fn check_known(config: &KerasConfig) -> Result<(), AugmentError> {
    let later = [
        ("brightness_range", config.brightness_range.is_some()),
        ("validation_split", config.validation_split.is_some()),
        ("interpolation_order", config.interpolation_order.is_some()),
        ("dtype", config.dtype.is_some()),
    ];
    match later.iter().find(|(_, given)| *given && config.dialect == KerasVersion::Keras2_0_8) {
        Some(&(field, _)) => Err(AugmentError::NoEqual { field, reason: "Keras 2.0.8 does not know it" }),
        None => Ok(()),
    }
}

fn not_negative(field: &'static str, value: f64) -> Result<f64, AugmentError> {
    in_range(field, value, 0.0, f64::MAX, "a finite number of at least 0")
}

fn ordered(field: &'static str, [low, high]: [f64; 2]) -> Result<(f64, f64), AugmentError> {
    not_negative(field, low)?;
    not_negative(field, high)?;
    if low > high { Err(AugmentError::Reversed { field, low, high }) } else { Ok((low, high)) }
}

fn zoom(range: ZoomRange) -> Result<(f64, f64), AugmentError> {
    ordered("zoom_range", range.ends().into())
}

fn fill(mode: KerasFillMode, level: f64) -> Result<Fill, AugmentError> {
    if in_range("cval", level, 0.0, 255.0, "a whole level from 0 to 255")?.fract() != 0.0 {
        return Err(AugmentError::OutOfRange { field: "cval", value: level, expected: "a whole level from 0 to 255" });
    }
    Ok(match mode {
        KerasFillMode::Constant => Fill::ConstantBeyondCenters([level as u8; 3]),
        KerasFillMode::Nearest => Fill::Nearest,
        KerasFillMode::Reflect => Fill::Reflect,
        KerasFillMode::Wrap => Fill::WrapOverlapping,
    })
}

fn interpolation(config: &KerasConfig) -> Result<Interpolation, AugmentError> {
    let usual = u8::from(config.dialect == KerasVersion::Keras2_15);
    match config.interpolation_order.unwrap_or(usual) {
        0 => Ok(Interpolation::Nearest),
        1 => Ok(Interpolation::Bilinear),
        order => Err(AugmentError::OutOfRange {
            field: "interpolation_order",
            value: f64::from(order),
            expected: "0 (nearest) or 1 (bilinear)",
        }),
    }
}

/// A number from `[-largest, largest)`, or 0 without a draw.
fn either_way(largest: f64, rng: &mut dyn Rng) -> f64 {
    if largest == 0.0 { 0.0 } else { uniform(-largest, largest, rng) }
}

/// `numpy.random.uniform`.
fn uniform(low: f64, high: f64, rng: &mut dyn Rng) -> f64 {
    low + (high - low) * unit(rng)
}

/// `numpy.random.choice`.
fn choice(values: &[f64], rng: &mut dyn Rng) -> f64 {
    values[(unit(rng) * values.len() as f64) as usize]
}

/// `numpy.random.random`: a multiple of 2^-53 in `[0, 1)`.
fn unit(rng: &mut dyn Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / 2f64.powi(53)
}
