//! The steps of a warp for AVX-512: eight colours to a vector, each channel in 16 bits.

use core::arch::x86_64::{__m256i, __m512i};

use pulp::cast;
use pulp::x86::V4;

use super::Vectors;
use crate::warp::Lanes;

impl Vectors for V4 {
    #[inline(always)]
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, weights: &Lanes<u32>) -> Lanes<u32> {
        let [upper, lower]: [[__m512i; 2]; 2] = [cast(*upper), cast(*lower)];
        let weights: [__m256i; 2] = cast(*weights);
        let first = blend(self, upper[0], lower[0], weights[0]);
        let second = blend(self, upper[1], lower[1], weights[1]);
        let packed = self.avx512bw._mm512_packus_epi16(first, second);
        cast(self.avx512f._mm512_permutexvar_epi64(cast([0u64, 2, 4, 6, 1, 3, 5, 7]), packed))
    }
}

/// Eight blended colours, a channel in each 16 bits.
#[inline(always)]
fn blend(simd: V4, upper: __m512i, lower: __m512i, weights: __m256i) -> __m512i {
    let bw = simd.avx512bw;
    let weights = simd.avx512f._mm512_cvtepu32_epi64(weights);
    let right = bw._mm512_shuffle_epi8(weights, cast(FIRST));
    let down = bw._mm512_shuffle_epi8(weights, cast(SECOND));
    let (upper, lower) = (mean(simd, upper, right), mean(simd, lower, right));
    let difference = bw._mm512_slli_epi16::<1>(bw._mm512_sub_epi16(lower, upper));
    let middle = bw._mm512_add_epi16(upper, bw._mm512_mulhi_epi16(difference, down));
    bw._mm512_srli_epi16::<6>(bw._mm512_add_epi16(middle, cast([32i16; 32])))
}

#[inline(always)]
fn mean(simd: V4, pairs: __m512i, weights: __m512i) -> __m512i {
    let bw = simd.avx512bw;
    let left = bw._mm512_shuffle_epi8(pairs, cast(LEFT));
    let right = bw._mm512_shuffle_epi8(pairs, cast(RIGHT));
    let difference = bw._mm512_slli_epi16::<7>(bw._mm512_sub_epi16(right, left));
    bw._mm512_add_epi16(bw._mm512_slli_epi16::<6>(left), bw._mm512_mulhi_epi16(difference, weights))
}

/// Marks a byte that becomes 0.
const ZERO: i8 = -1;

/// Where the bytes of two pairs go: the left colours, the right colours, and each weight to all channels.
const LEFT: [[i8; 16]; 4] = [[0, ZERO, 1, ZERO, 2, ZERO, ZERO, ZERO, 8, ZERO, 9, ZERO, 10, ZERO, ZERO, ZERO]; 4];
const RIGHT: [[i8; 16]; 4] = [[3, ZERO, 4, ZERO, 5, ZERO, ZERO, ZERO, 11, ZERO, 12, ZERO, 13, ZERO, ZERO, ZERO]; 4];
const FIRST: [[i8; 16]; 4] = [[0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9]; 4];
const SECOND: [[i8; 16]; 4] = [[2, 3, 2, 3, 2, 3, 2, 3, 10, 11, 10, 11, 10, 11, 10, 11]; 4];
