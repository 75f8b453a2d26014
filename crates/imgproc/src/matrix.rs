//! [`Matrix3`]: where each output pixel comes from.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::Size;

/// A projective map from **output** pixels to **source** pixels.
///
/// Coordinates are homogeneous and count pixel centres: `(0, 0)` is the centre of the top left pixel, `x` grows to the
/// right and `y` downwards. The map is a 3x3 matrix in row-major order,
///
/// ```text
/// x     a b c     output x
/// y  =  d e f  *  output y     source = (x / w, y / w)
/// w     g h i            1
/// ```
///
/// whose last row is `0 0 1` for every affine motion; only [`perspective`](Self::perspective) makes another one. Every
/// constructor is named by what happens to the **picture**; the matrix that it makes is therefore the inverse of that
/// motion.
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
    rows: [[f64; 3]; 3],
}

/// The last row of every affine map.
const AFFINE: [f64; 3] = [0.0, 0.0, 1.0];

impl Matrix3 {
    /// Every output pixel reads the source pixel of the same place.
    pub const IDENTITY: Self = Self::affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);

    /// The matrix with these rows.
    pub const fn from_rows(rows: [[f64; 3]; 3]) -> Self {
        Self { rows }
    }

    /// The affine map with these first two rows.
    pub const fn affine([x, y]: [[f64; 3]; 2]) -> Self {
        Self { rows: [x, y, AFFINE] }
    }

    /// The three rows.
    pub const fn rows(&self) -> &[[f64; 3]; 3] {
        &self.rows
    }

    /// Whether parallel lines stay parallel: the last row is `0 0 1`.
    pub fn is_affine(&self) -> bool {
        self.rows[2] == AFFINE
    }

    /// Turns the picture counter-clockwise by `degrees` about the point `center`.
    pub fn rotation(degrees: f64, center: (f64, f64)) -> Self {
        let (sine, cosine) = libm::sincos(degrees.to_radians());
        Self::linear([[cosine, -sine], [sine, cosine]]).about(center)
    }

    /// Moves the picture by `x` pixels to the right and `y` pixels down.
    pub const fn shift(x: f64, y: f64) -> Self {
        Self::affine([[1.0, 0.0, -x], [0.0, 1.0, -y]])
    }

    /// Leans the picture's vertical lines counter-clockwise by `degrees`: the row through `center` stays, what lies
    /// above slides to the left and what lies below to the right.
    pub fn shear(degrees: f64, center: (f64, f64)) -> Self {
        Self::linear([[1.0, -libm::tan(degrees.to_radians())], [0.0, 1.0]]).about(center)
    }

    /// Leans the picture's horizontal lines counter-clockwise by `degrees`: the column through `center` stays, what lies
    /// to the left slides down and what lies to the right slides up.
    pub fn vertical_shear(degrees: f64, center: (f64, f64)) -> Self {
        Self::linear([[1.0, 0.0], [libm::tan(degrees.to_radians()), 1.0]]).about(center)
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
        Self::affine([[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]])
    }

    /// Turns a picture of `source` by `turns` quarters counter-clockwise (negative ones turn clockwise), exactly.
    ///
    /// After an odd number of quarters the output is as wide as the source is high, and the other way round.
    ///
    /// ```
    /// use aumenta_imgproc::{Matrix3, Size};
    ///
    /// let turn = Matrix3::quarter_turns(1, Size { width: 5, height: 3 });
    /// // The top right corner has become the top left one.
    /// assert_eq!(turn.apply(0.0, 0.0), (4.0, 0.0));
    /// ```
    pub fn quarter_turns(turns: i32, source: Size) -> Self {
        let (right, bottom) = (source.width as f64 - 1.0, source.height as f64 - 1.0);
        Self::affine(match turns.rem_euclid(4) {
            0 => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            1 => [[0.0, -1.0, right], [1.0, 0.0, 0.0]],
            2 => [[-1.0, 0.0, right], [0.0, -1.0, bottom]],
            _ => [[0.0, 1.0, 0.0], [-1.0, 0.0, bottom]],
        })
    }

    /// Moves the picture's four points `from` to the four points `to` and draws the rest in perspective, or `None`
    /// where three of the four points lie on one line and no such map exists.
    ///
    /// The map is the product of two bases of the projective plane (Heckbert, *Fundamentals of Texture Mapping and
    /// Image Warping*, 1989, section 2.2).
    ///
    /// ```
    /// use aumenta_imgproc::Matrix3;
    ///
    /// let square = [(0.0, 0.0), (8.0, 0.0), (8.0, 8.0), (0.0, 8.0)];
    /// let trapezium = [(2.0, 0.0), (6.0, 0.0), (8.0, 8.0), (0.0, 8.0)];
    /// let matrix = Matrix3::perspective(square, trapezium).expect("no three points on a line");
    /// let (x, y) = matrix.apply(6.0, 0.0);
    /// assert!((x - 8.0).abs() < 1e-9 && y.abs() < 1e-9);
    /// ```
    pub fn perspective(from: [(f64, f64); 4], to: [(f64, f64); 4]) -> Option<Self> {
        let Self { rows } = Self::basis(to)?.inverse()?.then(&Self::basis(from)?);
        let corner = rows[2][2];
        let scale = if corner == 0.0 { 1.0 } else { corner };
        let matrix = Self { rows: rows.map(|row| row.map(|value| value / scale)) };
        matrix.rows.as_flattened().iter().all(|value| value.is_finite()).then_some(matrix)
    }

    /// The map that applies `self` first and `next` to its result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        let rows = next.rows.map(|[x, y, w]| [x * a + y * d + w * g, x * b + y * e + w * h, x * c + y * f + w * i]);
        Self { rows }
    }

    /// The map from source pixels back to output pixels, or `None` where the map cannot be undone.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        let determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let adjugate = [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ];
        Some(Self { rows: adjugate.map(|row| row.map(|value| value / determinant)) })
    }

    /// The source point that the output point `(x, y)` reads.
    ///
    /// On the horizon of a perspective, where `w` is 0, the coordinates are infinite or not a number.
    #[inline(always)]
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        let w = g * x + h * y + i;
        ((a * x + b * y + c) / w, (d * x + e * y + f) / w)
    }

    /// How many source columns and source rows one step between neighbouring pixels of an output of `size` crosses
    /// at most, in any direction: `(2, 2)` for a resize to half the size, whatever rotation it is composed with.
    ///
    /// For an affine map it is the same everywhere. For a perspective it is the largest at the four corners, but at
    /// most twice that of the middle: an average over as many pixels as the far edge of a steep perspective skips
    /// would blur all the rest.
    pub fn stride(&self, size: Size) -> (f64, f64) {
        let (right, bottom) = (size.width as f64 - 1.0, size.height as f64 - 1.0);
        let middle = self.stride_at(right / 2.0, bottom / 2.0);
        if self.is_affine() {
            return middle;
        }
        let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)];
        let (columns, rows) = corners.into_iter().fold(middle, |(columns, rows), (x, y)| {
            let at_corner = self.stride_at(x, y);
            (columns.max(at_corner.0), rows.max(at_corner.1))
        });
        (columns.min(2.0 * middle.0), rows.min(2.0 * middle.1))
    }

    /// The lengths of the gradients of source x and source y at an output point.
    fn stride_at(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b, _], [d, e, _], [g, h, i]] = self.rows;
        let (source_x, source_y) = self.apply(x, y);
        let w = g * x + h * y + i;
        let length = |x: f64, y: f64| ((x / w) * (x / w) + (y / w) * (y / w)).sqrt();
        (length(a - source_x * g, b - source_x * h), length(d - source_y * g, e - source_y * h))
    }

    /// The map from the unit points of the projective plane, `(1:0:0)`, `(0:1:0)`, `(0:0:1)` and `(1:1:1)`, to four
    /// points.
    fn basis([p, q, r, s]: [(f64, f64); 4]) -> Option<Self> {
        let columns = Self { rows: [[p.0, q.0, r.0], [p.1, q.1, r.1], [1.0; 3]] };
        let [p, q, r] = columns.inverse()?.rows.map(|[x, y, w]| x * s.0 + y * s.1 + w);
        (p != 0.0 && q != 0.0 && r != 0.0)
            .then(|| Self { rows: columns.rows.map(|row| [row[0] * p, row[1] * q, row[2] * r]) })
    }

    const fn linear([[a, b], [d, e]]: [[f64; 2]; 2]) -> Self {
        Self::affine([[a, b, 0.0], [d, e, 0.0]])
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
        // A horizontal line leans to the left and down, to the right and up.
        check(Matrix3::vertical_shear(45.0, CENTER), (12.0, 8.0), (12.0, 10.0));
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
        assert_eq!(Matrix3::affine([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]).inverse(), None);
    }

    #[test]
    fn the_stride_does_not_depend_on_the_rotation() {
        let turned = Matrix3::rotation(37.0, CENTER).then(&Matrix3::grid(3.0, 2.0));
        let (columns, rows) = turned.stride(Size::square(21));
        assert!((columns - 3.0).abs() < 1e-12 && (rows - 2.0).abs() < 1e-12, "{columns} {rows}");
    }

    const QUAD: [(f64, f64); 4] = [(1.0, 2.0), (18.0, -1.0), (21.0, 19.0), (-3.0, 15.0)];
    const SQUARE: [(f64, f64); 4] = [(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)];

    #[test]
    fn a_perspective_moves_its_four_points_and_keeps_lines_straight() {
        let matrix = Matrix3::perspective(SQUARE, QUAD).unwrap();
        for (source, output) in SQUARE.into_iter().zip(QUAD) {
            check(matrix, output, source);
        }
        // The diagonals of the square meet at its middle, and so do those of the quadrilateral.
        let back = matrix.inverse().unwrap();
        let (x, y) = back.apply(10.0, 10.0);
        let side = |(px, py): (f64, f64), (qx, qy): (f64, f64)| (x - px) * (qy - py) - (y - py) * (qx - px);
        assert!(side(QUAD[0], QUAD[2]).abs() < 1e-9 && side(QUAD[1], QUAD[3]).abs() < 1e-9, "{x} {y}");
        check(matrix.then(&back), (3.0, 17.0), (3.0, 17.0));
        assert!(!matrix.is_affine() && Matrix3::rotation(9.0, CENTER).is_affine());
    }

    #[test]
    fn a_perspective_needs_four_points_of_which_no_three_are_on_a_line() {
        let line = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (0.0, 5.0)];
        assert_eq!(Matrix3::perspective(line, SQUARE), None);
        assert_eq!(Matrix3::perspective(SQUARE, line), None);
        assert_eq!(Matrix3::perspective(SQUARE, [(f64::NAN, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), None);
    }

    #[test]
    fn the_stride_of_a_perspective_is_that_of_its_steepest_corner() {
        let matrix = Matrix3::perspective(SQUARE, [(2.0, 0.0), (18.0, 0.0), (20.0, 20.0), (0.0, 20.0)]).unwrap();
        let (columns, rows) = matrix.stride(Size::square(21));
        let step = |x: f64, y: f64| matrix.apply(x + 1e-6, y).0 - matrix.apply(x, y).0;
        assert!((columns - step(2.0, 0.0) * 1e6).abs() < 0.1 && rows > 1.0 && rows < 1.5, "{columns} {rows}");
    }

    #[test]
    fn quarter_turns_are_exact_and_add_up() {
        let size = Size { width: 5, height: 3 };
        assert_eq!(Matrix3::quarter_turns(4, size), Matrix3::IDENTITY);
        assert_eq!(Matrix3::quarter_turns(-1, size), Matrix3::quarter_turns(3, size));
        let turned = Size { width: 3, height: 5 };
        let twice = Matrix3::quarter_turns(1, turned).then(&Matrix3::quarter_turns(1, size));
        assert_eq!(twice, Matrix3::quarter_turns(2, size));
    }
}
