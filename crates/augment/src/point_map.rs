//! [`PointMap`]: where a plan brings the points and boxes of a picture.

use aumenta_imgproc::{Displacement, Matrix3, Size};

use crate::bounding_box::{BoundingBox, VisibleBox};
use crate::effect::{Effect, Pass};
use crate::execute::resize;
use crate::{Canvas, Plan};

/// Where the points of a picture come to lie by a [`Plan`] that is applied to it, on one canvas.
///
/// It is made by [`Plan::point_map`], and holds for as many points and boxes as a picture has.
#[derive(Clone, Debug)]
pub struct PointMap {
    canvas: Canvas,
    stages: Vec<Stage>,
}

/// A part of the way from the source to the output.
#[derive(Clone, Debug)]
enum Stage {
    /// From source to output pixels.
    Projection(Projection),
    Elastic(Displacement),
}

impl PointMap {
    pub(crate) fn new(plan: &Plan, canvas: Canvas) -> Self {
        let mut stages = Vec::new();
        let mut motion = resize(canvas.source, canvas.output);
        let mut size = canvas.source;
        for op in &plan.ops {
            match op.effect(canvas.output) {
                Effect::Motion(matrix) | Effect::Pass(Pass::Resample(matrix, _)) => motion = matrix.then(&motion),
                Effect::Pass(Pass::Elastic { seed, alpha_pixels, sigma_pixels }) => {
                    let mut displacement = Displacement::default();
                    displacement.draw(canvas.output, seed, alpha_pixels, sigma_pixels);
                    stages.push(Stage::Projection(Projection::undoing(&motion, size)));
                    stages.push(Stage::Elastic(displacement));
                    (motion, size) = (Matrix3::IDENTITY, canvas.output);
                }
                Effect::Color(_) | Effect::Pass(Pass::Mix { .. } | Pass::Raster(_)) => {}
            }
        }
        stages.push(Stage::Projection(Projection::undoing(&motion, size)));
        Self { canvas, stages }
    }

    /// Where the point `(x, y)` of the source comes to lie on the output, or outside of it; both in pixels, where whole
    /// coordinates are the centers of pixels and `(0, 0)` is that of the top left one.
    ///
    /// `None` is a point that shows nowhere: beyond the horizon of a perspective, in a picture that has been flattened to a
    /// line, or where an elastic distortion folds the picture over it. For an elastic distortion, the place is found to a
    /// thousandth of a pixel.
    pub fn point(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let moved = self.stages.iter().try_fold((x, y), |(x, y), stage| match stage {
            Stage::Projection(projection) => projection.apply((x, y)),
            Stage::Elastic(displacement) => undisplaced(displacement, x, y),
        });
        moved.filter(|(x, y)| x.is_finite() && y.is_finite())
    }

    /// The part on the canvas of the smallest box around the moved `bounds`, which are edges in the source.
    ///
    /// The edges are followed in 16 parts each, since an elastic distortion bends them. `None` is a box of which nothing
    /// is left on the canvas, or a part of which shows nowhere.
    pub fn bounding_box(&self, bounds: BoundingBox) -> Option<VisibleBox> {
        let BoundingBox { left, top, right, bottom } = bounds;
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        let mut outline = Vec::with_capacity(4 * PARTS);
        for (corner, next) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
            let ((from_x, from_y), (to_x, to_y)) = (corners[corner], corners[next]);
            for part in 0..PARTS {
                let share = part as f64 / PARTS as f64;
                // Edges lie half a pixel before the centers, whose coordinates are whole.
                let (x, y) =
                    self.point(from_x + (to_x - from_x) * share - 0.5, from_y + (to_y - from_y) * share - 0.5)?;
                outline.push((x + 0.5, y + 0.5));
            }
        }
        BoundingBox::around(outline.into_iter()).visible(self.canvas.output)
    }
}

/// The parts in which an edge of a box is followed.
const PARTS: usize = 16;

/// A projective map from the pixels of a picture to those of the next one.
#[derive(Clone, Debug)]
struct Projection {
    /// `None` where everything is flattened.
    matrix: Option<Matrix3>,
    /// The middle of the picture, which lies before the horizon.
    middle: (f64, f64),
}

impl Projection {
    /// The map by which a picture of `size` moves where the next one reads at `motion`.
    fn undoing(motion: &Matrix3, size: Size) -> Self {
        Self { matrix: motion.inverse(), middle: (size.width as f64 / 2.0 - 0.5, size.height as f64 / 2.0 - 0.5) }
    }

    fn apply(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let matrix = self.matrix?;
        let [_, _, [g, h, i]] = matrix.rows();
        let depth = |(x, y): (f64, f64)| g * x + h * y + i;
        (depth((x, y)) * depth(self.middle) > 0.0).then(|| matrix.apply(x, y))
    }
}

/// The point that reads `(x, y)`: the fixed point of `(x, y) - displacement`, which is found by repetition where the
/// field changes by less than a pixel from pixel to pixel.
fn undisplaced(displacement: &Displacement, x: f64, y: f64) -> Option<(f64, f64)> {
    let (mut at_x, mut at_y) = (x, y);
    for _ in 0..100 {
        let (right, down) = displacement.at(at_x, at_y);
        let (off_x, off_y) = (x - (at_x + right), y - (at_y + down));
        if off_x.abs().max(off_y.abs()) < 1e-3 {
            return Some((at_x, at_y));
        }
        // Half a step at a time also settles where the field turns back and forth.
        (at_x, at_y) = (at_x + off_x * 0.5, at_y + off_y * 0.5);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Op;

    const CANVAS: Canvas = Canvas { source: Size { width: 200, height: 100 }, output: Size { width: 50, height: 50 } };

    fn map(ops: impl Into<Vec<Op>>) -> PointMap {
        Plan { ops: ops.into(), ..Plan::identity() }.point_map(CANVAS)
    }

    #[track_caller]
    fn check(map: &PointMap, (x, y): (f64, f64), expected: (f64, f64)) {
        let (moved_x, moved_y) = map.point(x, y).unwrap();
        assert!((moved_x - expected.0).abs() < 1e-9 && (moved_y - expected.1).abs() < 1e-9, "{moved_x} {moved_y}");
    }

    #[test]
    fn a_resize_moves_points_with_the_edges_of_pixels() {
        check(&map([]), (-0.5, -0.5), (-0.5, -0.5));
        check(&map([]), (199.5, 99.5), (49.5, 49.5));
        check(&map([Op::HorizontalFlip {}]), (-0.5, 49.5), (49.5, 24.5));
        check(&map([Op::Shift { x_fraction: 0.5, y_fraction: 2.0 }]), (-0.5, -0.5), (24.5, 99.5));
    }

    #[test]
    fn a_box_shows_the_part_of_it_that_is_left() {
        let whole = BoundingBox { left: 0.0, top: 0.0, right: 200.0, bottom: 100.0 };
        let moved = map([Op::Shift { x_fraction: 0.25, y_fraction: -0.5 }]).bounding_box(whole).unwrap();
        assert_eq!(moved.bounds, BoundingBox { left: 12.5, top: 0.0, right: 50.0, bottom: 25.0 });
        assert_eq!(moved.visible_fraction, 0.375);
        assert_eq!(map([Op::Shift { x_fraction: 1.5, y_fraction: 0.0 }]).bounding_box(whole), None);
    }

    #[test]
    fn what_shows_nowhere_has_no_place() {
        assert_eq!(map([Op::Zoom { x: f64::INFINITY, y: 1.0 }]).point(3.0, 3.0), None);
        assert_eq!(map([Op::Rotate { degrees: f64::NAN }]).point(3.0, 3.0), None);
        // The picture's lines meet a little to the right of it.
        let narrow = Op::Perspective {
            top_left: [0.0, 0.0],
            top_right: [1.0, 0.4],
            bottom_right: [1.0, 0.6],
            bottom_left: [0.0, 1.0],
        };
        assert!(map([narrow.clone()]).point(150.0, 50.0).is_some());
        assert_eq!(map([narrow]).point(-300.0, 50.0), None);
    }
}
