//! Colors: the palettes that both animals share, and their mixtures.

use aumenta_seed::Rng;
use rand::RngExt as _;

/// Red, green and blue, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Color(pub(crate) [f32; 3]);

pub(crate) const BLACK: Color = Color([18.0, 16.0, 18.0]);
pub(crate) const WHITE: Color = Color([245.0, 243.0, 238.0]);
pub(crate) const PINK: Color = Color([226.0, 140.0, 146.0]);

const FUR: [Color; 9] = [
    Color([38.0, 34.0, 36.0]),
    Color([88.0, 84.0, 86.0]),
    Color([150.0, 146.0, 142.0]),
    Color([228.0, 222.0, 212.0]),
    Color([104.0, 68.0, 44.0]),
    Color([152.0, 104.0, 62.0]),
    Color([208.0, 138.0, 70.0]),
    Color([222.0, 188.0, 140.0]),
    Color([66.0, 46.0, 38.0]),
];

const IRIS: [Color; 5] = [
    Color([150.0, 176.0, 70.0]),
    Color([212.0, 168.0, 52.0]),
    Color([112.0, 160.0, 196.0]),
    Color([126.0, 82.0, 44.0]),
    Color([182.0, 118.0, 52.0]),
];

impl Color {
    /// The color `share` of the way from this one to `other`.
    pub(crate) fn mix(self, other: Self, share: f32) -> Self {
        let mut mixed = self.0;
        for (value, target) in mixed.iter_mut().zip(other.0) {
            *value += (target - *value) * share;
        }
        Self(mixed)
    }

    /// Lighter for factors above 1, darker below.
    pub(crate) fn times(self, factor: f32) -> Self {
        Self(self.0.map(|value| value * factor))
    }

    /// Rec. 601 luma.
    pub(crate) fn luma(self) -> f32 {
        0.299 * self.0[0] + 0.587 * self.0[1] + 0.114 * self.0[2]
    }

    /// The 8-bit color.
    pub(crate) fn bytes(self) -> [u8; 3] {
        self.0.map(|value| value.round().clamp(0.0, 255.0) as u8)
    }
}

/// Any color at all.
pub(crate) fn any(rng: &mut Rng) -> Color {
    Color(std::array::from_fn(|_| rng.random_range(20.0..240.0)))
}

/// A color of fur.
pub(crate) fn fur(rng: &mut Rng) -> Color {
    let base = FUR[rng.random_range(0..FUR.len())];
    Color(base.0.map(|value| value + rng.random_range(-14.0..14.0)))
}

/// A color of eyes.
pub(crate) fn iris(rng: &mut Rng) -> Color {
    IRIS[rng.random_range(0..IRIS.len())].times(rng.random_range(0.85..1.15))
}
