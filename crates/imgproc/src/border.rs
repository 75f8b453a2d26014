//! What lies beyond an image's edge for the filters that look around a pixel.

/// The index that stands for `at` in a row of `length` (above 0), mirrored at its ends without repeating them:
/// `c b | a b c | b a`. It is torchvision's `reflect` and OpenCV's `BORDER_REFLECT_101`; how far outside does not matter.
pub(crate) fn mirror(at: isize, length: usize) -> usize {
    if at.cast_unsigned() < length {
        // Most places lie inside, and a division is slow.
        return at.cast_unsigned();
    }
    let last = length as isize - 1;
    if last == 0 {
        return 0;
    }
    let at = at.rem_euclid(2 * last);
    at.min(2 * last - at) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_mirrored_at_its_end_pixels_again_and_again() {
        let seen: Vec<usize> = (-5..9).map(|at| mirror(at, 3)).collect();
        assert_eq!(seen, [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0]);
        assert_eq!([mirror(-7, 1), mirror(0, 1), mirror(1, 2), mirror(2, 2)], [0, 0, 1, 0]);
    }
}
