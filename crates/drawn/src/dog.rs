//! The dog: ears that hang or fold, round pupils, a long muzzle with a large nose, sometimes a tongue.

use aumenta_seed::Rng;
use rand::RngExt as _;

use crate::brush::{Brush, Canvas};
use crate::color::PINK;
use crate::head::Head;

/// Draws a dog's head.
pub(crate) fn draw(head: &Head, canvas: &mut Canvas, rng: &mut Rng) {
    let brush = &mut Brush::new(canvas, head.pose);
    let folds = rng.random_bool(0.25);
    if folds {
        folded_ears(head, brush, rng);
    }
    let radii = (rng.random_range(0.8..0.95), rng.random_range(0.88..1.02));
    head.skull(brush, radii, rng);
    let size = rng.random_range(0.13..0.17);
    head.eyes(brush, rng.random_range(0.34..0.42), (size, size), (size * 0.72, size * 0.72), 0.0);
    muzzle(head, brush, rng);
    if !folds {
        hanging_ears(head, brush, rng);
    }
}

fn ear_color(head: &Head, rng: &mut Rng) -> crate::color::Color {
    let color = if rng.random_bool(0.3) { head.marking } else { head.fur };
    color.times(0.72)
}

fn hanging_ears(head: &Head, brush: &mut Brush<'_>, rng: &mut Rng) {
    let color = ear_color(head, rng);
    let length = rng.random_range(0.5..0.75);
    for side in [-1.0, 1.0] {
        let tilt = side * rng.random_range(-24.0..-4.0);
        let center = (side * rng.random_range(0.88..1.02), length - 0.55);
        brush.ellipse(center, (0.29, length + 0.05), tilt, color.times(0.7));
        brush.ellipse(center, (0.25, length), tilt, color);
    }
}

/// Ears that stand up at first and then tip over, which from afar look like a cat's.
fn folded_ears(head: &Head, brush: &mut Brush<'_>, rng: &mut Rng) {
    let color = ear_color(head, rng);
    let height = rng.random_range(1.05..1.3);
    for side in [-1.0, 1.0] {
        brush.polygon(&[(side * 0.92, -0.1), (side * 0.95, -height), (side * 0.3, -height), (side * 0.2, -0.7)], color);
        let tip = (side * rng.random_range(1.1..1.35), -height + rng.random_range(0.45..0.7));
        brush.polygon(&[(side * 0.3, -height), (side * 0.98, -height - 0.06), tip], color.times(0.72));
    }
}

fn muzzle(head: &Head, brush: &mut Brush<'_>, rng: &mut Rng) {
    let length = rng.random_range(0.46..0.62);
    let (x, y) = head.turned(0.0, 0.52, 1.3);
    if rng.random_bool(0.4) {
        let tongue = PINK.times(rng.random_range(0.85..1.05));
        brush.ellipse((x + rng.random_range(-0.1..0.1), y + length), (0.17, 0.34), 0.0, tongue);
    }
    let width = rng.random_range(0.4..0.5);
    brush.ellipse((x, y), (width + 0.04, length + 0.04), 0.0, head.muzzle.times(0.7));
    brush.ellipse((x, y), (width, length), 0.0, head.muzzle);
    let nose = (x + head.turn.0 * 0.4, y - length * 0.45);
    brush.ellipse(nose, (0.23, 0.17), 0.0, head.nose);
    head.mouth(brush, (nose.0, nose.1 + 0.15), 0.3, 0.34);
}
