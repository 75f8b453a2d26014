//! Masks, points and boxes go where the pixels go.

use aumenta_augment::{BoundingBox, Canvas, Op, Plan, Scratch};
use aumenta_imgproc::{Fill, Image, Interpolation, Mask, Size};
use proptest::prelude::*;

const SOURCE: Size = Size { width: 64, height: 48 };
const OUTPUT: Size = Size { width: 56, height: 60 };
const CANVAS: Canvas = Canvas { source: SOURCE, output: OUTPUT };

/// Motions that keep most of the picture in sight.
fn any_motion() -> impl Strategy<Value = Op> {
    let inward = || 0.0..0.2f64;
    prop_oneof![
        (-180.0..180.0f64).prop_map(|degrees| Op::Rotate { degrees }),
        (-0.2..0.2f64, -0.2..0.2f64).prop_map(|(x_fraction, y_fraction)| Op::Shift { x_fraction, y_fraction }),
        (-20.0..20.0f64).prop_map(|degrees| Op::Shear { degrees }),
        (-20.0..20.0f64).prop_map(|degrees| Op::VerticalShear { degrees }),
        (0.8..1.3f64, 0.8..1.3f64).prop_map(|(x, y)| Op::Zoom { x, y }),
        Just(Op::HorizontalFlip {}),
        Just(Op::VerticalFlip {}),
        (-5..5i32).prop_map(|turns| Op::QuarterTurns { turns }),
        (-0.1..0.2f64, -0.1..0.2f64, 0.7..1.0f64, 0.7..1.0f64).prop_map(
            |(x_fraction, y_fraction, width_fraction, height_fraction)| Op::Crop {
                x_fraction,
                y_fraction,
                width_fraction,
                height_fraction
            }
        ),
        (inward(), inward(), inward(), inward()).prop_map(|(a, b, c, d)| Op::Perspective {
            top_left: [a, b],
            top_right: [1.0 - c, d],
            bottom_right: [1.0 - b, 1.0 - a],
            bottom_left: [d, 1.0 - c],
        }),
    ]
}

fn any_elastic() -> impl Strategy<Value = Op> {
    (any::<u64>(), 0.0..20.0f64, 4.0..8.0f64).prop_map(|(seed, alpha_pixels, sigma_pixels)| Op::Elastic {
        seed,
        alpha_pixels,
        sigma_pixels,
    })
}

/// What changes colors and moves nothing.
fn any_color() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0.5..1.5f64).prop_map(|factor| Op::Brightness { factor }),
        Just(Op::Invert {}),
        Just(Op::Equalize {}),
        Just(Op::GaussianBlur { sigma_pixels: 2.0 }),
        any::<u64>().prop_map(|seed| Op::GaussianNoise { sigma_levels: 30.0, seed }),
        any::<u64>().prop_map(|seed| Op::SaltAndPepper { fraction: 0.5, seed }),
        Just(Op::AugMix { chains: vec![vec![Op::Rotate { degrees: 30.0 }]], weights: vec![1.0], keep: 0.5 }),
    ]
}

fn any_fill() -> impl Strategy<Value = Fill> {
    prop_oneof![Just(Fill::Nearest), Just(Fill::Reflect), Just(Fill::Wrap), Just(Fill::Constant([255; 3]))]
}

fn applied(plan: &Plan, source: &Image) -> Image {
    let mut out = Image::default();
    plan.apply(source, OUTPUT, &mut Scratch::default(), &mut out);
    out
}

/// A picture whose colors are places: red is three times the column, green three times the row. Blue is what is not there.
fn places() -> Image {
    let pixels = (0..SOURCE.height).flat_map(|y| (0..SOURCE.width).flat_map(move |x| [3 * x as u8, 3 * y as u8, 0]));
    Image::from_pixels(SOURCE.width, SOURCE.height, pixels.collect())
}

/// The place of the source that shows at a point between four pixels, or `None` beside the picture.
fn place_at(picture: &Image, x: f64, y: f64) -> Option<(f64, f64)> {
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let mut place = (0.0, 0.0);
    for (column, row, weight) in [
        (0, 0, (1.0 - right) * (1.0 - down)),
        (1, 0, right * (1.0 - down)),
        (0, 1, (1.0 - right) * down),
        (1, 1, right * down),
    ] {
        let [red, green, blue] = picture.get(left as usize + column, top as usize + row);
        if blue != 0 {
            return None;
        }
        place = (place.0 + weight * f64::from(red) / 3.0, place.1 + weight * f64::from(green) / 3.0);
    }
    Some(place)
}

/// Follows points through a plan and returns how many were found in the picture.
fn follow(plan: &Plan) -> Result<usize, TestCaseError> {
    let (out, map) = (applied(plan, &places()), plan.point_map(CANVAS));
    let mut found = 0;
    for (x, y) in (2..12).flat_map(|row| (2..12).map(move |column| (f64::from(column) * 4.7, f64::from(row) * 3.6))) {
        let Some((to_x, to_y)) = map.point(x, y) else { continue };
        let inside = |at: f64, length: usize| at >= 1.0 && at < length as f64 - 2.0;
        if !inside(to_x, OUTPUT.width) || !inside(to_y, OUTPUT.height) {
            continue;
        }
        if let Some((from_x, from_y)) = place_at(&out, to_x, to_y) {
            let off = (from_x - x).abs().max((from_y - y).abs());
            prop_assert!(off < 1.2, "({x}, {y}) should be at ({to_x}, {to_y}), where ({from_x}, {from_y}) is: {plan}");
            found += 1;
        }
    }
    Ok(found)
}

#[test]
fn points_are_found_at_all() {
    let ops = vec![Op::Rotate { degrees: 20.0 }, Op::Elastic { seed: 1, alpha_pixels: 20.0, sigma_pixels: 4.0 }];
    let plan = Plan { ops, fill: Fill::Constant([0, 0, 255]), ..Plan::identity() };
    assert!(follow(&plan).unwrap() > 80);
}

proptest! {
    #[test]
    fn a_point_goes_where_its_pixel_goes(
        ops in prop::collection::vec(any_motion(), 0..5),
        elastic in prop::option::of((0usize..5, any_elastic())),
    ) {
        let mut ops = ops;
        if let Some((at, op)) = elastic {
            ops.insert(at.min(ops.len()), op);
        }
        follow(&Plan { ops, fill: Fill::Constant([0, 0, 255]), ..Plan::identity() })?;
    }

    #[test]
    fn a_label_goes_where_its_pixel_goes(
        ops in prop::collection::vec(prop_oneof![4 => any_motion(), 1 => any_elastic()], 0..5),
        fill in any_fill(),
    ) {
        let plan = Plan { ops, fill, interpolation: Interpolation::Nearest, ..Plan::identity() };
        let labels: Vec<u8> = (0..SOURCE.width * SOURCE.height).map(|at| (at * 7 % 251) as u8).collect();
        let picture = labels.iter().flat_map(|&label| [label; 3]).collect();
        let out = applied(&plan, &Image::from_pixels(SOURCE.width, SOURCE.height, picture));
        let mask = Mask::from_labels(SOURCE.width, SOURCE.height, labels);
        let moved = plan.apply_to_mask(&mask, OUTPUT, 255, &mut Scratch::default());
        let red: Vec<u8> = out.pixels().iter().step_by(3).copied().collect();
        prop_assert_eq!(moved.labels(), red);
    }

    #[test]
    fn what_changes_colors_leaves_labels_and_points_alone(
        motions in prop::collection::vec(any_motion(), 0..4),
        colors in prop::collection::vec((0usize..4, any_color()), 1..3),
        fill in any_fill(),
    ) {
        let mut colored = motions.clone();
        for (at, op) in colors {
            colored.insert(at.min(colored.len()), op);
        }
        let plain = Plan { ops: motions, fill, ..Plan::identity() };
        let colored = Plan { ops: colored, fill, ..Plan::identity() };
        let labels = (0..SOURCE.width * SOURCE.height).map(|at| (at * 7 % 251) as u8).collect();
        let mask = Mask::from_labels(SOURCE.width, SOURCE.height, labels);
        let [plain_mask, colored_mask] =
            [&plain, &colored].map(|plan| plan.apply_to_mask(&mask, OUTPUT, 9, &mut Scratch::default()));
        prop_assert_eq!(plain_mask, colored_mask);
        prop_assert_eq!(plain.point_map(CANVAS).point(20.0, 30.0), colored.point_map(CANVAS).point(20.0, 30.0));
    }

    #[test]
    fn a_box_goes_where_its_pixels_go(
        ops in prop::collection::vec(any_motion(), 0..4),
        elastic in prop::option::of(any_elastic()),
        (left, top, width, height) in (0usize..40, 0usize..30, 6usize..24, 6usize..18),
    ) {
        let mut ops = ops;
        ops.extend(elastic);
        let mut mask = Mask::filled(SOURCE.width, SOURCE.height, 0);
        for (y, x) in (top..top + height).flat_map(|y| (left..left + width).map(move |x| (y, x))) {
            mask.set(x, y, 1);
        }
        let plan = Plan { ops, fill: Fill::Constant([0; 3]), ..Plan::identity() };
        let moved = plan.apply_to_mask(&mask, OUTPUT, 0, &mut Scratch::default());
        let shown = |x: usize, y: usize| moved.get(x, y) == 1;
        let places = || (0..OUTPUT.height).flat_map(|y| (0..OUTPUT.width).map(move |x| (x, y)));
        let seen: Vec<(usize, usize)> = places().filter(|&(x, y)| shown(x, y)).collect();
        let bounds = BoundingBox {
            left: left as f64,
            top: top as f64,
            right: (left + width) as f64,
            bottom: (top + height) as f64,
        };
        let Some(visible) = plan.point_map(CANVAS).bounding_box(bounds) else {
            prop_assert!(seen.len() < 20, "{} pixels of a box that is said to be gone: {}", seen.len(), plan);
            return Ok(());
        };
        prop_assert!(visible.visible_fraction > 0.0 && visible.visible_fraction <= 1.0);
        let BoundingBox { left, top, right, bottom } = visible.bounds;
        for &(x, y) in &seen {
            let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
            let inside = x > left - 2.0 && x < right + 2.0 && y > top - 2.0 && y < bottom + 2.0;
            prop_assert!(inside, "({x}, {y}) is not in {:?}: {}", visible.bounds, plan);
        }
        // A box that is whole is as tight as it can be, but for the corners that a nearest pixel misses.
        if visible.visible_fraction == 1.0 && plan.ops.iter().all(|op| !matches!(op, Op::Shift { .. } | Op::Crop { .. })) {
            let lowest = seen.iter().map(|&(x, _)| x as f64).fold(f64::INFINITY, f64::min);
            let highest = seen.iter().map(|&(x, _)| x as f64 + 1.0).fold(0.0, f64::max);
            prop_assert!((lowest - left).abs() < 3.0 && (highest - right).abs() < 3.0, "{:?}: {}", visible.bounds, plan);
        }
    }
}
