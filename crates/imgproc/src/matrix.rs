//! [`Matrix3`]: where each output pixel comes from.

/// An affine map from **output** pixels to **source** pixels.
///
/// Coordinates are homogeneous and count pixel centres: `(0, 0)` is the centre of the top left pixel, `x` grows to the
/// right and `y` downwards. The map is a 3x3 matrix in row-major order,
///
/// ```text
/// source x     a b c     output x
/// source y  =  d e f  *  output y
///        1     0 0 1            1
/// ```
///
/// whose last row never changes and is not stored. Every constructor is named by what happens to the **picture**; the
/// matrix that it makes is therefore the inverse of that motion.
///
/// Sines come from a portable implementation, so that a matrix has the same bits on every machine.
///
/// ```
/// use aumenta_imgproc::Matrix3;
///
/// // The picture moves 10 pixels to the right, so output column 15 reads source column 5.
/// let shifted = Matrix3::shift(10.0, 0.0);
/// assert_eq!(shifted.apply(15.0, 2.0), (5.0, 2.0));
/// // A map and its inverse cancel.
/// let inverse = shifted.inverse().expect("a shift can be undone");
/// assert_eq!(shifted.then(&inverse), Matrix3::IDENTITY);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix3 {
    rows: [[f64; 3]; 2],
}

impl Matrix3 {
    /// Every output pixel reads the source pixel of the same place.
    pub const IDENTITY: Self = Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// The matrix with these first two rows.
    pub const fn from_rows(rows: [[f64; 3]; 2]) -> Self {
        Self { rows }
    }

    /// The first two rows.
    pub const fn rows(&self) -> &[[f64; 3]; 2] {
        &self.rows
    }

    /// Turns the picture counter-clockwise by `degrees` about the point `center`.
    pub fn rotation(degrees: f64, center: (f64, f64)) -> Self {
        let (sine, cosine) = libm::sincos(degrees.to_radians());
        Self::linear([[cosine, -sine], [sine, cosine]]).about(center)
    }

    /// Moves the picture by `x` pixels to the right and `y` pixels down.
    pub const fn shift(x: f64, y: f64) -> Self {
        Self { rows: [[1.0, 0.0, -x], [0.0, 1.0, -y]] }
    }

    /// Leans the picture's vertical lines counter-clockwise by `degrees`: the row through `center` stays, what lies
    /// above slides to the left and what lies below to the right.
    pub fn shear(degrees: f64, center: (f64, f64)) -> Self {
        Self::linear([[1.0, -libm::tan(degrees.to_radians())], [0.0, 1.0]]).about(center)
    }

    /// Enlarges the picture `x` times in width and `y` times in height about the point `center`; factors below 1
    /// shrink it.
    pub fn scale(x: f64, y: f64, center: (f64, f64)) -> Self {
        Self::linear([[x.recip(), 0.0], [0.0, y.recip()]]).about(center)
    }

    /// Mirrors the picture left to right about the point `center`.
    pub fn horizontal_flip(center: (f64, f64)) -> Self {
        Self::linear([[-1.0, 0.0], [0.0, 1.0]]).about(center)
    }

    /// Mirrors the picture top to bottom about the point `center`.
    pub fn vertical_flip(center: (f64, f64)) -> Self {
        Self::linear([[1.0, 0.0], [0.0, -1.0]]).about(center)
    }

    /// Stretches a grid of pixels that starts at the top left: a pixel of the output covers `x` columns and `y` rows
    /// of the source, and the outer edges of the two grids' first pixels meet.
    ///
    /// With `x` the source's width over the output's (and `y` likewise) it is the map of a plain resize.
    pub const fn grid(x: f64, y: f64) -> Self {
        Self { rows: [[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]] }
    }

    /// The map that applies `self` first and `next` to its result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let [[a, b, c], [d, e, f]] = self.rows;
        Self { rows: next.rows.map(|[x, y, offset]| [x * a + y * d, x * b + y * e, x * c + y * f + offset]) }
    }

    /// The map from source pixels back to output pixels, or `None` where the map cannot be undone.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f]] = self.rows;
        let determinant = a * e - b * d;
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let [[a, b], [d, e]] = [[e / determinant, -b / determinant], [-d / determinant, a / determinant]];
        Some(Self { rows: [[a, b, -(a * c + b * f)], [d, e, -(d * c + e * f)]] })
    }

    /// The source point that the output point `(x, y)` reads.
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f]] = self.rows;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// How many source columns and source rows one step between neighbouring output pixels crosses at most, in any
    /// direction: `(2, 2)` for a resize to half the size, whatever rotation it is composed with.
    pub fn stride(&self) -> (f64, f64) {
        let [[a, b, _], [d, e, _]] = self.rows;
        ((a * a + b * b).sqrt(), (d * d + e * e).sqrt())
    }

    const fn linear([[a, b], [d, e]]: [[f64; 2]; 2]) -> Self {
        Self { rows: [[a, b, 0.0], [d, e, 0.0]] }
    }

    /// The same motion with `center` at rest instead of the origin.
    fn about(&self, (x, y): (f64, f64)) -> Self {
        Self::shift(x, y).then(self).then(&Self::shift(-x, -y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENTER: (f64, f64) = (10.0, 10.0);

    #[track_caller]
    fn check(matrix: Matrix3, output: (f64, f64), source: (f64, f64)) {
        let (x, y) = matrix.apply(output.0, output.1);
        assert!(
            (x - source.0).abs() < 1e-9 && (y - source.1).abs() < 1e-9,
            "{output:?} should read {source:?} and reads {:?}",
            (x, y)
        );
    }

    #[test]
    fn each_motion_moves_the_picture_in_its_documented_direction() {
        // What stood to the right of the centre stands above it after a quarter turn counter-clockwise.
        check(Matrix3::rotation(90.0, CENTER), (10.0, 6.0), (14.0, 10.0));
        check(Matrix3::shift(3.0, 2.0), (3.0, 2.0), (0.0, 0.0));
        // A vertical line leans to the left above the centre.
        check(Matrix3::shear(45.0, CENTER), (8.0, 8.0), (10.0, 8.0));
        check(Matrix3::scale(2.0, 4.0, CENTER), (14.0, 14.0), (12.0, 11.0));
        check(Matrix3::horizontal_flip(CENTER), (13.0, 4.0), (7.0, 4.0));
        check(Matrix3::vertical_flip(CENTER), (13.0, 4.0), (13.0, 16.0));
    }

    #[test]
    fn a_grid_meets_at_the_outer_edges() {
        let matrix = Matrix3::grid(4.0, 2.0);
        check(matrix, (-0.5, -0.5), (-0.5, -0.5));
        check(matrix, (9.5, 9.5), (39.5, 19.5));
        assert_eq!(Matrix3::grid(1.0, 1.0), Matrix3::IDENTITY);
    }

    #[test]
    fn then_applies_the_left_map_first() {
        let both = Matrix3::shift(1.0, 0.0).then(&Matrix3::scale(0.5, 1.0, (0.0, 0.0)));
        assert_eq!(both.apply(3.0, 0.0), (4.0, 0.0));
    }

    #[test]
    fn an_inverse_undoes_its_map() {
        let matrix = Matrix3::rotation(23.0, CENTER).then(&Matrix3::shear(10.0, CENTER)).then(&Matrix3::grid(3.0, 2.0));
        let back = matrix.then(&matrix.inverse().unwrap());
        check(back, (3.0, 17.0), (3.0, 17.0));
        assert_eq!(Matrix3::from_rows([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]).inverse(), None);
    }

    #[test]
    fn the_stride_does_not_depend_on_the_rotation() {
        let turned = Matrix3::rotation(37.0, CENTER).then(&Matrix3::grid(3.0, 2.0));
        let (columns, rows) = turned.stride();
        assert!((columns - 3.0).abs() < 1e-12 && (rows - 2.0).abs() < 1e-12, "{columns} {rows}");
    }
}
