//! [`Header`]: what stands in a JPEG before its first scan (ITU-T T.81, annex B).
//!
//! Tables stay where they are in the file. Stray bytes between segments are skipped, as most decoders do.

use image::metadata::Orientation;

use super::JpegError;
use crate::Size;

/// What a file says of itself before its first scan.
pub struct Header<'a> {
    /// The number of the frame's marker above `SOF0`: 0 is baseline, 1 extended sequential, 2 progressive.
    pub process: u8,
    /// The bits of a sample.
    pub precision: u8,
    /// As stored, before the orientation is applied.
    pub size: Size,
    pub components: Components<FrameComponent>,
    /// The components of the first scan, in their order there.
    pub scan: Components<ScanComponent>,
    pub colors: Colors,
    pub orientation: Orientation,
    /// Blocks are counted anew after as many units of all components; 0 for never.
    pub restart_interval: usize,
    /// The steps of frequencies, in zigzag order.
    pub steps: [Option<[u16; 64]>; 4],
    /// The codes of means, and of frequencies.
    pub mean_codes: [Option<HuffmanCodes<'a>>; 4],
    pub frequency_codes: [Option<HuffmanCodes<'a>>; 4],
    /// Everything behind the header of the first scan.
    pub data: &'a [u8],
}

/// How components become colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// Brightness and differences to blue and red; or brightness alone.
    Luma,
    /// Red, green and blue.
    Rgb,
}

/// A component of the picture.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameComponent {
    pub id: u8,
    /// Its samples in a unit of all components, along both axes: 1 to 4.
    pub horizontal: usize,
    pub vertical: usize,
    /// Which steps it has.
    pub steps: usize,
}

/// A component that a scan holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScanComponent {
    /// Its place in the frame.
    pub index: usize,
    pub means: usize,
    pub frequencies: usize,
}

/// The codes of a Huffman table.
#[derive(Clone, Copy, Debug)]
pub struct HuffmanCodes<'a> {
    /// How many codes there are of 1 to 16 bits.
    pub counts: &'a [u8; 16],
    /// What they mean, by length.
    pub symbols: &'a [u8],
}

/// Up to four of something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Components<T> {
    all: [T; 4],
    count: usize,
}

impl<T> Components<T> {
    pub fn as_slice(&self) -> &[T] {
        &self.all[..self.count]
    }

    /// Adds one where there is room.
    fn push(&mut self, component: T) -> Option<()> {
        *self.all.get_mut(self.count)? = component;
        self.count += 1;
        Some(())
    }
}

const START_OF_FRAMES: u8 = 0xc0;
const DEFINE_HUFFMAN: u8 = 0xc4;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const DEFINE_STEPS: u8 = 0xdb;
const RESTART_INTERVAL: u8 = 0xdd;
const JFIF: u8 = 0xe0;
const EXIF: u8 = 0xe1;
const ADOBE: u8 = 0xee;

/// What the segments tell of colors.
#[derive(Default)]
struct ColorHints {
    has_jfif: bool,
    adobe_transform: Option<u8>,
}

impl<'a> Header<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, JpegError> {
        let mut header = Self {
            process: 0,
            precision: 0,
            size: Size::default(),
            components: Components::default(),
            scan: Components::default(),
            colors: Colors::Luma,
            orientation: Orientation::NoTransforms,
            restart_interval: 0,
            steps: [None; 4],
            mean_codes: [None; 4],
            frequency_codes: [None; 4],
            data: &[],
        };
        let mut hints = ColorHints::default();
        let mut rest = bytes.get(2..).unwrap_or_default();
        loop {
            let at = rest.iter().position(|&byte| byte == 0xff).ok_or(JpegError::CutHeader)?;
            rest = &rest[at + 1..];
            let &marker = rest.first().ok_or(JpegError::CutHeader)?;
            match marker {
                // A stuffed zero, a fill byte or a marker without a length.
                0x00 | 0x01 | 0xff | 0xd0..=0xd8 => continue,
                END_OF_IMAGE => return Err(JpegError::NoScan { at: bytes.len() - rest.len() - 1 }),
                _ => {}
            }
            let length = rest.get(1..3).ok_or(JpegError::CutHeader)?;
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            let segment = rest.get(3..1 + length.max(2)).ok_or(JpegError::CutHeader)?;
            rest = &rest[1 + length.max(2)..];
            let at = bytes.len() - rest.len() - segment.len() - 4;
            header.read_segment(marker, segment, &mut hints).ok_or(JpegError::Segment { marker, at })?;
            if marker == START_OF_SCAN {
                header.colors = header.colors_by(&hints);
                header.data = rest;
                return Ok(header);
            }
        }
    }

    /// `None` where the segment is not as its kind should be.
    fn read_segment(&mut self, marker: u8, segment: &'a [u8], hints: &mut ColorHints) -> Option<()> {
        match marker {
            DEFINE_HUFFMAN => self.read_huffman_codes(segment),
            DEFINE_STEPS => self.read_steps(segment),
            RESTART_INTERVAL => {
                self.restart_interval = usize::from(u16::from_be_bytes(*segment.first_chunk()?));
                Some(())
            }
            START_OF_SCAN => self.read_scan(segment),
            // 0xc8 and 0xcc are no frames.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                self.process = marker - START_OF_FRAMES;
                self.read_frame(segment)
            }
            JFIF => {
                hints.has_jfif |= segment.starts_with(b"JFIF\0");
                Some(())
            }
            EXIF => {
                let exif = segment.strip_prefix(b"Exif\0\0");
                self.orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(self.orientation);
                Some(())
            }
            ADOBE => {
                if segment.starts_with(b"Adobe") {
                    hints.adobe_transform = segment.get(11).copied();
                }
                Some(())
            }
            _ => Some(()),
        }
    }

    fn read_frame(&mut self, segment: &[u8]) -> Option<()> {
        let (&[precision, h0, h1, w0, w1, count], rest) = segment.split_first_chunk()?;
        let size = Size {
            width: usize::from(u16::from_be_bytes([w0, w1])),
            height: usize::from(u16::from_be_bytes([h0, h1])),
        };
        let (components, rest) = rest.as_chunks::<3>();
        let is_first = self.components.as_slice().is_empty();
        if !is_first || components.len() != usize::from(count) || !rest.is_empty() || size.width * size.height == 0 {
            return None;
        }
        (self.precision, self.size) = (precision, size);
        for &[id, sampling, steps] in components {
            let (horizontal, vertical) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&horizontal) || !(1..=4).contains(&vertical) || steps > 3 {
                return None;
            }
            self.components.push(FrameComponent { id, horizontal, vertical, steps: usize::from(steps) })?;
        }
        (count > 0).then_some(())
    }

    fn read_steps(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let steps = self.steps.get_mut(usize::from(kind & 15))?;
            let steps = steps.insert([0; 64]);
            match kind >> 4 {
                0 => {
                    let (values, rest) = rest.split_first_chunk::<64>()?;
                    *steps = values.map(u16::from);
                    segment = rest;
                }
                1 => {
                    let (values, rest) = rest.split_at_checked(128)?;
                    for (step, &value) in steps.iter_mut().zip(values.as_chunks().0) {
                        *step = u16::from_be_bytes(value);
                    }
                    segment = rest;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn read_huffman_codes(&mut self, mut segment: &'a [u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(count)?;
            let codes = match kind >> 4 {
                0 => &mut self.mean_codes,
                1 => &mut self.frequency_codes,
                _ => return None,
            };
            *codes.get_mut(usize::from(kind & 15))? = Some(HuffmanCodes { counts, symbols });
            segment = rest;
        }
        Some(())
    }

    fn read_scan(&mut self, segment: &[u8]) -> Option<()> {
        let (&count, rest) = segment.split_first()?;
        let selectors = rest.get(..2 * usize::from(count))?.as_chunks().0;
        for &[id, tables] in selectors {
            let index = self.components.as_slice().iter().position(|component| component.id == id)?;
            if self.scan.as_slice().iter().any(|component| component.index == index) {
                return None;
            }
            let (means, frequencies) = (usize::from(tables >> 4), usize::from(tables & 15));
            if means.max(frequencies) > 3 {
                return None;
            }
            self.scan.push(ScanComponent { index, means, frequencies })?;
        }
        (count > 0).then_some(())
    }

    /// The rows of pixels that a row of units covers.
    pub fn unit_rows(&self) -> usize {
        match self.components.as_slice() {
            [_] => 8,
            components => 8 * components.iter().map(|one| one.vertical).max().unwrap_or(1),
        }
    }

    /// JFIF knows one kind of color, Adobe's programs say which, and other files are told apart by the names that
    /// components have; as in libjpeg.
    fn colors_by(&self, hints: &ColorHints) -> Colors {
        let is_rgb = match (self.components.as_slice(), hints) {
            ([_, _, _], ColorHints { has_jfif: true, .. }) => false,
            ([_, _, _], ColorHints { adobe_transform: Some(transform), .. }) => *transform == 0,
            ([red, green, blue], _) => [red.id, green.id, blue.id] == *b"RGB",
            _ => false,
        };
        if is_rgb { Colors::Rgb } else { Colors::Luma }
    }
}
