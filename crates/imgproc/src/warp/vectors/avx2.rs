//! The steps of a warp for AVX2: four colours to a vector, each channel in 16 bits.

use core::arch::x86_64::{__m128i, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::Vectors;
use crate::warp::Lanes;

impl Vectors for V3 {
    #[inline(always)]
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, weights: &Lanes<u32>) -> Lanes<u32> {
        let [upper, lower]: [[__m256i; 4]; 2] = [cast(*upper), cast(*lower)];
        let weights: [__m128i; 4] = cast(*weights);
        let [a, b] = [blend(self, upper[0], lower[0], weights[0]), blend(self, upper[1], lower[1], weights[1])];
        let [c, d] = [blend(self, upper[2], lower[2], weights[2]), blend(self, upper[3], lower[3], weights[3])];
        cast([pack(self, a, b), pack(self, c, d)])
    }
}

/// Four blended colours, a channel in each 16 bits.
#[inline(always)]
fn blend(simd: V3, upper: __m256i, lower: __m256i, weights: __m128i) -> __m256i {
    let avx2 = simd.avx2;
    let weights = avx2._mm256_cvtepu32_epi64(weights);
    let right = avx2._mm256_shuffle_epi8(weights, cast(FIRST));
    let down = avx2._mm256_shuffle_epi8(weights, cast(SECOND));
    let (upper, lower) = (mean(simd, upper, right), mean(simd, lower, right));
    let difference = avx2._mm256_slli_epi16::<1>(avx2._mm256_sub_epi16(lower, upper));
    let middle = avx2._mm256_add_epi16(upper, avx2._mm256_mulhi_epi16(difference, down));
    avx2._mm256_srli_epi16::<6>(avx2._mm256_add_epi16(middle, cast([32i16; 16])))
}

#[inline(always)]
fn mean(simd: V3, pairs: __m256i, weights: __m256i) -> __m256i {
    let avx2 = simd.avx2;
    let left = avx2._mm256_shuffle_epi8(pairs, cast(LEFT));
    let right = avx2._mm256_shuffle_epi8(pairs, cast(RIGHT));
    let difference = avx2._mm256_slli_epi16::<7>(avx2._mm256_sub_epi16(right, left));
    avx2._mm256_add_epi16(avx2._mm256_slli_epi16::<6>(left), avx2._mm256_mulhi_epi16(difference, weights))
}

#[inline(always)]
fn pack(simd: V3, first: __m256i, second: __m256i) -> __m256i {
    simd.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(simd.avx2._mm256_packus_epi16(first, second))
}

/// Marks a byte that becomes 0.
const ZERO: i8 = -1;

/// Where the bytes of two pairs go: the left colours, the right colours, and each weight to all channels.
const LEFT: [[i8; 16]; 2] = [[0, ZERO, 1, ZERO, 2, ZERO, ZERO, ZERO, 8, ZERO, 9, ZERO, 10, ZERO, ZERO, ZERO]; 2];
const RIGHT: [[i8; 16]; 2] = [[3, ZERO, 4, ZERO, 5, ZERO, ZERO, ZERO, 11, ZERO, 12, ZERO, 13, ZERO, ZERO, ZERO]; 2];
const FIRST: [[i8; 16]; 2] = [[0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9]; 2];
const SECOND: [[i8; 16]; 2] = [[2, 3, 2, 3, 2, 3, 2, 3, 10, 11, 10, 11, 10, 11, 10, 11]; 2];
