//! [`Canvas`] and [`Brush`]: shapes in a figure's own coordinates, filled on a picture.

use std::f32::consts::TAU;

use aumenta_imgproc::Image;
use image::{Rgb, RgbImage};
use imageproc::drawing::draw_polygon_mut;
use imageproc::point::Point as PixelPoint;

use crate::color::Color;

/// A place in a figure's coordinates: x to the right, y down.
pub(crate) type Point = (f32, f32);

/// A square picture in the making.
#[derive(Debug)]
pub(crate) struct Canvas {
    pixels: RgbImage,
}

impl Canvas {
    pub(crate) fn new(side: usize) -> Self {
        Self { pixels: RgbImage::new(side as u32, side as u32) }
    }

    /// Width and height in pixels.
    pub(crate) fn side(&self) -> f32 {
        self.pixels.width() as f32
    }

    /// Colors every pixel by its place, both coordinates from 0 to 1.
    pub(crate) fn paint(&mut self, color: impl Fn(f32, f32) -> Color) {
        let scale = 1.0 / self.side();
        for (x, y, pixel) in self.pixels.enumerate_pixels_mut() {
            *pixel = Rgb(color(x as f32 * scale, y as f32 * scale).bytes());
        }
    }

    pub(crate) fn into_image(self) -> Image {
        let (width, height) = self.pixels.dimensions();
        Image::from_pixels(width as usize, height as usize, self.pixels.into_raw())
    }
}

/// How a figure's coordinates lie on a canvas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pose {
    /// Where the figure's origin lies, in parts of the canvas.
    pub(crate) center: Point,
    /// The figure's unit, in parts of the canvas.
    pub(crate) scale: f32,
    /// Clockwise rotation.
    pub(crate) degrees: f32,
    /// Whether left and right are swapped.
    pub(crate) is_mirrored: bool,
}

/// Draws shapes that are given in the coordinates of a pose.
#[derive(Debug)]
pub(crate) struct Brush<'a> {
    canvas: &'a mut Canvas,
    /// The figure's unit vectors and origin, in pixels.
    right: Point,
    down: Point,
    origin: Point,
}

impl<'a> Brush<'a> {
    pub(crate) fn new(canvas: &'a mut Canvas, pose: Pose) -> Self {
        let side = canvas.side();
        let (sin, cos) = pose.degrees.to_radians().sin_cos();
        let unit = pose.scale * side;
        let direction = if pose.is_mirrored { -unit } else { unit };
        Self {
            canvas,
            right: (cos * direction, sin * direction),
            down: (-sin * unit, cos * unit),
            origin: (pose.center.0 * side, pose.center.1 * side),
        }
    }

    /// Fills the polygon through `corners`.
    pub(crate) fn polygon(&mut self, corners: &[Point], color: Color) {
        let pixels: Vec<PixelPoint<i32>> = corners.iter().map(|&corner| self.pixel(corner)).collect();
        draw_polygon_mut(&mut self.canvas.pixels, &pixels, Rgb(color.bytes()));
    }

    /// Fills an ellipse of the given half axes, turned clockwise by `degrees`.
    pub(crate) fn ellipse(&mut self, center: Point, radii: Point, degrees: f32, color: Color) {
        const CORNERS: usize = 28;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let corners: [Point; CORNERS] = std::array::from_fn(|corner| {
            let (y, x) = (TAU * corner as f32 / CORNERS as f32).sin_cos();
            let (x, y) = (x * radii.0, y * radii.1);
            (center.0 + cos * x - sin * y, center.1 + sin * x + cos * y)
        });
        self.polygon(&corners, color);
    }

    /// Draws a line through `points`.
    pub(crate) fn line(&mut self, points: &[Point], width: f32, color: Color) {
        for ends in points.windows(2) {
            let [from, to] = [ends[0], ends[1]];
            let (x, y) = (to.0 - from.0, to.1 - from.1);
            let half = width * 0.5 / x.hypot(y).max(1e-6);
            let aside = (-y * half, x * half);
            let corners = [
                (from.0 + aside.0, from.1 + aside.1),
                (to.0 + aside.0, to.1 + aside.1),
                (to.0 - aside.0, to.1 - aside.1),
                (from.0 - aside.0, from.1 - aside.1),
            ];
            self.polygon(&corners, color);
        }
    }

    fn pixel(&self, (x, y): Point) -> PixelPoint<i32> {
        let column = self.origin.0 + x * self.right.0 + y * self.down.0;
        let row = self.origin.1 + x * self.right.1 + y * self.down.1;
        PixelPoint::new(column.round() as i32, row.round() as i32)
    }
}
