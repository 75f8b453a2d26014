//! [`Table`]: any change of a channel's value that looks at that value alone.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

#[cfg(target_arch = "x86_64")]
mod avx512;

/// For each channel the new value of each of its 256 values.
///
/// Gamma, inversion, posterizing and everything that a histogram decides are of this kind.
///
/// ```
/// use aumenta_imgproc::Table;
///
/// let invert = Table::from_fn(|value| 255 - value);
/// assert_eq!(invert.apply([0, 100, 255]), [255, 155, 0]);
/// assert_eq!(invert.then(&invert), Table::IDENTITY);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    channels: [[u8; 256]; 3],
}

impl Table {
    /// Every value stays.
    pub const IDENTITY: Self = Self { channels: [IDENTITY; 3] };

    /// The same change of all three channels.
    pub fn from_fn(change: impl FnMut(u8) -> u8) -> Self {
        Self { channels: [IDENTITY.map(change); 3] }
    }

    /// A table for red, green and blue each.
    pub const fn from_channels(channels: [[u8; 256]; 3]) -> Self {
        Self { channels }
    }

    /// The tables of red, green and blue.
    pub const fn channels(&self) -> &[[u8; 256]; 3] {
        &self.channels
    }

    /// The change that applies `self` first and `next` to its result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let mut both = self.clone();
        for (values, next) in both.channels.iter_mut().zip(&next.channels) {
            for value in values {
                *value = next[usize::from(*value)];
            }
        }
        both
    }

    /// The changed colour.
    #[inline(always)]
    pub fn apply(&self, [red, green, blue]: [u8; 3]) -> [u8; 3] {
        let [reds, greens, blues] = &self.channels;
        [reds[usize::from(red)], greens[usize::from(green)], blues[usize::from(blue)]]
    }

    /// Changes the colours of all `pixels`.
    pub fn apply_to_pixels(&self, pixels: &mut [[u8; 3]]) {
        if *self == Self::IDENTITY {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        let done = avx512::apply(&self.channels, pixels);
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        for pixel in &mut pixels[done..] {
            *pixel = self.apply(*pixel);
        }
    }

    /// Writes the changed colours of `pixels` to `out`.
    ///
    /// # Panics
    /// Where `out` has another length.
    pub fn copy_pixels(&self, pixels: &[[u8; 3]], out: &mut [[u8; 3]]) {
        if *self == Self::IDENTITY {
            return out.copy_from_slice(pixels);
        }
        assert_eq!(pixels.len(), out.len(), "a copy has the length of its original");
        #[cfg(target_arch = "x86_64")]
        let done = avx512::copy(&self.channels, pixels, out);
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        for (out, &pixel) in out[done..].iter_mut().zip(&pixels[done..]) {
            *out = self.apply(pixel);
        }
    }
}

const IDENTITY: [u8; 256] = {
    let mut values = [0; 256];
    let mut value = 0;
    while value < 256 {
        values[value] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn then_applies_the_left_table_first() {
        let (double, add) = (Table::from_fn(|v| v.saturating_mul(2)), Table::from_fn(|v| v.saturating_add(10)));
        assert_eq!(double.then(&add).apply([1, 100, 200]), [12, 210, 255]);
        assert_eq!(add.then(&double).apply([1, 100, 200]), [22, 220, 255]);
    }

    #[test]
    fn many_pixels_change_as_single_ones_do() {
        let gray = Table::from_fn(|value| value.wrapping_mul(37).wrapping_add(11));
        let mut channels = *gray.channels();
        channels[1].reverse();
        channels[2].rotate_left(100);
        for table in [gray, Table::from_channels(channels), Table::IDENTITY] {
            for count in [0, 1, 63, 64, 65, 1000] {
                let pixels: Vec<[u8; 3]> = (0..count).map(|at| [at as u8, (at / 3) as u8, (at * 5) as u8]).collect();
                let mut changed = pixels.clone();
                table.apply_to_pixels(&mut changed);
                let expected: Vec<[u8; 3]> = pixels.iter().map(|&pixel| table.apply(pixel)).collect();
                assert_eq!(changed, expected, "{count} pixels");
                changed.fill([7; 3]);
                table.copy_pixels(&pixels, &mut changed);
                assert_eq!(changed, expected, "a copy of {count} pixels");
            }
        }
    }

    #[test]
    fn channels_have_tables_of_their_own() {
        let mut channels = *Table::IDENTITY.channels();
        channels[1] = [7; 256];
        assert_eq!(Table::from_channels(channels).apply([1, 2, 3]), [1, 7, 3]);
    }
}
