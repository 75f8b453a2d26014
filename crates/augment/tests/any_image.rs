//! No plan panics, whatever its numbers and whatever the picture.

use aumenta_augment::{BoundingBox, Canvas, KerasVersion, Op, Plan, Prefilter, Scratch, Step};
use aumenta_imgproc::{Fill, Image, Interpolation, Mask, Paint, Size};
use aumenta_seed::Seed;
use proptest::prelude::*;

/// Numbers of all kinds: customary, none at all, and beyond all bounds.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -3.0..3.0f64,
        1 => -1000.0..1000.0f64,
        1 => any::<f64>(),
        2 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1e-300, 0.0, -0.0, 1.0, -1.0
        ]),
    ]
}

fn paint() -> impl Strategy<Value = Paint> {
    prop_oneof![any::<u64>().prop_map(|seed| Paint::Noise { seed }), any::<[u8; 3]>().prop_map(Paint::Color)]
}

fn fill() -> impl Strategy<Value = Fill> {
    prop_oneof![
        Just(Fill::Nearest),
        Just(Fill::Reflect),
        Just(Fill::Wrap),
        Just(Fill::WrapOverlapping),
        any::<[u8; 3]>().prop_map(Fill::Constant),
        any::<[u8; 3]>().prop_map(Fill::ConstantBeyondCenters),
    ]
}

fn interpolation() -> impl Strategy<Value = Interpolation> {
    prop_oneof![Just(Interpolation::Nearest), Just(Interpolation::Bilinear), Just(Interpolation::Bicubic)]
}

/// Any of all operations but mixtures, with any numbers.
fn op() -> impl Strategy<Value = Op> {
    let numbers = prop::array::uniform8(number());
    let whole = (any::<u64>(), any::<u16>(), any::<i32>(), 0usize..70);
    (0usize..40, numbers, whole, paint(), fill(), interpolation()).prop_map(
        |(kind, [a, b, c, d, e, f, g, h], (seed, level, turns, tiles), paint, fill, interpolation)| match kind {
            0 => Op::Rotate { degrees: a },
            1 => Op::Shift { x_fraction: a, y_fraction: b },
            2 => Op::Shear { degrees: a },
            3 => Op::VerticalShear { degrees: a },
            4 => Op::Zoom { x: a, y: b },
            5 => Op::HorizontalFlip {},
            6 => Op::VerticalFlip {},
            7 => Op::QuarterTurns { turns },
            8 => Op::Crop { x_fraction: a, y_fraction: b, width_fraction: c, height_fraction: d },
            9 => Op::Perspective { top_left: [a, b], top_right: [c, d], bottom_right: [e, f], bottom_left: [g, h] },
            10 | 11 => Op::Elastic { seed, alpha_pixels: a, sigma_pixels: b },
            12 => Op::Brightness { factor: a },
            13 => Op::Contrast { factor: a },
            14 => Op::ContrastAboutMean { factor: a },
            15 => Op::Saturation { factor: a },
            16 => Op::ChannelShift { red_levels: a, green_levels: b, blue_levels: c },
            17 => Op::Hue { turns: a },
            18 => Op::Gamma { exponent: a },
            19 => Op::Grayscale {},
            20 => Op::Invert {},
            21 => Op::Posterize { bits: level as u8 },
            22 => Op::Solarize { threshold_level: level },
            23 => Op::Equalize {},
            24 => Op::Autocontrast { cutoff_percent: a },
            25 => Op::Clahe { clip_limit: a, tiles },
            26 => Op::Sharpness { factor: a },
            27 => Op::GaussianBlur { sigma_pixels: a },
            28 => Op::MotionBlur { length_pixels: a, angle_degrees: b },
            29 => Op::GaussianNoise { sigma_levels: a, seed },
            30 => Op::SaltAndPepper { fraction: a, seed },
            31 => Op::ShotNoise { photons_at_white: a, seed },
            32 => Op::Jpeg { quality: level as u8 },
            33 => Op::Downscale { fraction: a },
            34 => Op::Erase { left_fraction: a, top_fraction: b, width_fraction: c, height_fraction: d, paint },
            35 => Op::GridMask {
                unit_fraction: a,
                keep_fraction: b,
                x_offset_units: c,
                y_offset_units: d,
                rotation_degrees: a,
                paint,
            },
            36 => Op::KerasChannelShift { red: a, green: b, blue: c },
            37 => Op::KerasBrightness { offset_levels: b, factor: a },
            old_or_new => Op::KerasAffine {
                version: if old_or_new == 38 { KerasVersion::Keras2_0_8 } else { KerasVersion::Keras2_15 },
                theta_degrees: a,
                tx_pixels: b,
                ty_pixels: c,
                shear_radians: d,
                zx: e,
                zy: f,
                fill,
                interpolation,
            },
        },
    )
}

fn op_or_mixture() -> impl Strategy<Value = Op> {
    let chains = prop::collection::vec(prop::collection::vec(op(), 0..3), 0..3);
    let mixture = (chains, prop::collection::vec(number(), 0..4), number());
    prop_oneof![
        6 => op(),
        1 => mixture.prop_map(|(chains, weights, keep)| Op::AugMix { chains, weights, keep }),
    ]
}

/// Empty ones, single pixels, single rows and columns, and small ones.
fn size() -> impl Strategy<Value = Size> {
    let side = || prop_oneof![1 => Just(0usize), 3 => Just(1), 3 => 2usize..20, 1 => Just(300)];
    (side(), side()).prop_map(
        |(width, height)| if width * height > 5000 { Size { width, height: 1 } } else { Size { width, height } },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let prefilter = prop_oneof![Just(Prefilter::default()), Just(Prefilter::None)];
    (prop::collection::vec(op_or_mixture(), 1..4), fill(), interpolation(), prefilter)
        .prop_map(|(ops, fill, interpolation, prefilter)| Plan { ops, fill, interpolation, prefilter })
}

fn noise(size: Size) -> Image {
    let values = (0..size.width * size.height * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8);
    Image::from_pixels(size.width, size.height, values.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_plan_panics_on_any_picture(plan in plan(), source in size(), output in size()) {
        let (mut scratch, mut out) = (Scratch::default(), Image::default());
        plan.apply(&noise(source), output, &mut scratch, &mut out);
        prop_assert_eq!(out.size(), output);
        let first = out.clone();
        plan.apply(&noise(source), output, &mut scratch, &mut out);
        prop_assert_eq!(&first, &out, "buffers from before leave no trace");
        let mask = plan.apply_to_mask(&Mask::filled(source.width, source.height, 3), output, 7, &mut scratch);
        prop_assert_eq!(mask.size(), output);
        let map = plan.point_map(Canvas { source, output });
        map.point(0.0, 0.0);
        map.point(f64::NAN, f64::INFINITY);
        if let Some(visible) = map.bounding_box(BoundingBox { left: 0.0, top: 0.0, right: 3.0, bottom: 2.0 }) {
            prop_assert!(visible.visible_fraction > 0.0 && visible.visible_fraction <= 1.0, "{:?}", visible);
        }
        prop_assert!(!plan.to_string().is_empty());
    }
}

#[test]
fn every_transform_draws_for_every_size() {
    let steps = [
        "transform = 'crop'\nsize-fraction = 0.3\npadding-fraction = 0.2",
        "transform = 'resized-crop'",
        "transform = 'perspective'\ndistortion = 1",
        "transform = 'elastic'\nalpha-pixels = 10000\nsigma-pixels = 1000",
        "transform = 'quarter-turns'",
        "transform = 'erasing'",
        "transform = 'cutout'",
        "transform = 'grid-mask'",
        "transform = 'rand-augment'\noperations = 16\nmagnitude = 30",
        "transform = 'trivial-augment-wide'",
        "transform = 'auto-augment'",
        "transform = 'aug-mix'\nseverity = 10\nwidth = 10",
    ];
    let sides = [0, 1, 2, 17];
    for step in steps {
        let transform = toml::from_str::<Step>(step).unwrap().build().unwrap();
        for (at, side) in sides.iter().flat_map(|width| sides.map(|height| (*width, height))).enumerate() {
            let output = Size { width: side.0, height: side.1 };
            let source = Size { width: sides[at % 4], height: sides[at / 4 % 4] };
            let mut plan = Plan::identity();
            for sample in 0..5 {
                let rng = &mut Seed::new(7).rng("augment", at as u64, sample);
                transform.draw(Canvas { source, output }, rng, &mut plan);
            }
            let mut out = Image::default();
            plan.apply(&noise(source), output, &mut Scratch::default(), &mut out);
            assert_eq!(out.size(), output, "{step}");
        }
    }
}
