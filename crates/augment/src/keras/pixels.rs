//! Pixels as Keras and the libraries under it change them.

use aumenta_imgproc::{ColorStep, Image, Table};

/// Adds `levels` to the channels and clips to the range of the levels in `image`.
pub(crate) fn shift_channels(image: &mut Image, levels: [f64; 3]) {
    let low = f64::from(image.pixels().iter().copied().min().unwrap_or(0));
    let high = f64::from(image.pixels().iter().copied().max().unwrap_or(0));
    let channel = |levels: f64| std::array::from_fn(|value| ((value as f64 + levels).clamp(low, high) + 0.5) as u8);
    let shifted = Table::from_channels(levels.map(channel));
    for pixel in image.pixels_mut().as_chunks_mut().0 {
        *pixel = shifted.apply(*pixel);
    }
}

/// Adds `offset_levels` to all levels and multiplies them by `factor`, in single precision, and cuts fractions off.
pub(crate) fn brightness(offset_levels: f64, factor: f64) -> ColorStep {
    ColorStep::Table(Table::from_fn(|value| ((f32::from(value) + offset_levels as f32) * factor as f32) as u8))
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::ColorChain;

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
        let bright = |factor| {
            let mut chain = ColorChain::default();
            chain.push(brightness(0.0, factor));
            chain.apply([3, 101, 200])
        };
        assert_eq!(bright(0.5), [1, 50, 100]);
        assert_eq!(bright(2.75), [8, 255, 255]);
        assert_eq!(bright(1.0), [3, 101, 200]);
        assert_eq!(bright(-1.0), [0, 0, 0]);
    }

    #[test]
    fn half_a_level_less_is_within_a_level_of_either_neighbor() {
        let level = |offset_levels, value, factor| {
            let mut chain = ColorChain::default();
            chain.push(brightness(offset_levels, factor));
            i32::from(chain.apply([value; 3])[0])
        };
        for factor in [0.3, 1.0, 1.2, 1.5, 1.97, 2.0] {
            for value in 1..=255 {
                let between = level(-0.5, value, factor);
                let apart = [value - 1, value].map(|cut| (between - level(0.0, cut, factor)).abs());
                assert!(apart.iter().all(|apart| *apart <= 1), "{value} * {factor}: {apart:?}");
            }
        }
    }

    #[test]
    fn an_empty_picture_stays_empty() {
        let mut image = Image::default();
        shift_channels(&mut image, [1.0; 3]);
        assert_eq!(image, Image::default());
    }
}
