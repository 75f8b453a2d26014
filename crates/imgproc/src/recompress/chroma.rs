//! Differences of color at half the picture's size, and back.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use super::Half;
use crate::jpeg::upsample::{double_both, repeat_columns};

/// Writes the means of 2x2 values of `plane` to `half_plane`, with the last row repeated to its end.
///
/// A half is rounded down in even columns and up in odd ones, so that rounding shifts nothing on the whole.
#[inline(always)]
pub fn halve(plane: &[u8], half: Half, half_plane: &mut [u8]) {
    let wide = half.stride * 2;
    let rows = plane.chunks_exact(wide * 2).zip(half_plane.chunks_exact_mut(half.stride)).take(half.height);
    for (rows, out) in rows {
        let (upper, lower) = rows.split_at(wide);
        let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for (at, (mean, (upper, lower))) in out.iter_mut().zip(pairs).enumerate() {
            let sum = u16::from(upper[0]) + u16::from(upper[1]) + u16::from(lower[0]) + u16::from(lower[1]);
            *mean = ((sum + 1 + (at as u16 & 1)) >> 2) as u8;
        }
    }
    let (rows, below) = half_plane.split_at_mut(half.height * half.stride);
    let last = &rows[(half.height - 1) * half.stride..];
    below.chunks_exact_mut(half.stride).for_each(|row| row.copy_from_slice(last));
}

/// Enlarges `half_plane` to `plane`, along both axes. A plane of one or two columns is repeated instead.
#[inline(always)]
pub fn double(half_plane: &[u8], half: Half, plane: &mut [u8]) {
    let row = |y: usize| &half_plane[y * half.stride..][..half.width];
    for (y, out) in plane.chunks_exact_mut(half.stride * 2).take(half.height * 2).enumerate() {
        let near = y / 2;
        if half.width <= 2 {
            repeat_columns(row(near), out);
        } else {
            let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half.height - 1) };
            double_both(row(near), row(far), out);
        }
    }
}
