//! A photograph that is drawn, so that a run needs no data.

use aumenta_drawn::{Animal, draw};
use aumenta_imgproc::{Image, Size};
use aumenta_seed::Seed;

/// The size of a decoded photograph.
pub const PHOTOGRAPH: Size = Size { width: 500, height: 375 };

/// The animal on photograph `index`.
pub fn animal(index: u64) -> Animal {
    Animal::ALL[index as usize % 2]
}

/// Photograph `index`: a drawn animal, cut to [`PHOTOGRAPH`].
pub fn photograph(seed: Seed, index: u64) -> Image {
    let Size { width, height } = PHOTOGRAPH;
    let square = draw(animal(index), seed, index, width);
    let top = (width - height) / 2 * width * 3;
    Image::from_pixels(width, height, square.pixels()[top..top + width * height * 3].to_vec())
}
