//! [`Transform`]: something that draws an operation, and the transforms there are.

mod always;
mod blur;
mod channel_shift;
mod clahe;
mod crop;
mod downscale;
mod elastic;
mod factor;
mod flip;
mod gamma;
mod hue;
mod noise;
mod occlusion;
mod perspective;
mod quantize;
mod quarter_turns;
mod rotation;
mod shear;
mod shift;
mod sometimes;
mod zoom;

use std::fmt::Debug;

use rand::{Rng, RngExt as _};

pub use self::always::Always;
pub use self::blur::{RandomGaussianBlur, RandomMotionBlur};
pub use self::channel_shift::RandomChannelShift;
pub use self::clahe::RandomClahe;
pub use self::crop::{RandomCrop, RandomResizedCrop};
pub use self::downscale::RandomDownscale;
pub use self::elastic::RandomElastic;
pub use self::factor::{RandomBrightness, RandomContrast, RandomContrastAboutMean, RandomSaturation, RandomSharpness};
pub use self::flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use self::gamma::RandomGamma;
pub use self::hue::RandomHue;
pub use self::noise::{RandomGaussianNoise, RandomSaltAndPepper, RandomShotNoise};
pub use self::occlusion::{Cover, Cutout, RandomErasing, RandomGridMask};
pub use self::perspective::RandomPerspective;
pub use self::quantize::{RandomJpeg, RandomPosterize, RandomSolarize};
pub use self::quarter_turns::RandomQuarterTurns;
pub use self::rotation::RandomRotation;
pub use self::shear::{RandomShear, RandomVerticalShear};
pub use self::shift::RandomShift;
pub use self::sometimes::Sometimes;
pub use self::zoom::RandomZoom;
use crate::{AugmentError, Canvas, Plan};

/// A random change of pictures: it draws numbers and writes them down, and never sees a pixel.
///
/// ```
/// use aumenta_augment::{Canvas, Op, Plan, Transform};
/// use aumenta_imgproc::Size;
///
/// /// Turns half of all pictures upside down.
/// #[derive(Debug)]
/// struct UpsideDown;
///
/// impl Transform for UpsideDown {
///     fn draw(&self, _: Canvas, rng: &mut dyn rand::Rng, plan: &mut Plan) {
///         if rand::RngExt::random_bool(rng, 0.5) {
///             plan.ops.push(Op::Rotate { degrees: 180.0 });
///         }
///     }
/// }
///
/// let mut plan = Plan::identity();
/// let canvas = Canvas::of(Size::square(150));
/// UpsideDown.draw(canvas, &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert!(plan.ops.len() <= 1);
/// ```
pub trait Transform: Send + Sync + Debug {
    /// Draws this transform's numbers from `rng` and appends the operation to `plan`, or nothing where the draw leaves
    /// the picture alone.
    ///
    /// What is drawn must depend on the canvas and earlier draws alone, so that a seed always gives the same plan.
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan);
}

/// `value`, if it lies in `low..=high`; NaN does not.
pub(crate) fn in_range(
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
    expected: &'static str,
) -> Result<f64, AugmentError> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(AugmentError::OutOfRange { field, value, expected }) }
}

/// `range`, if both ends lie in `low..=high` and the first is not above the second.
fn range_within(
    field: &'static str,
    range: [f64; 2],
    low: f64,
    high: f64,
    expected: &'static str,
) -> Result<[f64; 2], AugmentError> {
    for value in range {
        in_range(field, value, low, high, expected)?;
    }
    if range[0] > range[1] {
        return Err(AugmentError::Reversed { field, low: range[0], high: range[1] });
    }
    Ok(range)
}

/// A number drawn uniformly from `range`, its ends included.
fn uniform(range: [f64; 2], rng: &mut dyn Rng) -> f64 {
    rng.random_range(range[0]..=range[1])
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::Op;

    /// The operations of 200 samples.
    fn draws(transform: &dyn Transform) -> Vec<Op> {
        let mut plan = Plan::identity();
        for sample in 0..200 {
            transform.draw(Canvas::of(Size::square(100)), &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        plan.ops
    }

    /// Checks that numbers stay in their range, come close to both ends of it, and are balanced around its middle.
    #[track_caller]
    fn check(numbers: impl Iterator<Item = f64>, low: f64, high: f64) {
        let numbers: Vec<f64> = numbers.collect();
        assert_eq!(numbers.len(), 200);
        assert!(numbers.iter().all(|number| (low..=high).contains(number)), "{numbers:?}");
        let tenth = (high - low) / 10.0;
        assert!(
            numbers.iter().any(|&number| number < low + tenth) && numbers.iter().any(|&number| number > high - tenth)
        );
        let mean = numbers.iter().sum::<f64>() / 200.0;
        assert!((mean - f64::midpoint(low, high)).abs() < tenth, "the mean is {mean}");
    }

    macro_rules! numbers {
        ($draws:expr, $variant:ident . $field:ident) => {
            $draws.iter().filter_map(|op| if let Op::$variant { $field, .. } = op { Some(*$field) } else { None })
        };
    }

    #[test]
    fn drawn_numbers_fill_their_range() {
        check(numbers!(draws(&RandomRotation::new(40.0).unwrap()), Rotate.degrees), -40.0, 40.0);
        check(numbers!(draws(&RandomShear::new(10.0).unwrap()), Shear.degrees), -10.0, 10.0);
        let shifts = draws(&RandomShift::new(0.2, 0.1).unwrap());
        check(numbers!(shifts, Shift.x_fraction), -0.2, 0.2);
        check(numbers!(shifts, Shift.y_fraction), -0.1, 0.1);
        let zooms = draws(&RandomZoom::new(0.8, 1.4).unwrap());
        check(numbers!(zooms, Zoom.x), 0.8, 1.4);
        check(numbers!(zooms, Zoom.y), 0.8, 1.4);
        check(numbers!(draws(&RandomBrightness::new(0.3).unwrap()), Brightness.factor), 0.7, 1.3);
        check(numbers!(draws(&RandomContrast::new(0.3).unwrap()), Contrast.factor), 0.7, 1.3);
        check(numbers!(draws(&RandomSaturation::new(1.0).unwrap()), Saturation.factor), 0.0, 2.0);
    }

    #[test]
    fn drawn_colors_and_degradations_fill_their_range() {
        let shifts = draws(&RandomChannelShift::new(20.0).unwrap());
        check(numbers!(shifts, ChannelShift.red_levels), -20.0, 20.0);
        check(numbers!(shifts, ChannelShift.green_levels), -20.0, 20.0);
        check(numbers!(shifts, ChannelShift.blue_levels), -20.0, 20.0);
        check(numbers!(draws(&RandomHue::new(0.1).unwrap()), Hue.turns), -0.1, 0.1);
        check(numbers!(draws(&RandomGamma::new([0.5, 2.0]).unwrap()), Gamma.exponent), 0.5, 2.0);
        check(numbers!(draws(&RandomContrastAboutMean::new(0.4).unwrap()), ContrastAboutMean.factor), 0.6, 1.4);
        check(numbers!(draws(&RandomSharpness::new(0.9).unwrap()), Sharpness.factor), 0.1, 1.9);
        check(numbers!(draws(&RandomClahe::new([1.0, 4.0], 8).unwrap()), Clahe.clip_limit), 1.0, 4.0);
        check(numbers!(draws(&RandomGaussianBlur::new([0.0, 2.0]).unwrap()), GaussianBlur.sigma_pixels), 0.0, 2.0);
        let blurs = draws(&RandomMotionBlur::new([3.0, 7.0]).unwrap());
        check(numbers!(blurs, MotionBlur.length_pixels), 3.0, 7.0);
        check(numbers!(blurs, MotionBlur.angle_degrees), 0.0, 180.0);
        check(numbers!(draws(&RandomGaussianNoise::new([2.0, 9.0]).unwrap()), GaussianNoise.sigma_levels), 2.0, 9.0);
        check(numbers!(draws(&RandomSaltAndPepper::new([0.0, 0.1]).unwrap()), SaltAndPepper.fraction), 0.0, 0.1);
        check(numbers!(draws(&RandomShotNoise::new([3.0, 60.0]).unwrap()), ShotNoise.photons_at_white), 3.0, 60.0);
        check(numbers!(draws(&RandomDownscale::new([0.2, 0.8]).unwrap()), Downscale.fraction), 0.2, 0.8);
    }

    #[test]
    fn whole_numbers_reach_both_ends_of_their_range() {
        let whole = |numbers: Vec<u16>, low, high| {
            assert_eq!((numbers.len(), numbers.iter().min(), numbers.iter().max()), (200, Some(&low), Some(&high)));
        };
        let bits = numbers!(draws(&RandomPosterize::new([4, 8]).unwrap()), Posterize.bits).map(u16::from).collect();
        whole(bits, 4, 8);
        whole(numbers!(draws(&RandomSolarize::new([250, 256]).unwrap()), Solarize.threshold_level).collect(), 250, 256);
        let quality = numbers!(draws(&RandomJpeg::new([90, 95]).unwrap()), Jpeg.quality).map(u16::from).collect();
        whole(quality, 90, 95);
    }

    #[test]
    fn every_picture_has_noise_of_its_own() {
        let noises = draws(&RandomGaussianNoise::new([1.0, 1.0]).unwrap());
        let mut seeds: Vec<u64> = numbers!(noises, GaussianNoise.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 200);
    }

    #[test]
    fn erased_rectangles_lie_within_and_have_the_area_and_ratio_asked_for() {
        let erasing = RandomErasing::new([0.02, 0.33], [0.3, 3.3], Cover::Noise).unwrap();
        let mut plan = Plan::identity();
        for sample in 0..200 {
            let canvas = Canvas::of(Size { width: 200, height: 100 });
            erasing.draw(canvas, &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        let (mut areas, mut log_ratios) = (Vec::new(), Vec::new());
        for op in &plan.ops {
            let Op::Erase { left_fraction, top_fraction, width_fraction, height_fraction, .. } = *op else {
                panic!("{op}")
            };
            assert!(left_fraction >= 0.0 && left_fraction + width_fraction <= 1.0 + 1e-12, "{op}");
            assert!(top_fraction >= 0.0 && top_fraction + height_fraction <= 1.0 + 1e-12, "{op}");
            areas.push(width_fraction * height_fraction);
            log_ratios.push((height_fraction * 100.0 / (width_fraction * 200.0)).ln());
        }
        check(areas.into_iter(), 0.02 - 1e-12, 0.33 + 1e-12);
        assert!(log_ratios.iter().all(|ratio| (0.3f64.ln() - 1e-9..=3.3f64.ln() + 1e-9).contains(ratio)));
        let impossible = RandomErasing::new([1.0, 1.0], [3.0, 3.0], Cover::Color([0; 3])).unwrap();
        assert_eq!(draws(&impossible), []);
    }

    #[test]
    fn cutout_squares_have_their_center_within() {
        let cutouts = draws(&Cutout::new(0.5, Cover::Color([0; 3])).unwrap());
        check(numbers!(cutouts, Erase.left_fraction), -0.25, 0.75);
        check(numbers!(cutouts, Erase.top_fraction), -0.25, 0.75);
    }

    #[test]
    fn grids_are_drawn_in_size_place_and_turn() {
        let grids = draws(&RandomGridMask::new([0.4, 1.0], 0.6, 30.0, Cover::Noise).unwrap());
        check(numbers!(grids, GridMask.unit_fraction), 0.4, 1.0);
        check(numbers!(grids, GridMask.x_offset_units), 0.0, 1.0);
        check(numbers!(grids, GridMask.y_offset_units), 0.0, 1.0);
        check(numbers!(grids, GridMask.rotation_degrees), -30.0, 30.0);
    }

    #[test]
    fn width_and_height_are_drawn_independently() {
        let zooms = draws(&RandomZoom::new(0.8, 1.2).unwrap());
        assert!(zooms.iter().all(|op| matches!(op, Op::Zoom { x, y } if x != y)));
    }

    #[test]
    fn flips_come_as_often_as_asked() {
        assert!((70..=130).contains(&draws(&RandomHorizontalFlip::new(0.5).unwrap()).len()));
        assert_eq!(draws(&RandomHorizontalFlip::new(0.0).unwrap()), []);
        assert_eq!(draws(&RandomVerticalFlip::new(1.0).unwrap()), vec![Op::VerticalFlip {}; 200]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let error = RandomRotation::new(-1.0).unwrap_err();
        assert_eq!(error.to_string(), "rotation-degrees is -1, expected an angle from 0 to 180");
        assert_eq!(RandomZoom::new(1.2, 0.8), Err(AugmentError::Reversed { field: "zoom", low: 1.2, high: 0.8 }));
        assert!(RandomZoom::new(0.0, 1.0).is_err());
        assert!(RandomShift::new(0.1, f64::NAN).is_err());
        assert!(RandomShear::new(90.0).is_err());
        assert!(RandomHorizontalFlip::new(1.1).is_err());
        assert!(RandomVerticalFlip::new(f64::NAN).is_err());
        assert!(RandomBrightness::new(1.5).is_err());
        assert!(RandomContrast::new(-0.1).is_err());
        assert!(RandomSaturation::new(f64::INFINITY).is_err());
        assert!(RandomContrastAboutMean::new(1.1).is_err());
        assert!(RandomSharpness::new(-1.0).is_err());
        assert!(RandomChannelShift::new(256.0).is_err());
        assert!(RandomHue::new(0.6).is_err());
        assert!(RandomGamma::new([0.0, 1.0]).is_err());
        assert!(RandomPosterize::new([1, 9]).is_err());
        assert!(RandomSolarize::new([0, 257]).is_err());
        assert!(RandomJpeg::new([0, 50]).is_err());
        assert!(RandomClahe::new([0.5, 2.0], 8).is_err());
        assert!(RandomClahe::new([1.0, 2.0], 0).is_err());
        assert!(RandomGaussianBlur::new([-1.0, 2.0]).is_err());
        assert!(RandomMotionBlur::new([0.0, 5.0]).is_err());
        assert!(RandomGaussianNoise::new([3.0, f64::NAN]).is_err());
        assert!(RandomSaltAndPepper::new([0.0, 1.5]).is_err());
        assert!(RandomShotNoise::new([0.0, 60.0]).is_err());
        assert!(RandomDownscale::new([0.0, 0.5]).is_err());
        assert!(RandomErasing::new([0.0, 2.0], [0.3, 3.3], Cover::Noise).is_err());
        assert!(RandomErasing::new([0.0, 0.5], [0.0, 3.3], Cover::Noise).is_err());
        assert!(Cutout::new(2.5, Cover::Noise).is_err());
        assert!(RandomGridMask::new([0.0, 0.5], 0.6, 0.0, Cover::Noise).is_err());
        assert!(RandomGridMask::new([0.2, 0.5], 1.6, 0.0, Cover::Noise).is_err());
        assert!(RandomGridMask::new([0.2, 0.5], 0.6, 181.0, Cover::Noise).is_err());
        let error = RandomGaussianBlur::new([2.0, 1.0]).unwrap_err();
        assert_eq!(error.to_string(), "sigma-pixels is [2, 1], expected the lower end first");
    }
}
