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
/// `ImageNet-C`. The chains' weights are from the Dirichlet distribution of parameters `alpha` and the picture's own share from
/// Beta(`alpha`, `alpha`). With the paper's 1 every set of weights, and every share, is as likely as any other; below it one
/// chain prevails, above it all come to weigh the same.
///
/// An operation's strength is one of the first `severity` of ten bins, from none to a shear of 0.3, a translation by a third
/// of the side, a rotation by 30 degrees, 0 bits and a threshold of 0, as in torchvision. (The paper also trains with a loss
/// between two mixtures of a picture, which is not part of this.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AugMix {
    severity: u32,
    width: u32,
    alpha: f64,
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
    /// Chains of this severity, so many of them, with weights of this parameter; customary are 3, 3 and 1.
    ///
    /// # Errors
    /// Where `severity` is not in `[1, 10]`, `width` is not in `[1, 10]`, or `alpha` is not in `[0.05, 100]`.
    pub fn new(severity: u32, width: u32, alpha: f64) -> Result<Self, AugmentError> {
        in_range("severity", f64::from(severity), 1.0, 10.0, "a number from 1 to 10")?;
        in_range("width", f64::from(width), 1.0, 10.0, "a number from 1 to 10")?;
        in_range("alpha", alpha, 0.05, 100.0, "a number from 0.05 to 100")?;
        Ok(Self { severity, width, alpha })
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
        let weights = dirichlet(self.width as usize, self.alpha, rng);
        let keep = dirichlet(2, self.alpha, rng)[0];
        let chains = (0..self.width).map(|_| self.chain(canvas, rng)).collect();
        plan.ops.push(Op::AugMix { chains, weights, keep });
    }
}

/// Weights that sum to 1, of the Dirichlet distribution with all parameters `alpha`: Gamma(alpha) numbers over their sum
/// (Devroye, *Non-Uniform Random Variate Generation*, 1986, section XI.4.1).
fn dirichlet(count: usize, alpha: f64, rng: &mut dyn Rng) -> Vec<f64> {
    let numbers: Vec<f64> = (0..count).map(|_| gamma(alpha, rng)).collect();
    let sum: f64 = numbers.iter().sum();
    numbers.iter().map(|number| number / sum).collect()
}

/// A number of Gamma(alpha), by Marsaglia and Tsang (*A Simple Method for Generating Gamma Variables*, 2000): for
/// `d = alpha - 1/3`, a normal `x` and a uniform `u` it is `d v`, `v = (1 + x / (3 sqrt(d)))^3`, where
/// `ln u < x^2 / 2 + d - d v + d ln v`. Below 1 it is that of `alpha + 1` times `u^(1 / alpha)`.
fn gamma(alpha: f64, rng: &mut dyn Rng) -> f64 {
    if alpha < 1.0 {
        return gamma(alpha + 1.0, rng) * libm::pow(positive(rng), alpha.recip());
    }
    let d = alpha - 1.0 / 3.0;
    loop {
        let x = normal(rng);
        let v = (1.0 + x / (3.0 * d.sqrt())).powi(3);
        if v > 0.0 && libm::log(positive(rng)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A normal number, by Box and Muller.
fn normal(rng: &mut dyn Rng) -> f64 {
    let radius = (-2.0 * libm::log(positive(rng))).sqrt();
    radius * libm::cos(std::f64::consts::TAU * rng.random::<f64>())
}

/// A uniform number of (0, 1], which has a logarithm.
fn positive(rng: &mut dyn Rng) -> f64 {
    1.0 - rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;

    #[test]
    fn weights_sum_to_one_and_have_the_moments_of_their_distribution() {
        for alpha in [0.05, 0.5, 1.0, 4.0, 100.0] {
            let (mut sum, mut squares) = (0.0, 0.0);
            for sample in 0..4000 {
                let weights = dirichlet(3, alpha, &mut Seed::new(7).rng("augment", 0, sample));
                assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{alpha}: {weights:?}");
                sum += weights[1];
                squares += weights[1] * weights[1];
            }
            let (mean, square) = (sum / 4000.0, squares / 4000.0);
            // Dirichlet(alpha, alpha, alpha): mean 1/3, variance 2 / (9 (3 alpha + 1)).
            let variance = 2.0 / 9.0 / (3.0 * alpha + 1.0);
            let error = 4.0 * (variance / 4000.0).sqrt();
            assert!((mean - 1.0 / 3.0).abs() < error, "{alpha}: {mean}");
            assert!((square - mean * mean - variance).abs() < 0.1 * variance, "{alpha}: {}", square - mean * mean);
        }
        assert_eq!(dirichlet(1, 1.0, &mut Seed::new(7).rng("augment", 0, 0)), [1.0]);
    }

    #[test]
    fn chains_have_one_to_three_operations_and_are_never_stronger_than_asked() {
        let mut plan = Plan::identity();
        for sample in 0..300 {
            let rng = &mut Seed::new(7).rng("augment", 0, sample);
            AugMix::new(4, 2, 1.0).unwrap().draw(Canvas::of(Size::square(32)), rng, &mut plan);
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
    fn settings_out_of_range_are_refused() {
        for (severity, width, alpha) in
            [(0, 3, 1.0), (11, 3, 1.0), (3, 0, 1.0), (3, 11, 1.0), (3, 3, 0.0), (3, 3, f64::NAN)]
        {
            assert!(AugMix::new(severity, width, alpha).is_err());
        }
    }
}
