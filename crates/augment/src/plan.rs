//! [`Plan`]: what happens to one picture, as data.
//!
//! A plan is drawn once with a generator and applied without one. It can be logged, replayed, shown as a caption and
//! compared; nothing in it is random.

use std::fmt;

use aumenta_imgproc::{Fill, Image, Interpolation, Mask, Sampling, Size, Slot, View};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::execute::{execute, execute_on_mask};
use crate::view::view;
use crate::{Canvas, Op, PointMap, Prefilter, Scratch, Source};

/// What happens to one picture: operations in the order in which they act on it, and how it is resampled.
///
/// ```
/// use aumenta_augment::{Op, Plan, Scratch};
/// use aumenta_imgproc::{Image, Size};
///
/// let plan = Plan { ops: vec![Op::HorizontalFlip {}, Op::Brightness { factor: 0.5 }], ..Plan::identity() };
/// assert_eq!(plan.to_string(), "flip bright 0.50");
///
/// let source = Image::from_pixels(2, 1, vec![0, 0, 0, 200, 100, 50]);
/// let mut out = Image::default();
/// plan.apply(&source, source.size(), &mut Scratch::default(), &mut out);
/// assert_eq!(out.pixels(), [100, 50, 25, 0, 0, 0]);
/// ```
///
/// What is read from a file may be a stranger's: more than [`MAX_OPS`](Self::MAX_OPS) operations, or mixtures within
/// mixtures, are refused there, so that applying any plan that was read takes a bounded time for each pixel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The operations; the first acts first.
    #[serde(deserialize_with = "read_ops")]
    pub ops: Vec<Op>,
    /// What shows where the picture has moved away.
    #[serde(default)]
    pub fill: Fill,
    /// How colours between pixels are read.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// What stands before a resampling that skips pixels.
    #[serde(default)]
    pub prefilter: Prefilter,
}

impl Plan {
    /// The operations that a plan may have where it is read, those in chains included.
    pub const MAX_OPS: usize = 256;

    /// The plan of evaluation: a plain bilinear resize and nothing else.
    pub fn identity() -> Self {
        Self::default()
    }

    /// Makes it the [`identity`](Self::identity), keeping the allocation of its operations.
    pub fn set_identity(&mut self) {
        self.ops.clear();
        *self = Self { ops: std::mem::take(&mut self.ops), ..Self::identity() };
    }

    /// Resizes `source` to `output` (the aspect ratio is not kept) and carries out the operations, into `out`, whose
    /// buffer is reused.
    ///
    /// However many operations there are, the picture is resampled once: the motions and the resize are composed
    /// into one matrix, the changes of colour into another. Colours commute with motions, so their order among each
    /// other does not matter, except that a [`Fill::Constant`] is coloured too. Where the composed matrix skips source
    /// pixels (a stride of 2 or more), the [`Prefilter`] stands before it.
    pub fn apply(&self, source: &Image, output: Size, scratch: &mut Scratch, out: &mut Image) {
        out.resize_buffer(output.width, output.height);
        self.apply_to_slot(source, output, scratch, Slot::rgb(out.pixels_mut()));
    }

    /// As [`apply`](Self::apply), from a source that may have fewer pixels, into a slot of any form, such as one sample's
    /// part of a batch.
    ///
    /// Nothing is allocated once `scratch` has grown to what the plan needs.
    ///
    /// # Panics
    /// Where the slot does not hold a picture of the size `output`.
    pub fn apply_to_slot<'a>(
        &self,
        source: impl Into<Source<'a>>,
        output: Size,
        scratch: &mut Scratch,
        slot: Slot<'_>,
    ) {
        execute(self, source.into(), output, scratch, slot);
    }

    /// How finely, and which part of it, a picture needs to be decoded for this plan.
    ///
    /// The coarser the better, under two conditions. What the picture shows, that is the resize with the plan's crops and
    /// turns, must step over at least the full pixels that a decoded one stands for: a picture at least twice as large as the
    /// output is decoded at half its size. And with the other motions, a step must still be 0.7 decoded pixels, so that a
    /// strong zoom is not blurred. Without a [`Prefilter`], and with [`Interpolation::Nearest`], which never mix pixels, the
    /// scale is always [`Scale::Full`](aumenta_imgproc::Scale::Full).
    ///
    /// The window holds every pixel of the decoded picture that counts: whatever stands outside of it,
    /// [`apply_to_slot`](Self::apply_to_slot) gives the same bytes. It is `None` where it would be nine tenths of the picture
    /// or more, and for a perspective.
    ///
    /// What a coarse scale costs was measured on drawn photographs (waves of all lengths, an edge, noise) of 2 to 8 times the
    /// output's size, as the root of the mean squared distance from exact areas in levels, at the view's scale, on the full
    /// picture, and on the full picture without a prefilter: 1.5, 1.4 and 5.9 for plain resizes, 3.6, 3.6 and 6.1 for plans of
    /// [`AugmentConfig::book`](crate::AugmentConfig::book), 2.1, 2.4 and 6.3 for random crops. No plan was farther off at its
    /// scale than without a prefilter.
    ///
    /// ```
    /// use aumenta_augment::{Canvas, Op, Plan};
    /// use aumenta_imgproc::{Scale, Size, View, Window};
    ///
    /// let canvas = Canvas { source: Size { width: 1000, height: 750 }, output: Size::square(150) };
    /// assert_eq!(Plan::identity().view(canvas), View { scale: Scale::Quarter, window: None });
    /// // The left upper quarter of its 500x375 pixels.
    /// let quarter = Op::Crop { x_fraction: 0.0, y_fraction: 0.0, width_fraction: 0.5, height_fraction: 0.5 };
    /// let view = Plan { ops: vec![quarter], ..Plan::identity() }.view(canvas);
    /// assert_eq!(view.scale, Scale::Half);
    /// assert_eq!(view.window, Some(Window { left: 0, top: 0, right: 250, bottom: 188 }));
    /// ```
    pub fn view(&self, canvas: Canvas) -> View {
        view(self, canvas)
    }

    /// Brings the labels of a picture's pixels to where [`apply`](Self::apply) brings the pixels.
    ///
    /// The nearest label is read, changes of color, blurs, noise and occlusions leave labels alone, and so does
    /// [`Op::AugMix`]. Where the picture has moved away, a constant fill has the label `outside`; the other fills repeat
    /// the labels as they repeat the pixels.
    ///
    /// ```
    /// use aumenta_augment::{Op, Plan, Scratch};
    /// use aumenta_imgproc::{Fill, Mask};
    ///
    /// let ops = vec![Op::Shift { x_fraction: 0.25, y_fraction: 0.0 }, Op::Brightness { factor: 0.5 }];
    /// let plan = Plan { ops, fill: Fill::Constant([0; 3]), ..Plan::identity() };
    /// let mask = Mask::from_labels(4, 1, vec![1, 2, 3, 4]);
    /// let moved = plan.apply_to_mask(&mask, mask.size(), 255, &mut Scratch::default());
    /// assert_eq!(moved.labels(), [255, 1, 2, 3]);
    /// ```
    pub fn apply_to_mask(&self, mask: &Mask, output: Size, outside: u8, scratch: &mut Scratch) -> Mask {
        execute_on_mask(self, mask, output, outside, scratch)
    }

    /// Where [`apply`](Self::apply) brings the points and boxes of a picture.
    ///
    /// ```
    /// use aumenta_augment::{BoundingBox, Canvas, Op, Plan};
    /// use aumenta_imgproc::Size;
    ///
    /// let plan = Plan { ops: vec![Op::HorizontalFlip {}], ..Plan::identity() };
    /// let canvas = Canvas { source: Size { width: 200, height: 100 }, output: Size::square(50) };
    /// let map = plan.point_map(canvas);
    /// assert_eq!(map.point(-0.5, 49.5), Some((49.5, 24.5)));
    /// let face = BoundingBox { left: 0.0, top: 20.0, right: 40.0, bottom: 60.0 };
    /// let moved = map.bounding_box(face).expect("all of it is on the canvas");
    /// assert_eq!(moved.bounds, BoundingBox { left: 40.0, top: 10.0, right: 50.0, bottom: 30.0 });
    /// assert_eq!(moved.visible_fraction, 1.0);
    /// ```
    pub fn point_map(&self, canvas: Canvas) -> PointMap {
        PointMap::new(self, canvas)
    }

    /// How it reads between and beyond pixels.
    pub(crate) fn sampling(&self) -> Sampling {
        Sampling { fill: self.fill, interpolation: self.interpolation }
    }
}

fn read_ops<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Op>, D::Error> {
    let ops = Vec::<Op>::deserialize(deserializer)?;
    let mut count = ops.len();
    for op in &ops {
        let Op::AugMix { chains, .. } = op else { continue };
        // An empty chain is a copy of the picture, and costs as much as an operation.
        count += chains.iter().map(|chain| chain.len().max(1)).sum::<usize>();
        if chains.iter().flatten().any(|op| matches!(op, Op::AugMix { .. })) {
            return Err(D::Error::custom("an aug-mix operation has another one in a chain, which is not allowed"));
        }
    }
    if count > Plan::MAX_OPS {
        return Err(D::Error::custom(format_args!("{count} operations, expected at most {}", Plan::MAX_OPS)));
    }
    Ok(ops)
}

/// A short caption, such as `rot +23° shift +0.10,-0.05 zoom 1.12,0.95 flip`; `original` for a plan without operations.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ops.is_empty() {
            return f.write_str("original");
        }
        for (at, op) in self.ops.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{op}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::shrink;
    use proptest::prelude::*;

    use super::*;

    fn noise(width: usize, height: usize) -> Image {
        let mut state = 1u32;
        let values = (0..width * height * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Image::from_pixels(width, height, values.collect())
    }

    fn plan(ops: impl Into<Vec<Op>>) -> Plan {
        Plan { ops: ops.into(), ..Plan::identity() }
    }

    fn applied(plan: &Plan, source: &Image, output: Size) -> Image {
        let mut out = Image::default();
        plan.apply(source, output, &mut Scratch::default(), &mut out);
        out
    }

    #[track_caller]
    fn check_caption(ops: impl Into<Vec<Op>>, expected: &str) {
        assert_eq!(plan(ops).to_string(), expected);
    }

    #[test]
    fn the_identity_at_the_same_size_is_exact() {
        let source = noise(17, 9);
        assert_eq!(applied(&Plan::identity(), &source, source.size()), source);
    }

    #[test]
    fn a_flip_mirrors_the_plain_resize() {
        let source = noise(40, 30);
        let output = Size { width: 15, height: 12 };
        let plain = applied(&Plan::identity(), &source, output);
        let flipped = applied(&plan([Op::HorizontalFlip {}]), &source, output);
        let turned = applied(&plan([Op::VerticalFlip {}]), &source, output);
        for y in 0..12 {
            for x in 0..15 {
                let close = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1);
                assert!(close(flipped.get(x, y), plain.get(14 - x, y)), "column {x}, row {y}");
                assert!(close(turned.get(x, y), plain.get(x, 11 - y)), "column {x}, row {y}");
            }
        }
        let same_size = applied(&plan([Op::HorizontalFlip {}]), &source, source.size());
        assert_eq!(same_size.get(3, 8), source.get(36, 8), "at the same size it is exact");
    }

    #[test]
    fn operations_move_the_picture_in_their_documented_direction() {
        let mut source = Image::filled(21, 21, [0; 3]);
        source.set(15, 10, [255; 3]);
        for (op, x, y) in [
            (Op::Rotate { degrees: 90.0 }, 10, 5),
            (Op::Shift { x_fraction: 2.0 / 21.0, y_fraction: 0.0 }, 17, 10),
            (Op::Shift { x_fraction: 0.0, y_fraction: 3.0 / 21.0 }, 15, 13),
            (Op::Zoom { x: 2.0, y: 1.0 }, 20, 10),
            (Op::HorizontalFlip {}, 5, 10),
        ] {
            let out = applied(&plan([op.clone()]), &source, source.size());
            assert_eq!(out.get(x, y), [255; 3], "{op}");
        }
        source.set(10, 4, [255; 3]);
        let sheared = applied(&plan([Op::Shear { degrees: 45.0 }]), &source, source.size());
        assert_eq!(sheared.get(4, 4), [255; 3], "what lies above the centre slides to the left");
    }

    #[test]
    fn the_first_operation_acts_first() {
        let mut source = Image::filled(21, 21, [0; 3]);
        source.set(10, 10, [255; 3]);
        let shift = Op::Shift { x_fraction: 5.0 / 21.0, y_fraction: 0.0 };
        let turn = Op::Rotate { degrees: 90.0 };
        assert_eq!(applied(&plan([shift.clone(), turn.clone()]), &source, source.size()).get(10, 5), [255; 3]);
        assert_eq!(applied(&plan([turn, shift]), &source, source.size()).get(15, 10), [255; 3]);
    }

    #[test]
    fn colors_are_changed_in_order() {
        let source = Image::filled(2, 2, [200, 128, 140]);
        let ops = [Op::Brightness { factor: 0.5 }, Op::HorizontalFlip {}, Op::Contrast { factor: 2.0 }];
        assert_eq!(applied(&plan(ops), &source, source.size()), Image::filled(2, 2, [72, 0, 12]));
        let gray = applied(&plan([Op::Saturation { factor: 0.0 }]), &source, source.size());
        assert_eq!(gray, Image::filled(2, 2, [aumenta_imgproc::luma([200, 128, 140]); 3]));
    }

    #[test]
    fn a_large_reduction_averages_instead_of_skipping() {
        let stripes = |x: usize| if x.is_multiple_of(2) { 0 } else { 255 };
        let source = Image::from_pixels(300, 200, (0..300 * 200).flat_map(|at| [stripes(at % 300); 3]).collect());
        let turned = plan([Op::Rotate { degrees: 30.0 }]);
        for plan in [Plan::identity(), turned] {
            let small = applied(&plan, &source, Size { width: 30, height: 20 });
            assert!(small.pixels().iter().all(|&value| value.abs_diff(128) <= 2), "{plan}");
        }
        let nearest = Plan { interpolation: Interpolation::Nearest, ..Plan::identity() };
        let unfiltered = Plan { prefilter: Prefilter::None, ..Plan::identity() };
        for skipping in [nearest, unfiltered] {
            let small = applied(&skipping, &source, Size { width: 20, height: 20 });
            assert!(small.pixels().iter().all(|&value| value == 0 || value == 255), "points between are not seen");
        }
    }

    #[test]
    fn reductions_by_whole_numbers_are_box_averages() {
        let source = noise(60, 40);
        let mut expected = Image::default();
        shrink(&source, 3, 2, &mut expected);
        assert_eq!(applied(&Plan::identity(), &source, Size { width: 20, height: 20 }), expected);
    }

    #[test]
    fn pixels_are_the_same_on_every_machine() {
        let ops = [
            Op::Rotate { degrees: 23.0 },
            Op::Shear { degrees: -8.0 },
            Op::Zoom { x: 1.12, y: 0.95 },
            Op::Brightness { factor: 1.1 },
            Op::Saturation { factor: 0.8 },
        ];
        let out = applied(&plan(ops), &noise(100, 75), Size::square(30));
        let hash = out.pixels().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // Written down once: a changed number here means that every augmented picture changes with it.
        assert_eq!(hash, 9_772_267_434_722_837_233);
    }

    #[test]
    fn no_plan_panics_whatever_its_numbers_and_sizes() {
        let numbers = [f64::NAN, f64::INFINITY, f64::MAX, -1.0, 0.0, 1e-300];
        for x in numbers {
            let ops = [
                Op::Zoom { x, y: 1.0 },
                Op::Rotate { degrees: x },
                Op::Shear { degrees: x },
                Op::Contrast { factor: x },
            ];
            for (source, output) in [((3, 2), (4, 4)), ((0, 0), (2, 2)), ((3, 3), (0, 2)), ((9, 1), (1, 1))] {
                let source = Image::filled(source.0, source.1, [9; 3]);
                let output = Size { width: output.0, height: output.1 };
                for op in ops.clone() {
                    assert_eq!(applied(&plan([op]), &source, output).size(), output);
                }
            }
        }
    }

    #[test]
    fn captions_are_short() {
        check_caption([], "original");
        check_caption(
            [Op::Rotate { degrees: -0.4 }, Op::Shift { x_fraction: -0.001, y_fraction: 0.0 }],
            "rot +0° shift +0.00,+0.00",
        );
        check_caption(
            [
                Op::Rotate { degrees: 23.4 },
                Op::Shift { x_fraction: 0.1, y_fraction: -0.05 },
                Op::Shear { degrees: -8.2 },
                Op::Zoom { x: 1.123, y: 0.95 },
                Op::HorizontalFlip {},
            ],
            "rot +23° shift +0.10,-0.05 shear -8° zoom 1.12,0.95 flip",
        );
        check_caption(
            [
                Op::VerticalFlip {},
                Op::Brightness { factor: 1.1 },
                Op::Contrast { factor: 0.9 },
                Op::Saturation { factor: 1.25 },
            ],
            "vflip bright 1.10 contrast 0.90 sat 1.25",
        );
    }

    #[test]
    fn a_plan_survives_being_written_down() {
        let plan = Plan {
            ops: vec![
                Op::Rotate { degrees: -12.345_678_901_234_5 },
                Op::Shift { x_fraction: 0.1, y_fraction: -0.2 },
                Op::HorizontalFlip {},
                Op::Saturation { factor: 0.75 },
            ],
            fill: Fill::Constant([1, 2, 3]),
            interpolation: Interpolation::Nearest,
            prefilter: Prefilter::None,
        };
        let json = serde_json::to_string(&plan).unwrap();
        assert!(
            json.contains(r#"{"op":"shift","x-fraction":0.1,"y-fraction":-0.2},{"op":"horizontal-flip"}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }

    #[test]
    fn an_unknown_key_in_a_plan_is_refused() {
        for json in [
            r#"{"ops": [], "color": 1}"#,
            r#"{"ops": [{"op": "horizontal-flip", "degrees": 3}]}"#,
            r#"{"ops": [{"op": "rotate", "degrees": 3, "radians": 3}]}"#,
        ] {
            assert!(serde_json::from_str::<Plan>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_plan_that_never_ends_is_refused() {
        let flips = |count: usize| vec![Op::HorizontalFlip {}; count];
        let mix = |chains: Vec<Vec<Op>>| Op::AugMix { weights: vec![1.0; chains.len()], chains, keep: 0.5 };
        let read = |ops: Vec<Op>| serde_json::from_str::<Plan>(&serde_json::to_string(&plan(ops)).unwrap());
        assert!(read(flips(256)).is_ok());
        let error = read(flips(257)).unwrap_err();
        assert!(error.to_string().starts_with("257 operations, expected at most 256"), "{error}");
        assert!(read(vec![mix(vec![flips(100), flips(155)])]).is_ok());
        assert!(read(vec![mix(vec![flips(100), flips(156)])]).is_err());
        assert!(read(vec![mix(vec![Vec::new(); 256])]).is_err());
        assert!(read(vec![mix(vec![vec![mix(vec![flips(1)])]])]).is_err());
        assert!(serde_json::from_str::<Plan>(&format!("{{\"ops\": {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn crops_turns_and_perspectives_show_what_they_document() {
        let source = noise(8, 8);
        let shown = |op: Op| applied(&plan([op]), &source, source.size());
        let crop = shown(Op::Crop { x_fraction: 0.25, y_fraction: -0.125, width_fraction: 1.0, height_fraction: 1.0 });
        assert_eq!((crop.get(0, 1), crop.get(5, 7)), (source.get(2, 0), source.get(7, 6)), "whole pixels stay exact");
        let turned = shown(Op::QuarterTurns { turns: 1 });
        assert_eq!((turned.get(0, 0), turned.get(0, 7)), (source.get(7, 0), source.get(0, 0)));
        assert_eq!(shown(Op::QuarterTurns { turns: i32::MIN }), source);
        let at_rest = ([0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]);
        let (top_left, top_right, bottom_right, bottom_left) = at_rest;
        assert_eq!(shown(Op::Perspective { top_left, top_right, bottom_right, bottom_left }), source);
        let swapped = Op::Perspective {
            top_left: top_right,
            top_right: top_left,
            bottom_right: bottom_left,
            bottom_left: bottom_right,
        };
        assert_eq!(shown(swapped), shown(Op::HorizontalFlip {}));
        let flat = Op::Perspective { top_left, top_right, bottom_right: top_left, bottom_left };
        assert_eq!(shown(flat), source);
        assert_eq!(shown(Op::VerticalShear { degrees: 45.0 }).get(6, 2), {
            let lower = source.get(6, 4).map(u16::from);
            let upper = source.get(6, 5).map(u16::from);
            [0, 1, 2].map(|channel| (lower[channel] + upper[channel]).div_ceil(2) as u8)
        });
    }

    #[test]
    fn a_turned_picture_fills_a_canvas_that_is_no_square() {
        let source = noise(12, 6);
        let turned = applied(&plan([Op::QuarterTurns { turns: 1 }]), &source, Size { width: 6, height: 12 });
        // The resize has stretched it before, and the turn stretches it back.
        let once = applied(&plan([Op::QuarterTurns { turns: 2 }]), &source, source.size());
        let twice =
            applied(&plan([Op::QuarterTurns { turns: 1 }, Op::QuarterTurns { turns: 1 }]), &source, source.size());
        assert_eq!(turned.get(0, 11), source.get(0, 0));
        assert_eq!(turned.get(5, 0), source.get(11, 5));
        assert_eq!(once, twice);
    }

    #[test]
    fn mixed_chains_are_weighted_sums() {
        let source = Image::filled(3, 2, [100, 200, 50]);
        let dark = vec![Op::Brightness { factor: 0.5 }];
        let mix = |keep| Op::AugMix { chains: vec![dark.clone(), Vec::new()], weights: vec![0.25, 0.75], keep };
        assert_eq!(applied(&plan([mix(1.0)]), &source, source.size()), source);
        // Without a share of its own: a quarter of 50 and three quarters of 100.
        assert_eq!(applied(&plan([mix(0.0)]), &source, source.size()), Image::filled(3, 2, [88, 175, 44]));
        let after = applied(&plan([Op::Brightness { factor: 0.5 }, mix(0.5)]), &source, source.size());
        assert_eq!(after, Image::filled(3, 2, [47, 94, 24]));
    }

    proptest! {
        #[test]
        fn a_composed_plan_equals_its_operations_one_point_at_a_time(
            degrees in -180.0..180.0f64,
            shear in -30.0..30.0f64,
            zoom in (0.8..1.3, 0.8..1.3),
            shift in (-0.3..0.3, -0.3..0.3),
        ) {
            // A reduction below 2 in every direction, so that no average stands before the resampling.
            let (source, output) = (noise(24, 18), Size { width: 24, height: 18 });
            let ops = [
                Op::Rotate { degrees },
                Op::Shift { x_fraction: shift.0, y_fraction: shift.1 },
                Op::Shear { degrees: shear },
                Op::Zoom { x: zoom.0, y: zoom.1 },
                Op::HorizontalFlip {},
            ];
            let out = applied(&plan(ops), &source, output);
            for y in 0..output.height {
                for x in 0..output.width {
                    // Where the output point was before the flip, before the zoom, and so on, from the centre.
                    let (mut px, mut py) = (-(x as f64 - 11.5), y as f64 - 8.5);
                    (px, py) = (px / zoom.0, py / zoom.1);
                    px -= shear.to_radians().tan() * py;
                    (px, py) = (px - shift.0 * 24.0, py - shift.1 * 18.0);
                    let (sine, cosine) = degrees.to_radians().sin_cos();
                    (px, py) = (cosine * px - sine * py + 11.5, sine * px + cosine * py + 8.5);
                    let expected = bilinear(&source, px, py);
                    for (value, exact) in out.get(x, y).iter().zip(expected) {
                        prop_assert!((f64::from(*value) - exact).abs() <= 1.0, "({x}, {y}): {value} is not {exact}");
                    }
                }
            }
        }
    }

    fn bilinear(source: &Image, x: f64, y: f64) -> [f64; 3] {
        let at = |x: f64, y: f64| {
            let column = x.clamp(0.0, source.width() as f64 - 1.0) as usize;
            let row = y.clamp(0.0, source.height() as f64 - 1.0) as usize;
            source.get(column, row).map(f64::from)
        };
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        [0, 1, 2].map(|c| {
            let upper = at(left, top)[c] * (1.0 - right) + at(left + 1.0, top)[c] * right;
            let lower = at(left, top + 1.0)[c] * (1.0 - right) + at(left + 1.0, top + 1.0)[c] * right;
            upper * (1.0 - down) + lower * down
        })
    }
}
