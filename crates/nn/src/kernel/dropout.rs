//! Dropout's masks, from a counter: nothing is stored, and nothing depends on threads.
//!
//! Whether unit `i` is kept is a function of a key and `i` alone. A unit is an element, or a channel of an image.

use rayon::prelude::*;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Which units are kept.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    pub key: u64,
    /// Units whose bits lie below are dropped.
    pub threshold: u64,
    /// What kept values are multiplied by.
    pub scale: f32,
}

impl Mask {
    const BITS: u32 = 24;

    pub fn new(rate: f32, key: u64) -> Self {
        let threshold = (f64::from(rate) * f64::from(1 << Self::BITS)) as u64;
        Self { key, threshold, scale: 1.0 / (1.0 - rate) }
    }

    fn keeps(self, unit: usize) -> bool {
        mix(self.key ^ unit as u64) >> (64 - Self::BITS) >= self.threshold
    }

    /// A product with zero would turn a dropped infinity into a NaN.
    fn apply(self, unit: usize, value: f32) -> f32 {
        if self.keeps(unit) { value * self.scale } else { 0.0 }
    }
}

/// Each element of `x` divided by `1 - rate`, or zero with probability `rate`, written to `out`.
pub fn apply(rate: f32, key: u64, x: &[f32], out: &mut [f32]) {
    let mask = Mask::new(rate, key);
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).enumerate().for_each(|(chunk, (out, x))| {
        for (unit, (out, x)) in (chunk * CHUNK..).zip(out.iter_mut().zip(x)) {
            *out = mask.apply(unit, *x);
        }
    });
}

/// As [`apply`] for `x` in NHWC with `area` pixels an image, where whole channels of an image are kept or dropped.
pub fn apply_to_channels(rate: f32, key: u64, [area, channels]: [usize; 2], x: &[f32], out: &mut [f32]) {
    let (mask, len) = (Mask::new(rate, key), area * channels);
    out.par_chunks_exact_mut(len).zip(x.par_chunks_exact(len)).enumerate().for_each_init(
        || vec![false; channels],
        |kept, (image, (out, x))| {
            for (unit, kept) in (image * channels..).zip(&mut *kept) {
                *kept = mask.keeps(unit);
            }
            for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for ((out, x), kept) in out.iter_mut().zip(x).zip(&*kept) {
                    *out = if *kept { x * mask.scale } else { 0.0 };
                }
            }
        },
    );
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014): every input bit changes half of the output bits.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ones(len: usize, rate: f32, key: u64) -> Vec<f32> {
        let mut out = vec![f32::NAN; len];
        apply(rate, key, &vec![1.0; len], &mut out);
        out
    }

    #[test]
    fn a_mask_stays_as_it_was() {
        let kept: Vec<usize> = (0..16).filter(|i| of_ones(16, 0.5, 7)[*i] == 2.0).collect();
        assert_eq!(kept, [1, 5, 6, 7, 8, 10, 11, 14, 15]);
    }

    #[test]
    fn a_channel_is_kept_as_a_whole_by_the_mask_of_images_and_channels() {
        let (images, area, channels) = (40, 6, 13);
        let x: Vec<f32> = (1..=images * area * channels).map(|i| i as f32).collect();
        let mut out = vec![f32::NAN; x.len()];
        apply_to_channels(0.4, 9, [area, channels], &x, &mut out);
        let factors = of_ones(images * channels, 0.4, 9);
        for (i, (out, x)) in out.iter().zip(&x).enumerate() {
            assert_eq!(*out, x * factors[i / (area * channels) * channels + i % channels]);
        }
        assert!(factors.contains(&0.0) && factors.iter().any(|factor| *factor > 1.0));
    }

    #[test]
    fn a_dropped_infinity_is_zero() {
        let (mut out, x) = (vec![f32::NAN; 64], vec![f32::INFINITY; 64]);
        apply(0.5, 3, &x, &mut out);
        assert!(out.contains(&0.0) && !out.iter().any(|out| out.is_nan()));
        apply_to_channels(0.5, 3, [1, 64], &x, &mut out);
        assert!(out.contains(&0.0) && !out.iter().any(|out| out.is_nan()));
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let each = of_ones(50_000, 0.5, 9);
                let mut channels = vec![f32::NAN; each.len()];
                apply_to_channels(0.5, 9, [50, 10], &each, &mut channels);
                (each, channels)
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(5));
    }
}
