//! [`Image`]: the one pixel buffer that decoders fill; [`ImageRef`]: pixels that are only read, wherever they lie.

/// An 8-bit RGB image, rows from the top, three interleaved bytes a pixel (HWC).
///
/// ```
/// use aumenta_imgproc::Image;
///
/// let mut image = Image::filled(4, 2, [10, 20, 30]);
/// image.set(3, 1, [255, 0, 0]);
/// assert_eq!(image.get(3, 1), [255, 0, 0]);
/// assert_eq!(image.pixels().len(), 4 * 2 * 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Image {
    /// An image of one colour.
    pub fn filled(width: usize, height: usize, rgb: [u8; 3]) -> Self {
        Self { width, height, pixels: rgb.repeat(width * height) }
    }

    /// An image over `pixels`, HWC.
    ///
    /// # Panics
    /// Where `pixels` does not hold `width * height * 3` bytes.
    pub fn from_pixels(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height * 3, "an RGB image of {width}x{height} needs three bytes a pixel");
        Self { width, height, pixels }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// All pixels, HWC.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All pixels, HWC.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The pixels, given up.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The pixel in column `x` and row `y`.
    pub fn get(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// Writes the pixel in column `x` and row `y`.
    pub fn set(&mut self, x: usize, y: usize, rgb: [u8; 3]) {
        let at = (y * self.width + x) * 3;
        self.pixels[at..at + 3].copy_from_slice(&rgb);
    }

    /// Gives the image a new size, keeping its allocation where that is large enough; the pixels are unspecified
    /// afterwards and meant to be overwritten.
    pub fn resize_buffer(&mut self, width: usize, height: usize) {
        self.width = width;
        self.height = height;
        self.pixels.resize(width * height * 3, 0);
    }
}

/// The pixels of an 8-bit RGB image that someone else keeps, such as a cache or a mapped file: HWC as an [`Image`]'s.
///
/// What only reads a picture takes `impl Into<ImageRef>`, which an `&Image` is as well.
///
/// ```
/// use aumenta_imgproc::{Image, ImageRef, shrink};
///
/// let cached = [10, 10, 10, 20, 20, 20];
/// let mut mean = Image::default();
/// shrink(ImageRef::from_pixels(2, 1, &cached), 2, 1, &mut mean);
/// assert_eq!(mean.get(0, 0), [15; 3]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageRef<'a> {
    size: Size,
    pixels: &'a [u8],
}

impl<'a> ImageRef<'a> {
    /// An image over `pixels`, HWC.
    ///
    /// # Panics
    /// Where `pixels` does not hold `width * height * 3` bytes.
    pub fn from_pixels(width: usize, height: usize, pixels: &'a [u8]) -> Self {
        assert_eq!(pixels.len(), width * height * 3, "an RGB image of {width}x{height} needs three bytes a pixel");
        Self { size: Size { width, height }, pixels }
    }

    /// Width in pixels.
    pub const fn width(&self) -> usize {
        self.size.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> usize {
        self.size.height
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// All pixels, HWC.
    pub const fn pixels(&self) -> &'a [u8] {
        self.pixels
    }
}

impl<'a> From<&'a Image> for ImageRef<'a> {
    fn from(image: &'a Image) -> Self {
        Self { size: image.size(), pixels: &image.pixels }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// A square.
    pub const fn square(side: usize) -> Self {
        Self { width: side, height: side }
    }
}
