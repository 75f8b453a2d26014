//! `RandomCrop`, a window in pixels, as our fractions.

use super::draft::{Draft, Group};
use crate::TransformConfig;

/// A window of `size_pixels` (width and height) over the picture with `padding_pixels` on each side.
pub(super) fn random_crop(size_pixels: [f64; 2], padding_pixels: f64, probability: f64, draft: &mut Draft) -> Group {
    let picture = draft.size_pixels.replace(size_pixels);
    if picture.is_none() && padding_pixels == 0.0 {
        draft.no_equal(
            "RandomCrop",
            "nothing before says what it is cut from; `crop` takes a size-fraction, 0.875 for 224 of 256 pixels",
        );
        return Group::none().with_probability(probability);
    }
    let from = picture.unwrap_or(size_pixels);
    let fractions = [size_pixels[0] / from[0], size_pixels[1] / from[1]];
    if fractions[0] != fractions[1] || from[0] != from[1] && padding_pixels != 0.0 {
        draft.approximate("RandomCrop", "width and height have the same fractions, those of the width");
    } else if picture.is_none() {
        draft.approximate("RandomCrop", "the picture is taken to be as large as the window");
    } else {
        draft.exact("RandomCrop");
    }
    let crop = TransformConfig::Crop { size_fraction: fractions[0], padding_fraction: padding_pixels / from[0] };
    Group::one(crop, probability)
}
