//! What stands behind and before the animal, the same for both.

use aumenta_seed::Rng;
use rand::RngExt as _;

use crate::brush::{Brush, Canvas, Pose};
use crate::color;

/// A gradient with clutter on it.
pub(crate) fn background(canvas: &mut Canvas, rng: &mut Rng) {
    let (from, to) = (color::any(rng), color::any(rng));
    let across = rng.random_range(0.0..1.0);
    canvas.paint(|x, y| from.mix(to, x * across + y * (1.0 - across)));
    for _ in 0..rng.random_range(3..10) {
        let scale = rng.random_range(0.04..0.22);
        shape(canvas, rng, scale);
    }
}

/// Sometimes something that hides a part of the animal.
pub(crate) fn foreground(canvas: &mut Canvas, rng: &mut Rng) {
    if rng.random_bool(0.3) {
        let scale = rng.random_range(0.04..0.1);
        shape(canvas, rng, scale);
    }
    if rng.random_bool(0.2) {
        let pose = anywhere(rng, 0.03);
        Brush::new(canvas, pose).line(&[(-60.0, 0.0), (60.0, 0.0)], rng.random_range(0.8..2.2), color::any(rng));
    }
}

/// An ellipse, a triangle, a block or a tuft of strokes.
fn shape(canvas: &mut Canvas, rng: &mut Rng, scale: f32) {
    let pose = anywhere(rng, scale);
    let paint = if rng.random_bool(0.5) { color::fur(rng) } else { color::any(rng) };
    let narrow = rng.random_range(0.3..1.0);
    let brush = &mut Brush::new(canvas, pose);
    match rng.random_range(0..4) {
        0 => brush.ellipse((0.0, 0.0), (1.0, narrow), 0.0, paint),
        1 => brush.polygon(&[(-narrow, 0.7), (narrow, 0.7), (0.0, -1.0)], paint),
        2 => brush.polygon(&[(-1.0, -narrow), (1.0, -narrow), (1.0, narrow), (-1.0, narrow)], paint),
        _ => {
            for lean in [-0.5, -0.2, 0.1, 0.4] {
                brush.line(&[(lean * 0.5, 1.0), (lean * 2.0, -1.0)], 0.12, paint);
            }
        }
    }
}

fn anywhere(rng: &mut Rng, scale: f32) -> Pose {
    Pose {
        center: (rng.random_range(0.0..1.0), rng.random_range(0.0..1.0)),
        scale,
        degrees: rng.random_range(0.0..360.0),
        is_mirrored: false,
    }
}
