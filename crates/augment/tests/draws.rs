//! The distributions of everything that is drawn: ranges, means, variances and shapes, and that draws do not hang together.
//!
//! Seeds are fixed, so a test passes always or never; bounds are those that one honest draw in a thousand would cross.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::BTreeMap;

use aumenta_augment::{Canvas, Op, Pipeline, Plan, Step};
use aumenta_imgproc::{Fill, Interpolation, Size};
use aumenta_seed::Seed;
use serde_json::Value;

const CANVAS: Canvas = Canvas { source: Size { width: 4000, height: 4000 }, output: Size { width: 200, height: 160 } };
const SAMPLES: u64 = 4000;

/// The plans of all samples of an epoch.
fn plans(steps: &[&str], epoch: u64) -> Vec<Plan> {
    let build = |text: &&str| toml::from_str::<Step>(text).unwrap().build().unwrap();
    let transforms = steps.iter().map(build).collect();
    let pipeline = Pipeline::new(transforms, Fill::default(), Interpolation::default());
    (0..SAMPLES).map(|sample| pipeline.draw(CANVAS, &mut Seed::new(7).rng("augment", epoch, sample))).collect()
}

/// All numbers of an operation by their names in a written plan, lists by their places.
fn numbers(op: &Op) -> BTreeMap<String, f64> {
    let Value::Object(fields) = serde_json::to_value(op).unwrap() else { panic!("{op} is no object") };
    let mut numbers = BTreeMap::new();
    for (name, value) in fields {
        match value {
            Value::Number(number) => drop(numbers.insert(name, number.as_f64().unwrap())),
            Value::Array(values) => {
                for (at, value) in values.iter().enumerate() {
                    numbers.insert(format!("{name}.{at}"), value.as_f64().unwrap());
                }
            }
            _ => {}
        }
    }
    numbers
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Checks numbers that should be uniform in `[low, high]`: range, mean, variance, and the greatest distance between the
/// distribution functions (Kolmogorov and Smirnov).
#[track_caller]
fn check_uniform(what: &str, numbers: &[f64], low: f64, high: f64) {
    let count = numbers.len() as f64;
    assert!(numbers.iter().all(|number| (low..=high).contains(number)), "{what} leaves its range");
    let mut units: Vec<f64> = numbers.iter().map(|number| (number - low) / (high - low)).collect();
    let error = (mean(&units) - 0.5) / (1.0 / 12.0 / count).sqrt();
    assert!(error.abs() < 3.3, "the mean of {what} is {error} standard errors off");
    let squares: Vec<f64> = units.iter().map(|unit| (unit - 0.5).powi(2)).collect();
    let error = (mean(&squares) - 1.0 / 12.0) / (1.0 / 180.0 / count).sqrt();
    assert!(error.abs() < 3.3, "the variance of {what} is {error} standard errors off");
    units.sort_by(f64::total_cmp);
    let steps = units.iter().enumerate();
    let distance = steps.map(|(at, unit)| (unit - at as f64 / count).abs().max((at as f64 + 1.0) / count - unit));
    let distance = distance.fold(0.0, f64::max);
    assert!(distance < 1.95 / count.sqrt(), "{what} is not uniform: {distance}");
}

/// Checks counts against shares (Pearson's chi-square, its bound by Wilson and Hilferty).
#[track_caller]
fn check_counts(what: &str, counts: &[usize], shares: &[f64]) {
    let total = counts.iter().sum::<usize>() as f64;
    let terms =
        counts.iter().zip(shares).map(|(&count, share)| (count as f64 - share * total).powi(2) / (share * total));
    let (chi_square, freedom) = (terms.sum::<f64>(), counts.len() as f64 - 1.0);
    let spread = 2.0 / (9.0 * freedom);
    let bound = freedom * (1.0 - spread + 3.1 * spread.sqrt()).powi(3);
    assert!(chi_square < bound, "{what}: {counts:?} is {chi_square}, more than {bound}");
}

#[track_caller]
fn check_even(what: &str, values: impl Iterator<Item = i64>, low: i64, high: i64) {
    let length = (high - low + 1) as usize;
    let mut counts = vec![0; length];
    for value in values {
        assert!((low..=high).contains(&value), "{what} is {value}");
        counts[(value - low) as usize] += 1;
    }
    check_counts(what, &counts, &vec![1.0 / length as f64; length]);
}

/// Pearson's coefficient, in standard errors of independent numbers.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product =
        |x: &[f64], y: &[f64], mx: f64, my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    let both = product(a, b, mean_a, mean_b);
    both / (product(a, a, mean_a, mean_a) * product(b, b, mean_b, mean_b)).sqrt() * (a.len() as f64).sqrt()
}

/// A number of an operation with the ends of its range.
type Range = (&'static str, f64, f64);

/// Transforms with the ranges of their uniform numbers.
const UNIFORM: [(&str, &[Range]); 24] = [
    ("transform = 'rotation'\ndegrees = 40", &[("degrees", -40.0, 40.0)]),
    ("transform = 'shift'\nwidth = 0.2\nheight = 0.1", &[("x-fraction", -0.2, 0.2), ("y-fraction", -0.1, 0.1)]),
    ("transform = 'shear'\ndegrees = 10", &[("degrees", -10.0, 10.0)]),
    ("transform = 'vertical-shear'\ndegrees = 10", &[("degrees", -10.0, 10.0)]),
    ("transform = 'zoom'\nrange = [0.8, 1.4]", &[("x", 0.8, 1.4), ("y", 0.8, 1.4)]),
    (
        "transform = 'perspective'\ndistortion = 0.5",
        &[
            ("top-left.0", 0.0, 0.25),
            ("top-left.1", 0.0, 0.25),
            ("top-right.0", 0.75, 1.0),
            ("top-right.1", 0.0, 0.25),
            ("bottom-right.0", 0.75, 1.0),
            ("bottom-right.1", 0.75, 1.0),
            ("bottom-left.0", 0.0, 0.25),
            ("bottom-left.1", 0.75, 1.0),
        ],
    ),
    ("transform = 'elastic'\nalpha-pixels = 34\nsigma-pixels = 4", &[("seed", 0.0, u64::MAX as f64)]),
    ("transform = 'brightness'\namount = 0.3", &[("factor", 0.7, 1.3)]),
    ("transform = 'contrast'\namount = 0.3", &[("factor", 0.7, 1.3)]),
    ("transform = 'contrast-about-mean'\namount = 0.3", &[("factor", 0.7, 1.3)]),
    ("transform = 'saturation'\namount = 1", &[("factor", 0.0, 2.0)]),
    ("transform = 'sharpness'\namount = 0.5", &[("factor", 0.5, 1.5)]),
    (
        "transform = 'channel-shift'\nlevels = 20",
        &[("red-levels", -20.0, 20.0), ("green-levels", -20.0, 20.0), ("blue-levels", -20.0, 20.0)],
    ),
    ("transform = 'hue'\nturns = 0.1", &[("turns", -0.1, 0.1)]),
    ("transform = 'gamma'\nexponents = [0.8, 1.2]", &[("exponent", 0.8, 1.2)]),
    ("transform = 'clahe'\nclip-limits = [1, 4]", &[("clip-limit", 1.0, 4.0)]),
    ("transform = 'gaussian-blur'\nsigma-pixels = [0.1, 2]", &[("sigma-pixels", 0.1, 2.0)]),
    (
        "transform = 'motion-blur'\nlength-pixels = [3, 9]",
        &[("length-pixels", 3.0, 9.0), ("angle-degrees", 0.0, 180.0)],
    ),
    (
        "transform = 'gaussian-noise'\nsigma-levels = [0, 20]",
        &[("sigma-levels", 0.0, 20.0), ("seed", 0.0, u64::MAX as f64)],
    ),
    ("transform = 'salt-and-pepper'\nfraction = [0, 0.1]", &[("fraction", 0.0, 0.1), ("seed", 0.0, u64::MAX as f64)]),
    (
        "transform = 'shot-noise'\nphotons-at-white = [50, 500]",
        &[("photons-at-white", 50.0, 500.0), ("seed", 0.0, u64::MAX as f64)],
    ),
    ("transform = 'downscale'\nfraction = [0.25, 0.75]", &[("fraction", 0.25, 0.75)]),
    (
        "transform = 'grid-mask'\nunit-fractions = [0.4, 1]",
        &[("unit-fraction", 0.4, 1.0), ("x-offset-units", 0.0, 1.0), ("y-offset-units", 0.0, 1.0)],
    ),
    ("transform = 'aug-mix'", &[("keep", 0.0, 1.0)]),
];

#[test]
fn numbers_are_uniform_in_their_range_and_independent_of_each_other() {
    for (step, ranges) in UNIFORM {
        let plans = plans(&[step], 0);
        let drawn: Vec<BTreeMap<String, f64>> = plans.iter().map(|plan| numbers_of_uniform(&plan.ops[0])).collect();
        let column = |name: &str| drawn.iter().map(|numbers| numbers[name]).collect::<Vec<f64>>();
        for (at, (name, low, high)) in ranges.iter().enumerate() {
            check_uniform(&format!("{name} of {step}"), &column(name), *low, *high);
            for (other, ..) in &ranges[..at] {
                let correlation = correlation(&column(name), &column(other));
                assert!(correlation.abs() < 3.9, "{name} and {other} of {step}: {correlation}");
            }
        }
    }
}

/// The chains of a mixture are lists of lists, which no number is read from.
fn numbers_of_uniform(op: &Op) -> BTreeMap<String, f64> {
    match op {
        Op::AugMix { keep, .. } => BTreeMap::from([("keep".to_string(), *keep)]),
        op => numbers(op),
    }
}

#[test]
fn whole_numbers_come_equally_often() {
    let drawn = |step: &str, name: &str| {
        let values = plans(&[step], 0).iter().map(|plan| numbers(&plan.ops[0])[name]).collect::<Vec<f64>>();
        values.into_iter().map(|value| value as i64)
    };
    check_even("bits", drawn("transform = 'posterize'\nbits = [4, 8]", "bits"), 4, 8);
    let thresholds = drawn("transform = 'solarize'\nthreshold-levels = [200, 256]", "threshold-level");
    check_even("thresholds", thresholds, 200, 256);
    check_even("qualities", drawn("transform = 'jpeg'\nquality = [50, 90]", "quality"), 50, 90);
    let turns = plans(&["transform = 'quarter-turns'"], 0);
    let turns = turns.iter().map(|plan| plan.ops.first().map_or(0, |op| numbers(op)["turns"] as i64));
    check_even("turns", turns, 0, 3);
}

#[test]
fn places_of_crops_are_uniform() {
    let plans = plans(&["transform = 'crop'\nsize-fraction = 1\npadding-fraction = 0.05"], 0);
    let place = |name: &str, side: f64| {
        plans.iter().map(|plan| (numbers(&plan.ops[0])[name] * side).round() as i64).collect::<Vec<i64>>()
    };
    check_even("columns", place("x-fraction", 200.0).into_iter(), -10, 10);
    check_even("rows", place("y-fraction", 160.0).into_iter(), -8, 8);
}

#[test]
fn windows_have_a_uniform_area_a_log_uniform_shape_and_a_uniform_place() {
    let plans = plans(&["transform = 'resized-crop'\nareas = [0.1, 0.5]\naspect-ratios = [0.75, 1.3333]"], 0);
    let windows: Vec<BTreeMap<String, f64>> = plans.iter().map(|plan| numbers(&plan.ops[0])).collect();
    let column = |of: &dyn Fn(&BTreeMap<String, f64>) -> f64| windows.iter().map(of).collect::<Vec<f64>>();
    // Sides are rounded to whole pixels of 4000.
    let areas = column(&|window| (window["width-fraction"] * window["height-fraction"]).clamp(0.1, 0.5));
    let shapes = column(&|window| (window["width-fraction"] / window["height-fraction"]).clamp(0.75, 1.3333).ln());
    let lefts = column(&|window| (window["x-fraction"] / (1.0 - window["width-fraction"])).min(1.0));
    let tops = column(&|window| (window["y-fraction"] / (1.0 - window["height-fraction"])).min(1.0));
    check_uniform("areas", &areas, 0.1, 0.5);
    check_uniform("shapes", &shapes, 0.75f64.ln(), 1.3333f64.ln());
    check_uniform("left edges", &lefts, 0.0, 1.0);
    check_uniform("top edges", &tops, 0.0, 1.0);
    for (a, b) in [(&areas, &shapes), (&areas, &lefts), (&lefts, &tops), (&shapes, &tops)] {
        assert!(correlation(a, b).abs() < 3.9);
    }
}

#[test]
fn probabilities_are_kept() {
    for (step, share) in [
        ("transform = 'horizontal-flip'", 0.5),
        ("transform = 'vertical-flip'\nprobability = 0.2", 0.2),
        ("transform = 'rotation'\ndegrees = 10\nprobability = 0.7", 0.7),
        ("transform = 'sequence'\nprobability = 0.3\nsteps = [{ transform = 'invert' }]", 0.3),
    ] {
        let drawn = plans(&[step], 0).iter().filter(|plan| !plan.ops.is_empty()).count();
        check_counts(step, &[drawn, SAMPLES as usize - drawn], &[share, 1.0 - share]);
    }
}

/// How often each kind of operation is drawn, and nothing.
fn kinds(plans: &[Plan]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for plan in plans {
        let op = plan.ops.first();
        let mut kind = op.map_or("none".to_string(), |op| serde_json::to_value(op).unwrap()["op"].to_string());
        if let Some(Op::Shift { x_fraction, .. }) = op {
            kind += if *x_fraction == 0.0 { " down" } else { " right" };
        }
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

#[test]
fn policies_choose_every_kind_equally_often() {
    let rand_augment = kinds(&plans(&["transform = 'rand-augment'\noperations = 1\nmagnitude = 15"], 0));
    let counts: Vec<usize> = rand_augment.into_values().collect();
    assert_eq!(counts.len(), 14);
    check_counts("RandAugment", &counts, &[1.0 / 14.0; 14]);
    let trivial = plans(&["transform = 'trivial-augment-wide'"], 0);
    let degrees = trivial.iter().filter_map(|plan| {
        if let Some(Op::Rotate { degrees }) = plan.ops.first() { Some((degrees / 4.5).round() as i64) } else { None }
    });
    let mut counts = vec![0; 61];
    degrees.for_each(|bin| counts[(bin + 30) as usize] += 1);
    // No strength has two directions that are one.
    let shares: Vec<f64> = (0..61).map(|bin| if bin == 30 { 1.0 / 31.0 } else { 1.0 / 62.0 }).collect();
    check_counts("TrivialAugmentWide", &counts, &shares);
}

#[test]
fn auto_augment_draws_its_pairs_as_often_as_their_tables_say() {
    // The sums of all probabilities of a table, over its 25 pairs.
    for (policy, expected) in [("imagenet", 31.0 / 25.0), ("cifar10", 26.5 / 25.0), ("svhn", 32.9 / 25.0)] {
        let plans = plans(&[&format!("transform = 'auto-augment'\npolicy = '{policy}'")], 0);
        let drawn = plans.iter().map(|plan| plan.ops.len()).sum::<usize>() as f64 / SAMPLES as f64;
        assert!((drawn - expected).abs() < 0.05, "{policy}: {drawn} operations instead of {expected}");
    }
}

#[test]
fn operations_samples_and_epochs_do_not_hang_together() {
    let steps = [
        "transform = 'rotation'\ndegrees = 40",
        "transform = 'shift'\nwidth = 0.2\nheight = 0.2",
        "transform = 'shear'\ndegrees = 10",
        "transform = 'zoom'\nrange = [0.8, 1.2]",
        "transform = 'perspective'",
        "transform = 'brightness'\namount = 0.3",
        "transform = 'hue'\nturns = 0.1",
    ];
    let epochs: Vec<Vec<Plan>> = (0..3).map(|epoch| plans(&steps, epoch)).collect();
    let columns = |plans: &[Plan]| {
        let rows: Vec<Vec<f64>> =
            plans.iter().map(|plan| plan.ops.iter().flat_map(|op| numbers(op).into_values()).collect()).collect();
        (0..rows[0].len()).map(|at| rows.iter().map(|row| row[at]).collect()).collect::<Vec<Vec<f64>>>()
    };
    let [first, second, third] = [0, 1, 2].map(|epoch| columns(&epochs[epoch]));
    assert_eq!(first.len(), 16);
    // Of some 800 coefficients none may be beyond 4.5 standard errors.
    for (at, numbers) in first.iter().enumerate() {
        for other in 0..first.len() {
            if other != at {
                let between = correlation(numbers, &first[other]);
                assert!(between.abs() < 4.5, "numbers {at} and {other}: {between}");
            }
            let next_sample = correlation(&numbers[1..], &first[other][..numbers.len() - 1]);
            assert!(next_sample.abs() < 4.5, "number {at} and {other} of the next sample: {next_sample}");
            for epoch in [&second, &third] {
                let between = correlation(numbers, &epoch[other]);
                assert!(between.abs() < 4.5, "number {at} and {other} of another epoch: {between}");
            }
        }
    }
}
