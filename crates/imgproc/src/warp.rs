//! [`warp`]: the one resampling that a picture goes through on its way into a batch.
//!
//! A row of the output is made some hundred pixels at a time, each step over all of them while they are in the first
//! cache: the points that they read, the colours there, the changes of colour, the form of the output. The steps are
//! plain loops over [`LANES`] numbers at a time, compiled for AVX-512, AVX2 and the baseline of the processor (which on
//! aarch64 includes NEON) and chosen at run time. All arithmetic on pixels is on integers, so the same source and
//! matrix give the same bytes on every machine.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

mod bicubic;
mod bilinear;
mod displace;
mod mirror;
mod nearest;
mod points;
mod source;
mod vectors;

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};
use pulp::{Arch, Scalar, Simd, WithSimd};

use self::bilinear::Corners;
pub use self::displace::displace;
use self::mirror::Mirroring;
use self::points::Points;
use self::source::Source;
use self::vectors::{Portable, Vectors};
use crate::planes::Planes;
use crate::{Channels, ColorChain, Displacement, Fill, ImageRef, Interpolation, Matrix3, Sampling, Size, Slot};

/// Fills `out`, a picture of `size`, from `source`: the output pixel at `(x, y)` takes the source's colour at
/// `matrix.apply(x, y)`, then changed by `color`.
///
/// The warp reads one point (or the four or sixteen around it) for each output pixel; where the matrix shrinks the
/// picture by more than 2, [`shrink`](crate::shrink()) it first, or what lies between the points is lost.
///
/// Results are within one level of exact arithmetic (two for bicubic ones), up to coordinates of 2^28 pixels, before
/// the changes of colour. An empty source gives the colour of a constant fill, or black.
///
/// # Panics
/// Where `out` does not hold a picture of `size`, and where `source` has 4 GiB or more.
///
/// ```
/// use aumenta_imgproc::{ColorChain, Image, Matrix3, Sampling, Size, Slot, warp};
///
/// let source = Image::from_pixels(2, 1, vec![0, 0, 0, 100, 100, 100]);
/// let mut out = [0; 3 * 3];
/// let half = Matrix3::shift(0.5, 0.0);
/// let size = Size { width: 3, height: 1 };
/// warp(&source, &half, Sampling::default(), &ColorChain::IDENTITY, size, Slot::rgb(&mut out));
/// assert_eq!(out, [0, 0, 0, 50, 50, 50, 100, 100, 100]);
/// ```
pub fn warp<'a>(
    source: impl Into<ImageRef<'a>>,
    matrix: &Matrix3,
    sampling: Sampling,
    color: &ColorChain,
    size: Size,
    out: Slot<'_>,
) {
    warp_pixels(source.into(), matrix, sampling, color, size, out);
}

fn warp_pixels(
    source: ImageRef<'_>,
    matrix: &Matrix3,
    sampling: Sampling,
    color: &ColorChain,
    size: Size,
    mut out: Slot<'_>,
) {
    out.check(size);
    if source.size() == size
        && let Some(mirroring) = Mirroring::of(matrix, size)
        && let (Slot::Bytes { bytes, channels: Channels::Rgb }, Some(table)) = (&mut out, color.table())
    {
        mirroring.copy(source, bytes);
        return table.apply_to_pixels(bytes.as_chunks_mut().0);
    }
    let place = Place::Mapped(matrix);
    Warp { vectors: Portable, source, place, sampling, color, size, out }.run();
}

/// Writes `source` to `out` as it is, its colours changed by `color`: the last two steps of a [`warp`].
///
/// # Panics
/// Where `out` does not hold a picture of the source's size.
///
/// ```
/// use aumenta_imgproc::{ColorChain, Image, Slot, Tone, write};
///
/// let source = Image::from_pixels(1, 2, vec![10, 20, 30, 40, 50, 60]);
/// let mut out = [0; 6];
/// write(&source, &ColorChain::from(Tone::brightness(2.0)), Slot::rgb(&mut out));
/// assert_eq!(out, [20, 40, 60, 80, 100, 120]);
/// ```
pub fn write<'a>(source: impl Into<ImageRef<'a>>, color: &ColorChain, out: Slot<'_>) {
    write_pixels(source.into(), color, out);
}

fn write_pixels(source: ImageRef<'_>, color: &ColorChain, mut out: Slot<'_>) {
    out.check(source.size());
    if let (Slot::Bytes { bytes, channels: Channels::Rgb }, Some(table)) = (&mut out, color.table()) {
        return table.copy_pixels(source.pixels().as_chunks().0, bytes.as_chunks_mut().0);
    }
    Arch::new().dispatch(Write { source, color, out });
}

/// Output pixels that a vector holds; two AVX2 vectors or one of AVX-512.
const LANES: usize = 16;

/// Groups of lanes that are on their way together.
const GROUPS: usize = 16;

type Lanes<T> = [T; LANES];

struct Warp<'a, V> {
    vectors: V,
    source: ImageRef<'a>,
    place: Place<'a>,
    sampling: Sampling,
    color: &'a ColorChain,
    size: Size,
    out: Slot<'a>,
}

/// Where the output's pixels lie in the source.
#[derive(Clone, Copy)]
enum Place<'a> {
    Mapped(&'a Matrix3),
    Displaced(&'a Displacement),
}

impl Place<'_> {
    /// The rows of a picture of `height` between which the corners of an output of `size` lie, which are all that most warps
    /// read.
    fn rows(&self, size: Size, height: usize) -> Range<usize> {
        let Self::Mapped(matrix) = self else { return 0..height };
        let (right, bottom) = (size.width as f64 - 1.0, size.height as f64 - 1.0);
        let corners = [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)].map(|(x, y)| matrix.apply(x, y).1);
        let end = (corners.into_iter().fold(0.0, f64::max) as usize).saturating_add(2).min(height);
        (corners.into_iter().fold(f64::INFINITY, f64::min) as usize).min(end)..end
    }
}

impl Warp<'_, Portable> {
    /// Carries it out on the best instruction set that the processor has.
    fn run(self) {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(avx512) = V4::try_new() {
                return Simd::vectorize(avx512, self.on(avx512));
            }
            if let Some(avx2) = V3::try_new() {
                return Simd::vectorize(avx2, self.on(avx2));
            }
        }
        Simd::vectorize(Scalar::new(), self);
    }
}

impl<'a, V> Warp<'a, V> {
    /// The same warp on another instruction set.
    fn on<W>(self, vectors: W) -> Warp<'a, W> {
        let Self { vectors: _, source, place, sampling, color, size, out } = self;
        Warp { vectors, source, place, sampling, color, size, out }
    }
}

impl<V: Vectors> WithSimd for Warp<'_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let pixels = self.size.width * self.size.height;
        let (mut points, mut corners) = (Points::new(), Corners::new());
        let mut colors = [[source::constant(self.sampling.fill); LANES]; GROUPS];
        let mut small = [0; 16];
        let source = Source::new(self.source, &mut small);
        let is_empty = self.source.pixels().is_empty();
        if self.source.pixels().len() / source::LINE_BYTES <= pixels {
            source.fetch(self.place.rows(self.size, self.source.height()));
        }
        for row in 0..self.size.height {
            for first in (0..self.size.width).step_by(GROUPS * LANES) {
                let columns = (self.size.width - first).min(GROUPS * LANES);
                let groups = columns.div_ceil(LANES);
                if is_empty {
                    colors.fill([source::constant(self.sampling.fill); LANES]);
                } else {
                    match self.place {
                        Place::Mapped(matrix) => points.locate(matrix, first, row, groups),
                        Place::Displaced(displacement) => points.locate_displaced(displacement, first, row, columns),
                    }
                    sample(self.vectors, source, self.sampling, &mut points, &mut corners, &mut colors[..groups]);
                }
                for at in (0..columns).step_by(Planes::PIXELS) {
                    // The last run ends with the row and repeats some of the one before, so that most have a known length.
                    let at = at.min(columns.saturating_sub(Planes::PIXELS));
                    let mut planes = Planes::from_packed(&colors.as_flattened()[at..]);
                    self.color.apply_to_planes(&mut planes);
                    let count = (columns - at).min(Planes::PIXELS);
                    self.out.write(&planes, count, row * self.size.width + first + at, pixels);
                }
            }
        }
    }
}

#[inline(always)]
fn sample<V: Vectors>(
    vectors: V,
    source: Source<'_>,
    sampling: Sampling,
    points: &mut Points,
    corners: &mut Corners,
    colors: &mut [Lanes<u32>],
) {
    let Sampling { fill, interpolation } = sampling;
    points.fold(fill, source.width, source.height, colors.len());
    match interpolation {
        Interpolation::Bilinear => bilinear::sample(vectors, source, fill, points, corners, colors),
        Interpolation::Nearest => nearest::sample(source, fill, points, colors),
        Interpolation::Bicubic => bicubic::sample(source, fill, points, colors),
    }
    if let Fill::ConstantBeyondCenters(_) = fill {
        let constant = source::constant(fill);
        for (group, colors) in colors.iter_mut().enumerate() {
            for (lane, color) in colors.iter_mut().enumerate() {
                let beyond = points.is_beyond_centers(group, lane, source.width, source.height);
                *color = if beyond { constant } else { *color };
            }
        }
    }
}

struct Write<'a> {
    source: ImageRef<'a>,
    color: &'a ColorChain,
    out: Slot<'a>,
}

impl WithSimd for Write<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let pixels = self.source.pixels().as_chunks::<3>().0;
        let (blocks, rest) = pixels.as_chunks();
        for (block, run) in blocks.iter().enumerate() {
            self.write(Planes::from_pixels(run), run.len(), block * Planes::PIXELS);
        }
        self.write(Planes::from_few_pixels(rest), rest.len(), pixels.len() - rest.len());
    }
}

impl Write<'_> {
    /// Writes `count` pixels as those from number `first` on.
    #[inline(always)]
    fn write(&mut self, mut planes: Planes, count: usize, first: usize) {
        self.color.apply_to_planes(&mut planes);
        self.out.write(&planes, count, first, self.source.width() * self.source.height());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::Scalar;

    use super::*;
    use crate::{Image, Tone};

    /// Gray values as an RGB image whose other two channels are told apart.
    fn image(width: usize, height: usize, values: &[u8]) -> Image {
        Image::from_pixels(width, height, values.iter().flat_map(|&value| [value, value / 2, 255 - value]).collect())
    }

    fn noise(width: usize, height: usize) -> Image {
        let mut state = 1u32;
        let values = (0..width * height * 3).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Image::from_pixels(width, height, values.collect())
    }

    fn warped(source: &Image, matrix: &Matrix3, fill: Fill, interpolation: Interpolation, size: Size) -> Image {
        let mut out = Image::filled(size.width, size.height, [1, 2, 3]);
        let sampling = Sampling { fill, interpolation };
        warp(source, matrix, sampling, &ColorChain::IDENTITY, size, Slot::rgb(out.pixels_mut()));
        out
    }

    fn center(size: Size) -> (f64, f64) {
        ((size.width as f64 - 1.0) / 2.0, (size.height as f64 - 1.0) / 2.0)
    }

    /// The red channel of a 1-pixel high picture of `values`, moved by `shift` and read over `width` columns.
    #[track_caller]
    fn check_row(values: &[u8], shift: f64, fill: Fill, interpolation: Interpolation, expected: &[u8]) {
        let size = Size { width: expected.len(), height: 1 };
        let source = image(values.len(), 1, values);
        let out = warped(&source, &Matrix3::shift(shift, 0.0), fill, interpolation, size);
        let red: Vec<u8> = out.pixels().iter().step_by(3).copied().collect();
        assert_eq!(red, expected);
    }

    #[test]
    fn the_identity_changes_nothing() {
        let source = noise(13, 7);
        for interpolation in [Interpolation::Bilinear, Interpolation::Nearest] {
            for fill in [Fill::Nearest, Fill::Reflect, Fill::Wrap, Fill::Constant([9; 3])] {
                assert_eq!(warped(&source, &Matrix3::IDENTITY, fill, interpolation, source.size()), source);
            }
        }
    }

    #[test]
    fn two_flips_change_nothing_and_one_mirrors() {
        let source = noise(6, 5);
        let center = center(source.size());
        for flip in [Matrix3::horizontal_flip(center), Matrix3::vertical_flip(center)] {
            let once = warped(&source, &flip, Fill::Nearest, Interpolation::Bilinear, source.size());
            assert_ne!(once, source);
            assert_eq!(warped(&once, &flip, Fill::Nearest, Interpolation::Bilinear, source.size()), source);
        }
        let flip = Matrix3::horizontal_flip(center);
        let mirrored = warped(&source, &flip, Fill::Nearest, Interpolation::Bilinear, source.size());
        assert_eq!(mirrored.get(0, 3), source.get(5, 3));
    }

    #[test]
    fn a_quarter_turn_is_exact_and_counter_clockwise() {
        let source = image(3, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let turned = image(3, 3, &[3, 6, 9, 2, 5, 8, 1, 4, 7]);
        let quarter = Matrix3::rotation(90.0, (1.0, 1.0));
        for interpolation in [Interpolation::Bilinear, Interpolation::Nearest] {
            assert_eq!(warped(&source, &quarter, Fill::Constant([0; 3]), interpolation, source.size()), turned);
        }
    }

    #[test]
    fn fills_continue_a_row_as_documented() {
        let row = [10, 20, 30, 40];
        let nearest = Interpolation::Nearest;
        check_row(&row, 3.0, Fill::Nearest, nearest, &[10, 10, 10, 10, 20, 30, 40, 40, 40, 40]);
        check_row(&row, 3.0, Fill::Reflect, nearest, &[30, 20, 10, 10, 20, 30, 40, 40, 30, 20]);
        check_row(&row, 3.0, Fill::Wrap, nearest, &[20, 30, 40, 10, 20, 30, 40, 10, 20, 30]);
        check_row(&row, 3.0, Fill::Constant([7; 3]), nearest, &[7, 7, 7, 10, 20, 30, 40, 7, 7, 7]);
    }

    #[test]
    fn a_point_between_pixels_blends_them() {
        let row = [0, 100, 200];
        check_row(&row, 0.5, Fill::Nearest, Interpolation::Bilinear, &[0, 50, 150, 200, 200]);
        check_row(&row, 0.25, Fill::Constant([40; 3]), Interpolation::Bilinear, &[10, 75, 175, 80]);
        check_row(&row, -0.5, Fill::Wrap, Interpolation::Bilinear, &[50, 150, 100, 50]);
        // Exactly between two pixels the nearest is the one to the right.
        check_row(&row, 0.5, Fill::Nearest, Interpolation::Nearest, &[0, 100, 200, 200]);
    }

    #[test]
    fn the_tone_is_applied_to_the_warped_colors() {
        let source = Image::filled(2, 2, [100, 50, 20]);
        let mut out = [0; 6];
        let size = Size { width: 2, height: 1 };
        let sampling = Sampling { fill: Fill::Constant([80; 3]), ..Sampling::default() };
        let color = ColorChain::from(Tone::brightness(0.5));
        warp(&source, &Matrix3::shift(1.0, 0.0), sampling, &color, size, Slot::rgb(&mut out));
        assert_eq!(out, [40, 40, 40, 50, 25, 10]);
    }

    #[test]
    fn an_empty_source_shows_its_fill() {
        let empty = Image::default();
        let out =
            warped(&empty, &Matrix3::IDENTITY, Fill::Constant([5, 6, 7]), Interpolation::Bilinear, Size::square(2));
        assert_eq!(out, Image::filled(2, 2, [5, 6, 7]));
        let out = warped(&empty, &Matrix3::IDENTITY, Fill::Reflect, Interpolation::Nearest, Size::square(2));
        assert_eq!(out, Image::filled(2, 2, [0; 3]));
    }

    /// The same pixel in 64-bit floats, one pixel at a time and without a fast path.
    fn reference(source: &Image, matrix: &Matrix3, sampling: Sampling, x: usize, y: usize) -> [f64; 3] {
        let (x, y) = matrix.apply(x as f64, y as f64);
        let (width, height) = (source.width() as f64, source.height() as f64);
        let (x, y) = match sampling.fill {
            Fill::ConstantBeyondCenters(color) if x < 0.0 || y < 0.0 || x > width - 1.0 || y > height - 1.0 => {
                return color.map(f64::from);
            }
            Fill::WrapOverlapping => (overlapping(x, width - 1.0), overlapping(y, height - 1.0)),
            _ => (x, y),
        };
        let taps = |at: f64| match sampling.interpolation {
            Interpolation::Nearest => vec![((at + 0.5).floor() as i64, 1.0)],
            Interpolation::Bilinear => {
                around(at, 0..2).map(|column| (column as i64, 1.0 - (at - column).abs())).collect()
            }
            Interpolation::Bicubic => {
                around(at, -1..3).map(|column| (column as i64, keys((at - column).abs()))).collect()
            }
        };
        let mut sums = [0.0; 3];
        for &(row, down) in &taps(y) {
            for &(column, right) in &taps(x) {
                let color = color_or_fill(source, column, row, sampling.fill);
                for (sum, value) in sums.iter_mut().zip(color) {
                    *sum += right * down * f64::from(value);
                }
            }
        }
        sums.map(|sum| sum.clamp(0.0, 255.0))
    }

    fn around(at: f64, offsets: Range<i32>) -> impl Iterator<Item = f64> {
        offsets.map(move |offset| at.floor() + f64::from(offset))
    }

    /// Keys' equation 15.
    fn keys(distance: f64) -> f64 {
        match distance {
            ..1.0 => 1.5 * distance.powi(3) - 2.5 * distance.powi(2) + 1.0,
            ..2.0 => -0.5 * distance.powi(3) + 2.5 * distance.powi(2) - 4.0 * distance + 2.0,
            _ => 0.0,
        }
    }

    fn overlapping(at: f64, period: f64) -> f64 {
        if period == 0.0 {
            0.0
        } else if (0.0..=period).contains(&at) {
            at
        } else {
            at.rem_euclid(period)
        }
    }

    fn color_or_fill(source: &Image, x: i64, y: i64, fill: Fill) -> [u8; 3] {
        let (width, height) = (source.width() as i64, source.height() as i64);
        let reflect = |at: i64, length: i64| {
            let at = at.rem_euclid(2 * length);
            at.min(2 * length - 1 - at)
        };
        let (x, y) = match fill {
            Fill::Nearest | Fill::ConstantBeyondCenters(_) | Fill::WrapOverlapping => {
                (x.clamp(0, width - 1), y.clamp(0, height - 1))
            }
            Fill::Reflect => (reflect(x, width), reflect(y, height)),
            Fill::Wrap => (x.rem_euclid(width), y.rem_euclid(height)),
            Fill::Constant(color) if x < 0 || y < 0 || x >= width || y >= height => return color,
            Fill::Constant(_) => (x, y),
        };
        source.get(x as usize, y as usize)
    }

    fn any_fill() -> impl Strategy<Value = Fill> {
        prop_oneof![
            Just(Fill::Nearest),
            Just(Fill::Reflect),
            Just(Fill::Wrap),
            Just(Fill::WrapOverlapping),
            any::<[u8; 3]>().prop_map(Fill::Constant),
            any::<[u8; 3]>().prop_map(Fill::ConstantBeyondCenters),
        ]
    }

    fn any_interpolation() -> impl Strategy<Value = Interpolation> {
        prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Nearest), Just(Interpolation::Bicubic)]
    }

    proptest! {
        #[test]
        fn the_warp_stays_within_a_level_of_exact_arithmetic(
            degrees in -180.0..180.0,
            shear in -40.0..40.0,
            zoom in (0.3..3.0, 0.3..3.0),
            shift in (-20.0..20.0, -20.0..20.0),
            fill in any_fill(),
            interpolation in prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Bicubic)],
            (width, height) in (1usize..40, 1usize..40),
        ) {
            let source = noise(width, height);
            let size = Size { width: 24, height: 17 };
            let matrix = Matrix3::rotation(degrees, center(size))
                .then(&Matrix3::shear(shear, center(size)))
                .then(&Matrix3::scale(zoom.0, zoom.1, center(size)))
                .then(&Matrix3::shift(shift.0, shift.1))
                .then(&Matrix3::grid(width as f64 / 24.0, height as f64 / 17.0));
            let out = warped(&source, &matrix, fill, interpolation, size);
            let sampling = Sampling { fill, interpolation };
            for y in 0..size.height {
                for x in 0..size.width {
                    let exact = reference(&source, &matrix, sampling, x, y);
                    for (value, exact) in out.get(x, y).iter().zip(exact) {
                        prop_assert!((f64::from(*value) - exact).abs() <= 1.0, "({x}, {y}): {value} is not {exact}");
                    }
                }
            }
        }

        #[test]
        fn every_instruction_set_gives_the_same_bytes(
            rows in prop_oneof![any::<[[f64; 3]; 3]>(), prop::array::uniform3(prop::array::uniform3(-9.0..9.0f64))],
            is_affine in any::<bool>(),
            fill in any_fill(),
            interpolation in any_interpolation(),
            (width, height) in (1usize..40, 1usize..40),
        ) {
            let source = noise(width, height);
            let matrix = if is_affine { Matrix3::affine([rows[0], rows[1]]) } else { Matrix3::from_rows(rows) };
            let size = Size { width: 21, height: 6 };
            let mut expected = vec![0; size.width * size.height * 3];
            let sampling = Sampling { fill, interpolation };
            let color = &ColorChain::IDENTITY;
            let out = Slot::rgb(&mut expected);
            let portable = Warp { vectors: Portable, source: (&source).into(), place: Place::Mapped(&matrix), sampling, color, size, out };
            Scalar::new().vectorize(portable);
            prop_assert_eq!(warped(&source, &matrix, fill, interpolation, size).into_pixels(), &expected[..]);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = V3::try_new() {
                let mut bytes = vec![0; expected.len()];
                let out = Slot::rgb(&mut bytes);
                let warp = Warp { vectors: avx2, source: (&source).into(), place: Place::Mapped(&matrix), sampling, color, size, out };
                Simd::vectorize(avx2, warp);
                prop_assert_eq!(&bytes, &expected);
            }
        }

        #[test]
        fn no_finite_matrix_panics(
            rows in any::<[[f64; 3]; 3]>(),
            fill in any_fill(),
            interpolation in any_interpolation(),
            (width, height) in (1usize..5, 1usize..5),
        ) {
            warped(&noise(width, height), &Matrix3::from_rows(rows), fill, interpolation, Size::square(5));
        }
    }
}
