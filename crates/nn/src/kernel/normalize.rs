//! From bytes to the values that a network takes.

use rayon::prelude::*;

/// Pixels a thread takes at once.
const CHUNK: usize = 1 << 12;

/// `bytes`, whose fastest index is the channel, times the factor of their channel and plus its offset, written to `out`. Conversion,
/// product and sum are each rounded, as a GPU does it.
pub fn apply(bytes: &[u8], scale: &[f32], offset: &[f32], out: &mut [f32]) {
    let channels = scale.len();
    let chunk = CHUNK * channels;
    out.par_chunks_mut(chunk).zip(bytes.par_chunks(chunk)).for_each(|(out, bytes)| {
        for (out, bytes) in out.chunks_exact_mut(channels).zip(bytes.chunks_exact(channels)) {
            for (((out, byte), scale), offset) in out.iter_mut().zip(bytes).zip(scale).zip(offset) {
                *out = f32::from(*byte) * scale + offset;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_its_factor_and_its_offset() {
        let bytes: Vec<u8> = (0..3 * 10_000).map(|i| (i % 256) as u8).collect();
        let (scale, offset) = ([0.5, 2.0, 1.0 / 255.0], [1.0, 0.0, -0.5]);
        let mut out = vec![f32::NAN; bytes.len()];
        apply(&bytes, &scale, &offset, &mut out);
        for (i, (out, byte)) in out.iter().zip(&bytes).enumerate() {
            let product = f32::from(*byte) * scale[i % 3];
            assert_eq!(out.to_bits(), (product + offset[i % 3]).to_bits(), "element {i}");
        }
    }
}
