//! [`Tone`]: a change of colour that looks at one pixel at a time.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::Table;
use crate::planes::Planes;

/// A 3x4 colour matrix on RGB values from 0 to 255: `out = linear * in + offset`.
///
/// Brightness, contrast and saturation are all of this kind, so any number of them compose into one matrix that the
/// warp applies while it writes a pixel. The result is rounded and clamped to `0..=255` **once**, after all of them; a
/// colour that one step takes out of range and the next brings back is not clipped in between.
///
/// ```
/// use aumenta_imgproc::Tone;
///
/// let tone = Tone::brightness(1.5).then(&Tone::saturation(0.0));
/// assert_eq!(tone.apply([100, 100, 100]), [150, 150, 150]);
/// assert_eq!(Tone::contrast(2.0).apply([128, 100, 255]), [128, 72, 255]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    rows: [[f64; 4]; 3],
}

impl Tone {
    /// Every colour stays.
    pub const IDENTITY: Self = Self { rows: [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]] };

    /// Multiplies every channel by `factor`: 0 is black, 1 changes nothing.
    pub const fn brightness(factor: f64) -> Self {
        Self { rows: [[factor, 0.0, 0.0, 0.0], [0.0, factor, 0.0, 0.0], [0.0, 0.0, factor, 0.0]] }
    }

    /// Multiplies every channel's distance from mid gray (128, not the image's mean, which one pixel cannot know) by
    /// `factor`: 0 is flat gray, 1 changes nothing.
    pub const fn contrast(factor: f64) -> Self {
        Self::contrast_about(128.0, factor)
    }

    /// Multiplies every channel's distance from `gray` (0 to 255) by `factor`: 0 is flat, 1 changes nothing.
    ///
    /// About the picture's [`mean_luma`](crate::mean_luma()) it is the contrast of Pillow and torchvision.
    pub const fn contrast_about(gray: f64, factor: f64) -> Self {
        let offset = gray * (1.0 - factor);
        Self { rows: [[factor, 0.0, 0.0, offset], [0.0, factor, 0.0, offset], [0.0, 0.0, factor, offset]] }
    }

    /// Adds `levels` of 255 to red, green and blue.
    pub const fn channel_shift(levels: [f64; 3]) -> Self {
        let [red, green, blue] = levels;
        Self { rows: [[1.0, 0.0, 0.0, red], [0.0, 1.0, 0.0, green], [0.0, 0.0, 1.0, blue]] }
    }

    /// Makes every channel the pixel's [`luma`](crate::luma()): a gray picture.
    pub const fn grayscale() -> Self {
        Self::saturation(0.0)
    }

    /// Multiplies every channel's distance from the pixel's [`luma`](crate::luma()) by `factor`: 0 is a gray picture,
    /// 1 changes nothing.
    pub const fn saturation(factor: f64) -> Self {
        let [red, green, blue] = [0.299 * (1.0 - factor), 0.587 * (1.0 - factor), 0.114 * (1.0 - factor)];
        Self {
            rows: [
                [red + factor, green, blue, 0.0],
                [red, green + factor, blue, 0.0],
                [red, green, blue + factor, 0.0],
            ],
        }
    }

    /// The change that applies `self` first and `next` to its result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let rows = next.rows.map(|[red, green, blue, offset]| {
            let mut row = [0, 1, 2, 3]
                .map(|column| red * self.rows[0][column] + green * self.rows[1][column] + blue * self.rows[2][column]);
            row[3] += offset;
            row
        });
        Self { rows }
    }

    /// The changed colour.
    pub fn apply(&self, rgb: [u8; 3]) -> [u8; 3] {
        self.fixed().rows.map(|row| wide(&row, rgb))
    }

    /// The matrix as a table, where it has no terms across channels.
    pub(crate) fn table(&self) -> Option<Table> {
        let across = (0..3).any(|row| (0..3).any(|column| row != column && self.rows[row][column] != 0.0));
        if across {
            return None;
        }
        let FixedTone { rows, .. } = self.fixed();
        let [[red, .., r], [_, green, _, g], [_, _, blue, b]] = rows;
        let line = |factor, offset| std::array::from_fn(|value| round(factor * value as i64 + offset));
        let reds = line(red, r);
        let is_gray = (red, r) == (green, g) && (red, r) == (blue, b);
        Some(Table::from_channels(if is_gray { [reds; 3] } else { [reds, line(green, g), line(blue, b)] }))
    }

    /// The same matrix in integers, for a kernel's inner loop.
    pub(crate) fn fixed(&self) -> FixedTone {
        // The bound keeps three products and the offset far inside 64 bits whatever the factors are.
        let bound = 2f64.powi(40);
        let quantize = |value: f64| (value * ONE).round().clamp(-bound, bound) as i64;
        let rows = self.rows.map(|row| row.map(quantize));
        let fits = |[r, g, b, offset]: &[i64; 4]| {
            (r.abs() + g.abs() + b.abs()) * 255 + offset.abs() + HALF <= i64::from(i32::MAX)
        };
        let narrow = rows.iter().all(fits).then(|| rows.map(|row| row.map(|value| value as i32)));
        FixedTone { rows, narrow }
    }
}

/// A [`Tone`] in units of 2^-16, so that its results are the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FixedTone {
    rows: [[i64; 4]; 3],
    /// The same numbers, where the sums of all colours fit into 32 bits, which gives the same results sooner.
    narrow: Option<[[i32; 4]; 3]>,
}

const BITS: u32 = 16;
const ONE: f64 = (1u32 << BITS) as f64;
const HALF: i64 = 1 << (BITS - 1);

impl FixedTone {
    /// Changes some pixels.
    #[inline(always)]
    pub fn apply_to_planes(&self, planes: &mut Planes) {
        match &self.narrow {
            Some(rows) => planes.change_by(rows, narrow),
            None => planes.change_by(&self.rows, wide),
        }
    }
}

/// What a row of a matrix makes of a colour.
#[inline(always)]
fn wide([r, g, b, offset]: &[i64; 4], rgb: [u8; 3]) -> u8 {
    let [red, green, blue] = rgb.map(i64::from);
    round(r * red + g * green + b * blue + offset)
}

/// The same in 32 bits.
#[inline(always)]
fn narrow([r, g, b, offset]: &[i32; 4], rgb: [u8; 3]) -> u8 {
    let [red, green, blue] = rgb.map(i32::from);
    let sum = r * red + g * green + b * blue + offset + HALF as i32;
    (sum >> BITS).clamp(0, 255) as u8
}

/// The value from 0 to 255 that is closest to one in units of 2^-16; halves go up.
#[inline(always)]
fn round(sum: i64) -> u8 {
    ((sum + HALF) >> BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::luma;

    #[test]
    fn factor_one_changes_nothing() {
        for tone in [Tone::IDENTITY, Tone::brightness(1.0), Tone::contrast(1.0), Tone::saturation(1.0)] {
            for value in 0..=255 {
                assert_eq!(tone.apply([value, 255 - value, 7]), [value, 255 - value, 7]);
            }
        }
    }

    #[test]
    fn each_change_matches_hand_computed_values() {
        assert_eq!(Tone::brightness(0.5).apply([10, 101, 255]), [5, 51, 128]);
        assert_eq!(Tone::brightness(2.0).apply([10, 101, 200]), [20, 202, 255]);
        assert_eq!(Tone::contrast(0.0).apply([0, 99, 255]), [128; 3]);
        assert_eq!(Tone::contrast(0.5).apply([0, 128, 228]), [64, 128, 178]);
        assert_eq!(Tone::contrast_about(100.0, 0.5).apply([0, 100, 255]), [50, 100, 178]);
        assert_eq!(Tone::channel_shift([10.0, -0.5, -30.4]).apply([250, 8, 100]), [255, 8, 70]);
        assert_eq!(Tone::grayscale().apply([255, 0, 0]), [luma([255, 0, 0]); 3]);
        assert_eq!(Tone::saturation(2.0).apply([120, 100, 100]), [134, 94, 94]);
    }

    #[test]
    fn composed_changes_clip_only_at_the_end() {
        let there_and_back = Tone::brightness(4.0).then(&Tone::brightness(0.25));
        assert_eq!(there_and_back.apply([200, 130, 3]), [200, 130, 3]);
    }

    #[test]
    fn then_applies_the_left_change_first() {
        let tone = Tone::brightness(0.5).then(&Tone::contrast(2.0));
        assert_eq!(tone.apply([200, 128, 140]), [72, 0, 12]);
    }

    proptest! {
        #[test]
        fn any_factor_gives_a_color(factor in any::<f64>(), rgb in any::<[u8; 3]>()) {
            let tone = Tone::brightness(factor).then(&Tone::contrast(factor)).then(&Tone::saturation(factor));
            tone.apply(rgb);
        }

        #[test]
        fn narrow_arithmetic_gives_the_same_colors(
            rows in prop::array::uniform3([-80.0..80.0f64, -40.0..40.0, -20.0..20.0, -9000.0..9000.0]),
            rgb in any::<[u8; 3]>(),
        ) {
            let fixed = Tone { rows }.fixed();
            if let Some(rows) = fixed.narrow {
                prop_assert_eq!(rows.map(|row| narrow(&row, rgb)), fixed.rows.map(|row| wide(&row, rgb)));
            }
        }
    }
}
