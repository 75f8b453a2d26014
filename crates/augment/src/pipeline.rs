//! [`Pipeline`]: transforms in order.

use aumenta_imgproc::{Fill, Interpolation};
use rand::Rng;

use crate::{Canvas, Plan, Prefilter, Transform};

/// Transforms that draw one after the other, and how their plans resample.
///
/// ```
/// use aumenta_augment::{Canvas, Pipeline, RandomHorizontalFlip, RandomRotation};
/// use aumenta_imgproc::{Fill, Interpolation, Size};
/// use aumenta_seed::Seed;
///
/// let pipeline = Pipeline::new(
///     vec![Box::new(RandomRotation::new(40.0)?), Box::new(RandomHorizontalFlip::new(0.5)?)],
///     Fill::Reflect,
///     Interpolation::Bilinear,
/// );
/// let canvas = Canvas { source: Size { width: 500, height: 375 }, output: Size::square(150) };
/// let plan = pipeline.draw(canvas, &mut Seed::new(7).rng("augment", 0, 3));
/// assert_eq!(plan, pipeline.draw(canvas, &mut Seed::new(7).rng("augment", 0, 3)));
/// assert_ne!(plan, pipeline.draw(canvas, &mut Seed::new(7).rng("augment", 1, 3)));
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    transforms: Vec<Box<dyn Transform>>,
    fill: Fill,
    interpolation: Interpolation,
    prefilter: Prefilter,
}

impl Pipeline {
    /// These transforms, the first drawing first and acting first.
    pub fn new(transforms: Vec<Box<dyn Transform>>, fill: Fill, interpolation: Interpolation) -> Self {
        Self { transforms, fill, interpolation, prefilter: Prefilter::default() }
    }

    /// The same with another prefilter than [`Prefilter::Area`].
    #[must_use]
    pub fn with_prefilter(self, prefilter: Prefilter) -> Self {
        Self { prefilter, ..self }
    }

    /// The pipeline that draws nothing: every plan is [`Plan::identity`].
    pub fn empty() -> Self {
        Self::new(Vec::new(), Fill::default(), Interpolation::default())
    }

    /// Whether there are no transforms.
    pub fn is_empty(&self) -> bool {
        self.transforms.is_empty()
    }

    /// A plan for one picture, which depends on the canvas and the generator alone.
    pub fn draw(&self, canvas: Canvas, rng: &mut dyn Rng) -> Plan {
        let mut plan = Plan::identity();
        self.draw_into(canvas, rng, &mut plan);
        plan
    }

    /// As [`draw`](Self::draw), over an old plan, whose allocation is reused.
    ///
    /// Nothing is allocated where the old plan had as many operations. The exception is [`AugMix`](crate::AugMix), whose
    /// operation holds lists of its own, and an [`Always`](crate::Always) that repeats such an operation.
    pub fn draw_into(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.clear();
        plan.fill = self.fill;
        plan.interpolation = self.interpolation;
        plan.prefilter = self.prefilter;
        for transform in &self.transforms {
            transform.draw(canvas, rng, plan);
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_imgproc::Size;
    use aumenta_seed::Seed;

    use super::*;
    use crate::{AugmentConfig, Op, RandomHorizontalFlip, RandomVerticalFlip};

    const CANVAS: Canvas = Canvas::of(Size::square(100));

    #[test]
    fn transforms_draw_in_order() {
        let flips: Vec<Box<dyn Transform>> =
            vec![Box::new(RandomVerticalFlip::new(1.0).unwrap()), Box::new(RandomHorizontalFlip::new(1.0).unwrap())];
        let pipeline = Pipeline::new(flips, Fill::Wrap, Interpolation::Nearest);
        let plan = pipeline.draw(CANVAS, &mut Seed::new(7).rng("augment", 0, 0));
        let expected = Plan {
            ops: vec![Op::VerticalFlip {}, Op::HorizontalFlip {}],
            fill: Fill::Wrap,
            interpolation: Interpolation::Nearest,
            ..Plan::identity()
        };
        assert_eq!(plan, expected);
    }

    #[test]
    fn an_empty_pipeline_draws_the_identity() {
        let pipeline = Pipeline::empty();
        assert!(pipeline.is_empty());
        assert_eq!(pipeline.draw(CANVAS, &mut Seed::new(7).rng("augment", 0, 0)), Plan::identity());
    }

    #[test]
    fn a_plan_depends_on_its_stream_alone() {
        let pipeline = AugmentConfig::book().build().unwrap();
        let stream = |epoch, sample| Seed::new(7).rng("augment", epoch, sample);
        let plan = pipeline.draw(CANVAS, &mut stream(0, 3));
        let mut reused = pipeline.draw(CANVAS, &mut stream(5, 9));
        assert_ne!(plan, reused);
        pipeline.draw_into(CANVAS, &mut stream(0, 3), &mut reused);
        assert_eq!(plan, reused);
        assert_ne!(plan, pipeline.draw(CANVAS, &mut stream(0, 4)));
    }
}
