//! How long the warp takes, for each interpolation, fill and form of output, and the average that stands before it.
//!
//! The picture has 500x375 pixels and becomes 150x150, under the rotation, shift, shear, zoom and flip of a usual
//! augmentation; a fifth of the output lies outside of the picture. `throughput` counts pictures.

use std::hint::black_box;

use aumenta_imgproc::{
    Channels, ColorChain, ColorStep, Displacement, Fill, FloatFormat, Hue, Image, Interpolation, Layout, Matrix3,
    Sampling, Size, Slot, Table, Tone, displace, shrink, warp, write,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SOURCE: Size = Size { width: 500, height: 375 };
const OUTPUT: Size = Size::square(150);
const FLOATS: FloatFormat =
    FloatFormat { layout: Layout::Chw, channels: Channels::Rgb, scale: [1.0 / 255.0; 3], offset: [0.0; 3] };

/// Motions of the output about its centre, as they are drawn for the pictures of a batch.
fn matrices() -> Vec<Matrix3> {
    let center = (74.5, 74.5);
    (0..16_i32)
        .map(|number| {
            let spread = |step: i32| f64::from(number * step % 16) / 7.5 - 1.0;
            let motion = Matrix3::rotation(40.0 * spread(5), center)
                .then(&Matrix3::shift(30.0 * spread(3), 30.0 * spread(7)))
                .then(&Matrix3::shear(11.0 * spread(9), center))
                .then(&Matrix3::scale(1.0 + 0.2 * spread(11), 1.0 + 0.2 * spread(13), center));
            let flip = Matrix3::horizontal_flip(center);
            if number % 2 == 0 { motion } else { motion.then(&flip) }
        })
        .map(|motion| motion.then(&Matrix3::grid(500.0 / 150.0, 375.0 / 150.0)))
        .collect()
}

fn photograph() -> Image {
    let mut state = 1u32;
    let values = (0..SOURCE.width * SOURCE.height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Image::from_pixels(SOURCE.width, SOURCE.height, values.collect())
}

/// Times one warp, with another matrix each time.
fn bench_warp(criterion: &mut Criterion, group: &str, name: &str, matrices: &[Matrix3], sampling: Sampling) {
    bench_colored(criterion, group, name, matrices, sampling, &ColorChain::IDENTITY);
}

fn bench_colored(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    matrices: &[Matrix3],
    sampling: Sampling,
    color: &ColorChain,
) {
    let source = photograph();
    let mut values = vec![0.0; 150 * 150 * 3];
    let mut next = matrices.iter().cycle();
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(1)).bench_function(name, |bencher| {
        bencher.iter(|| {
            let Some(matrix) = next.next() else { return };
            let slot = Slot::Floats { values: &mut values, format: &FLOATS };
            warp(black_box(&source), matrix, sampling, color, OUTPUT, slot);
        });
    });
    group.finish();
}

fn samplings(criterion: &mut Criterion) {
    let interpolations = [
        ("bilinear", Interpolation::Bilinear),
        ("nearest", Interpolation::Nearest),
        ("bicubic", Interpolation::Bicubic),
    ];
    let fills = [
        ("nearest", Fill::Nearest),
        ("reflect", Fill::Reflect),
        ("wrap", Fill::Wrap),
        ("constant", Fill::Constant([0; 3])),
        ("constant-beyond-centers", Fill::ConstantBeyondCenters([0; 3])),
        ("wrap-overlapping", Fill::WrapOverlapping),
    ];
    let matrices = matrices();
    for (group, interpolation) in interpolations {
        for (name, fill) in fills {
            bench_warp(criterion, group, name, &matrices, Sampling { fill, interpolation });
        }
    }
    let corners = [(0.0, 0.0), (149.0, 0.0), (149.0, 149.0), (0.0, 149.0)];
    let perspective = Matrix3::perspective(corners, [(20.0, 10.0), (140.0, 0.0), (149.0, 140.0), (5.0, 149.0)]);
    let perspective: Vec<_> = perspective.iter().map(|motion| motion.then(&matrices[0])).collect();
    bench_warp(criterion, "bilinear", "perspective", &perspective, Sampling::default());
    bench_warp(criterion, "bilinear", "resize", &[Matrix3::grid(500.0 / 150.0, 2.5)], Sampling::default());
}

/// The same warp of 64 photographs in turn, more than the caches hold.
fn cold(criterion: &mut Criterion) {
    let sources: Vec<Image> = (0..64).map(|_| photograph()).collect();
    let mut sources = sources.iter().cycle();
    let mut values = vec![0.0; 150 * 150 * 3];
    let mut group = criterion.benchmark_group("cold");
    let matrices = matrices();
    for (name, matrix) in [("augmented", matrices[5]), ("resize", Matrix3::grid(500.0 / 150.0, 2.5))] {
        group.throughput(Throughput::Elements(1)).bench_function(name, |bencher| {
            bencher.iter(|| {
                let Some(source) = sources.next() else { return };
                let slot = Slot::Floats { values: &mut values, format: &FLOATS };
                warp(source, &matrix, Sampling::default(), &ColorChain::IDENTITY, OUTPUT, slot);
            });
        });
    }
    group.finish();
}

fn colors(criterion: &mut Criterion) {
    let matrices = matrices();
    let mut chain = ColorChain::from(Tone::brightness(1.1).then(&Tone::saturation(0.8)));
    bench_colored(criterion, "color", "matrix", &matrices, Sampling::default(), &chain);
    chain.push(ColorStep::Table(Table::from_fn(|value| 255 - value)));
    bench_colored(criterion, "color", "matrix-and-table", &matrices, Sampling::default(), &chain);
}

fn slots(criterion: &mut Criterion) {
    let source = Image::from_pixels(150, 150, photograph().into_pixels()[..150 * 150 * 3].to_vec());
    let mut bytes = vec![0; 150 * 150 * 3];
    let mut group = criterion.benchmark_group("slot");
    group.throughput(Throughput::Elements(1)).bench_function("bytes", |bencher| {
        bencher.iter(|| write(black_box(&source), &ColorChain::IDENTITY, Slot::rgb(&mut bytes)));
    });
    for (name, layout, channels) in [
        ("rgb-chw", Layout::Chw, Channels::Rgb),
        ("rgb-hwc", Layout::Hwc, Channels::Rgb),
        ("gray", Layout::Hwc, Channels::Gray),
    ] {
        let format = FloatFormat { layout, channels, ..FLOATS };
        let mut values = vec![0.0; 150 * 150 * channels.count()];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let slot = Slot::Floats { values: &mut values, format: &format };
                write(black_box(&source), &ColorChain::IDENTITY, slot);
            });
        });
    }
    group.finish();
}

fn displacements(criterion: &mut Criterion) {
    let source = Image::from_pixels(150, 150, photograph().into_pixels()[..150 * 150 * 3].to_vec());
    let (mut field, mut out) = (Displacement::default(), Image::default());
    let mut group = criterion.benchmark_group("elastic");
    group.throughput(Throughput::Elements(1));
    group.bench_function("draw", |bencher| bencher.iter(|| field.draw(OUTPUT, black_box(7), 50.0, 5.0)));
    group.bench_function("displace", |bencher| {
        bencher.iter(|| displace(black_box(&source), &field, Sampling::default(), &mut out));
    });
    group.finish();
}

fn copies(criterion: &mut Criterion) {
    let source = Image::from_pixels(150, 150, photograph().into_pixels()[..150 * 150 * 3].to_vec());
    let mut bytes = vec![0; 150 * 150 * 3];
    let mut group = criterion.benchmark_group("copy");
    let flip = Matrix3::horizontal_flip((74.5, 74.5));
    group.throughput(Throughput::Elements(1)).bench_function("flip", |bencher| {
        let sampling = Sampling::default();
        bencher.iter(|| warp(&source, &flip, sampling, &ColorChain::IDENTITY, OUTPUT, Slot::rgb(&mut bytes)));
    });
    let mut hue = ColorChain::default();
    hue.push(ColorStep::Hue(Hue::turn(0.1)));
    let mut invert = ColorChain::default();
    invert.push(ColorStep::Table(Table::from_fn(|value| 255 - value)));
    let (gray, brightness) = (ColorChain::from(Tone::grayscale()), ColorChain::from(Tone::brightness(1.3)));
    for (name, chain) in [("hue", hue), ("invert", invert), ("grayscale", gray), ("brightness", brightness)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| write(black_box(&source), &chain, Slot::rgb(&mut bytes)));
        });
    }
    group.finish();
}

fn shrinks(criterion: &mut Criterion) {
    let (source, mut out) = (photograph(), Image::default());
    let mut group = criterion.benchmark_group("shrink");
    group.throughput(Throughput::Elements(1));
    for (columns, rows) in [(2, 2), (3, 2), (3, 3), (4, 4), (7, 5)] {
        group.bench_function(format!("{columns}x{rows}"), |bencher| {
            bencher.iter(|| shrink(black_box(&source), columns, rows, &mut out));
        });
    }
    group.finish();
}

criterion_group!(benches, samplings, cold, colors, slots, copies, displacements, shrinks);
criterion_main!(benches);
