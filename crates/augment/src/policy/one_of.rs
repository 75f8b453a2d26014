//! [`OneOf`]: a choice of one transform.

use rand::{Rng, RngExt as _};

use crate::transform::in_range;
use crate::{AugmentError, Canvas, Plan, Transform};

/// Draws one of its transforms, chosen anew for every picture.
///
/// ```
/// use aumenta_augment::{Canvas, OneOf, Plan, RandomHorizontalFlip, RandomVerticalFlip, Transform};
/// use aumenta_imgproc::Size;
///
/// let flips: Vec<(f64, Box<dyn Transform>)> =
///     vec![(3.0, Box::new(RandomHorizontalFlip::new(1.0)?)), (1.0, Box::new(RandomVerticalFlip::new(1.0)?))];
/// let one = OneOf::new(flips)?;
/// let mut plan = Plan::identity();
/// one.draw(Canvas::of(Size::square(8)), &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// assert_eq!(plan.ops.len(), 1);
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Debug)]
pub struct OneOf {
    choices: Vec<(f64, Box<dyn Transform>)>,
    total: f64,
}

impl OneOf {
    /// A choice of these transforms, each with its weight: one of weight 3 is drawn three times as often as one of weight 1.
    ///
    /// # Errors
    /// Where there is no transform, a weight is not in `[0, 1000000]`, or all weights are 0.
    pub fn new(choices: Vec<(f64, Box<dyn Transform>)>) -> Result<Self, AugmentError> {
        for (weight, _) in &choices {
            in_range("weights", *weight, 0.0, 1e6, "weights from 0 to 1000000")?;
        }
        if choices.is_empty() {
            return Err(AugmentError::Empty { field: "steps" });
        }
        let total = choices.iter().map(|(weight, _)| weight).sum();
        in_range("the sum of weights", total, f64::MIN_POSITIVE, f64::MAX, "a weight above 0")?;
        Ok(Self { choices, total })
    }
}

impl Transform for OneOf {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut left = rng.random_range(0.0..self.total);
        let chosen = self.choices.iter().find(|(weight, _)| {
            left -= weight;
            left < 0.0
        });
        // Rounding can leave a last bit of the sum to no one; it belongs to the last choice that has a weight.
        let chosen = chosen.or_else(|| self.choices.iter().rfind(|(weight, _)| *weight > 0.0));
        if let Some((_, transform)) = chosen {
            transform.draw(canvas, rng, plan);
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::{Always, Op};

    fn turn(weight: f64, turns: i32) -> (f64, Box<dyn Transform>) {
        (weight, Box::new(Always::new(Op::QuarterTurns { turns })))
    }

    #[test]
    fn transforms_are_chosen_by_their_weights() {
        let one = OneOf::new(vec![turn(1.0, 0), turn(0.0, 1), turn(3.0, 2)]).unwrap();
        let mut plan = Plan::identity();
        for sample in 0..4000 {
            one.draw(Canvas::of(Size::square(8)), &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        let count = |turns: i32| plan.ops.iter().filter(|op| **op == Op::QuarterTurns { turns }).count();
        assert_eq!((count(1), count(0) + count(2)), (0, 4000));
        assert!((900..1100).contains(&count(0)), "{}", count(0));
    }

    #[test]
    fn weights_that_choose_nothing_are_refused() {
        assert_eq!(OneOf::new(Vec::new()).unwrap_err(), AugmentError::Empty { field: "steps" });
        assert!(OneOf::new(vec![turn(0.0, 0), turn(0.0, 1)]).is_err());
        assert!(OneOf::new(vec![turn(-1.0, 0), turn(2.0, 1)]).is_err());
        assert!(OneOf::new(vec![turn(f64::NAN, 0)]).is_err());
    }
}
