//! [`equalize`] and [`autocontrast`]: curves that a picture's own histogram decides, for each channel apart.

use crate::{Image, Table};

/// Flattens each channel's histogram, in Pillow's arithmetic (`ImageOps.equalize`) to the last bit.
///
/// With a step of `(pixels - pixels of the largest value) / 255`, a value becomes the pixels below it plus half a step,
/// over the step. Where the step is 0 (a channel of few pixels or of a single value) the channel stays.
///
/// ```
/// use aumenta_imgproc::{Image, equalize};
///
/// // A narrow ramp in gray.
/// let mut ramp = Image::from_pixels(512, 1, (0..512).flat_map(|x| [100 + (x / 32) as u8; 3]).collect());
/// equalize(&mut ramp);
/// assert_eq!([ramp.get(0, 0), ramp.get(255, 0), ramp.get(511, 0)], [[0; 3], [224; 3], [255; 3]]);
/// ```
pub fn equalize(image: &mut Image) {
    let curves = histograms(image).map(|counts| equalizing(&counts));
    apply(&curves, image);
}

/// Stretches each channel so that its darkest value becomes 0 and its brightest 255, in Pillow's arithmetic
/// (`ImageOps.autocontrast`) to the last bit.
///
/// `cutoff_percent` of the pixels are left out of account at either end of the histogram; 0 is the default of Pillow and
/// all that torchvision has. Fractions are cut off after they were computed in floating point, which for some ranges makes
/// the brightest value 254. A channel with a single value left stays. Numbers below 0 and NaN count as 0; from 50 on
/// nothing is left and nothing changes.
///
/// ```
/// use aumenta_imgproc::{Image, autocontrast};
///
/// let mut image = Image::from_pixels(3, 1, vec![51, 7, 0, 76, 7, 9, 102, 7, 255]);
/// autocontrast(&mut image, 0.0);
/// assert_eq!(image.pixels(), [0, 7, 0, 125, 7, 9, 255, 7, 255]);
/// ```
pub fn autocontrast(image: &mut Image, cutoff_percent: f64) {
    let cutoff_percent = cutoff_percent.clamp(0.0, 100.0);
    let curves = histograms(image).map(|counts| stretching(&counts, cutoff_percent));
    apply(&curves, image);
}

/// How often each channel has each value.
fn histograms(image: &Image) -> [[u64; 256]; 3] {
    let mut counts = [[0; 256]; 3];
    for [red, green, blue] in image.pixels().as_chunks::<3>().0 {
        counts[0][usize::from(*red)] += 1;
        counts[1][usize::from(*green)] += 1;
        counts[2][usize::from(*blue)] += 1;
    }
    counts
}

fn equalizing(counts: &[u64; 256]) -> [u8; 256] {
    let pixels: u64 = counts.iter().sum();
    let largest = counts.iter().rev().find(|&&count| count > 0).unwrap_or(&0);
    let step = (pixels - largest) / 255;
    if step == 0 {
        return identity();
    }
    let mut below = step / 2;
    counts.map(|count| {
        let value = (below / step).min(255) as u8;
        below += count;
        value
    })
}

fn stretching(counts: &[u64; 256], cutoff_percent: f64) -> [u8; 256] {
    let pixels: u64 = counts.iter().sum();
    let cut = (pixels as f64 * cutoff_percent / 100.0) as u64;
    let low = first_beyond(cut, counts.iter());
    let high = first_beyond(cut, counts.iter().rev()).map(|at| 255 - at);
    let (Some(low), Some(high)) = (low, high) else { return identity() };
    if high <= low {
        return identity();
    }
    // In floating point, because Pillow's results are those of this rounding.
    let scale = 255.0 / (high as f64 - low as f64);
    let offset = -(low as f64) * scale;
    identity().map(|value| (f64::from(value) * scale + offset) as u8)
}

/// The first place at which more than `cut` pixels have been passed.
fn first_beyond<'a>(cut: u64, counts: impl Iterator<Item = &'a u64>) -> Option<usize> {
    let mut passed = 0;
    counts.enumerate().find_map(|(at, count)| {
        passed += count;
        (passed > cut).then_some(at)
    })
}

fn identity() -> [u8; 256] {
    std::array::from_fn(|value| value as u8)
}

fn apply(curves: &[[u8; 256]; 3], image: &mut Image) {
    Table::from_channels(*curves).apply_to_pixels(image.pixels_mut().as_chunks_mut().0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_picture::pictures;

    #[test]
    fn few_pixels_and_single_values_stay() {
        for image in [Image::default(), Image::filled(1, 1, [3, 4, 5]), Image::filled(300, 300, [9, 0, 255])] {
            let mut changed = image.clone();
            equalize(&mut changed);
            autocontrast(&mut changed, 0.0);
            assert_eq!(changed, image);
        }
    }

    #[test]
    fn the_cutoff_ignores_the_extremes() {
        let values = [0, 100, 100, 100, 110, 110, 120, 120, 120, 255];
        let mut image = Image::from_pixels(10, 1, values.iter().flat_map(|&value| [value; 3]).collect());
        let untouched = image.clone();
        autocontrast(&mut image, 10.0);
        let changed: Vec<u8> = image.pixels().iter().step_by(3).copied().collect();
        assert_eq!(changed, [0, 0, 0, 0, 127, 127, 255, 255, 255, 255]);
        let mut image = untouched.clone();
        autocontrast(&mut image, 100.0);
        assert_eq!(image, untouched);
    }

    proptest! {
        #[test]
        fn the_order_of_values_is_kept(image in pictures(), cutoff_percent in any::<f64>()) {
            for change in [equalize, |image: &mut Image| autocontrast(image, 0.0)] {
                let mut changed = image.clone();
                change(&mut changed);
                let mut pairs: Vec<_> = image.pixels().iter().step_by(3).zip(changed.pixels().iter().step_by(3)).collect();
                pairs.sort_unstable();
                prop_assert!(pairs.is_sorted_by_key(|(_, after)| **after));
            }
            autocontrast(&mut image.clone(), cutoff_percent);
        }

        #[test]
        fn a_stretched_channel_reaches_both_ends(image in pictures()) {
            let mut changed = image.clone();
            autocontrast(&mut changed, 0.0);
            for channel in 0..3 {
                let values = || image.pixels().iter().skip(channel).step_by(3);
                if values().min() < values().max() {
                    prop_assert_eq!(changed.pixels().iter().skip(channel).step_by(3).min(), Some(&0));
                    prop_assert!(changed.pixels().iter().skip(channel).step_by(3).max() >= Some(&254));
                }
            }
        }
    }
}
