//! [`Thumbnails`]: small pictures of a source's images, as many as a page has room for.

use std::collections::HashMap;

use aumenta_dataset::{ReadBuffer, Source};
use aumenta_imgproc::{Decoder, Image, Limits, Size, View, encode_jpeg, resize};
use aumenta_report::Picture;

/// The longer side in pixels.
const SIDE: usize = 160;

/// As many pictures are on a page; with some 5 kB each it stays a page that opens at once.
const MOST: usize = 400;

/// The quality of a picture's JPEG.
const QUALITY: u8 = 80;

/// Makes small pictures of a source's images.
pub struct Thumbnails<'a> {
    source: &'a dyn Source,
    limits: Limits,
    index_of: HashMap<&'a str, usize>,
    left: usize,
    buffer: ReadBuffer,
    decoder: Decoder,
    decoded: Image,
}

impl<'a> Thumbnails<'a> {
    pub fn new(source: &'a dyn Source, limits: Limits) -> Self {
        let index_of = source.entries().iter().enumerate().map(|(index, entry)| (entry.path.as_str(), index)).collect();
        Self {
            source,
            limits,
            index_of,
            left: MOST,
            buffer: ReadBuffer::default(),
            decoder: Decoder::default(),
            decoded: Image::default(),
        }
    }

    /// How many pictures the page still takes.
    pub fn left(&self) -> usize {
        self.left
    }

    /// The picture of the image at `path`, without pixels where it cannot be decoded.
    pub fn picture(&mut self, path: &str) -> Picture {
        self.left = self.left.saturating_sub(1);
        Picture { path: path.to_owned(), jpeg: self.jpeg(path) }
    }

    fn jpeg(&mut self, path: &str) -> Option<Vec<u8>> {
        let index = *self.index_of.get(path)?;
        self.source.read(index, &mut self.buffer).ok()?;
        self.decoder.decode(self.buffer.bytes(), &self.limits, &View::FULL, &mut self.decoded).ok()?;
        let Size { width, height } = self.decoded.size();
        let longer = width.max(height).max(1);
        // Small images keep their pixels, which the page shows enlarged.
        let side = |pixels: usize| if longer <= SIDE { pixels } else { (pixels * SIDE / longer).max(1) };
        encode_jpeg(&resize(&self.decoded, Size { width: side(width), height: side(height) }), QUALITY).ok()
    }
}
