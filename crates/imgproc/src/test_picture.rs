//! Pictures that the tests of filters share.

use proptest::prelude::*;

use crate::Image;

/// A picture whose every value looks random, the same at each call.
pub(crate) fn picture(width: usize, height: usize) -> Image {
    seeded(width, height, 7)
}

/// Pictures of the sizes that filters stumble over, the empty one among them.
pub(crate) fn sizes() -> Vec<Image> {
    [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2), (3, 2), (2, 3), (5, 7)].map(|(w, h)| picture(w, h)).to_vec()
}

/// Pictures of random pixels, the empty one and those of a single row or column among them.
pub(crate) fn pictures() -> impl Strategy<Value = Image> {
    let side = || prop_oneof![1 => 0usize..=1, 1 => 2usize..=4, 3 => 5usize..=60];
    (side(), side(), any::<u32>()).prop_map(|(width, height, seed)| seeded(width, height, seed))
}

fn seeded(width: usize, height: usize, seed: u32) -> Image {
    let mut state = seed;
    let values = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Image::from_pixels(width, height, values.collect())
}
