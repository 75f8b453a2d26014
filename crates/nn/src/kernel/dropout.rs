//! Dropout from a counter.

use rayon::prelude::*;

/// Elements a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Writes `x` to `out`, a share `rate` of its elements as zero and the others divided by `1 - rate`. Whether element `i`
/// is kept is a function of `key` and `i`.
pub fn apply(rate: f32, key: u64, x: &[f32], out: &mut [f32]) {
    const BITS: u32 = 24;
    let threshold = (f64::from(rate) * f64::from(1 << BITS)) as u64;
    let scale = 1.0 / (1.0 - rate);
    let keep = |i: usize| mix(key ^ i as u64) >> (64 - BITS) >= threshold;
    out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).enumerate().for_each(|(chunk, (out, x))| {
        for (i, (out, value)) in (chunk * CHUNK..).zip(out.iter_mut().zip(x)) {
            *out = if keep(i) { value * scale } else { 0.0 };
        }
    });
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014): every input bit changes half of the output bits.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
