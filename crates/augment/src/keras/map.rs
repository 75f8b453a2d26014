//! [`KerasMap`]: the one affine map into which Keras composes rotation, shift, shear and zoom.

use aumenta_imgproc::{Matrix3, Size};
use serde::{Deserialize, Serialize};

/// A version whose map a plan repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KerasVersion {
    /// Keras 2.0.8.
    #[serde(rename = "2.0.8")]
    Keras2_0_8,
    /// Keras 2.15.
    #[serde(rename = "2.15")]
    Keras2_15,
}

/// The drawn numbers, in Keras' meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct KerasMap {
    pub version: KerasVersion,
    pub theta_degrees: f64,
    pub tx_pixels: f64,
    pub ty_pixels: f64,
    pub shear_radians: f64,
    pub zx: f64,
    pub zy: f64,
}

impl KerasMap {
    /// Whether every pixel stays where it is.
    pub fn is_identity(&self) -> bool {
        [self.theta_degrees, self.tx_pixels, self.ty_pixels, self.shear_radians] == [0.0; 4]
            && [self.zx, self.zy] == [1.0; 2]
    }

    /// From output pixels to source pixels of a picture of `size`.
    ///
    /// About a center, `rotation * shift * shear * zoom` with
    ///
    /// ```text
    /// rotation   cos -sin  0     shift  1  0 tx     shear  1 -sin  0     zoom  zx  0  0
    ///            sin  cos  0            0  1 ty            0  cos  0            0 zy  0
    ///              0    0  1            0  0  1            0    0  1            0  0  1
    /// ```
    pub fn matrix(&self, size: Size) -> Matrix3 {
        let (turn_sine, turn_cosine) = libm::sincos(self.theta_degrees.to_radians());
        let (lean_sine, lean_cosine) = libm::sincos(self.shear_radians);
        let shift = [
            turn_cosine * self.tx_pixels - turn_sine * self.ty_pixels,
            turn_sine * self.tx_pixels + turn_cosine * self.ty_pixels,
        ];
        let linear = [
            [turn_cosine * self.zx, (-turn_cosine * lean_sine - turn_sine * lean_cosine) * self.zy],
            [turn_sine * self.zx, (-turn_sine * lean_sine + turn_cosine * lean_cosine) * self.zy],
        ];
        let half = match self.version {
            KerasVersion::Keras2_0_8 => 0.5,
            KerasVersion::Keras2_15 => -0.5,
        };
        let center = [size.height as f64 / 2.0 + half, size.width as f64 / 2.0 + half];
        let offset = |axis: usize| {
            let [first, second] = linear[axis];
            center[axis] + shift[axis] - (first * center[0] + second * center[1])
        };
        let [[a, b], [c, d]] = linear;
        match self.version {
            // The first axis counts rows, the second columns.
            KerasVersion::Keras2_0_8 => Matrix3::affine([[d, c, offset(1)], [b, a, offset(0)]]),
            // Keras swaps the axes of the finished matrix, its center included.
            KerasVersion::Keras2_15 => Matrix3::affine([[a, b, offset(0)], [c, d, offset(1)]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 40, height: 30 };

    fn map(version: KerasVersion) -> KerasMap {
        KerasMap { version, theta_degrees: 0.0, tx_pixels: 0.0, ty_pixels: 0.0, shear_radians: 0.0, zx: 1.0, zy: 1.0 }
    }

    #[test]
    fn without_numbers_nothing_moves() {
        for version in [KerasVersion::Keras2_0_8, KerasVersion::Keras2_15] {
            assert!(map(version).is_identity());
            assert_eq!(map(version).matrix(SIZE), Matrix3::IDENTITY);
        }
    }

    #[test]
    fn each_version_has_its_own_center() {
        let zoom = |version| KerasMap { zx: 3.0, zy: 2.0, ..map(version) }.matrix(SIZE);
        // Rows about 15.5 by 3, columns about 20.5 by 2.
        assert_eq!(zoom(KerasVersion::Keras2_0_8).apply(20.5, 15.5), (20.5, 15.5));
        assert_eq!(zoom(KerasVersion::Keras2_0_8).apply(21.5, 16.5), (22.5, 18.5));
        // Columns by 3 about half the height, rows by 2 about half the width.
        assert_eq!(zoom(KerasVersion::Keras2_15).apply(14.5, 19.5), (14.5, 19.5));
        assert_eq!(zoom(KerasVersion::Keras2_15).apply(15.5, 20.5), (17.5, 21.5));
    }

    #[test]
    fn the_first_shift_moves_rows_and_later_columns() {
        let shift = |version| KerasMap { tx_pixels: 5.0, ty_pixels: 1.0, ..map(version) }.matrix(SIZE);
        assert_eq!(shift(KerasVersion::Keras2_0_8).apply(10.0, 10.0), (11.0, 15.0));
        assert_eq!(shift(KerasVersion::Keras2_15).apply(10.0, 10.0), (15.0, 11.0));
    }
}
