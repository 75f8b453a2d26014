//! How close a plan on a picture at the scale of its view comes to exact areas.

use aumenta_imgproc::{Image, Matrix3, Scale, Size, Slot, shrink};
use aumenta_seed::Seed;
use rand::RngExt as _;

use super::{FirstPass, view};
use crate::{AugmentConfig, Canvas, Pipeline, Plan, Prefilter, Scratch, Source};

/// Waves of all lengths, the short ones weak, a disk with a sharp edge, and the noise of a sensor.
fn photograph(size: Size, number: u64) -> Image {
    let rng = &mut Seed::new(7).rng("photograph", 0, number);
    let waves: Vec<[f64; 5]> = (0..20)
        .map(|_| {
            let length = 3.0 * 100f64.powf(rng.random());
            let (sine, cosine) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
            let pace = std::f64::consts::TAU / length;
            [pace * cosine, pace * sine, rng.random_range(0.0..7.0), 1.4 * length.sqrt(), rng.random_range(0.0..7.0)]
        })
        .collect();
    let mut values = Vec::new();
    for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y as f64, x as f64))) {
        let is_disk = (x - 0.6 * size.width as f64).hypot(y - 0.5 * size.height as f64) < 0.2 * size.height as f64;
        for channel in 0..3 {
            let wave = |[right, down, phase, strength, turn]: &[f64; 5]| {
                strength * (right * x + down * y + phase + turn * f64::from(channel)).sin()
            };
            let level = 110.0 + waves.iter().map(wave).sum::<f64>() + if is_disk { 60.0 } else { 0.0 };
            let noise: f64 = (0..4).map(|_| rng.random_range(-8.0..8.0)).sum();
            values.push((level + noise).clamp(0.0, 255.0) as u8);
        }
    }
    Image::from_pixels(size.width, size.height, values)
}

/// The mean of 8x8 points in the area of each pixel of the output, each read bilinearly from the full picture.
fn exact(image: &Image, motion: &Matrix3, output: Size) -> Vec<f64> {
    const POINTS: usize = 8;
    let side = |at: f64, length: usize| at.clamp(0.0, length as f64 - 1.0);
    let mut values = Vec::new();
    for (y, x) in (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x))) {
        let mut sums = [0.0; 3];
        for at in 0..POINTS * POINTS {
            let part = |at: usize| (at as f64 + 0.5) / POINTS as f64 - 0.5;
            let (px, py) = motion.apply(x as f64 + part(at % POINTS), y as f64 + part(at / POINTS));
            let (px, py) = (side(px, image.width()), side(py, image.height()));
            let (left, top) = (px as usize, py as usize);
            let (right, bottom) = ((left + 1).min(image.width() - 1), (top + 1).min(image.height() - 1));
            let (across, down) = (px - left as f64, py - top as f64);
            for (column, row, share) in [
                (left, top, (1.0 - across) * (1.0 - down)),
                (right, top, across * (1.0 - down)),
                (left, bottom, (1.0 - across) * down),
                (right, bottom, across * down),
            ] {
                for (sum, value) in sums.iter_mut().zip(image.get(column, row)) {
                    *sum += share * f64::from(value);
                }
            }
        }
        values.extend(sums.map(|sum| sum / (POINTS * POINTS) as f64));
    }
    values
}

/// The root of the mean squared distance, in levels.
fn distance(bytes: &[u8], exact: &[f64]) -> f64 {
    let squares = bytes.iter().zip(exact).map(|(&value, exact)| (f64::from(value) - exact).powi(2));
    (squares.sum::<f64>() / exact.len() as f64).sqrt()
}

/// The distances of a plan at its view's scale, on the full picture, and on the full picture without a prefilter.
fn distances(plan: &Plan, image: &Image, output: Size) -> (Scale, [f64; 3]) {
    let canvas = Canvas { source: image.size(), output };
    let exact = exact(image, &FirstPass::of(plan, canvas).motion, output);
    let scale = view(plan, canvas).scale;
    let mut scaled = Image::default();
    shrink(image, scale.divisor(), scale.divisor(), &mut scaled);
    let sampling = Plan { prefilter: Prefilter::None, ..plan.clone() };
    let applied = |plan: &Plan, source: Source<'_>| {
        let mut out = vec![0; output.width * output.height * 3];
        plan.apply_to_slot(source, output, &mut Scratch::default(), Slot::rgb(&mut out));
        distance(&out, &exact)
    };
    let at_scale = applied(plan, Source::new(&scaled, image.size(), scale));
    (scale, [at_scale, applied(plan, image.into()), applied(&sampling, image.into())])
}

/// Checks that no plan of a pipeline is farther from exact areas at its scale than points of the full picture are, and what
/// the distances are in the mean, where the scale is not the full one.
#[track_caller]
fn check(pipeline: &Pipeline, expected: [f64; 3]) {
    let output = Size { width: 40, height: 30 };
    let (mut sums, mut count) = ([0.0; 3], 0.0);
    for (factor, number) in
        [2.0, 2.5, 3.0, 3.7, 4.0, 5.5, 8.0].into_iter().flat_map(|factor| [(factor, 0), (factor, 1), (factor, 2)])
    {
        let side = |side: usize| (side as f64 * factor) as usize;
        let size = Size { width: side(output.width), height: side(output.height) };
        let rng = &mut Seed::new(7).rng("augment", factor as u64, number);
        let plan = pipeline.draw(Canvas { source: size, output }, rng);
        let (scale, distances) = distances(&plan, &photograph(size, number), output);
        if scale == Scale::Full {
            continue;
        }
        let [at_scale, _, points] = distances;
        assert!(at_scale <= points, "{factor} times as large, {plan}: {distances:?}");
        sums.iter_mut().zip(distances).for_each(|(sum, distance)| *sum += distance);
        count += 1.0;
    }
    let means = sums.map(|sum| sum / count);
    assert!(
        count > 8.0 && means.iter().zip(expected).all(|(mean, expected)| (mean - expected).abs() < 0.06),
        "{means:.2?}"
    );
}

#[test]
fn a_resize_at_its_scale_is_nearly_as_close_to_exact_areas_as_on_the_full_picture() {
    check(&Pipeline::empty(), [1.52, 1.40, 5.85]);
}

#[test]
fn plans_of_the_book_at_their_scale_are_as_close_as_on_the_full_picture() {
    check(&AugmentConfig::book().build().unwrap(), [3.56, 3.55, 6.12]);
}

#[test]
fn crops_at_their_scale_are_closer_than_on_the_full_picture() {
    let crops = "transforms = [{ transform = 'resized-crop' }]";
    check(&toml::from_str::<AugmentConfig>(crops).unwrap().build().unwrap(), [2.11, 2.38, 6.34]);
}
