//! [`Hue`]: a turn of the color wheel.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use libm::{floor, round};

use crate::planes::Planes;

/// A turn of every color's hue in HSV, with its saturation and value kept.
///
/// A color's largest and smallest channel stay what they are; the turn only decides which channels hold them and where
/// between them the third one lies. That needs no division and no rounding but the last, so the result lies within half
/// a level of the exact one, a turn by 0 is the identity, and a third of a turn exchanges the channels.
///
/// ```
/// use aumenta_imgproc::Hue;
///
/// assert_eq!(Hue::turn(1.0 / 3.0).apply([200, 50, 20]), [20, 200, 50]);
/// assert_eq!(Hue::turn(0.5).apply([255, 0, 0]), [0, 255, 255]);
/// assert_eq!(Hue::turn(0.25).apply([90, 90, 90]), [90, 90, 90]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hue {
    /// The turn in sextants, in units of 2^-16, from 0 to `6 << 16` exclusive.
    sextants: i32,
}

impl Hue {
    const BITS: u32 = 16;

    /// A turn by `turns` of the whole wheel: 0.5 gives complementary colors, and whole numbers and NaN change nothing.
    /// Positive turns go from red by way of yellow to green; torchvision's `hue_factor` is the same number.
    pub fn turn(turns: f64) -> Self {
        let whole = f64::from(6 << Self::BITS);
        let sextants = round((turns - floor(turns)) * whole) as i32;
        Self { sextants: sextants % (6 << Self::BITS) }
    }

    /// The changed color.
    #[inline(always)]
    pub fn apply(self, rgb: [u8; 3]) -> [u8; 3] {
        let color = Turned::new(self, rgb);
        Turned::PHASES.map(|phase| color.channel(phase))
    }

    /// Changes some pixels.
    #[inline(always)]
    pub(crate) fn apply_to_planes(self, planes: &mut Planes) {
        let mut colors = [Turned::BLACK; Planes::PIXELS];
        for (at, color) in colors.iter_mut().enumerate() {
            *color = Turned::new(self, [planes.red[at], planes.green[at], planes.blue[at]]);
        }
        for (plane, phase) in [&mut planes.red, &mut planes.green, &mut planes.blue].into_iter().zip(Turned::PHASES) {
            for (value, color) in plane.iter_mut().zip(&colors) {
                *value = color.channel(phase);
            }
        }
    }
}

/// A color after the turn.
#[derive(Clone, Copy)]
struct Turned {
    largest: i32,
    /// The distance from the largest to the smallest channel.
    range: i32,
    /// The hue in sextants, in units of 2^-16, times the range, which is what makes a division unnecessary.
    angle: i32,
}

impl Turned {
    const BLACK: Self = Self { largest: 0, range: 0, angle: 0 };

    /// The sextants at which red, green and blue begin to fall.
    const PHASES: [i32; 3] = [5, 3, 1];

    #[inline(always)]
    fn new(turn: Hue, rgb: [u8; 3]) -> Self {
        let [r, g, b] = rgb.map(i32::from);
        let (largest, smallest) = (r.max(g).max(b), r.min(g).min(b));
        let range = largest - smallest;
        // All three are computed, since a choice of values is a matter of vectors and a choice of ways is not.
        let by_red = g - b + if g < b { 6 * range } else { 0 };
        let (by_green, by_blue) = (b - r + 2 * range, r - g + 4 * range);
        let rest = if largest == g { by_green } else { by_blue };
        let angle = if largest == r { by_red } else { rest };
        let circle = (6 * range) << Hue::BITS;
        Self { largest, range, angle: wrapped((angle << Hue::BITS) + turn.sextants * range, circle) }
    }

    /// A channel is at its largest for two sextants and at its smallest for two, with ramps between; `phase` is the
    /// sextant at which its fall begins.
    #[inline(always)]
    fn channel(self, phase: i32) -> u8 {
        let one = self.range << Hue::BITS;
        let at = wrapped(self.angle + phase * one, 6 * one);
        let below = at.min(4 * one - at).max(0).min(one);
        // Half a unit less, so that an exact half rounds up in the result.
        (self.largest - ((below + (1 << (Hue::BITS - 1)) - 1) >> Hue::BITS)) as u8
    }
}

/// `angle`, at most twice around, within the circle.
#[inline(always)]
fn wrapped(angle: i32, circle: i32) -> i32 {
    if angle >= circle { angle - circle } else { angle }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook's way (Smith 1978, "Color gamut transform pairs"), in floating point.
    fn naive(turns: f64, rgb: [u8; 3]) -> [f64; 3] {
        let [r, g, b] = rgb.map(|value| f64::from(value) / 255.0);
        let (value, smallest) = (r.max(g).max(b), r.min(g).min(b));
        let range = value - smallest;
        if range == 0.0 {
            return [value * 255.0; 3];
        }
        let hue = if value == r {
            (g - b) / range
        } else if value == g {
            (b - r) / range + 2.0
        } else {
            (r - g) / range + 4.0
        };
        let (hue, saturation) = ((hue / 6.0 + turns).rem_euclid(1.0) * 6.0, range / value);
        let part = hue.fract();
        let (p, q) = (value * (1.0 - saturation), value * (1.0 - saturation * part));
        let t = value * (1.0 - saturation * (1.0 - part));
        let turned = match hue as usize {
            0 => [value, t, p],
            1 => [q, value, p],
            2 => [p, value, t],
            3 => [p, q, value],
            4 => [t, p, value],
            _ => [value, p, q],
        };
        turned.map(|channel| channel * 255.0)
    }

    #[test]
    fn pure_colors_go_around_the_wheel() {
        let sixths: Vec<_> = (0..6).map(|n| Hue::turn(f64::from(n) / 6.0).apply([255, 0, 0])).collect();
        let expected = [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]];
        assert_eq!(sixths, expected);
    }

    #[test]
    fn turns_that_are_no_turns_change_nothing() {
        for turns in [0.0, -0.0, 1.0, -3.0, 1e300, f64::NAN, f64::INFINITY, -1e-12] {
            assert_eq!(Hue::turn(turns), Hue::turn(0.0), "{turns}");
        }
    }

    proptest! {
        #[test]
        fn the_identity_is_exact(rgb in any::<[u8; 3]>()) {
            prop_assert_eq!(Hue::turn(0.0).apply(rgb), rgb);
        }

        #[test]
        fn every_color_is_the_exact_one_rounded(turns in -2.0f64..2.0, rgb in any::<[u8; 3]>()) {
            let exact = naive(turns, rgb);
            for (channel, exact) in Hue::turn(turns).apply(rgb).into_iter().zip(exact) {
                prop_assert!((f64::from(channel) - exact).abs() < 0.51, "{channel} instead of {exact}");
            }
        }
    }
}
