//! [`Views`]: the versions of an image whose predictions are averaged.

use aumenta_augment::{Canvas, Op, Pipeline, Plan};
use aumenta_seed::Seed;

/// The versions of each image that an [`ImageStream`](crate::ImageStream) delivers, one after the other, for test-time
/// augmentation: the image as evaluation sees it, then its mirror image, then drawn ones. By default the first alone.
#[derive(Debug, Default)]
pub struct Views {
    /// Whether the image comes mirrored left to right, too.
    pub mirrored: bool,
    /// Which views are drawn besides.
    pub drawn: Option<DrawnViews>,
}

/// Views that are drawn as training draws them.
#[derive(Debug)]
pub struct DrawnViews {
    /// How many there are of each image.
    pub count: u32,
    /// What draws them.
    pub augment: Pipeline,
    /// Chooses them. Every image gets the same draws, so what is said of one does not depend on the others.
    pub seed: Seed,
}

impl Views {
    /// How many views there are of each image.
    pub fn count(&self) -> u32 {
        let drawn = self.drawn.as_ref().map_or(0, |drawn| drawn.count);
        drawn.saturating_add(1 + u32::from(self.mirrored))
    }

    /// Writes view `view` over `plan`.
    pub(crate) fn draw_plan(&self, view: u32, canvas: Canvas, plan: &mut Plan) {
        let first_drawn = 1 + u32::from(self.mirrored);
        match &self.drawn {
            Some(DrawnViews { augment, seed, .. }) if view >= first_drawn => {
                let number = u64::from(view - first_drawn);
                augment.draw_into(canvas, &mut seed.rng("view", 0, number), plan);
            }
            _ => {
                plan.set_identity();
                if view > 0 {
                    plan.ops.push(Op::HorizontalFlip {});
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aumenta_augment::AugmentConfig;
    use aumenta_imgproc::Size;

    use super::*;

    const CANVAS: Canvas = Canvas { source: Size { width: 80, height: 60 }, output: Size { width: 24, height: 24 } };

    fn plan(views: &Views, view: u32) -> Plan {
        let mut plan = Plan { ops: vec![Op::VerticalFlip {}], ..Plan::identity() };
        views.draw_plan(view, CANVAS, &mut plan);
        plan
    }

    fn drawn(count: u32) -> DrawnViews {
        DrawnViews { count, augment: AugmentConfig::book().build().unwrap(), seed: Seed::new(7) }
    }

    #[test]
    fn the_image_itself_comes_first_and_then_its_mirror_image() {
        let views = Views { mirrored: true, drawn: None };
        assert_eq!(views.count(), 2);
        assert_eq!(plan(&views, 0), Plan::identity());
        assert_eq!(plan(&views, 1), Plan { ops: vec![Op::HorizontalFlip {}], ..Plan::identity() });
    }

    #[test]
    fn drawn_views_differ_and_do_not_depend_on_the_mirror_image() {
        let (plain, mirrored) =
            (Views { mirrored: false, drawn: Some(drawn(2)) }, Views { mirrored: true, drawn: Some(drawn(2)) });
        assert_eq!((plain.count(), mirrored.count(), Views::default().count()), (3, 4, 1));
        assert_ne!(plan(&plain, 1), plan(&plain, 2));
        assert_eq!(plan(&plain, 1), plan(&mirrored, 2));
        assert_eq!(plan(&plain, 2), plan(&mirrored, 3));
    }
}
