//! Look-ups in a table of 256 bytes, 64 at a time, by the byte permutes of AVX-512 VBMI.

use std::arch::x86_64::{
    __m512i, _mm512_loadu_epi8, _mm512_mask_blend_epi8, _mm512_movepi8_mask, _mm512_permutex2var_epi8,
    _mm512_storeu_epi8,
};

/// Changes the pixels from the front on by `channels`, as many as fill whole vectors, and says how many those are; none
/// where the processor has no such instructions.
pub(super) fn apply(channels: &[[u8; 256]; 3], pixels: &mut [[u8; 3]]) -> usize {
    let (blocks, _) = pixels.as_flattened_mut().as_chunks_mut::<BLOCK>();
    if !is_available() {
        return 0;
    }
    // SAFETY: the processor has the features that the function is compiled for, as was just asked.
    unsafe { apply_to_blocks(channels, blocks) };
    blocks.len() * BLOCK / 3
}

/// The same from one place to another, of the same length.
pub(super) fn copy(channels: &[[u8; 256]; 3], pixels: &[[u8; 3]], out: &mut [[u8; 3]]) -> usize {
    let (blocks, _) = pixels.as_flattened().as_chunks::<BLOCK>();
    let (out, _) = out.as_flattened_mut().as_chunks_mut::<BLOCK>();
    if !is_available() {
        return 0;
    }
    // SAFETY: the processor has the features that the function is compiled for, as was just asked.
    unsafe { copy_blocks(channels, blocks, out) };
    blocks.len() * BLOCK / 3
}

fn is_available() -> bool {
    is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi")
}

/// Bytes in which both vectors and pixels come out even.
const BLOCK: usize = 192;

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn apply_to_blocks(channels: &[[u8; 256]; 3], blocks: &mut [[u8; BLOCK]]) {
    let tables = Tables::load(channels);
    for block in blocks {
        tables.change(&block.clone(), block);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn copy_blocks(channels: &[[u8; 256]; 3], blocks: &[[u8; BLOCK]], out: &mut [[u8; BLOCK]]) {
    let tables = Tables::load(channels);
    for (block, out) in blocks.iter().zip(out) {
        tables.change(block, out);
    }
}

/// The tables of the channels.
struct Tables {
    channels: [Registers; 3],
    is_gray: bool,
}

impl Tables {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn load(channels: &[[u8; 256]; 3]) -> Self {
        let [red, green, blue] = channels;
        let is_gray = red == green && red == blue;
        Self { channels: [Registers::load(red), Registers::load(green), Registers::load(blue)], is_gray }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn change(&self, block: &[u8; BLOCK], out: &mut [u8; BLOCK]) {
        let [red, green, blue] = self.channels;
        let bytes = block.as_chunks::<64>().0.iter().zip(out.as_chunks_mut::<64>().0);
        for (at, (bytes, out)) in bytes.enumerate() {
            let values = load(bytes);
            let mut changed = red.look_up(values);
            if !self.is_gray {
                changed = _mm512_mask_blend_epi8(lanes_of(1, at), changed, green.look_up(values));
                changed = _mm512_mask_blend_epi8(lanes_of(2, at), changed, blue.look_up(values));
            }
            store(out, changed);
        }
    }
}

/// A table in four registers.
#[derive(Clone, Copy)]
struct Registers([__m512i; 4]);

impl Registers {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn load(table: &[u8; 256]) -> Self {
        let quarters = table.as_chunks::<64>().0;
        Self([load(&quarters[0]), load(&quarters[1]), load(&quarters[2]), load(&quarters[3])])
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn look_up(self, values: __m512i) -> __m512i {
        let [first, second, third, fourth] = self.0;
        // A permute takes the lower seven bits of an index; the highest chooses between the halves of the table.
        let low = _mm512_permutex2var_epi8(first, values, second);
        let high = _mm512_permutex2var_epi8(third, values, fourth);
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(values), low, high)
    }
}

/// The lanes of a block's vector number `at` that hold bytes of `channel`.
const fn lanes_of(channel: usize, at: usize) -> u64 {
    let mut lanes = 0;
    let mut lane = 0;
    while lane < 64 {
        if (at * 64 + lane) % 3 == channel {
            lanes |= 1 << lane;
        }
        lane += 1;
    }
    lanes
}

#[target_feature(enable = "avx512f,avx512bw")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn store(bytes: &mut [u8; 64], values: __m512i) {
    // SAFETY: the reference is to 64 writable bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_epi8(bytes.as_mut_ptr().cast(), values) }
}
