//! Short captions of operations, for contact sheets and logs.

use std::fmt;

use crate::Op;

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rotate { degrees } => write!(f, "rot {:+.0}°", shown(*degrees, 0)),
            Self::Shift { x_fraction, y_fraction } => {
                write!(f, "shift {:+.2},{:+.2}", shown(*x_fraction, 2), shown(*y_fraction, 2))
            }
            Self::Shear { degrees } => write!(f, "shear {:+.0}°", shown(*degrees, 0)),
            Self::VerticalShear { degrees } => write!(f, "vshear {:+.0}°", shown(*degrees, 0)),
            Self::QuarterTurns { turns } => write!(f, "turn {:+}°", 90 * i64::from(*turns)),
            Self::Crop { x_fraction, y_fraction, width_fraction, height_fraction } => write!(
                f,
                "crop {width_fraction:.2}x{height_fraction:.2} at {:.2},{:.2}",
                shown(*x_fraction, 2),
                shown(*y_fraction, 2)
            ),
            Self::Perspective { top_left, top_right, bottom_right, bottom_left } => {
                let corner = |[x, y]: [f64; 2]| format!("{:.2},{:.2}", shown(x, 2), shown(y, 2));
                let [first, second, third, fourth] = [*top_left, *top_right, *bottom_right, *bottom_left].map(corner);
                write!(f, "persp {first} {second} {third} {fourth}")
            }
            Self::Elastic { alpha_pixels, sigma_pixels, .. } => {
                write!(f, "elastic {alpha_pixels:.0} sigma {sigma_pixels:.1}")
            }
            Self::AugMix { chains, weights, keep } => {
                write!(f, "augmix keep {keep:.2}")?;
                for (chain, weight) in chains.iter().zip(weights) {
                    write!(f, " + {weight:.2}(")?;
                    for (at, op) in chain.iter().enumerate() {
                        write!(f, "{}{op}", if at == 0 { "" } else { " " })?;
                    }
                    f.write_str(")")?;
                }
                Ok(())
            }
            Self::Zoom { x, y } => write!(f, "zoom {x:.2},{y:.2}"),
            Self::HorizontalFlip {} => f.write_str("flip"),
            Self::VerticalFlip {} => f.write_str("vflip"),
            Self::Brightness { factor } | Self::KerasBrightness { factor, .. } => write!(f, "bright {factor:.2}"),
            Self::Contrast { factor } => write!(f, "contrast {factor:.2}"),
            Self::Saturation { factor } => write!(f, "sat {factor:.2}"),
            Self::KerasAffine { theta_degrees, tx_pixels, ty_pixels, shear_radians, zx, zy, .. } => write!(
                f,
                "keras theta {:+.0}° tx {:+.0} ty {:+.0} shear {:+.0}° zx {zx:.2} zy {zy:.2}",
                shown(*theta_degrees, 0),
                shown(*tx_pixels, 0),
                shown(*ty_pixels, 0),
                shown(shear_radians.to_degrees(), 0)
            ),
            Self::KerasChannelShift { red, green, blue } => {
                write!(f, "channels {:+.0},{:+.0},{:+.0}", shown(*red, 0), shown(*green, 0), shown(*blue, 0))
            }
            Self::ContrastAboutMean { factor } => write!(f, "mean-contrast {factor:.2}"),
            Self::ChannelShift { red_levels, green_levels, blue_levels } => {
                let [red, green, blue] = [red_levels, green_levels, blue_levels].map(|levels| shown(*levels, 0));
                write!(f, "channels {red:+.0},{green:+.0},{blue:+.0}")
            }
            Self::Hue { turns } => write!(f, "hue {:+.2}", shown(*turns, 2)),
            Self::Gamma { exponent } => write!(f, "gamma {exponent:.2}"),
            Self::Grayscale {} => f.write_str("gray"),
            Self::Invert {} => f.write_str("invert"),
            Self::Posterize { bits } => write!(f, "posterize {bits}"),
            Self::Solarize { threshold_level } => write!(f, "solarize {threshold_level}"),
            Self::Equalize {} => f.write_str("equalize"),
            Self::Autocontrast { cutoff_percent } => write!(f, "autocontrast {cutoff_percent:.0}%"),
            Self::Clahe { clip_limit, tiles } => write!(f, "clahe {clip_limit:.1},{tiles}"),
            Self::Sharpness { factor } => write!(f, "sharp {factor:.2}"),
            Self::GaussianBlur { sigma_pixels } => write!(f, "blur {sigma_pixels:.1}px"),
            Self::MotionBlur { length_pixels, angle_degrees } => {
                write!(f, "motion {length_pixels:.0}px {:+.0}°", shown(*angle_degrees, 0))
            }
            Self::GaussianNoise { sigma_levels, .. } => write!(f, "noise {sigma_levels:.1}"),
            Self::SaltAndPepper { fraction, .. } => write!(f, "salt {fraction:.3}"),
            Self::ShotNoise { photons_at_white, .. } => write!(f, "shot {photons_at_white:.0}"),
            Self::Jpeg { quality } => write!(f, "jpeg {quality}"),
            Self::Downscale { fraction } => write!(f, "downscale {fraction:.2}"),
            Self::Erase { left_fraction, top_fraction, width_fraction, height_fraction, .. } => {
                let [left, top] = [left_fraction, top_fraction].map(|fraction| shown(*fraction, 2));
                write!(f, "erase {width_fraction:.2}x{height_fraction:.2}{left:+.2}{top:+.2}")
            }
            Self::GridMask { unit_fraction, keep_fraction, rotation_degrees, .. } => {
                write!(f, "grid {unit_fraction:.2} keep {keep_fraction:.2}")?;
                if *rotation_degrees == 0.0 { Ok(()) } else { write!(f, " {:+.0}°", shown(*rotation_degrees, 0)) }
            }
        }
    }
}

/// `value` rounded to so many digits, where what rounds to zero has no minus sign.
fn shown(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale + 0.0
}
