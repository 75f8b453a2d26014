//! Pictures that the tests of filters share.

use crate::Image;

/// A picture whose every value looks random, the same at each call.
pub(crate) fn picture(width: usize, height: usize) -> Image {
    let mut state = 7u32;
    let values = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Image::from_pixels(width, height, values.collect())
}

/// Pictures of the sizes that filters stumble over, the empty one among them.
pub(crate) fn sizes() -> Vec<Image> {
    [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2), (3, 2), (2, 3), (5, 7)].map(|(w, h)| picture(w, h)).to_vec()
}
