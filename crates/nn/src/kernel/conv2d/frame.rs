//! A frame of zeros around an image: padding for the forward pass, a border for the gradient to the input.

/// Where an image lies in a larger one whose other pixels are zero. What reaches beyond the larger one is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Rows and columns of the image.
    pub inner: [usize; 2],
    /// Rows and columns of the larger image.
    pub outer: [usize; 2],
    /// Zero rows above and zero columns left of the image.
    pub offset: [usize; 2],
    /// Channels of both.
    pub channels: usize,
}

impl Frame {
    /// The number of elements of the larger image.
    pub fn len(&self) -> usize {
        self.outer[0] * self.row_len()
    }

    /// From one row of the larger image to the next.
    pub fn row_len(&self) -> usize {
        self.outer[1] * self.channels
    }

    /// From the larger image's first element to the image's.
    pub fn start(&self) -> usize {
        self.offset[0] * self.row_len() + self.offset[1] * self.channels
    }

    /// The frame, or none around an image that begins at its first element and has all the rows and columns that are needed.
    pub fn or_none(self) -> Self {
        let within = self.offset == [0, 0] && self.outer[0] <= self.inner[0] && self.outer[1] <= self.inner[1];
        if within { Self { outer: self.inner, ..self } } else { self }
    }

    /// Whether the larger image is the image itself.
    pub fn is_empty(&self) -> bool {
        self.inner == self.outer && self.offset == [0, 0]
    }

    /// Fills `outer`: zeros around the image, and `row(y, elements)` for each of its rows.
    pub fn fill(&self, outer: &mut [f32], mut row: impl FnMut(usize, &mut [f32])) {
        let [rows, columns] =
            [0, 1].map(|axis| self.inner[axis].min(self.outer[axis].saturating_sub(self.offset[axis])));
        let left = self.offset[1].min(self.outer[1]) * self.channels;
        for (y, line) in outer.chunks_exact_mut(self.row_len()).enumerate() {
            if (self.offset[0]..self.offset[0] + rows).contains(&y) {
                let (before, line) = line.split_at_mut(left);
                let (inner, after) = line.split_at_mut(columns * self.channels);
                before.fill(0.0);
                after.fill(0.0);
                row(y - self.offset[0], inner);
            } else {
                line.fill(0.0);
            }
        }
    }

    /// Fills `outer` with zeros around `image`.
    pub fn place(&self, image: &[f32], outer: &mut [f32]) {
        let row_len = self.inner[1] * self.channels;
        self.fill(outer, |y, row| row.copy_from_slice(&image[y * row_len..][..row.len()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_gets_zeros_around_it() {
        let frame = Frame { inner: [1, 2], outer: [3, 4], offset: [1, 1], channels: 1 };
        let mut outer = [9.0; 12];
        frame.place(&[1.0, 2.0], &mut outer);
        assert_eq!(outer, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!((frame.start(), frame.is_empty()), (5, false));
    }

    #[test]
    fn what_reaches_beyond_is_cut_off() {
        let mut outer = [9.0; 4];
        Frame { inner: [2, 2], outer: [2, 1], offset: [0, 0], channels: 2 }
            .place(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut outer);
        assert_eq!(outer, [1.0, 2.0, 5.0, 6.0]);
        let mut outer = [9.0; 2];
        Frame { inner: [1, 1], outer: [2, 1], offset: [3, 2], channels: 1 }.place(&[1.0], &mut outer);
        assert_eq!(outer, [0.0, 0.0]);
    }
}
