//! [`Head`]: what cats and dogs have in common, drawn in the same way for both.
//!
//! Coordinates: the middle of the face is the origin, a head is about 1 in half width.

use aumenta_seed::Rng;
use rand::RngExt as _;

use crate::brush::{Brush, Canvas, Point, Pose};
use crate::color::{self, BLACK, Color, PINK, WHITE};

/// Pose and fur of an animal.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) pose: Pose,
    /// The color of most of the fur.
    pub(crate) fur: Color,
    /// The color of patches, stripes and perhaps ears.
    pub(crate) marking: Color,
    /// The color of the muzzle.
    pub(crate) muzzle: Color,
    pub(crate) iris: Color,
    pub(crate) nose: Color,
    /// How far the face is turned aside and up: the shift of what stands out in front.
    pub(crate) turn: Point,
}

impl Head {
    pub(crate) fn draw_from(rng: &mut Rng) -> Self {
        let scale = 0.31 * rng.random_range(0.6..1.0);
        // Ears and chin may leave the picture a little, the face may not.
        let reach = 1.25 * scale;
        let pose = Pose {
            center: (rng.random_range(reach..1.0 - reach), rng.random_range(reach..1.0 - reach)),
            scale,
            degrees: rng.random_range(-25.0..25.0),
            is_mirrored: rng.random_bool(0.5),
        };
        let fur = color::fur(rng);
        let marking = color::fur(rng);
        let light = fur.mix(WHITE, rng.random_range(0.25..0.8));
        let muzzle = if rng.random_bool(0.6) { light } else { fur.times(rng.random_range(0.75..1.1)) };
        let nose = if rng.random_bool(0.5) { BLACK } else { PINK.times(rng.random_range(0.5..1.0)) };
        let turn = (rng.random_range(-0.16..0.16), rng.random_range(-0.1..0.1));
        Self { pose, fur, marking, muzzle, iris: color::iris(rng), nose, turn }
    }

    /// The point `(x, y)` of the face as it appears when turned; `depth` is how far it stands out.
    pub(crate) fn turned(&self, x: f32, y: f32, depth: f32) -> Point {
        (x + self.turn.0 * depth, y + self.turn.1 * depth)
    }

    /// Neck and shoulders.
    pub(crate) fn body(&self, canvas: &mut Canvas) {
        let mut brush = Brush::new(canvas, self.pose);
        let shade = self.fur.times(0.72);
        brush.ellipse((0.25, 2.1), (1.15, 1.35), 0.0, shade.times(0.9));
        brush.ellipse((0.0, 1.1), (0.62, 0.75), 0.0, shade);
    }

    /// The skull, with a rim of shade, and patches and stripes on it.
    pub(crate) fn skull(&self, brush: &mut Brush<'_>, radii: Point, rng: &mut Rng) {
        brush.ellipse((0.0, 0.0), (radii.0 + 0.05, radii.1 + 0.05), 0.0, self.fur.times(0.6));
        brush.ellipse((0.0, 0.0), radii, 0.0, self.fur);
        for _ in 0..rng.random_range(0..3) {
            let center = (rng.random_range(-0.55..0.55), rng.random_range(-0.55..0.3));
            let size = (rng.random_range(0.15..0.4), rng.random_range(0.15..0.4));
            brush.ellipse(center, size, rng.random_range(0.0..90.0), self.marking);
        }
        if rng.random_bool(0.45) {
            for x in [-0.24, 0.0, 0.24] {
                let top = self.turned(x * 1.3, -0.8 * radii.1, 0.5);
                brush.line(&[top, self.turned(x, -0.42, 0.7)], 0.09, self.marking.times(0.8));
            }
        }
    }

    /// The two eyes, `apart` from the middle, with pupils of the given half axes.
    pub(crate) fn eyes(&self, brush: &mut Brush<'_>, apart: f32, radii: Point, pupil: Point, slant: f32) {
        for side in [-1.0, 1.0] {
            let center = self.turned(side * apart, -0.14, 0.8);
            let slant = slant * side;
            brush.ellipse(center, (radii.0 + 0.045, radii.1 + 0.045), slant, BLACK);
            brush.ellipse(center, radii, slant, self.iris);
            brush.ellipse(center, pupil, 0.0, BLACK);
            brush.ellipse((center.0 + 0.05, center.1 - 0.06), (0.04, 0.04), 0.0, WHITE);
        }
    }

    /// The mouth below the point `from`: two bows of the given width and depth.
    pub(crate) fn mouth(&self, brush: &mut Brush<'_>, from: Point, width: f32, depth: f32) {
        let ink = self.muzzle.times(0.35);
        let middle = (from.0, from.1 + depth * 0.5);
        brush.line(&[from, middle], 0.045, ink);
        for side in [-1.0, 1.0] {
            let low = (middle.0 + side * width * 0.5, middle.1 + depth * 0.5);
            brush.line(&[middle, low, (middle.0 + side * width, middle.1 + depth * 0.2)], 0.045, ink);
        }
    }
}
