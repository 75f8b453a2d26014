//! The operations that look at more than one pixel, each on a picture of 150x150 pixels.

use std::cell::RefCell;

use aumenta_imgproc::{
    ClaheScratch, DownscaleScratch, GridMask, Image, MotionBlurScratch, Paint, Region, ShotNoiseScratch,
    add_gaussian_noise, add_salt_and_pepper, add_shot_noise, autocontrast, blend, clahe, downscale, equalize, erase,
    gaussian_blur, grid_mask, jpeg_recompress, mean_luma, motion_blur, sharpen,
};
use criterion::{Criterion, criterion_group, criterion_main};

const SIDE: usize = 150;

/// Waves with some grain, so that a JPEG has something to do.
fn picture() -> Image {
    let value = |at: usize| {
        let (x, y) = (at / 3 % SIDE, at / 3 / SIDE);
        let wave = (x as f64 / 9.0 + (at % 3) as f64).sin() * (y as f64 / 13.0).cos();
        (128.0 + 100.0 * wave) as u8 ^ ((at * 2_654_435_761) >> 20 & 7) as u8
    };
    Image::from_pixels(SIDE, SIDE, (0..SIDE * SIDE * 3).map(value).collect())
}

fn raster(criterion: &mut Criterion) {
    let source = picture();
    let mut group = criterion.benchmark_group("raster");
    let mut bench = |name: &str, change: &dyn Fn(&mut Image, &mut Image)| {
        let (mut image, mut scratch) = (source.clone(), source.clone());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                image.clone_from(&source);
                change(&mut image, &mut scratch);
            });
        });
    };
    bench("copy alone", &|_, _| {});
    bench("mean_luma", &|image, _| {
        std::hint::black_box(mean_luma(&*image));
    });
    bench("equalize", &|image, _| equalize(image));
    bench("autocontrast", &|image, _| autocontrast(image, 0.0));
    let clahe_scratch = RefCell::new(ClaheScratch::default());
    bench("clahe", &|image, _| clahe(image, 2.0, 8, &mut clahe_scratch.borrow_mut()));
    bench("sharpen", &|image, scratch| sharpen(image, 1.5, scratch));
    bench("gaussian_blur sigma 1.5", &|image, scratch| gaussian_blur(image, 1.5, scratch));
    let motion = RefCell::new(MotionBlurScratch::default());
    bench("motion_blur length 7", &|image, _| motion_blur(image, 7.0, 30.0, &mut motion.borrow_mut()));
    bench("add_gaussian_noise", &|image, _| add_gaussian_noise(image, 10.0, 7));
    bench("add_salt_and_pepper", &|image, _| add_salt_and_pepper(image, 0.05, 7));
    let shot = RefCell::new(ShotNoiseScratch::default());
    bench("add_shot_noise", &|image, _| add_shot_noise(image, 25.0, 7, &mut shot.borrow_mut()));
    bench("jpeg_recompress", &|image, scratch| jpeg_recompress(image, 60, scratch));
    let small = RefCell::new(DownscaleScratch::default());
    bench("downscale", &|image, _| downscale(image, 0.4, &mut small.borrow_mut()));
    let region = Region { x: 40, y: 30, width: 60, height: 60 };
    bench("erase color", &|image, _| erase(image, region, Paint::Color([0; 3])));
    bench("erase noise", &|image, _| erase(image, region, Paint::Noise { seed: 7 }));
    let mask =
        GridMask { unit_pixels: 48, keep_fraction: 0.6, x_offset_pixels: 7, y_offset_pixels: 9, rotation_degrees: 0.0 };
    bench("grid_mask", &|image, _| grid_mask(image, &mask, Paint::Color([0; 3])));
    let other = Image::filled(SIDE, SIDE, [128; 3]);
    bench("blend", &|image, _| blend(image, &other, 0.3));
}

criterion_group!(benches, raster);
criterion_main!(benches);
