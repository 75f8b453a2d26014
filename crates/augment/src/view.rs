//! How finely, and which part of it, a picture is decoded for a plan.
//!
//! Only the first pass over the pixels reads the source (`execute.rs`), and it reads by one matrix. The sizes of its steps
//! say how many pixels are enough, and where the output's corners lie says which.

#[cfg(test)]
mod accuracy;

use std::ops::Range;

use aumenta_imgproc::{Fill, Interpolation, Matrix3, Scale, Size, View, Window};

use crate::effect::Effect;
use crate::execute::{ROUNDING, Reading, at_scale, resize};
use crate::{Canvas, Op, Plan};

/// What [`Plan::view`] promises.
pub(crate) fn view(plan: &Plan, canvas: Canvas) -> View {
    let Canvas { source, output } = canvas;
    let reading = Reading::of(plan);
    let pass = FirstPass::of(plan, canvas);
    let scale = if reading.averages() { pass.scale(output) } else { Scale::Full };
    let (motion, size) = (at_scale(&pass.motion, scale), scale.of(source));
    let blocks = reading.blocks(&motion, size, output);
    View { scale, window: window(plan, &motion, blocks, size, output) }
}

/// What moves between the source and the first operation that needs pixels.
struct FirstPass {
    /// The resize with the operations that choose what is in the picture.
    framing: Matrix3,
    /// The resize with all operations.
    motion: Matrix3,
}

impl FirstPass {
    fn of(plan: &Plan, canvas: Canvas) -> Self {
        let resize = resize(canvas.source, canvas.output);
        let mut pass = Self { framing: resize, motion: resize };
        for op in &plan.ops {
            match op.effect(canvas.output) {
                Effect::Motion(matrix) => {
                    pass.motion = matrix.then(&pass.motion);
                    // Flips frame as well, but no step of theirs is longer or shorter.
                    if matches!(op, Op::Crop { .. } | Op::QuarterTurns { .. }) {
                        pass.framing = matrix.then(&pass.framing);
                    }
                }
                Effect::Color(_) => {}
                Effect::Pass(_) => break,
            }
        }
        pass
    }

    /// The coarsest scale that is fine enough; the finest where steps are no numbers.
    fn scale(&self, output: Size) -> Scale {
        let steps_reach = |motion: &Matrix3, length: f64| {
            let (columns, rows) = motion.stride(output);
            columns + ROUNDING >= length && rows + ROUNDING >= length
        };
        let is_fine = |scale: &Scale| {
            let pixel = scale.divisor() as f64;
            steps_reach(&self.framing, pixel) && steps_reach(&self.motion, ENLARGEMENT * pixel)
        };
        Scale::ALL.into_iter().rev().find(is_fine).unwrap_or_default()
    }
}

/// The step at which motions that enlarge may read a decoded picture, in its pixels.
const ENLARGEMENT: f64 = 0.7;

/// The part of a picture of `size` that a pass reads by `motion`, where it averages `blocks` of pixels before; `None` where
/// that is not known or hardly less than all.
fn window(plan: &Plan, motion: &Matrix3, (columns, rows): (usize, usize), size: Size, output: Size) -> Option<Window> {
    if !motion.is_affine() || size.width * size.height == 0 {
        return None;
    }
    let motion = motion.then(&Matrix3::grid(1.0 / columns as f64, 1.0 / rows as f64));
    let (right, bottom) = (output.width as f64 - 1.0, output.height as f64 - 1.0);
    let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)].map(|(x, y)| motion.apply(x, y));
    let read = |at: [f64; 4], side: usize, block: usize| {
        let blocks = read_pixels(plan, at, side.div_ceil(block))?;
        Some(blocks.start * block..(blocks.end * block).min(side))
    };
    let x = read(corners.map(|(x, _)| x), size.width, columns)?;
    let y = read(corners.map(|(_, y)| y), size.height, rows)?;
    let is_nearly_all = 10 * x.len() * y.len() > 9 * size.width * size.height;
    (!is_nearly_all).then_some(Window { left: x.start, top: y.start, right: x.end, bottom: y.end })
}

/// The columns of a picture of `length` of them that are read for points between the outermost of four (rows likewise).
fn read_pixels(plan: &Plan, corners: [f64; 4], length: usize) -> Option<Range<usize>> {
    let (low, high) =
        corners.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &at| (low.min(at), high.max(at)));
    if !corners.iter().all(|at| at.abs() < FAR) {
        return None;
    }
    let beyond = if plan.interpolation == Interpolation::Bicubic { 2 } else { 1 };
    let first = (low - MARGIN).floor() as i64 + 1 - beyond;
    let end = (high + MARGIN).floor() as i64 + 1 + beyond;
    let length = length as i64;
    let is_outside = first < 0 || end > length;
    let (first, end) = match plan.fill {
        Fill::Wrap | Fill::WrapOverlapping if is_outside => (0, length),
        // What lies outside is the mirror image of what lies as far inside.
        Fill::Reflect => (first.max(0).min(2 * length - end), end.min(length).max(-first)),
        _ => (first, end),
    };
    let first = first.clamp(0, length - 1);
    Some(first as usize..end.clamp(first + 1, length) as usize)
}

/// Points beyond are not told apart exactly, in pixels.
const FAR: f64 = (1u64 << 24) as f64;

/// More than points are off by rounding, in pixels.
const MARGIN: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{Image, Slot, shrink};
    use aumenta_seed::Seed;
    use proptest::prelude::*;

    use super::*;
    use crate::{AugmentConfig, Prefilter, Scratch, Source};

    fn plan(ops: impl Into<Vec<Op>>) -> Plan {
        Plan { ops: ops.into(), ..Plan::identity() }
    }

    fn crop(left: f64, top: f64, width: f64, height: f64) -> Op {
        Op::Crop { x_fraction: left, y_fraction: top, width_fraction: width, height_fraction: height }
    }

    #[track_caller]
    fn check_scale(ops: impl Into<Vec<Op>>, source: usize, expected: Scale) {
        let canvas = Canvas { source: Size::square(source), output: Size::square(100) };
        assert_eq!(plan(ops).view(canvas).scale, expected);
    }

    #[test]
    fn a_picture_of_twice_the_output_is_decoded_at_half_its_size() {
        check_scale([], 199, Scale::Full);
        check_scale([], 200, Scale::Half);
        check_scale([Op::Rotate { degrees: 33.0 }, Op::HorizontalFlip {}], 200, Scale::Half);
        check_scale([Op::QuarterTurns { turns: 1 }], 400, Scale::Quarter);
        check_scale([], 3000, Scale::Eighth);
    }

    #[test]
    fn crops_count_in_full_and_zooms_in_part() {
        check_scale([crop(0.2, 0.2, 0.5, 0.5)], 399, Scale::Full);
        check_scale([crop(0.2, 0.2, 0.5, 0.5)], 400, Scale::Half);
        check_scale([crop(0.0, 0.0, 1.0, 0.4)], 400, Scale::Full);
        check_scale([Op::Zoom { x: 1.42, y: 1.42 }], 200, Scale::Half);
        check_scale([Op::Zoom { x: 1.44, y: 1.0 }], 200, Scale::Full);
        check_scale([Op::Zoom { x: 0.5, y: 0.5 }], 199, Scale::Full);
        // What comes after a pass reads the picture that it has left.
        check_scale([Op::Equalize {}, crop(0.2, 0.2, 0.1, 0.1)], 200, Scale::Half);
        check_scale([Op::Zoom { x: f64::NAN, y: 1.0 }], 200, Scale::Full);
    }

    #[test]
    fn what_mixes_no_pixels_needs_all_of_them() {
        let canvas = Canvas { source: Size::square(900), output: Size::square(100) };
        assert_eq!(Plan { prefilter: Prefilter::None, ..Plan::identity() }.view(canvas), View::FULL);
        assert_eq!(Plan { interpolation: Interpolation::Nearest, ..Plan::identity() }.view(canvas), View::FULL);
    }

    #[track_caller]
    fn check_window(plan: &Plan, expected: Option<[usize; 4]>) {
        let canvas = Canvas { source: Size { width: 60, height: 40 }, output: Size { width: 60, height: 40 } };
        let window = plan.view(canvas).window.map(|window| [window.left, window.top, window.right, window.bottom]);
        assert_eq!(window, expected);
    }

    #[test]
    fn a_window_holds_what_is_read() {
        check_window(&plan([]), None);
        // The points from column 14.75 to 44.25, each with its two neighbors.
        check_window(&plan([crop(0.25, 0.25, 0.5, 0.5)]), Some([14, 9, 46, 31]));
        let bicubic = Plan { interpolation: Interpolation::Bicubic, ..plan([crop(0.25, 0.25, 0.5, 0.5)]) };
        check_window(&bicubic, Some([13, 8, 47, 32]));
        check_window(&plan([Op::Shift { x_fraction: 0.5, y_fraction: 0.0 }]), Some([0, 0, 31, 40]));
        let perspective = Op::Perspective {
            top_left: [-1.0, -1.0],
            top_right: [2.0, 0.0],
            bottom_right: [2.0, 2.0],
            bottom_left: [-1.0, 2.0],
        };
        check_window(&plan([perspective]), None);
    }

    #[test]
    fn a_fill_that_repeats_the_picture_reads_there() {
        let shifted = |x_fraction, fill| Plan { fill, ..plan([Op::Shift { x_fraction, y_fraction: 0.0 }]) };
        check_window(&shifted(0.25, Fill::Reflect), Some([0, 0, 46, 40]));
        check_window(&shifted(0.75, Fill::Reflect), Some([0, 0, 46, 40]));
        check_window(&shifted(-0.75, Fill::Reflect), Some([14, 0, 60, 40]));
        check_window(&shifted(9.0, Fill::Reflect), None);
        check_window(&shifted(0.75, Fill::Wrap), None);
        check_window(&shifted(0.75, Fill::Constant([0; 3])), Some([0, 0, 16, 40]));
        check_window(&shifted(7.0, Fill::Nearest), Some([0, 0, 1, 40]));
        check_window(&shifted(1e300, Fill::Nearest), None);
    }

    fn noise(size: Size) -> Image {
        let values = (0..size.width * size.height * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8);
        Image::from_pixels(size.width, size.height, values.collect())
    }

    /// The picture with what lies outside of the window replaced.
    fn spoiled(image: &Image, window: Window) -> Image {
        let mut spoiled = image.clone();
        for (y, x) in (0..image.height()).flat_map(|y| (0..image.width()).map(move |x| (y, x))) {
            if !(window.left..window.right).contains(&x) || !(window.top..window.bottom).contains(&y) {
                spoiled.set(x, y, image.get(x, y).map(|value| value ^ 0xff));
            }
        }
        spoiled
    }

    const PIPELINES: [&str; 9] = [
        "",
        "transforms = [{ transform = 'resized-crop' }, { transform = 'horizontal-flip' }]",
        "transforms = [{ transform = 'resized-crop', areas = [0.01, 0.3], aspect-ratios = [0.2, 5] }]",
        "transforms = [{ transform = 'crop', size-fraction = 0.5, padding-fraction = 0.2 }, { transform = 'quarter-turns' }]",
        "rotation-degrees = 180\nvertical-flip = true",
        "zoom = [0.2, 6]\nwidth-shift = 1\nheight-shift = 1",
        "transforms = [{ transform = 'resized-crop' }, { transform = 'gaussian-blur', sigma-pixels = [1, 2] }, \
         { transform = 'rotation', degrees = 90 }]",
        "transforms = [{ transform = 'resized-crop' }, { transform = 'elastic', alpha-pixels = 40, sigma-pixels = 4 }]",
        "transforms = [{ transform = 'resized-crop' }, { transform = 'aug-mix' }, { transform = 'perspective' }]",
    ];

    fn pipelines() -> impl Strategy<Value = AugmentConfig> {
        let config = prop_oneof![
            1 => Just(AugmentConfig::book()),
            4 => prop::sample::select(&PIPELINES[..]).prop_map(|text| toml::from_str(text).unwrap()),
        ];
        let fill = prop::sample::select(vec![
            Fill::Nearest,
            Fill::Reflect,
            Fill::Wrap,
            Fill::WrapOverlapping,
            Fill::Constant([1, 2, 3]),
            Fill::ConstantBeyondCenters([4, 5, 6]),
        ]);
        let interpolation =
            prop::sample::select(vec![Interpolation::Bilinear, Interpolation::Bicubic, Interpolation::Nearest]);
        (config, fill, interpolation, prop::sample::select(vec![Prefilter::Area, Prefilter::None])).prop_map(
            |(config, fill, interpolation, prefilter)| AugmentConfig { fill, interpolation, prefilter, ..config },
        )
    }

    fn sizes(longest: usize) -> impl Strategy<Value = Size> {
        (1..longest, 1..longest).prop_map(|(width, height)| Size { width, height })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_stands_outside_of_the_window_does_not_count(
            config in pipelines(), source in sizes(300), output in sizes(40), sample in any::<u64>(),
        ) {
            let canvas = Canvas { source, output };
            let plan = config.build().unwrap().draw(canvas, &mut Seed::new(7).rng("augment", 0, sample));
            let view = plan.view(canvas);
            let mut decoded = Image::default();
            shrink(&noise(source), view.scale.divisor(), view.scale.divisor(), &mut decoded);
            let applied = |image: &Image| {
                let mut out = vec![0; output.width * output.height * 3];
                let source = Source::new(image, source, view.scale);
                plan.apply_to_slot(source, output, &mut Scratch::default(), Slot::rgb(&mut out));
                out
            };
            if let Some(window) = view.window {
                prop_assert!(window.right <= decoded.width() && window.bottom <= decoded.height());
                prop_assert!(applied(&spoiled(&decoded, window)) == applied(&decoded), "{} {:?}", plan, view);
            }
        }
    }
}
