//! Our pixels against those of Pillow, torchvision and OpenCV, which `fixtures/reference/generate_colors.py` wrote down.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use aumenta_imgproc::{
    ClaheScratch, ColorChain, Hue, Image, Slot, Table, Tone, autocontrast, clahe, curve, equalize, gaussian_blur,
    jpeg_recompress, mean_luma, sharpen, write,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    sources: std::collections::BTreeMap<String, Picture>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Picture {
    width: usize,
    height: usize,
    pixels: String,
}

#[derive(Deserialize)]
struct Case {
    op: String,
    parameters: Vec<f64>,
    source: String,
    expected: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn colored(image: &Image, color: &ColorChain) -> Image {
    let mut out = image.clone();
    write(image, color, Slot::rgb(out.pixels_mut()));
    out
}

fn contrasted(image: &Image, factor: f64) -> Image {
    colored(image, &ColorChain::from(Tone::contrast_about(mean_luma(image), factor)))
}

fn tabled(image: &Image, values: [u8; 256]) -> Image {
    let table = Table::from_channels([values; 3]);
    let pixels = image.pixels().as_chunks::<3>().0.iter().flat_map(|&pixel| table.apply(pixel));
    Image::from_pixels(image.width(), image.height(), pixels.collect())
}

fn changed(image: &Image, change: impl FnOnce(&mut Image)) -> Image {
    let mut out = image.clone();
    change(&mut out);
    out
}

/// What we make of the picture, and how many levels a value may differ by.
fn ours(op: &str, parameters: &[f64], image: &Image) -> (Image, u8) {
    let mut scratch = Image::default();
    match (op, parameters) {
        ("gamma", &[exponent]) => (tabled(image, curve::gamma(exponent)), 0),
        ("invert", []) => (tabled(image, curve::invert()), 0),
        ("posterize", &[bits]) => (tabled(image, curve::posterize(bits as u8)), 0),
        ("solarize", &[threshold]) => (tabled(image, curve::solarize(threshold as u16)), 0),
        ("equalize", []) => (changed(image, equalize), 0),
        ("autocontrast", &[cutoff]) => (changed(image, |image| autocontrast(image, cutoff)), 0),
        // Fractions are cut off, of Pillow's products in double precision and of torchvision's quotients in single.
        ("autocontrast of tensors", []) => (changed(image, |image| autocontrast(image, 0.0)), 1),
        // Pillow's weights are rounded to 16 bits.
        ("grayscale", []) => (colored(image, &ColorChain::from(Tone::grayscale())), 1),
        // torchvision cuts fractions off where we round; so does Pillow in its blends.
        ("hue", &[turns]) => {
            let pixels = image.pixels().as_chunks::<3>().0.iter().flat_map(|&pixel| Hue::turn(turns).apply(pixel));
            (Image::from_pixels(image.width(), image.height(), pixels.collect()), 1)
        }
        ("brightness", &[factor]) => (colored(image, &ColorChain::from(Tone::brightness(factor))), 1),
        ("saturation", &[factor]) => (colored(image, &ColorChain::from(Tone::saturation(factor))), 1),
        ("contrast-about-mean", &[factor]) => (contrasted(image, factor), 1),
        // There, fractions are cut off twice, and weights that add up to 0.9999 make the gray of a gray a level darker.
        ("contrast-about-mean of tensors", &[factor]) => (contrasted(image, factor), 2),
        ("sharpness", &[factor]) => (changed(image, |image| sharpen(image, factor, &mut scratch)), 1),
        ("gaussian-blur", &[sigma]) => (changed(image, |image| gaussian_blur(image, sigma, &mut scratch)), 1),
        ("clahe", &[clip_limit, tiles]) => {
            (changed(image, |image| clahe(image, clip_limit, tiles as usize, &mut ClaheScratch::default())), 1)
        }
        ("jpeg", &[quality]) => (changed(image, |image| jpeg_recompress(image, quality as u8, &mut scratch)), 0),
        _ => panic!("no such operation: {op} {parameters:?}"),
    }
}

#[test]
fn pixels_are_those_of_the_peers() {
    let reference: Reference = serde_json::from_str(include_str!("../../../fixtures/reference/colors.json")).unwrap();
    assert_eq!(reference.cases.len(), 212);
    let mut failures = Vec::new();
    for Case { op, parameters, source, expected } in &reference.cases {
        let picture = &reference.sources[source];
        let image = Image::from_pixels(picture.width, picture.height, bytes(&picture.pixels));
        let (found, tolerance) = ours(op, parameters, &image);
        let differences = found.pixels().iter().zip(bytes(expected)).map(|(a, b)| a.abs_diff(b));
        let worst = differences.max().unwrap();
        if worst > tolerance {
            failures.push(format!("{op} {parameters:?} of {source}: {worst} levels off, {tolerance} allowed"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
