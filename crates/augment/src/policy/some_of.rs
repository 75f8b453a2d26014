//! [`SomeOf`]: a choice of several transforms.

use rand::{Rng, RngExt as _};

use crate::{AugmentError, Canvas, Plan, Transform};

/// Draws some of its transforms, chosen anew for every picture without repetition; they keep their order.
#[derive(Debug)]
pub struct SomeOf {
    transforms: Vec<Box<dyn Transform>>,
    count: [usize; 2],
}

impl SomeOf {
    /// A choice of `count` (from the first number to the second, each as often) of these transforms.
    ///
    /// # Errors
    /// Where the lower end is above the upper one, or the upper one is above the number of transforms.
    pub fn new(transforms: Vec<Box<dyn Transform>>, count: [usize; 2]) -> Result<Self, AugmentError> {
        let [low, high] = count;
        if low > high {
            return Err(AugmentError::Reversed { field: "count", low: low as f64, high: high as f64 });
        }
        if high > transforms.len() {
            let expected = "at most the number of steps";
            return Err(AugmentError::OutOfRange { field: "count", value: high as f64, expected });
        }
        Ok(Self { transforms, count })
    }
}

impl Transform for SomeOf {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let mut wanted = rng.random_range(self.count[0]..=self.count[1]);
        // Selection sampling (Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2 S) keeps the order.
        for (at, transform) in self.transforms.iter().enumerate() {
            if rng.random_range(0..self.transforms.len() - at) < wanted {
                wanted -= 1;
                transform.draw(canvas, rng, plan);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::{Always, Op};

    fn turns(count: i32) -> Vec<Box<dyn Transform>> {
        (0..count).map(|turns| Box::new(Always::new(Op::QuarterTurns { turns })) as Box<dyn Transform>).collect()
    }

    #[test]
    fn every_choice_comes_as_often_in_order_and_without_repetition() {
        let some = SomeOf::new(turns(5), [1, 3]).unwrap();
        let (mut counts, mut lengths) = ([0; 5], [0; 4]);
        for sample in 0..6000 {
            let mut plan = Plan::identity();
            some.draw(Canvas::of(Size::square(8)), &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
            let chosen: Vec<i32> =
                plan.ops.iter().map(|op| if let Op::QuarterTurns { turns } = op { *turns } else { -1 }).collect();
            assert!(chosen.is_sorted_by(|a, b| a < b), "{chosen:?}");
            lengths[chosen.len()] += 1;
            for turns in &chosen {
                counts[*turns as usize] += 1;
            }
        }
        assert!(lengths[0] == 0 && lengths[1..].iter().all(|count| (1850..2150).contains(count)), "{lengths:?}");
        assert!(counts.iter().all(|count| (2250..2550).contains(count)), "{counts:?}");
    }

    #[test]
    fn more_than_there_are_is_refused() {
        assert!(SomeOf::new(turns(2), [0, 2]).is_ok());
        let error = SomeOf::new(turns(2), [1, 3]).unwrap_err();
        assert_eq!(error.to_string(), "count is 3, expected at most the number of steps");
        assert!(SomeOf::new(turns(2), [2, 1]).is_err());
    }
}
