//! Plans against torchvision, Pillow, OpenCV and albumentations, whose pixels `fixtures/reference/generate_geometry.py` wrote
//! down: how far the pixels of each operation are from those of its peer, and why where they are not the same.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::collections::{BTreeMap, BTreeSet};

use aumenta_augment::{Plan, Scratch};
use aumenta_imgproc::Image;
use serde::Deserialize;

/// Of every picture of this name, pixels within so many of the edge left out, this percentage of values or more is within so
/// many levels. A percentage is the worst picture's, rounded down, and no smaller number of levels has 100 percent.
struct Claim(&'static str, Margin, Levels, Percent);
type Margin = usize;
type Levels = u8;
type Percent = u8;

const CLAIMS: &[Claim] = &[
    // The nearest pixel, and whole pixels moved, are the same; exactly between two pixels torchvision and OpenCV take another
    // one here and there, and no picture here has such a place.
    Claim("torchvision rotate, nearest", 0, 0, 100),
    Claim("torchvision affine, nearest", 0, 0, 100),
    Claim("torchvision perspective, nearest", 0, 0, 100),
    Claim("torchvision elastic, nearest", 0, 0, 100),
    Claim("torchvision resize, nearest-exact", 0, 0, 100),
    Claim("torchvision horizontal_flip", 0, 0, 100),
    Claim("torchvision vertical_flip", 0, 0, 100),
    Claim("torchvision pad and crop", 0, 0, 100),
    Claim("torchvision erase", 0, 0, 100),
    Claim("pillow rotate, nearest", 0, 0, 100),
    Claim("pillow perspective, nearest", 0, 0, 100),
    Claim("pillow affine, nearest, all inside", 0, 0, 100),
    Claim("opencv warpAffine, nearest", 0, 0, 100),
    Claim("opencv warpPerspective, nearest", 0, 0, 100),
    Claim("opencv remap, nearest", 0, 0, 100),
    // The same means, rounded in another way.
    Claim("torchvision rotate, bilinear", 0, 1, 100),
    Claim("torchvision affine, bilinear", 0, 1, 100),
    Claim("torchvision perspective, bilinear", 0, 1, 100),
    Claim("torchvision elastic, bilinear", 0, 1, 100),
    Claim("torchvision resize, bilinear", 0, 1, 100),
    Claim("torchvision resize, bilinear, antialias, enlarging", 0, 1, 100),
    Claim("opencv warpAffine, bilinear", 0, 1, 100),
    Claim("opencv warpAffine, bilinear, other fills", 0, 1, 100),
    Claim("opencv warpPerspective, bilinear", 0, 1, 100),
    Claim("opencv remap, bilinear", 0, 1, 100),
    Claim("opencv resize, area, whole factors", 0, 1, 100),
    Claim("opencv resize, area then nearest-exact", 0, 1, 100),
    Claim("opencv filter2D, a motion's kernel", 0, 1, 100),
    Claim("albumentations Downscale, whole factors", 0, 1, 100),
    // Pillow cuts fractions off.
    Claim("pillow affine, bilinear, all inside", 0, 1, 100),
    // torchvision cuts the window out first and repeats its edge, where a crop of ours goes on into the picture.
    Claim("torchvision resized_crop, bilinear", 1, 1, 100),
    Claim("torchvision resized_crop, bilinear", 0, 1, 91),
    Claim("torchvision resized_crop, bilinear, antialias, enlarging", 1, 1, 100),
    Claim("torchvision resized_crop, bilinear, antialias, enlarging", 0, 1, 92),
    // At the border of the turned picture torchvision weighs a fill twice, also one of 0; left out, it is black and exact.
    Claim("torchvision rotate, bilinear, gray fill", 0, 1, 90),
    // There, Pillow has a hard edge and repeats the outermost pixels up to it.
    Claim("pillow rotate, bilinear", 0, 1, 90),
    Claim("pillow perspective, bilinear", 0, 1, 90),
    // Our bicubic curve has a = -0.5. So has torchvision's with antialias, which clips between rows and columns.
    Claim("torchvision resize, bicubic, antialias, enlarging", 0, 1, 99),
    Claim("torchvision resize, bicubic, antialias, enlarging", 0, 9, 100),
    // Without it and in OpenCV, a = -0.75.
    Claim("torchvision resize, bicubic", 0, 8, 98),
    Claim("torchvision resize, bicubic", 0, 13, 100),
    Claim("opencv warpAffine, bicubic", 0, 8, 98),
    Claim("opencv warpPerspective, bicubic", 0, 8, 98),
    Claim("opencv remap, bicubic", 0, 8, 99),
    // In Pillow, a = -1.
    Claim("pillow affine, bicubic, all inside", 0, 8, 87),
    Claim("pillow rotate, bicubic", 0, 8, 81),
    Claim("pillow perspective, bicubic", 0, 8, 85),
    // Reducing, torchvision's antialias is a triangle over two pixels of the output, or a cubic curve over four; our
    // prefilter is a mean over blocks of whole pixels before the interpolation. Both take all pixels in, with other weights.
    Claim("torchvision resize, bilinear, antialias, reducing", 0, 8, 61),
    Claim("torchvision resize, bilinear, antialias, reducing", 0, 48, 100),
    Claim("torchvision resize, bicubic, antialias, reducing", 0, 8, 52),
    Claim("torchvision resize, bicubic, antialias, reducing", 0, 47, 100),
    Claim("torchvision resized_crop, bilinear, antialias, reducing", 0, 8, 65),
    Claim("torchvision resized_crop, bilinear, antialias, reducing", 0, 43, 100),
];

#[derive(Deserialize)]
struct Reference {
    sources: BTreeMap<String, Picture>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    plan: Plan,
    source: String,
    expected: Picture,
}

#[derive(Deserialize)]
struct Picture {
    width: usize,
    height: usize,
    pixels: String,
}

impl Picture {
    fn image(&self) -> Image {
        let digits = (0..self.pixels.len()).step_by(2);
        let bytes = digits.map(|at| u8::from_str_radix(&self.pixels[at..at + 2], 16).unwrap());
        Image::from_pixels(self.width, self.height, bytes.collect())
    }
}

impl Claim {
    /// What is wrong with it for pairs of our picture and the peer's.
    fn failure(&self, pairs: &[(Image, Image)]) -> Option<String> {
        let &Self(name, margin, levels, percent) = self;
        let worst = |levels| pairs.iter().map(|pair| percent_within(pair, margin, levels)).min();
        match worst(levels) {
            None => Some(format!("{name}: no such picture")),
            Some(found) if found != percent => {
                Some(format!("{name}: {found}% of the values are within {levels} levels, not {percent}%"))
            }
            Some(100) if levels > 0 && worst(levels - 1) == Some(100) => {
                Some(format!("{name}: all values are within {} levels", levels - 1))
            }
            Some(_) => None,
        }
    }
}

/// The percentage, rounded down, of values that are at most so many levels apart, more than a margin from the edge.
fn percent_within((ours, theirs): &(Image, Image), margin: Margin, levels: Levels) -> Percent {
    let (columns, rows) = (margin..ours.width() - margin, margin..ours.height() - margin);
    let places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
    let values = places.flat_map(|(x, y)| ours.get(x, y).into_iter().zip(theirs.get(x, y)));
    let (within, apart): (Vec<_>, Vec<_>) = values.partition(|(ours, theirs)| ours.abs_diff(*theirs) <= levels);
    (100 * within.len() / (within.len() + apart.len())) as Percent
}

#[test]
fn pixels_are_those_of_the_peers() {
    let reference: Reference = serde_json::from_str(include_str!("../../../fixtures/reference/geometry.json")).unwrap();
    let mut scratch = Scratch::default();
    let mut pairs: BTreeMap<&str, Vec<(Image, Image)>> = BTreeMap::new();
    for Case { name, plan, source, expected } in &reference.cases {
        let (source, expected, mut out) = (reference.sources[source].image(), expected.image(), Image::default());
        plan.apply(&source, expected.size(), &mut scratch, &mut out);
        pairs.entry(name).or_default().push((out, expected));
    }
    let claimed: BTreeSet<&str> = CLAIMS.iter().map(|claim| claim.0).collect();
    assert_eq!(claimed, pairs.keys().copied().collect(), "every picture has a claim");
    let failures: Vec<String> = CLAIMS.iter().filter_map(|claim| claim.failure(&pairs[claim.0])).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}
