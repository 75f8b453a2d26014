//! Differences of color at half the picture's size, and back.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use super::Half;

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

/// Enlarges `half_plane` to `plane`: each value is three parts the closest one and one part the next closest, along both
/// axes, with halves rounded up in even columns and down in odd ones. A plane of one or two columns is repeated instead.
#[inline(always)]
pub fn double(half_plane: &[u8], half: Half, plane: &mut [u8]) {
    let row = |y: usize| &half_plane[y * half.stride..][..half.width];
    for (y, out) in plane.chunks_exact_mut(half.stride * 2).take(half.height * 2).enumerate() {
        let out = &mut out.as_chunks_mut::<2>().0[..half.width];
        let near = y / 2;
        if half.width <= 2 {
            out.iter_mut().zip(row(near)).for_each(|(pair, &value)| *pair = [value; 2]);
            continue;
        }
        let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(half.height - 1) };
        let (near, far) = (row(near), row(far));
        let sum = |near: u8, far: u8| 3 * u16::from(near) + u16::from(far);
        let last = half.width - 1;
        let ends = [0, 1, last - 1, last].map(|at| sum(near[at], far[at]));
        for ((pair, near), far) in out[1..].iter_mut().zip(near.array_windows::<3>()).zip(far.array_windows::<3>()) {
            let [left, middle, right] = [sum(near[0], far[0]), sum(near[1], far[1]), sum(near[2], far[2])];
            *pair = [((3 * middle + left + 8) >> 4) as u8, ((3 * middle + right + 7) >> 4) as u8];
        }
        out[0] = [((4 * ends[0] + 8) >> 4) as u8, ((3 * ends[0] + ends[1] + 7) >> 4) as u8];
        out[last] = [((3 * ends[3] + ends[2] + 8) >> 4) as u8, ((4 * ends[3] + 7) >> 4) as u8];
    }
}
