//! [`Fingerprint`]: hashes by which near-duplicates are found among many pictures.
//!
//! A hash holds the signs of the 63 lowest frequencies of a discrete cosine transform, as perceptual hashes do (Zauner 2010,
//! section 3.1), about zero instead of about their median: exchanging left and right then flips the bits of the odd
//! horizontal frequencies and leaves the others, and the hash of the mirror image costs nothing.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::f64::consts::PI;
use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use super::{Miniature, Motion};

const SIDE: usize = Miniature::SIDE;

/// Frequencies in each direction.
const FREQUENCIES: usize = 8;

/// The bits of odd horizontal frequencies.
const ODD: u64 = 0xffff_0000_ffff_0000;

/// How much of each side [`Part::Center`] has.
const CENTER: f32 = 0.8;

/// How much of each side a crop is taken to have left.
const CROP: f32 = 0.9;

/// By how many degrees a picture is taken to have been turned, with its sine and cosine.
const TURN_SINE: f32 = 0.087_155_74;
const TURN_COSINE: f32 = 0.996_194_7;

/// The hashes of a picture: by two of them it is found, by all of them it looks for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    whole: u64,
    center: u64,
    /// Of the picture with a tenth of its width and height cut off, towards each of its corners.
    crops: [u64; 4],
    /// Of the center, as it would be if the picture were turned by -5 and by 5 degrees.
    turns: [u64; 2],
}

/// What a hash is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The whole picture.
    Whole,
    /// Four fifths of its width and height, which a turn or a frame leaves alone.
    Center,
}

/// A hash to look for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Query {
    /// The hash.
    pub hash: u64,
    /// What it should be like.
    pub part: Part,
    /// How the picture that has such a hash lies on the one that looks for it: where [`Relief::align`](super::Relief::align)
    /// begins.
    pub start: Motion,
}

impl Query {
    /// In how many bits the hash differs from that of a picture.
    pub fn distance(&self, other: &Fingerprint) -> u32 {
        (self.hash ^ other.part(self.part)).count_ones()
    }
}

impl Fingerprint {
    /// The fingerprint of a picture.
    pub fn of(miniature: &Miniature) -> Self {
        Arch::new().dispatch(Hashes(miniature))
    }

    /// The hash of a part, by which the picture is found.
    pub fn part(&self, part: Part) -> u64 {
        match part {
            Part::Whole => self.whole,
            Part::Center => self.center,
        }
    }

    /// What a near-duplicate of the picture could have as a hash: itself, a crop of it and its center, turned and not,
    /// each also mirrored.
    pub fn queries(&self) -> impl Iterator<Item = Query> {
        let upright = [
            (self.whole, Part::Whole, Motion::IDENTITY),
            (self.crops[0], Part::Whole, crop(0)),
            (self.crops[1], Part::Whole, crop(1)),
            (self.crops[2], Part::Whole, crop(2)),
            (self.crops[3], Part::Whole, crop(3)),
            (self.center, Part::Center, Motion::IDENTITY),
            (self.turns[0], Part::Center, turn(-TURN_SINE, 1.0)),
            (self.turns[1], Part::Center, turn(TURN_SINE, 1.0)),
        ];
        upright.into_iter().flat_map(|(hash, part, start)| {
            [Query { hash, part, start }, Query { hash: hash ^ ODD, part, start: start.mirrored() }]
        })
    }
}

/// What is left of the picture when it is cropped towards one of its corners: the corners' mean leaves no offset further
/// away than a fortieth of the picture.
fn crop(corner: usize) -> Motion {
    let offset = (1.0 - CROP) / 2.0;
    let sign = |is_far: bool| if is_far { offset } else { -offset };
    Motion::part(CROP, sign(corner % 2 == 1), sign(corner / 2 == 1))
}

/// A turn in the plane of a picture that is `aspect` times as wide as high.
fn turn(sine: f32, aspect: f32) -> Motion {
    Motion([TURN_COSINE, -sine / aspect, 0.0, sine * aspect, TURN_COSINE, 0.0])
}

struct Hashes<'a>(&'a Miniature);

impl WithSimd for Hashes<'_> {
    type Output = Fingerprint;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Fingerprint {
        let pixels = self.0.pixels();
        let waves = &*WAVES;
        Fingerprint {
            whole: hash(pixels, &waves.whole, &waves.whole),
            center: hash(pixels, &waves.center, &waves.center),
            crops: [0, 1, 2, 3].map(|corner| hash(pixels, &waves.crops[corner % 2], &waves.crops[corner / 2])),
            turns: [-TURN_SINE, TURN_SINE].map(|sine| {
                let Motion(mut motion) = turn(sine, self.0.aspect());
                for value in &mut motion {
                    *value *= CENTER;
                }
                hash(&resampled(pixels, &Motion(motion)), &waves.whole, &waves.whole)
            }),
        }
    }
}

/// For each frequency how much each pixel of a row (or column) counts, in 1/1024.
type Wave = [[i16; SIDE]; FREQUENCIES];

struct Waves {
    whole: Wave,
    center: Wave,
    crops: [Wave; 2],
}

static WAVES: LazyLock<Waves> = LazyLock::new(|| {
    let offset = f64::from(1.0 - CROP) / 2.0;
    Waves {
        whole: wave(1.0, 0.0),
        center: wave(f64::from(CENTER), 0.0),
        crops: [wave(f64::from(CROP), -offset), wave(f64::from(CROP), offset)],
    }
});

/// A pixel is summed up at several of its points, at which the cosine is different.
const POINTS: usize = 16;

/// The cosines over a part of a row that is `scale` as long as it, about `offset`. Where the part begins or ends within a
/// pixel, the pixel counts with its share.
fn wave(scale: f64, offset: f64) -> Wave {
    let mut wave = [[0; SIDE]; FREQUENCIES];
    for (frequency, row) in wave.iter_mut().enumerate() {
        for (at, value) in row.iter_mut().enumerate() {
            let total: f64 = (0..POINTS)
                .map(|point| {
                    let place = ((at * POINTS + point) as f64 + 0.5) / (SIDE * POINTS) as f64 * 2.0 - 1.0;
                    let within = (place - offset) / scale;
                    let angle = f64::midpoint(within, 1.0) * PI * frequency as f64;
                    if within.abs() < 1.0 { libm::cos(angle) } else { 0.0 }
                })
                .sum();
            *value = libm::round(total / POINTS as f64 * 1024.0) as i16;
        }
    }
    wave
}

/// The signs of the transform's coefficients. A quarter of the bits, and so a word of 16 bits, has low and high
/// frequencies alike: [`Part`]s of hashes are looked up by such words.
#[inline(always)]
fn hash(pixels: &[u8; Miniature::BYTES], horizontal: &Wave, vertical: &Wave) -> u64 {
    let mut rows = [[0i64; SIDE]; FREQUENCIES];
    for (y, pixels) in pixels.as_chunks::<SIDE>().0.iter().enumerate() {
        let pixels = pixels.map(i16::from);
        for (coefficients, wave) in rows.iter_mut().zip(horizontal) {
            let mut sum = 0;
            for at in 0..SIDE {
                sum += i32::from(pixels[at]) * i32::from(wave[at]);
            }
            coefficients[y] = i64::from(sum);
        }
    }
    let mut bits = 0;
    for (u, row) in rows.iter().enumerate() {
        for (v, wave) in vertical.iter().enumerate() {
            let coefficient: i64 = row.iter().zip(wave).map(|(&value, &weight)| value * i64::from(weight)).sum();
            // The mean says nothing.
            if coefficient > 0 && u + v > 0 {
                bits |= 1 << (u % 4 * 16 + u / 4 * 8 + v);
            }
        }
    }
    bits
}

/// The picture whose every pixel lies in `pixels` where `motion` says, bilinear.
#[inline(always)]
fn resampled(pixels: &[u8; Miniature::BYTES], motion: &Motion) -> [u8; Miniature::BYTES] {
    let center = |at: usize| (2 * at + 1) as f32 / SIDE as f32 - 1.0;
    std::array::from_fn(|at| {
        let (x, y) = motion.apply(center(at % SIDE), center(at / SIDE));
        let (x, y) = (super::relief::column(x), super::relief::column(y));
        let corner = y as usize * SIDE + x as usize;
        let (right, down) = (x.fract(), y.fract());
        let mix = |at: usize| f32::from(pixels[at]) * (1.0 - right) + f32::from(pixels[at + 1]) * right;
        (mix(corner) * (1.0 - down) + mix(corner + SIDE) * down + 0.5) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likeness::test_scene::{Scene, render};

    fn nearest(query: &Fingerprint, other: &Fingerprint) -> Query {
        query.queries().min_by_key(|query| query.distance(other)).unwrap()
    }

    fn fingerprint(scene: &Scene) -> Fingerprint {
        Fingerprint::of(&Miniature::of(&render(scene)))
    }

    #[test]
    fn a_slope_to_the_right_has_the_bit_of_the_lowest_odd_frequency_and_its_mirror_image_has_not() {
        let slope = |left: usize, right: usize| {
            let pixels = (0..SIDE).map(|x| (left * (SIDE - 1 - x) + right * x) / (SIDE - 1));
            let row: Vec<u8> = pixels.flat_map(|value| [value as u8; 3]).collect();
            Fingerprint::of(&Miniature::of(&crate::Image::from_pixels(SIDE, 1, row))).part(Part::Whole)
        };
        let lowest = 1 << 16;
        assert_eq!((slope(200, 10) & lowest, slope(10, 200) & lowest), (lowest, 0));
    }

    #[test]
    fn a_mirror_image_has_the_mirrored_hashes() {
        for seed in 0..20 {
            let one = fingerprint(&Scene::new(seed));
            let other = fingerprint(&Scene { motion: Motion::IDENTITY.mirrored(), ..Scene::new(seed) });
            assert!((one.whole ^ ODD ^ other.whole).count_ones() <= 1, "{seed}");
            assert!((one.center ^ ODD ^ other.center).count_ones() <= 1, "{seed}");
        }
    }

    #[test]
    fn crops_and_turns_are_near_one_of_the_queries_and_other_pictures_are_not() {
        let changes = [Motion::part(0.9, -0.09, 0.08), Motion::part(0.9, 0.02, -0.01), turn(TURN_SINE, 4.0 / 3.0)];
        for seed in 0..20 {
            let one = fingerprint(&Scene::new(seed));
            for motion in changes {
                let other = fingerprint(&Scene { motion, ..Scene::new(seed) });
                let distance = nearest(&one, &other).distance(&other);
                assert!(distance <= 11, "{seed} {motion:?}: {distance}");
            }
            let stranger = fingerprint(&Scene::new(seed + 100));
            assert!(nearest(&one, &stranger).distance(&stranger) >= 12, "{seed}");
        }
    }
}
