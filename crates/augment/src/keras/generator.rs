//! [`Generator`]: what `ImageDataGenerator` draws for one picture, in its order.

use aumenta_imgproc::{Fill, Interpolation};
use rand::Rng;

use super::{Keras2_0_8, Keras2_15, KerasFillMode, KerasMap, KerasShiftRange, KerasVersion};
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
    pub fn new_2_0_8(arguments: &Keras2_0_8) -> Result<Self, AugmentError> {
        refuse_normalization([
            ("featurewise_center", arguments.featurewise_center),
            ("samplewise_center", arguments.samplewise_center),
            ("featurewise_std_normalization", arguments.featurewise_std_normalization),
            ("samplewise_std_normalization", arguments.samplewise_std_normalization),
            ("zca_whitening", arguments.zca_whitening),
        ])?;
        check_rescale(arguments.rescale)?;
        let shift = |field, value| match not_negative(field, value)? {
            0.0 => Ok(Shift::None),
            fraction => Ok(Shift::UpTo(fraction, Unit::Fraction)),
        };
        Ok(Self {
            version: KerasVersion::Keras2_0_8,
            rotation_degrees: not_negative("rotation_range", arguments.rotation_range)?,
            height_shift: shift("height_shift_range", arguments.height_shift_range)?,
            width_shift: shift("width_shift_range", arguments.width_shift_range)?,
            shear_radians: not_negative("shear_range", arguments.shear_range)?,
            zoom: zoom(arguments.zoom_range)?,
            channel_shift_levels: not_negative("channel_shift_range", arguments.channel_shift_range)?,
            horizontal_flip: arguments.horizontal_flip,
            vertical_flip: arguments.vertical_flip,
            brightness: None,
            fill: fill(arguments.fill_mode, arguments.cval)?,
            interpolation: Interpolation::Nearest,
        })
    }

    pub fn new_2_15(arguments: &Keras2_15) -> Result<Self, AugmentError> {
        refuse_normalization([
            ("featurewise_center", arguments.featurewise_center),
            ("samplewise_center", arguments.samplewise_center),
            ("featurewise_std_normalization", arguments.featurewise_std_normalization),
            ("samplewise_std_normalization", arguments.samplewise_std_normalization),
            ("zca_whitening", arguments.zca_whitening),
        ])?;
        check_rescale(arguments.rescale)?;
        if arguments.validation_split != 0.0 {
            return Err(AugmentError::NoEqual {
                field: "validation_split",
                reason: "the manifest says which pictures are for validation",
            });
        }
        let interpolation = match arguments.interpolation_order {
            0 => Interpolation::Nearest,
            1 => Interpolation::Bilinear,
            order => {
                return Err(AugmentError::OutOfRange {
                    field: "interpolation_order",
                    value: f64::from(order),
                    expected: "0 (nearest) or 1 (bilinear)",
                });
            }
        };
        if let Some(range) = arguments.brightness_range {
            ordered("brightness_range", range)?;
        }
        Ok(Self {
            version: KerasVersion::Keras2_15,
            rotation_degrees: not_negative("rotation_range", arguments.rotation_range)?,
            height_shift: Shift::new_2_15("height_shift_range", &arguments.height_shift_range)?,
            width_shift: Shift::new_2_15("width_shift_range", &arguments.width_shift_range)?,
            shear_radians: not_negative("shear_range", arguments.shear_range)?.to_radians(),
            zoom: zoom(arguments.zoom_range)?,
            channel_shift_levels: not_negative("channel_shift_range", arguments.channel_shift_range)?,
            horizontal_flip: arguments.horizontal_flip,
            vertical_flip: arguments.vertical_flip,
            brightness: arguments.brightness_range,
            fill: fill(arguments.fill_mode, arguments.cval)?,
            interpolation,
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
            KerasVersion::Keras2_15 => self.draw_rest_2_15(rng, plan),
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

    fn draw_rest_2_15(&self, rng: &mut dyn Rng, plan: &mut Plan) {
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
            plan.ops.push(Op::KerasBrightness { factor: uniform(low, high, rng) });
        }
    }
}

impl Shift {
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

fn refuse_normalization(arguments: [(&'static str, bool); 5]) -> Result<(), AugmentError> {
    match arguments.iter().find(|(_, asked)| *asked) {
        Some(&(field, _)) => Err(AugmentError::NoEqual { field, reason: "normalization belongs to the preprocessing" }),
        None => Ok(()),
    }
}

fn check_rescale(rescale: Option<f64>) -> Result<(), AugmentError> {
    // 1 / 255 as anyone would write it: in Python, or with a few digits.
    match rescale {
        None => Ok(()),
        Some(value) if (value * 255.0 - 1.0).abs() < 1e-3 => Ok(()),
        Some(value) => {
            Err(AugmentError::OutOfRange { field: "rescale", value, expected: "1 / 255, which pixels have anyway" })
        }
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
