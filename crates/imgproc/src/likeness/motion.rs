//! [`Motion`]: where the points of one miniature lie in another.

/// An affine map from the points of one miniature to those of another, both of which are squares from -1 to 1, `x` to the
/// right and `y` downwards:
///
/// ```text
/// x' = a x + b y + c
/// y' = d x + e y + f
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion(pub [f32; 6]);

impl Motion {
    /// Every point stays.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// The square becomes a part of the other, `scale` as wide and high, about the point `(x, y)`.
    pub const fn part(scale: f32, x: f32, y: f32) -> Self {
        Self([scale, 0.0, x, 0.0, scale, y])
    }

    /// This, with left and right exchanged before.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        let Self([a, b, c, d, e, f]) = self;
        Self([-a, b, c, -d, e, f])
    }

    /// Where a point comes to lie.
    pub fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// The area of what the square becomes, as a share of the square: negative where it is mirrored.
    pub fn determinant(&self) -> f32 {
        let [a, b, _, d, e, _] = self.0;
        a * e - b * d
    }

    /// Whether a crop by a quarter of each side, a turn by some ten degrees, the change of aspect that a crop of one side
    /// makes, or the reverse of one of these, with or without mirroring, explains it.
    pub fn is_slight(&self) -> bool {
        let [a, b, _, d, e, _] = self.0;
        let (right, down) = (a.hypot(d), b.hypot(e));
        let is_size_near = |scale: f32| (0.75..=1.34).contains(&scale);
        let skew = (a * b + d * e).abs() / (right * down);
        is_size_near(right) && is_size_near(down) && skew < 0.2 && (d / a).abs() < 0.25 && (b / e).abs() < 0.25
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_copies_is_slight_and_what_strangers_would_need_is_not() {
        let turn = Motion([0.996, -0.065, 0.0, 0.116, 0.996, 0.0]);
        for motion in
            [Motion::IDENTITY, Motion::part(0.8, 0.1, 0.2), turn, turn.mirrored(), Motion::part(1.25, 0.0, 0.0)]
        {
            assert!(motion.is_slight(), "{motion:?}");
        }
        let skewed = Motion([0.92, -0.33, 0.31, -0.16, 0.77, 0.07]);
        for motion in [Motion::part(0.5, 0.0, 0.0), skewed, Motion([0.7, -0.7, 0.0, 0.7, 0.7, 0.0])] {
            assert!(!motion.is_slight(), "{motion:?}");
        }
    }
}
