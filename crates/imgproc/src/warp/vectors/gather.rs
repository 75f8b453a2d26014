//! Reads from eight places at once, by the gathers of AVX-512.

use std::arch::x86_64::{
    __m256i, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_min_epu32, _mm256_mullo_epi32, _mm256_set1_epi32,
    _mm256_sub_epi32, _mm512_cvtepu32_epi64, _mm512_i32gather_epi64, _mm512_slli_epi64, _mm512_srlv_epi64,
};

use pulp::cast;
use pulp::x86::V4;

use crate::warp::Lanes;

/// The eight bytes from three times each number on, or what there is of them, followed by zeros; `None` where the bytes
/// are too few or too many to be counted by the gathers.
#[inline(always)]
pub(super) fn words(_: V4, bytes: &[u8], indices: &Lanes<u32>) -> Option<Lanes<u64>> {
    let last = i32::try_from(bytes.len().checked_sub(8)?).ok()?;
    let [low, high]: [__m256i; 2] = cast(*indices);
    // SAFETY: a `V4` exists only where the processor has all features of the function, and eight bytes follow `last`.
    Some(unsafe { cast([gather(bytes, last, low), gather(bytes, last, high)]) })
}

/// Has the bytes from three times each number on moved to the first cache: a gather is one instruction, and those behind it
/// do not fetch ahead while it waits for memory.
#[inline(always)]
pub(super) fn fetch(bytes: &[u8], indices: &Lanes<u32>) {
    for &index in indices {
        let place = bytes.as_ptr().wrapping_add(index as usize * 3);
        // SAFETY: a prefetch is a hint, which reads nothing and is allowed at any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
}

/// # Safety
/// `bytes` must have eight bytes from `last` on, and `last` must not be negative.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512vl")]
unsafe fn gather(bytes: &[u8], last: i32, indices: __m256i) -> __m512i {
    let offsets = _mm256_mullo_epi32(indices, _mm256_set1_epi32(3));
    let starts = _mm256_min_epu32(offsets, _mm256_set1_epi32(last));
    // SAFETY: as unsigned numbers the starts are at most `last`, which is not negative, so they are not negative as signed
    // ones either; from each on there are eight bytes, and the gather asks for no alignment.
    let words = unsafe { _mm512_i32gather_epi64::<1>(starts, bytes.as_ptr().cast()) };
    let beyond = _mm512_cvtepu32_epi64(_mm256_sub_epi32(offsets, starts));
    _mm512_srlv_epi64(words, _mm512_slli_epi64::<3>(beyond))
}
