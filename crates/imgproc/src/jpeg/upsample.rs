//! Twice the samples of a row or a column, for components that are stored at half the picture's size.
//!
//! Each new sample is three parts the closest one and one part the next closest, and beyond the ends the last sample goes
//! on. Halves are rounded up and down by turns, so that rounding shifts nothing on the whole.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

/// Doubles a row along both axes: `near` is the closest row, `far` the next closest. `out` has twice their length.
///
/// # Panics
/// Where the rows are empty.
#[inline(always)]
pub fn double_both(near: &[u8], far: &[u8], out: &mut [u8]) {
    let sum = |at: usize| 3 * u16::from(near[at]) + u16::from(far[at]);
    let out = &mut out.as_chunks_mut::<2>().0[..near.len()];
    let last = near.len() - 1;
    let pairs = near.array_windows::<3>().zip(far.array_windows::<3>());
    for (pair, (near, far)) in out.iter_mut().skip(1).zip(pairs) {
        let [left, middle, right]: [u16; 3] = std::array::from_fn(|at| 3 * u16::from(near[at]) + u16::from(far[at]));
        *pair = [((3 * middle + left + 8) >> 4) as u8, ((3 * middle + right + 7) >> 4) as u8];
    }
    let (second, before_last) = (sum(1.min(last)), sum(last.saturating_sub(1)));
    out[0] = [((4 * sum(0) + 8) >> 4) as u8, ((3 * sum(0) + second + 7) >> 4) as u8];
    out[last][1] = ((4 * sum(last) + 7) >> 4) as u8;
    if last > 0 {
        out[last][0] = ((3 * sum(last) + before_last + 8) >> 4) as u8;
    }
}

/// Doubles a row along itself; `out` has twice its length.
///
/// # Panics
/// Where the row is empty.
#[inline(always)]
pub fn double_columns(row: &[u8], out: &mut [u8]) {
    let value = |at: usize| u16::from(row[at]);
    let out = &mut out.as_chunks_mut::<2>().0[..row.len()];
    let last = row.len() - 1;
    for (pair, values) in out.iter_mut().skip(1).zip(row.array_windows::<3>()) {
        let [left, middle, right]: [u16; 3] = std::array::from_fn(|at| u16::from(values[at]));
        *pair = [((3 * middle + left + 1) >> 2) as u8, ((3 * middle + right + 2) >> 2) as u8];
    }
    let (second, before_last) = (value(1.min(last)), value(last.saturating_sub(1)));
    out[0] = [row[0], ((3 * value(0) + second + 2) >> 2) as u8];
    out[last][1] = row[last];
    if last > 0 {
        out[last][0] = ((3 * value(last) + before_last + 1) >> 2) as u8;
    }
}

/// A row between `near`, the closest one, and `far`, which is above in even rows of the picture and below in odd ones.
#[inline(always)]
pub fn between_rows(near: &[u8], far: &[u8], is_odd: bool, out: &mut [u8]) {
    let bias = 1 + u16::from(is_odd);
    for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
        *out = ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
    }
}

/// Each sample twice.
#[inline(always)]
pub fn repeat_columns(row: &[u8], out: &mut [u8]) {
    for (pair, &value) in out.as_chunks_mut().0.iter_mut().zip(row) {
        *pair = [value; 2];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_between_their_neighbors() {
        let mut out = [0; 6];
        double_columns(&[0, 100, 40], &mut out);
        assert_eq!(out, [0, 25, 75, 85, 55, 40]);
        double_both(&[0, 100, 40], &[0, 100, 40], &mut out);
        assert_eq!(out, [0, 25, 75, 85, 55, 40]);
        double_both(&[10, 10, 10], &[50, 50, 50], &mut out);
        assert_eq!(out, [20; 6]);
        repeat_columns(&[7, 8, 9], &mut out);
        assert_eq!(out, [7, 7, 8, 8, 9, 9]);
        between_rows(&[10, 10], &[12, 13], false, &mut out[..2]);
        assert_eq!(out[..2], [10, 11]);
        between_rows(&[10, 10], &[12, 13], true, &mut out[..2]);
        assert_eq!(out[..2], [11, 11]);
    }

    #[test]
    fn a_single_sample_stays_what_it_is() {
        let mut out = [0; 2];
        double_columns(&[77], &mut out);
        assert_eq!(out, [77; 2]);
        double_both(&[77], &[77], &mut out);
        assert_eq!(out, [77; 2]);
    }
}
