//! How long the book's pipeline takes, from a decoded picture of 500x375 pixels to one of 150x150: drawing plans, applying
//! them, and both; and plain evaluation beside it. `throughput` counts pictures.

use std::hint::black_box;

use aumenta_augment::{AugmentConfig, Canvas, Pipeline, Plan, Scratch};
use aumenta_imgproc::{Image, Size};
use aumenta_seed::Seed;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const CANVAS: Canvas = Canvas { source: Size { width: 500, height: 375 }, output: Size::square(150) };

/// Enough that flips and rotations of all sizes have their share.
const PICTURES: u64 = 32;

fn book_pipeline(criterion: &mut Criterion) {
    let pipeline = AugmentConfig::book().build().expect("the book's settings are in range");
    let plans: Vec<Plan> = (0..PICTURES).map(|sample| draw(&pipeline, sample)).collect();
    let (photograph, mut scratch, mut out) = (photograph(), Scratch::default(), Image::default());
    let mut apply = |plan: &Plan| plan.apply(black_box(&photograph), CANVAS.output, &mut scratch, &mut out);

    let mut group = criterion.benchmark_group("book");
    group.throughput(Throughput::Elements(PICTURES));
    group.bench_function("draw", |bencher| {
        bencher.iter(|| (0..PICTURES).for_each(|sample| drop(black_box(draw(&pipeline, sample)))));
    });
    group.bench_function("apply", |bencher| bencher.iter(|| plans.iter().for_each(&mut apply)));
    group.bench_function("draw and apply", |bencher| {
        bencher.iter(|| (0..PICTURES).for_each(|sample| apply(&draw(&pipeline, sample))));
    });
    group.bench_function("evaluate", |bencher| {
        bencher.iter(|| (0..PICTURES).for_each(|_| apply(&Plan::identity())));
    });
    group.finish();
}

fn draw(pipeline: &Pipeline, sample: u64) -> Plan {
    pipeline.draw(CANVAS, &mut Seed::new(7).rng("augment", 0, sample))
}

/// A gradient, which no step treats differently from a photograph.
fn photograph() -> Image {
    let Size { width, height } = CANVAS.source;
    let pixels = (0..width * height).flat_map(|at| [(at % width / 2) as u8, (at / width / 2) as u8, (at % 251) as u8]);
    Image::from_pixels(width, height, pixels.collect())
}

criterion_group!(benches, book_pipeline);
criterion_main!(benches);
