//! Noise from a seed: every pixel's noise is a hash of the seed and the pixel's place, so that it does not depend on
//! the order in which pixels are visited, and a seed stands for a whole picture of noise.

use std::ops::Range;
use std::sync::LazyLock;

use crate::Image;

/// Adds to every value of every channel its own draw from a normal distribution of mean 0, in levels of 255.
///
/// Results are rounded and clipped to `0..=255`. A `sigma_levels` of 0, below, or not a number adds nothing; above 255 it
/// counts as 255. A draw is the sum of two draws from a table of 1,024 quantiles, which ends at 4.6 sigmas.
///
/// ```
/// use aumenta_imgproc::{Image, add_gaussian_noise};
///
/// let mut image = Image::filled(100, 100, [128; 3]);
/// add_gaussian_noise(&mut image, 10.0, 7);
/// let squares = image.pixels().iter().map(|&value| (f64::from(value) - 128.0).powi(2)).sum::<f64>();
/// assert!(((squares / 30_000.0).sqrt() - 10.0).abs() < 0.2);
/// ```
pub fn add_gaussian_noise(image: &mut Image, sigma_levels: f64, seed: u64) {
    if sigma_levels.is_nan() || sigma_levels <= 0.0 {
        return;
    }
    let halves = normal_halves(sigma_levels.min(255.0));
    for (hash, pixel) in hashes(seed).zip(image.pixels_mut().as_chunks_mut::<3>().0) {
        for (channel, value) in pixel.iter_mut().enumerate() {
            *value = rounded(i32::from(*value) << BITS, normal(&halves, hash >> (20 * channel)));
        }
    }
}

/// Turns a share of the pixels black or white, each with equal chance.
///
/// Every pixel is hit with probability `fraction`, independently; 0, below, or not a number leaves the picture, 1 and
/// above leaves none of it.
///
/// ```
/// use aumenta_imgproc::{Image, add_salt_and_pepper};
///
/// let mut image = Image::filled(100, 100, [128; 3]);
/// add_salt_and_pepper(&mut image, 0.1, 7);
/// let white = image.pixels().iter().filter(|&&value| value == 255).count();
/// assert!((3 * 400..3 * 600).contains(&white));
/// ```
pub fn add_salt_and_pepper(image: &mut Image, fraction: f64, seed: u64) {
    let below = (fraction.clamp(0.0, 1.0) * f64::from(1u32 << 31)).round() as u64;
    for (hash, pixel) in hashes(seed).zip(image.pixels_mut().as_chunks_mut::<3>().0) {
        if hash & 0x7fff_ffff < below {
            *pixel = if hash >> 63 == 0 { [0; 3] } else { [255; 3] };
        }
    }
}

/// Replaces every value by a count of photons, as a sensor in little light does.
///
/// A value `v` has a mean of `v / 255 * photons_at_white` photons; their number is drawn from the Poisson distribution of
/// that mean, for every channel on its own, scaled back to `0..=255`, rounded and clipped. Few photons mean much noise: white
/// varies by `255 / sqrt(photons_at_white)` levels. Means of 64 and above are drawn from the normal distribution that they
/// have come close to. `photons_at_white` is above 0 and up to a million, beyond which 8 bits show no noise; otherwise
/// nothing changes.
///
/// ```
/// use aumenta_imgproc::{Image, ShotNoiseScratch, add_shot_noise};
///
/// let mut image = Image::filled(100, 100, [128, 0, 51]);
/// add_shot_noise(&mut image, 100.0, 7, &mut ShotNoiseScratch::default());
/// assert_eq!(image.get(3, 4)[1], 0);
/// let blue = image.pixels().iter().skip(2).step_by(3);
/// let mean = blue.map(|&value| f64::from(value)).sum::<f64>() / 10_000.0;
/// assert!((mean - 51.0).abs() < 0.5);
/// ```
pub fn add_shot_noise(image: &mut Image, photons_at_white: f64, seed: u64, scratch: &mut ShotNoiseScratch) {
    if !(photons_at_white > 0.0 && photons_at_white <= 1e6) {
        return;
    }
    let levels_per_photon = 255.0 / photons_at_white;
    let halves = normal_halves(1.0);
    let thresholds = &mut scratch.thresholds;
    thresholds.clear();
    let mut counts: [Option<Counts>; 256] = [const { None }; 256];
    for (hash, pixel) in hashes(seed).zip(image.pixels_mut().as_chunks_mut::<3>().0) {
        for (channel, value) in pixel.iter_mut().enumerate() {
            let bits = hash >> (20 * channel);
            let level = usize::from(*value);
            let counts = counts[level]
                .get_or_insert_with(|| Counts::new(level as f64 / levels_per_photon, levels_per_photon, thresholds));
            *value = counts.draw(thresholds, &halves, bits);
        }
    }
}

/// A buffer that [`add_shot_noise`] reuses.
#[derive(Clone, Debug, Default)]
pub struct ShotNoiseScratch {
    /// 20-bit thresholds of distribution functions, each with the level that its count stands for.
    thresholds: Vec<(u32, u8)>,
}

/// Fills a rectangle's pixels with uniformly drawn colors; the place of a pixel within the rectangle decides its draw.
pub(crate) fn fill_with_noise<'a>(pixels: impl Iterator<Item = &'a mut [u8; 3]>, seed: u64) {
    for (hash, pixel) in hashes(seed).zip(pixels) {
        let [red, green, blue, ..] = hash.to_le_bytes();
        *pixel = [red, green, blue];
    }
}

/// Endless hashes of `seed` and a counter: the finalizer of `SplitMix64` (Steele, Lea and Flood, *Fast Splittable
/// Pseudorandom Number Generators*, 2014) over an arithmetic sequence that starts at the mixed seed.
pub(crate) fn hashes(seed: u64) -> impl Iterator<Item = u64> {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let start = mix(seed.wrapping_add(STEP));
    (1..).map(move |counter: u64| mix(start.wrapping_add(counter.wrapping_mul(STEP))))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Fractional bits of a noise value.
const BITS: u32 = 16;

/// Quantiles of a normal distribution; two of them, drawn independently, add up to a draw of twice its variance.
type Halves = [i32; 1024];

/// The quantiles for a sum of standard deviation `sigma`, in units of 2^-16.
fn normal_halves(sigma: f64) -> Halves {
    let scale = sigma * std::f64::consts::FRAC_1_SQRT_2 * f64::from(1 << BITS);
    QUANTILES.map(|quantile| (quantile * scale).round() as i32)
}

/// A draw from 20 bits.
fn normal(halves: &Halves, bits: u64) -> i32 {
    halves[bits as usize & 1023] + halves[(bits >> 10) as usize & 1023]
}

fn rounded(value: i32, noise: i32) -> u8 {
    ((value + noise + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

/// The middles of 1,024 equally likely parts of the standard normal distribution, scaled to a variance of exactly 1.
static QUANTILES: LazyLock<[f64; 1024]> = LazyLock::new(|| {
    let mut quantiles = [0.0; 1024];
    for at in 0..512 {
        let quantile = normal_quantile((at as f64 + 0.5) / 1024.0);
        quantiles[at] = quantile;
        quantiles[1023 - at] = -quantile;
    }
    let variance = quantiles.iter().map(|quantile| quantile * quantile).sum::<f64>() / 1024.0;
    quantiles.map(|quantile| quantile / libm::sqrt(variance))
});

/// The point below which a standard normal number lies with `probability` (from 1e-6 to a half), by bisection.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-5.0, 0.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
        *if below < probability { &mut low } else { &mut high } = middle;
    }
    high
}

/// What a level of a picture becomes by counting photons.
enum Counts {
    /// For few photons: which of the thresholds are those of its distribution function.
    Exact(Range<usize>),
    /// For many: the mean and the standard deviation, in levels.
    Normal { mean: f64, deviation: f64 },
}

impl Counts {
    /// The thresholds are appended to `thresholds`.
    fn new(mean_photons: f64, levels_per_photon: f64, thresholds: &mut Vec<(u32, u8)>) -> Self {
        if mean_photons >= 64.0 {
            let deviation = libm::sqrt(mean_photons) * levels_per_photon;
            return Self::Normal { mean: mean_photons * levels_per_photon, deviation };
        }
        let mut probability = libm::exp(-mean_photons);
        let mut below = 0.0;
        let first = thresholds.len();
        for count in 0u32.. {
            below += probability;
            let threshold = (below * f64::from(1 << 20)).round() as u32;
            let level = (f64::from(count) * levels_per_photon).round().min(255.0) as u8;
            thresholds.push((threshold, level));
            // Beyond the mean, a probability below half a unit of the threshold leaves nothing to draw.
            probability *= mean_photons / f64::from(count + 1);
            if f64::from(count) >= mean_photons && probability < 1e-7 {
                break;
            }
        }
        Self::Exact(first..thresholds.len())
    }

    /// A draw from 20 bits.
    fn draw(&self, thresholds: &[(u32, u8)], halves: &Halves, bits: u64) -> u8 {
        match self {
            Self::Exact(range) => {
                let thresholds = &thresholds[range.clone()];
                let bits = bits as u32 & 0xf_ffff;
                let at = thresholds.partition_point(|&(threshold, _)| threshold <= bits);
                thresholds[at.min(thresholds.len() - 1)].1
            }
            Self::Normal { mean, deviation } => {
                let deviations = f64::from(normal(halves, bits)) / f64::from(1 << BITS);
                (mean + deviation * deviations).round().clamp(0.0, 255.0) as u8
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_picture::sizes;

    /// Mean and variance of one channel of a flat picture after `noise`.
    fn moments(level: u8, noise: impl Fn(&mut Image)) -> (f64, f64) {
        let mut image = Image::filled(200, 200, [level; 3]);
        noise(&mut image);
        let values: Vec<f64> = image.pixels().iter().map(|&value| f64::from(value)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64)
    }

    #[test]
    fn gaussian_noise_has_the_moments_asked_for() {
        for sigma in [1.0, 5.0, 25.0] {
            let (mean, variance) = moments(128, |image| add_gaussian_noise(image, sigma, 3));
            assert!((mean - 128.0).abs() < sigma / 50.0, "{mean}");
            // Rounding to whole levels adds a twelfth.
            assert!((variance / (sigma * sigma + 1.0 / 12.0) - 1.0).abs() < 0.02, "{variance}");
        }
    }

    #[test]
    fn gaussian_noise_is_independent_between_channels_and_neighbors() {
        let mut image = Image::filled(200, 200, [128; 3]);
        add_gaussian_noise(&mut image, 20.0, 5);
        let values: Vec<f64> = image.pixels().iter().map(|&value| f64::from(value) - 128.0).collect();
        for distance in [1, 2, 3, 600] {
            let product: f64 = values.iter().zip(&values[distance..]).map(|(a, b)| a * b).sum();
            assert!((product / values.len() as f64 / 400.0).abs() < 0.015, "{distance}");
        }
    }

    #[test]
    fn quantiles_match_the_textbook() {
        assert!((normal_quantile(0.158_655_253_931) + 1.0).abs() < 1e-9);
        assert!((normal_quantile(0.025) + 1.959_963_984_54).abs() < 1e-9);
    }

    #[test]
    fn salt_and_pepper_hits_as_many_pixels_as_asked() {
        let mut image = Image::filled(300, 300, [128; 3]);
        add_salt_and_pepper(&mut image, 0.2, 11);
        let count = |color| image.pixels().as_chunks::<3>().0.iter().filter(|&&pixel| pixel == [color; 3]).count();
        assert!((8_500..9_500).contains(&count(0)) && (8_500..9_500).contains(&count(255)));
        add_salt_and_pepper(&mut image, 1.0, 11);
        assert!(image.pixels().iter().all(|&value| value == 0 || value == 255));
    }

    #[test]
    fn shot_noise_varies_as_poisson_counts_do() {
        // A level of 51 is a fifth of white. The moments are those of the Poisson distribution of 0.6, 4, 40 and 400 photons,
        // summed over its counts after each was scaled, rounded and clipped as the levels are.
        for (photons, expected_mean, expected_variance) in
            [(3.0, 50.677, 4168.9), (20.0, 51.020, 644.4), (200.0, 51.000, 64.88), (2000.0, 51.000, 6.618)]
        {
            let (mean, variance) =
                moments(51, |image| add_shot_noise(image, photons, 9, &mut ShotNoiseScratch::default()));
            assert!((mean - expected_mean).abs() < 0.6, "{photons}: {mean}");
            assert!((variance / expected_variance - 1.0).abs() < 0.03, "{photons}: {variance}");
        }
    }

    #[test]
    fn a_seed_decides_and_another_one_differs() {
        let noisy = |seed| {
            let mut image = Image::filled(9, 9, [100; 3]);
            add_gaussian_noise(&mut image, 30.0, seed);
            image
        };
        assert_eq!(noisy(1), noisy(1));
        assert_ne!(noisy(1), noisy(2));
    }

    #[test]
    fn settings_without_noise_change_nothing_and_no_size_panics() {
        for source in sizes() {
            let mut image = source.clone();
            for nothing in [0.0, -1.0, f64::NAN] {
                add_gaussian_noise(&mut image, nothing, 1);
                add_salt_and_pepper(&mut image, nothing, 1);
                add_shot_noise(&mut image, nothing, 1, &mut ShotNoiseScratch::default());
                assert_eq!(image, source);
            }
            for much in [0.5, 255.0, f64::MAX, f64::INFINITY] {
                add_gaussian_noise(&mut image, much, 1);
                add_shot_noise(&mut image, much, 1, &mut ShotNoiseScratch::default());
                add_salt_and_pepper(&mut image, much, 1);
            }
            assert_eq!(image.size(), source.size());
        }
    }
}
