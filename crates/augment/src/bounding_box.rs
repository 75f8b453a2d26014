//! [`BoundingBox`]: a rectangle around a thing in a picture.

use aumenta_imgproc::Size;

/// A rectangle with sides parallel to the picture's, by its edges in pixels: the whole picture is from 0 to its width and from
/// 0 to its height, so a box around the top left pixel alone is `0, 0, 1, 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// The left edge.
    pub left: f64,
    /// The top edge.
    pub top: f64,
    /// The right edge.
    pub right: f64,
    /// The bottom edge.
    pub bottom: f64,
}

/// What is left of a [`BoundingBox`] on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VisibleBox {
    /// The part that lies on the canvas.
    pub bounds: BoundingBox,
    /// That part's share of the area that the moved box has, above 0 and at most 1.
    pub visible_fraction: f64,
}

impl BoundingBox {
    /// The smallest box around `points`, which must be some.
    pub(crate) fn around(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let nothing =
            Self { left: f64::INFINITY, top: f64::INFINITY, right: f64::NEG_INFINITY, bottom: f64::NEG_INFINITY };
        points.fold(nothing, |hull, (x, y)| Self {
            left: hull.left.min(x),
            top: hull.top.min(y),
            right: hull.right.max(x),
            bottom: hull.bottom.max(y),
        })
    }

    /// What lies on a canvas of `size`, or `None` where that has no area.
    pub(crate) fn visible(&self, size: Size) -> Option<VisibleBox> {
        let (width, height) = (size.width as f64, size.height as f64);
        let bounds = Self {
            left: self.left.clamp(0.0, width),
            top: self.top.clamp(0.0, height),
            right: self.right.clamp(0.0, width),
            bottom: self.bottom.clamp(0.0, height),
        };
        let visible_fraction = bounds.area() / self.area();
        (visible_fraction > 0.0).then_some(VisibleBox { bounds, visible_fraction })
    }

    fn area(&self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 10, height: 4 };

    #[test]
    fn a_box_is_cut_at_the_canvas() {
        let bounds = BoundingBox { left: -5.0, top: 1.0, right: 5.0, bottom: 9.0 };
        let visible = bounds.visible(SIZE).unwrap();
        assert_eq!(visible.bounds, BoundingBox { left: 0.0, top: 1.0, right: 5.0, bottom: 4.0 });
        assert_eq!(visible.visible_fraction, 15.0 / 80.0);
    }

    #[test]
    fn nothing_is_left_of_a_box_outside_or_without_area() {
        for (left, right) in [(10.0, 12.0), (3.0, 3.0), (5.0, 4.0), (f64::NAN, 4.0)] {
            assert_eq!(BoundingBox { left, top: 0.0, right, bottom: 4.0 }.visible(SIZE), None, "{left} {right}");
        }
    }
}
