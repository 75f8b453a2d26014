//! [`AugMix`].

use rand::{Rng, RngExt as _};

use super::space::{Kind, Space, Translation, any_of};
use crate::transform::in_range;
use crate::{AugmentError, Canvas, Op, Plan, Transform};

/// Mixes every picture with what chains of operations make of it (Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan,
/// *`AugMix`: A Simple Data Processing Method to Improve Robustness and Uncertainty*, 2020, algorithm 1).
///
/// Each of `width` chains has one to three operations, each drawn uniformly from shear and translation in either direction,
/// rotation, posterization, solarization, autocontrast and equalization: those that are not among the corruptions of
/// `ImageNet-C`. The chains' weights are from a Dirichlet distribution and the picture's own share from a Beta distribution,
/// both of the paper's parameter 1: every set of weights, and every share, is as likely as any other.
///
/// An operation's strength is one of the first `severity` of ten bins, from none to a shear of 0.3, a translation by a third
/// of the side, a rotation by 30 degrees, 0 bits and a threshold of 0, as in torchvision. (The paper also trains with a loss
/// between two mixtures of a picture, which is not part of this.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugMix {
    severity: u32,
    width: u32,
}

const SPACE: Space = Space {
    shear: 0.3,
    translation: Translation::Fraction(1.0 / 3.0),
    rotation_degrees: 30.0,
    enhancement: 0.0,
    bits: [4.0, 0.0],
};

const KINDS: [Kind; 9] = [
    Kind::ShearX,
    Kind::ShearY,
    Kind::TranslateX,
    Kind::TranslateY,
    Kind::Rotate,
    Kind::Posterize,
    Kind::Solarize,
    Kind::AutoContrast,
    Kind::Equalize,
];

impl AugMix {
    /// Chains of this severity, so many of them; customary are 3 and 3.
    ///
    /// # Errors
    /// Where `severity` is not in `[1, 10]`, or `width` is not in `[1, 10]`.
    pub fn new(severity: u32, width: u32) -> Result<Self, AugmentError> {
        in_range("severity", f64::from(severity), 1.0, 10.0, "a number from 1 to 10")?;
        in_range("width", f64::from(width), 1.0, 10.0, "a number from 1 to 10")?;
        Ok(Self { severity, width })
    }

    fn chain(self, canvas: Canvas, rng: &mut dyn Rng) -> Vec<Op> {
        let mut chain = Plan::identity();
        for _ in 0..rng.random_range(1..=3) {
            let kind = any_of(&KINDS, rng);
            let strength = f64::from(rng.random_range(0..self.severity)) / 9.0;
            SPACE.push(kind, strength, canvas, rng, &mut chain);
        }
        chain.ops
    }
}

impl Transform for AugMix {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let weights = flat_dirichlet(self.width as usize, rng);
        let keep = rng.random();
        let chains = (0..self.width).map(|_| self.chain(canvas, rng)).collect();
        plan.ops.push(Op::AugMix { chains, weights, keep });
    }
}

/// Weights that sum to 1, every such set as likely as any other: the gaps between uniform numbers in order (Devroye,
/// *Non-Uniform Random Variate Generation*, 1986, section V.2).
fn flat_dirichlet(count: usize, rng: &mut dyn Rng) -> Vec<f64> {
    let mut ends: Vec<f64> = (1..count).map(|_| rng.random()).collect();
    ends.sort_by(f64::total_cmp);
    ends.push(1.0);
    let mut last = 0.0;
    ends.iter().map(|end| end - std::mem::replace(&mut last, *end)).collect()
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;

    #[test]
    fn weights_sum_to_one_and_have_the_moments_of_their_distribution() {
        let (mut sum, mut squares) = (0.0, 0.0);
        for sample in 0..4000 {
            let weights = flat_dirichlet(3, &mut Seed::new(7).rng("augment", 0, sample));
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            sum += weights[1];
            squares += weights[1] * weights[1];
        }
        let (mean, square) = (sum / 4000.0, squares / 4000.0);
        // Dirichlet(1, 1, 1): mean 1/3, variance 2/36.
        assert!(
            (mean - 1.0 / 3.0).abs() < 0.012 && (square - mean * mean - 2.0 / 36.0).abs() < 0.005,
            "{mean} {square}"
        );
        assert_eq!(flat_dirichlet(1, &mut Seed::new(7).rng("augment", 0, 0)), [1.0]);
    }

    #[test]
    fn chains_have_one_to_three_operations_and_are_never_stronger_than_asked() {
        let mut plan = Plan::identity();
        for sample in 0..300 {
            let rng = &mut Seed::new(7).rng("augment", 0, sample);
            AugMix::new(4, 2).unwrap().draw(Canvas::of(Size::square(32)), rng, &mut plan);
        }
        for op in &plan.ops {
            let Op::AugMix { chains, weights, keep } = op else { panic!("{op}") };
            assert!(chains.len() == 2 && weights.len() == 2 && (0.0..1.0).contains(keep));
            assert!(chains.iter().all(|chain| (1..=3).contains(&chain.len())));
            for op in chains.iter().flatten() {
                assert!(!matches!(op, Op::Rotate { degrees } if degrees.abs() > 10.0 + 1e-9), "{op}");
                assert!(!matches!(op, Op::Posterize { bits: ..3 }), "{op}");
            }
        }
    }

    #[test]
    fn severities_and_widths_out_of_range_are_refused() {
        for (severity, width) in [(0, 3), (11, 3), (3, 0), (3, 11)] {
            assert!(AugMix::new(severity, width).is_err());
        }
    }
}
