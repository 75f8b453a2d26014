//! The pixel whose centre is closest to a point.

use super::points::{FRACTION, Points};
use super::source::{OUTSIDE, Source, constant, inside};
use super::{LANES, Lanes};
use crate::Fill;

#[inline(always)]
pub fn sample(source: Source<'_>, fill: Fill, points: &Points, colors: &mut [Lanes<u32>]) {
    let constant = constant(fill);
    for (group, colors) in colors.iter_mut().enumerate() {
        let x = inside(fill, closest(points.x[group]), source.width);
        let y = inside(fill, closest(points.y[group]), source.height);
        let mut starts = [0; LANES];
        for lane in 0..LANES {
            starts[lane] = source.start(x[lane].max(0), y[lane].max(0));
        }
        let mut pairs = [0; LANES];
        source.pairs(&starts, &mut pairs);
        for lane in 0..LANES {
            let outside = x[lane] == OUTSIDE || y[lane] == OUTSIDE;
            colors[lane] = if outside { constant } else { pairs[lane] as u32 };
        }
    }
}

/// The whole coordinates closest to these; halves go up.
#[inline(always)]
fn closest(at: Lanes<i64>) -> Lanes<i32> {
    let mut closest = [0; LANES];
    for (closest, at) in closest.iter_mut().zip(at) {
        *closest = ((at + (1 << (FRACTION - 1))) >> FRACTION) as i32;
    }
    closest
}
