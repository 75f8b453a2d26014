//! Pixels as Keras changes them: on the whole picture, at the output's size.

use aumenta_imgproc::{ColorChain, Image, Sampling, Slot, warp};

use super::KerasMap;

/// Resamples `image` by `map`, as `scipy.ndimage.affine_transform` does; `spare` is a buffer of any content.
pub(crate) fn resample(image: &mut Image, map: &KerasMap, sampling: Sampling, spare: &mut Image) {
    let size = image.size();
    spare.resize_buffer(size.width, size.height);
    warp(image, &map.matrix(size), sampling, &ColorChain::default(), size, Slot::Bytes(spare.pixels_mut()));
    std::mem::swap(image, spare);
}

/// Adds `levels` to the channels and clips to the range of the levels in `image`.
pub(crate) fn shift_channels(image: &mut Image, levels: [f64; 3]) {
    let low = image.pixels().iter().copied().min().unwrap_or(0);
    let high = image.pixels().iter().copied().max().unwrap_or(0);
    let (low, high) = (f64::from(low), f64::from(high));
    let shifted = levels.map(|levels| table(|value| (f64::from(value) + levels).clamp(low, high) + 0.5));
    for pixel in image.pixels_mut().as_chunks_mut::<3>().0 {
        for (value, table) in pixel.iter_mut().zip(&shifted) {
            *value = table[usize::from(*value)];
        }
    }
}

/// Multiplies all levels by `factor`, in single precision, and cuts fractions off.
pub(crate) fn multiply(image: &mut Image, factor: f64) {
    let multiplied = table(|value| f64::from(f32::from(value) * factor as f32));
    for value in image.pixels_mut() {
        *value = multiplied[usize::from(*value)];
    }
}

/// What `change` makes of every level, its fraction cut off; levels end at 0 and 255.
fn table(change: impl Fn(u8) -> f64) -> [u8; 256] {
    std::array::from_fn(|value| change(value as u8) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_shift_stays_within_the_pictures_own_levels() {
        let mut image = Image::from_pixels(2, 1, vec![50, 100, 150, 60, 110, 200]);
        shift_channels(&mut image, [-20.0, 0.4, 70.5]);
        assert_eq!(image.pixels(), [50, 100, 200, 50, 110, 200]);
        shift_channels(&mut image, [0.5, -0.5, f64::NAN]);
        assert_eq!(image.pixels(), [51, 100, 0, 51, 110, 0]);
    }

    #[test]
    fn brightness_cuts_fractions_off() {
        let mut image = Image::from_pixels(1, 1, vec![3, 101, 200]);
        multiply(&mut image, 0.5);
        assert_eq!(image.pixels(), [1, 50, 100]);
        multiply(&mut image, 2.75);
        assert_eq!(image.pixels(), [2, 137, 255]);
        multiply(&mut image, -1.0);
        assert_eq!(image.pixels(), [0, 0, 0]);
    }

    #[test]
    fn an_empty_picture_stays_empty() {
        let mut image = Image::default();
        shift_channels(&mut image, [1.0; 3]);
        multiply(&mut image, 2.0);
        assert_eq!(image, Image::default());
    }
}
