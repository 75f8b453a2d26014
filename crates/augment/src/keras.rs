//! [`KerasConfig`]: Keras' `ImageDataGenerator` as a dialect, with its argument names and meanings.
//!
//! A dialect is for repeating an experiment: it keeps what a version of Keras does, its oddities included. They are these:
//!
//! | | 2.0.8 | 2.15 |
//! | --- | --- | --- |
//! | center of rotation, shear and zoom | half a pixel below and right of the last row's and column's middle: `n / 2 + 0.5` | `n / 2 - 0.5`, but the height's for columns and the width's for rows, which is off the center unless the picture is square |
//! | first axis of the map (`theta`, `tx`, `zx`) | rows | columns: `height_shift_range` is measured in heights and moves columns |
//! | `shear_range` | radians (up to 2.1.2) | degrees (from 2.1.3) |
//! | shifts | fractions | a fraction below 1, else pixels; an integer or a list is chosen from |
//! | order of interpolation | 0 | `interpolation_order`, 0 or 1 |
//! | `channel_shift_range` | one number a channel | one number for all channels |
//! | `brightness_range` | unknown | Pillow's, on levels cut to whole ones |
//! | flips | one number drawn where a flip is on | both numbers always drawn |
//! | `samplewise_*` | refused: each pixel by its channels | each image |
//! | `featurewise_*` | fitted to values before `rescale`; centers where asked to | fitted after `rescale`; what divides also centers |
//! | `zca_whitening` | as above; `zca_epsilon` is added to variances | centers each channel and does not divide; `zca_epsilon` is added to singular values |
//!
//! Numbers are drawn in Keras' order and from its distributions, by this project's generators instead of NumPy's, so a seed
//! gives other pictures than in Keras. The picture is resized to the output first, as `target_size` does (averaging where
//! Keras skips pixels), and then moved at that size.
//!
//! `rescale`, `samplewise_*`, `featurewise_*` and `zca_*` become the [`NormalizationConfig`](crate::NormalizationConfig) of
//! the network ([`Augmentation::normalization`](crate::Augmentation::normalization)); `fit` sees the training images as
//! evaluation does.
//!
//! The tests hold both to what Keras itself computes (`fixtures/reference`): all pixels are exact for interpolation of order
//! 0, and for order 1 within 1 level of 255. So it is after a brightness of up to 2, before which Keras cuts the fractions
//! of levels that are rounded here. Normalized values are within 2e-5 of Keras', which computes in single precision.

mod arguments;
mod generator;
mod map;
mod normalization;
mod pixels;
#[cfg(test)]
mod reference;

pub use self::arguments::{KerasConfig, KerasDataFormat, KerasDtype, KerasFillMode, KerasShiftRange};
use self::generator::Generator;
pub(crate) use self::map::KerasMap;
pub use self::map::KerasVersion;
pub use self::normalization::KerasNormalization;
pub(crate) use self::normalization::KerasStatistics;
pub(crate) use self::pixels::{brightness, shift_channels};

#[cfg(test)]
mod tests {
    use aumenta_imgproc::{Fill, Image, Interpolation, Size};
    use aumenta_seed::Seed;
    use proptest::prelude::*;

    use super::*;
    use crate::{Augmentation, Canvas, Op, Plan, Scratch};

    fn config(text: &str) -> KerasConfig {
        toml::from_str(text).unwrap()
    }

    #[track_caller]
    fn check_refused(text: &str, message: &str) {
        assert_eq!(config(text).build().unwrap_err().to_string(), message);
    }

    #[test]
    fn arguments_that_make_no_sense_are_named() {
        let expected = "expected a finite number of at least 0";
        check_refused("dialect = 'keras-2.15'\nrotation_range = -1", &format!("rotation_range is -1, {expected}"));
        check_refused("dialect = 'keras-2.0.8'\nshear_range = nan", &format!("shear_range is NaN, {expected}"));
        check_refused("dialect = 'keras-2.15'\nzoom_range = 1.5", &format!("zoom_range is -0.5, {expected}"));
        check_refused(
            "dialect = 'keras-2.0.8'\nzoom_range = [1.2, 0.8]",
            "zoom_range is [1.2, 0.8], expected the lower end first",
        );
        check_refused(
            "dialect = 'keras-2.15'\nfill_mode = 'constant'\ncval = 300",
            "cval is 300, expected a whole level from 0 to 255",
        );
        check_refused("dialect = 'keras-2.15'\ncval = 0.5", "cval is 0.5, expected a whole level from 0 to 255");
        check_refused(
            "dialect = 'keras-2.15'\ninterpolation_order = 3",
            "interpolation_order is 3, expected 0 (nearest) or 1 (bilinear)",
        );
        check_refused(
            "dialect = 'keras-2.15'\nwidth_shift_range = []",
            "width_shift_range has no numbers, expected at least one",
        );
        check_refused(
            "dialect = 'keras-2.15'\nheight_shift_range = 70000",
            "height_shift_range is 70000, expected pixels from 0 to 65536",
        );
        check_refused("dialect = 'keras-2.15'\nrescale = inf", "rescale is inf, expected a finite number");
        check_refused(
            "dialect = 'keras-2.0.8'\nzca_whitening = true\nzca_epsilon = 0",
            "zca_epsilon is 0, expected a number above 0",
        );
    }

    #[test]
    fn what_other_parts_do_is_refused_with_their_name() {
        check_refused(
            "dialect = 'keras-2.15'\nvalidation_split = 0.2",
            "validation_split has no equal here: the manifest says which pictures are for validation",
        );
    }

    #[test]
    fn normalizations_without_an_equal_are_named_with_the_reason() {
        check_refused(
            "dialect = 'keras-2.0.8'\nsamplewise_std_normalization = true",
            "samplewise_std_normalization has no equal here: Keras 2.0.8 normalizes each pixel by its own channels, and not \
             each image",
        );
        check_refused(
            "dialect = 'keras-2.15'\nsamplewise_center = true\nzca_whitening = true",
            "samplewise_center has no equal here: images are normalized by their own statistics or by those of the training \
             images, not by both",
        );
        check_refused(
            "dialect = 'keras-2.0.8'\nfeaturewise_std_normalization = true\nzca_whitening = true",
            "featurewise_std_normalization has no equal here: a whitening of divided values is not symmetric, and Keras 2.15 \
             does not divide either",
        );
    }

    #[test]
    fn a_dialect_knows_the_arguments_of_its_version_alone() {
        for (field, value) in [
            ("brightness_range", "[0.5, 1]"),
            ("validation_split", "0"),
            ("interpolation_order", "0"),
            ("dtype", "'float32'"),
        ] {
            let message = format!("{field} has no equal here: Keras 2.0.8 does not know it");
            check_refused(&format!("dialect = 'keras-2.0.8'\n{field} = {value}"), &message);
            config(&format!("dialect = 'keras-2.15'\n{field} = {value}")).build().unwrap();
        }
        check_refused(
            "dialect = 'keras-2.0.8'\nwidth_shift_range = [0.1, 0.2]",
            "width_shift_range has no equal here: Keras 2.0.8 knows one fraction, and no list",
        );
    }

    #[test]
    fn the_resolved_arguments_read_back() {
        for text in [
            "dialect = 'keras-2.0.8'\nrotation_range = 40\nshear_range = 0.2\nzoom_range = 0.2\ncval = 3.0",
            "dialect = 'keras-2.15'\nwidth_shift_range = 7\nheight_shift_range = [1, -2.5]\nbrightness_range = [0.5, 1]",
        ] {
            let written = toml::to_string(&Augmentation::from(config(text))).unwrap();
            assert_eq!(config(&written), config(text), "{written}");
        }
    }

    #[test]
    fn neutral_arguments_draw_nothing() {
        for text in ["dialect = 'keras-2.0.8'\nrescale = 0.00392157", "dialect = 'keras-2.15'\nfill_mode = 'wrap'"] {
            assert!(config(text).is_neutral() && config(text).build().unwrap().is_empty(), "{text}");
        }
    }

    #[test]
    fn drawn_numbers_fill_their_ranges_and_do_not_hang_together() {
        let pipeline = config("dialect = 'keras-2.0.8'\nrotation_range = 40\nzoom_range = 0.2").build().unwrap();
        let drawn: Vec<[f64; 3]> = (0..2000)
            .filter_map(|sample| {
                let plan = pipeline.draw(Canvas::of(Size::square(10)), &mut Seed::new(7).rng("augment", 0, sample));
                match plan.ops[..] {
                    [Op::KerasAffine { theta_degrees, zx, zy, .. }] => {
                        Some([theta_degrees / 40.0, (zx - 1.0) / 0.2, (zy - 1.0) / 0.2])
                    }
                    _ => None,
                }
            })
            .collect();
        assert_eq!(drawn.len(), 2000);
        for number in 0..3 {
            let mean = drawn.iter().map(|numbers| numbers[number]).sum::<f64>() / 2000.0;
            let variance = drawn.iter().map(|numbers| numbers[number].powi(2)).sum::<f64>() / 2000.0;
            assert!(mean.abs() < 0.05 && (variance - 1.0 / 3.0).abs() < 0.03, "{mean} {variance}");
            let next = (number + 1) % 3;
            let product = drawn.iter().map(|numbers| numbers[number] * numbers[next]).sum::<f64>() / 2000.0;
            assert!(product.abs() < 0.03, "{product}");
        }
    }

    proptest! {
        #[test]
        fn no_plan_of_a_dialect_panics(
            numbers in any::<[f64; 6]>(),
            (width, height) in (0usize..4, 0usize..4),
            old in any::<bool>(),
        ) {
            let version = if old { KerasVersion::Keras2_0_8 } else { KerasVersion::Keras2_15 };
            let [theta_degrees, tx_pixels, ty_pixels, shear_radians, zx, zy] = numbers;
            for (fill, interpolation) in [
                (Fill::WrapOverlapping, Interpolation::Nearest),
                (Fill::ConstantBeyondCenters([1, 2, 3]), Interpolation::Bilinear),
            ] {
                let ops = vec![
                    Op::KerasAffine {
                        version,
                        theta_degrees,
                        tx_pixels,
                        ty_pixels,
                        shear_radians,
                        zx,
                        zy,
                        fill,
                        interpolation,
                    },
                    Op::KerasChannelShift { red: zx, green: zy, blue: tx_pixels },
                    Op::KerasBrightness { offset_levels: tx_pixels, factor: ty_pixels },
                ];
                let plan = Plan { ops, ..Plan::identity() };
                let source = Image::filled(width, height, [7, 8, 9]);
                let mut out = Image::default();
                plan.apply(&source, Size { width: 3, height: 2 }, &mut Scratch::default(), &mut out);
                prop_assert_eq!(out.pixels().len(), 18);
            }
        }
    }
}
