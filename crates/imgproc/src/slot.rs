//! [`Slot`]: the place that a finished picture is written to, such as one sample's part of a batch.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::planes::Planes;
use crate::{Size, luma};

/// Where a picture goes, and in which form.
#[derive(Debug)]
pub enum Slot<'a> {
    /// Values from 0 to 255, row by row, the channels of a pixel side by side (HWC): `height * width` for each channel.
    Bytes {
        /// The values.
        bytes: &'a mut [u8],
        /// What is written of a pixel.
        channels: Channels,
    },
    /// Scaled numbers: `height * width` for each of the format's channels.
    Floats {
        /// The numbers, in the format's layout.
        values: &'a mut [f32],
        /// Layout, channels and scale.
        format: &'a FloatFormat,
    },
}

/// How the colours of a picture become floats: `value * scale + offset` for a value from 0 to 255, rounded to f32 after
/// the product and again after the sum.
///
/// ```
/// use aumenta_imgproc::{Channels, ColorChain, FloatFormat, Image, Layout, Slot, write};
///
/// // Three planes from -1 to 1.
/// let format = FloatFormat { layout: Layout::Chw, channels: Channels::Rgb, scale: [1.0 / 127.5; 3], offset: [-1.0; 3] };
/// let image = Image::from_pixels(2, 1, vec![255, 0, 0, 0, 255, 255]);
/// let mut values = [0.0; 6];
/// write(&image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
/// assert_eq!(values, [1.0, -1.0, -1.0, 1.0, -1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatFormat {
    /// The order of the values.
    pub layout: Layout,
    /// What is written of a pixel.
    pub channels: Channels,
    /// The factor of each channel in its place; gray takes the first.
    pub scale: [f32; 3],
    /// What is added after the product; gray takes the first.
    pub offset: [f32; 3],
}

/// The order of a picture's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Row by row, the channels of a pixel side by side.
    Hwc,
    /// Plane by plane, each row by row.
    Chw,
}

/// What is written of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Red, green and blue.
    Rgb,
    /// Blue, green and red.
    Bgr,
    /// The pixel's [`luma`](crate::luma()).
    Gray,
}

impl Channels {
    /// 3 or 1.
    pub const fn count(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }
}

impl<'a> Slot<'a> {
    /// Bytes of all three channels, such as the pixels of an [`Image`](crate::Image).
    pub const fn rgb(bytes: &'a mut [u8]) -> Self {
        Self::Bytes { bytes, channels: Channels::Rgb }
    }

    /// Bytes of one channel.
    ///
    /// ```
    /// use aumenta_imgproc::{ColorChain, Image, Slot, write};
    ///
    /// let mut bytes = [0; 2];
    /// write(&Image::from_pixels(2, 1, vec![255, 0, 0, 7, 7, 7]), &ColorChain::IDENTITY, Slot::gray(&mut bytes));
    /// assert_eq!(bytes, [76, 7]);
    /// ```
    pub const fn gray(bytes: &'a mut [u8]) -> Self {
        Self::Bytes { bytes, channels: Channels::Gray }
    }

    /// Panics where the slot does not hold a picture of `size`.
    pub(crate) fn check(&self, size: Size) {
        let pixels = size.width * size.height;
        let (count, channels) = match self {
            Self::Bytes { bytes, channels } => (bytes.len(), channels.count()),
            Self::Floats { values, format } => (values.len(), format.channels.count()),
        };
        assert_eq!(count, pixels * channels, "an output of {size:?} needs {channels} values a pixel");
    }

    /// Writes the first `count` of some pixels as those from number `first` on, counted row by row, of a picture that has
    /// `pixels` of them.
    #[inline(always)]
    pub(crate) fn write(&mut self, planes: &Planes, count: usize, first: usize, pixels: usize) {
        let range = first..first + count;
        match self {
            Self::Bytes { bytes, channels: Channels::Rgb } => {
                write_bytes(planes, &mut bytes[range.start * 3..range.end * 3]);
            }
            Self::Bytes { bytes, channels: Channels::Bgr } => {
                let lines = [|value| value; 3];
                write_pixels(planes.in_order(Channels::Bgr), lines, &mut bytes[range.start * 3..range.end * 3]);
            }
            Self::Bytes { bytes, channels: Channels::Gray } => write_gray(planes, |value| value, &mut bytes[range]),
            Self::Floats { values, format } => match (format.channels, format.layout) {
                (Channels::Gray, _) => write_gray(planes, format.line(0), &mut values[range]),
                (channels, Layout::Hwc) => {
                    let values = &mut values[range.start * 3..range.end * 3];
                    write_pixels(planes.in_order(channels), format.lines(), values);
                }
                (channels, Layout::Chw) => {
                    let (first, rest) = values.split_at_mut(pixels);
                    let (second, third) = rest.split_at_mut(pixels);
                    let [a, b, c] = planes.in_order(channels);
                    let [to_first, to_second, to_third] = format.lines();
                    write_plane(a, to_first, &mut first[range.clone()]);
                    write_plane(b, to_second, &mut second[range.clone()]);
                    write_plane(c, to_third, &mut third[range]);
                }
            },
        }
    }
}

impl FloatFormat {
    /// What a value of a channel becomes.
    #[inline(always)]
    fn line(&self, channel: usize) -> impl Fn(u8) -> f32 {
        let (scale, offset) = (self.scale[channel], self.offset[channel]);
        move |value| f32::from(value) * scale + offset
    }

    /// What values of the three channels become.
    #[inline(always)]
    fn lines(&self) -> [impl Fn(u8) -> f32; 3] {
        [0, 1, 2].map(|channel| self.line(channel))
    }
}

impl Planes {
    /// The planes of three channels, one after the other.
    #[inline(always)]
    fn in_order(&self, channels: Channels) -> [&[u8; Self::PIXELS]; 3] {
        match channels {
            Channels::Rgb | Channels::Gray => [&self.red, &self.green, &self.blue],
            Channels::Bgr => [&self.blue, &self.green, &self.red],
        }
    }
}

#[inline(always)]
fn write_bytes(planes: &Planes, bytes: &mut [u8]) {
    let pixels = planes.to_pixels();
    bytes.copy_from_slice(&pixels.as_flattened()[..bytes.len()]);
}

#[inline(always)]
fn write_gray<T>(planes: &Planes, line: impl Fn(u8) -> T, values: &mut [T]) {
    let mut gray = [0; Planes::PIXELS];
    for (at, gray) in gray.iter_mut().enumerate() {
        *gray = luma([planes.red[at], planes.green[at], planes.blue[at]]);
    }
    write_plane(&gray, line, values);
}

#[inline(always)]
fn write_pixels<T>(planes: [&[u8; Planes::PIXELS]; 3], lines: [impl Fn(u8) -> T; 3], values: &mut [T]) {
    let ([first, second, third], [to_first, to_second, to_third]) = (planes, lines);
    let colors = first.iter().zip(second).zip(third);
    for (pixel, ((&a, &b), &c)) in values.as_chunks_mut().0.iter_mut().zip(colors) {
        *pixel = [to_first(a), to_second(b), to_third(c)];
    }
}

#[inline(always)]
fn write_plane<T>(plane: &[u8; Planes::PIXELS], line: impl Fn(u8) -> T, values: &mut [T]) {
    for (value, &byte) in values.iter_mut().zip(plane) {
        *value = line(byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ColorChain, Image, Matrix3, Sampling, warp, write};

    #[track_caller]
    fn check(image: &Image, layout: Layout, channels: Channels, expected: &[f32]) {
        let format = FloatFormat { layout, channels, scale: [2.0, 3.0, 4.0], offset: [0.5, -1.0, 0.0] };
        let mut values = vec![f32::NAN; expected.len()];
        write(image, &ColorChain::IDENTITY, Slot::Floats { values: &mut values, format: &format });
        assert_eq!(values, expected);
    }

    #[test]
    fn each_layout_has_its_order() {
        let image = Image::from_pixels(2, 1, vec![1, 2, 3, 10, 20, 30]);
        check(&image, Layout::Hwc, Channels::Rgb, &[2.5, 5.0, 12.0, 20.5, 59.0, 120.0]);
        check(&image, Layout::Chw, Channels::Rgb, &[2.5, 20.5, 5.0, 59.0, 12.0, 120.0]);
        check(&image, Layout::Hwc, Channels::Bgr, &[6.5, 5.0, 4.0, 60.5, 59.0, 40.0]);
        check(&image, Layout::Chw, Channels::Bgr, &[6.5, 60.5, 5.0, 59.0, 4.0, 40.0]);
        let mut bytes = [0; 6];
        let slot = Slot::Bytes { bytes: &mut bytes, channels: Channels::Bgr };
        write(&image, &ColorChain::IDENTITY, slot);
        assert_eq!(bytes, [3, 2, 1, 30, 20, 10]);
        // The luma of the two pixels is 2 and 18.
        check(&image, Layout::Hwc, Channels::Gray, &[4.5, 36.5]);
        check(&image, Layout::Chw, Channels::Gray, &[4.5, 36.5]);
    }

    #[test]
    fn bytes_of_one_channel_are_luma_also_of_a_flip() {
        let image = Image::from_pixels(70, 1, (0..210).map(|at| (at * 13 % 251) as u8).collect());
        let expected: Vec<u8> = image.pixels().as_chunks().0.iter().map(|&pixel| luma(pixel)).collect();
        let mut bytes = [0; 70];
        write(&image, &ColorChain::IDENTITY, Slot::gray(&mut bytes));
        assert_eq!(bytes[..], expected);
        let flip = Matrix3::horizontal_flip((34.5, 0.0));
        warp(&image, &flip, Sampling::default(), &ColorChain::IDENTITY, image.size(), Slot::gray(&mut bytes));
        assert!(bytes.iter().eq(expected.iter().rev()));
    }

    #[test]
    #[should_panic(expected = "needs 3 values a pixel")]
    fn a_slot_of_another_size_is_refused() {
        let format = FloatFormat { layout: Layout::Hwc, channels: Channels::Rgb, scale: [1.0; 3], offset: [0.0; 3] };
        let slot = Slot::Floats { values: &mut [0.0; 5], format: &format };
        write(&Image::filled(2, 1, [0; 3]), &ColorChain::IDENTITY, slot);
    }

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(width in 0usize..300, height in 0usize..3, seed in any::<u8>()) {
            let pixels: Vec<u8> = (0..width * height * 3).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect();
            let mut out = vec![0; pixels.len()];
            write(&Image::from_pixels(width, height, pixels.clone()), &ColorChain::IDENTITY, Slot::rgb(&mut out));
            prop_assert_eq!(out, pixels);
        }
    }
}
