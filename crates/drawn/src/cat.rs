//! The cat: pointed ears, slit pupils, a short muzzle and whiskers.

use aumenta_seed::Rng;
use rand::RngExt as _;

use crate::brush::{Brush, Canvas};
use crate::color::{PINK, WHITE};
use crate::head::Head;

/// Draws a cat's head.
pub(crate) fn draw(head: &Head, canvas: &mut Canvas, rng: &mut Rng) {
    let brush = &mut Brush::new(canvas, head.pose);
    ears(head, brush, rng);
    let radii = (rng.random_range(0.96..1.1), rng.random_range(0.8..0.94));
    head.skull(brush, radii, rng);
    let pupil = (rng.random_range(0.045..0.085), 0.16);
    head.eyes(brush, rng.random_range(0.38..0.46), (0.2, 0.17), pupil, rng.random_range(-14.0..2.0));
    muzzle(head, brush, rng);
}

fn ears(head: &Head, brush: &mut Brush<'_>, rng: &mut Rng) {
    let height = rng.random_range(1.25..1.6);
    let spread = rng.random_range(0.66..0.9);
    let color = if rng.random_bool(0.3) { head.marking } else { head.fur };
    for side in [-1.0, 1.0] {
        let tip = (side * spread + head.turn.0 * 0.5, -height * rng.random_range(0.92..1.08));
        let (outer, inner) = ((side * 0.98, -0.2), (side * 0.18, -0.72));
        brush.polygon(&[outer, tip, inner], color.times(0.8));
        let toward = |point: (f32, f32), share: f32| {
            let middle = (side * 0.62, -0.62);
            (middle.0 + (point.0 - middle.0) * share, middle.1 + (point.1 - middle.1) * share)
        };
        brush.polygon(&[toward(outer, 0.55), toward(tip, 0.7), toward(inner, 0.55)], PINK.mix(color, 0.45));
    }
}

fn muzzle(head: &Head, brush: &mut Brush<'_>, rng: &mut Rng) {
    for side in [-1.0, 1.0] {
        brush.ellipse(head.turned(side * 0.19, 0.4, 1.2), (0.27, 0.21), 0.0, head.muzzle);
    }
    let (x, y) = head.turned(0.0, 0.25, 1.3);
    brush.polygon(&[(x - 0.12, y - 0.05), (x + 0.12, y - 0.05), (x, y + 0.1)], head.nose);
    head.mouth(brush, (x, y + 0.08), 0.22, 0.18);
    // The light may swallow the whiskers.
    if rng.random_bool(0.8) {
        let ink = if head.fur.luma() > 120.0 { head.fur.times(0.3) } else { WHITE };
        let length = rng.random_range(0.8..1.15);
        for side in [-1.0, 1.0] {
            for rise in [-0.18, 0.02, 0.22] {
                let from = head.turned(side * 0.3, 0.38 + rise * 0.3, 1.2);
                brush.line(&[from, (from.0 + side * length, from.1 + rise)], 0.03, ink);
            }
        }
    }
}
