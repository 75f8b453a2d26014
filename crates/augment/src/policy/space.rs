//! [`Space`]: the operations from which the published policies draw, and how strong they become.

use rand::{Rng, RngExt as _};

use crate::{Canvas, Op, Plan};

/// A kind of operation, by the name that the papers give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Color,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
    Invert,
}

/// The kinds that `RandAugment` and `TrivialAugment` choose from.
pub(super) const ALL_BUT_INVERT: [Kind; 14] = [
    Kind::Identity,
    Kind::ShearX,
    Kind::ShearY,
    Kind::TranslateX,
    Kind::TranslateY,
    Kind::Rotate,
    Kind::Brightness,
    Kind::Color,
    Kind::Contrast,
    Kind::Sharpness,
    Kind::Posterize,
    Kind::Solarize,
    Kind::AutoContrast,
    Kind::Equalize,
];

/// How strong the operations of a policy are at full strength; at none, they change nothing.
///
/// The numbers are those of torchvision, which took them from the papers' programs. Shears lean about the middle of the
/// picture instead of its corner, so that more of it stays in sight.
#[derive(Debug)]
pub(super) struct Space {
    /// The tangent of the lean.
    pub shear: f64,
    /// The way.
    pub translation: Translation,
    /// The angle.
    pub rotation_degrees: f64,
    /// How far the factors of brightness, color, contrast and sharpness are from 1.
    pub enhancement: f64,
    /// The bits of posterization, without strength and with all of it.
    pub bits: [f64; 2],
}

/// How far a translation goes, always a whole number of pixels.
#[derive(Debug)]
pub(super) enum Translation {
    /// In widths and heights of the output.
    Fraction(f64),
    Pixels(f64),
}

impl Space {
    /// The strengths among which `AutoAugment` was searched, and which `RandAugment` has kept.
    pub const SEARCHED: Self = Self {
        shear: 0.3,
        translation: Translation::Fraction(150.0 / 331.0),
        rotation_degrees: 30.0,
        enhancement: 0.9,
        bits: [8.0, 4.0],
    };

    /// Appends an operation of a strength from 0 to 1; where it has two directions, either is drawn as often.
    pub fn push(&self, kind: Kind, strength: f64, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut either = |amount: f64| if rng.random_bool(0.5) { amount * strength } else { -amount * strength };
        plan.ops.push(match kind {
            Kind::Identity => return,
            Kind::ShearX => Op::Shear { degrees: libm::atan(either(self.shear)).to_degrees() },
            Kind::ShearY => Op::VerticalShear { degrees: libm::atan(either(self.shear)).to_degrees() },
            Kind::TranslateX => {
                let x_fraction = self.translation.fraction(canvas.output.width, &mut either);
                Op::Shift { x_fraction, y_fraction: 0.0 }
            }
            Kind::TranslateY => {
                let y_fraction = self.translation.fraction(canvas.output.height, &mut either);
                Op::Shift { x_fraction: 0.0, y_fraction }
            }
            Kind::Rotate => Op::Rotate { degrees: either(self.rotation_degrees) },
            Kind::Brightness => Op::Brightness { factor: 1.0 + either(self.enhancement) },
            Kind::Color => Op::Saturation { factor: 1.0 + either(self.enhancement) },
            Kind::Contrast => Op::ContrastAboutMean { factor: 1.0 + either(self.enhancement) },
            Kind::Sharpness => Op::Sharpness { factor: 1.0 + either(self.enhancement) },
            Kind::Posterize => {
                let [weak, strong] = self.bits;
                Op::Posterize { bits: (weak + (strong - weak) * strength).round() as u8 }
            }
            Kind::Solarize => Op::Solarize { threshold_level: (255.0 * (1.0 - strength)).ceil() as u16 },
            Kind::AutoContrast => Op::Autocontrast { cutoff_percent: 0.0 },
            Kind::Equalize => Op::Equalize {},
            Kind::Invert => Op::Invert {},
        });
    }
}

impl Translation {
    /// In lengths of the output's side, which has `side` pixels.
    fn fraction(&self, side: usize, either: &mut impl FnMut(f64) -> f64) -> f64 {
        let side = side.max(1) as f64;
        let pixels = either(match self {
            Self::Fraction(fraction) => fraction * side,
            Self::Pixels(pixels) => *pixels,
        });
        pixels.trunc() / side
    }
}

/// One of `kinds`, each as often as the others.
pub(super) fn any_of(kinds: &[Kind], rng: &mut dyn Rng) -> Kind {
    kinds[rng.random_range(0..kinds.len())]
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;

    /// The operations of a kind in both directions.
    fn both(kind: Kind, strength: f64) -> Vec<Op> {
        let canvas = Canvas::of(Size { width: 331, height: 100 });
        let mut plan = Plan::identity();
        for sample in 0..20 {
            Space::SEARCHED.push(kind, strength, canvas, &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        let mut found: Vec<Op> = Vec::new();
        for op in plan.ops {
            if !found.contains(&op) {
                found.push(op);
            }
        }
        found.sort_by_key(ToString::to_string);
        found
    }

    #[test]
    fn numbers_are_those_of_torchvision() {
        // torchvision 0.29.2: AutoAugment's bins 9 and 3 of 10, RandAugment's 9 of 31.
        let shift = |x: f64, y: f64| Op::Shift { x_fraction: x / 331.0, y_fraction: y / 100.0 };
        assert_eq!(both(Kind::TranslateX, 1.0), [shift(150.0, 0.0), shift(-150.0, 0.0)]);
        assert_eq!(both(Kind::TranslateY, 0.3), [shift(0.0, 13.0), shift(0.0, -13.0)]);
        assert_eq!(both(Kind::Rotate, 0.3), [Op::Rotate { degrees: 9.0 }, Op::Rotate { degrees: -9.0 }]);
        let factors = both(Kind::Color, 1.0);
        assert!(matches!(factors[..], [Op::Saturation { factor: 0.09..0.11 }, Op::Saturation { factor: 1.9 }]));
        assert_eq!(both(Kind::Posterize, 0.3), [Op::Posterize { bits: 7 }]);
        assert_eq!(both(Kind::Posterize, 1.0), [Op::Posterize { bits: 4 }]);
        assert_eq!(both(Kind::Solarize, 0.3), [Op::Solarize { threshold_level: 179 }]);
        assert_eq!(both(Kind::Solarize, 1.0), [Op::Solarize { threshold_level: 0 }]);
        let [Op::Shear { degrees: left }, Op::Shear { degrees: right }] = both(Kind::ShearX, 1.0)[..] else {
            panic!("two directions");
        };
        assert!((left + right).abs() < 1e-12 && (left.abs() - 16.699_244_234).abs() < 1e-8, "{left}");
        assert_eq!(both(Kind::Identity, 1.0), []);
    }
}
