//! One image's share of the gradient to the weights: outer products of window elements and output gradients, summed over
//! the pixels in registers.

use pulp::{Simd, WithSimd, as_arrays, as_arrays_mut};

use super::packed::Packed;
use super::tile::{Tile, add_product, max_rows, runs, with_rows};

/// How many elements of the gradient are packed at once: 32 KiB.
const BAND_ELEMENTS: usize = 8 * 1024;

/// Adds one image's gradient to `sum`.
pub struct WeightGradient<'a> {
    /// Input columns and channels.
    pub input: [usize; 2],
    /// Output rows and columns.
    pub output: [usize; 2],
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// HWC.
    pub image: &'a [f32],
    /// The gradient to the output, HWC.
    pub gradient: &'a [f32],
    /// Window elements by output channels.
    pub sum: &'a mut Packed,
    /// Any buffer, kept from image to image.
    pub band: &'a mut Vec<f32>,
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.sum.block == S::F32_LANES {
            self.run::<S, 1>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl WeightGradient<'_> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        let ([width, channels], [rows, columns]) = (self.input, self.output);
        let (outputs, block, run) = (self.sum.columns, self.sum.block, self.kernel[1] * self.input[1]);
        let (blocks, window) = (self.sum.blocks(), self.sum.rows);
        let band_rows = (BAND_ELEMENTS / (columns * block)).clamp(1, rows);
        self.band.resize(band_rows * columns * block, 0.0);
        for ((first, own), sum) in blocks.zip(self.sum.values.chunks_exact_mut(window * block)) {
            let (sum, _) = as_arrays_mut::<VECTORS, _>(S::as_mut_simd_f32s(sum).0);
            for (y, gradient) in (0..).step_by(band_rows).zip(self.gradient.chunks(band_rows * columns * outputs)) {
                let pixels = gradient.len() / outputs;
                for (band, pixel) in self.band.chunks_exact_mut(block).zip(gradient.chunks_exact(outputs)) {
                    // The rest of a last block keeps what another block left there, and its sums are never read.
                    band[..own].copy_from_slice(&pixel[first..first + own]);
                }
                let (band, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(&self.band[..pixels * block]).0);
                for (ky, sum) in sum.chunks_exact_mut(run).enumerate() {
                    let image = &self.image[(y + ky) * width * channels..];
                    for (r, elements) in runs(run, max_rows(S::F32_LANES)) {
                        let windows = Windows { image: &image[r..], row: width * channels, pixel: channels, columns };
                        let sum = &mut sum[r..];
                        with_rows!(elements, S::F32_LANES, ELEMENTS => {
                            if let Some(sum) = sum.first_chunk_mut() {
                                windows.add_products::<S, VECTORS, ELEMENTS>(simd, band, sum);
                            }
                        });
                    }
                }
            }
        }
    }
}

/// A few neighboring elements of every window of an image.
#[derive(Clone, Copy)]
struct Windows<'a> {
    /// From these elements of the first window on.
    image: &'a [f32],
    /// From one row to the next.
    row: usize,
    /// From one window to the next.
    pixel: usize,
    /// How many windows there are in a row.
    columns: usize,
}

impl Windows<'_> {
    /// Adds the products of `ELEMENTS` window elements with the gradient, over all pixels of a band.
    #[inline(always)]
    fn add_products<S: Simd, const VECTORS: usize, const ELEMENTS: usize>(
        self,
        simd: S,
        gradient: &[[S::f32s; VECTORS]],
        sum: &mut Tile<S, VECTORS, ELEMENTS>,
    ) {
        let mut tile = *sum;
        for (y, gradient) in gradient.chunks_exact(self.columns).enumerate() {
            let row = &self.image[y * self.row..];
            for (x, gradient) in gradient.iter().enumerate() {
                let elements = &row[x * self.pixel..][..ELEMENTS];
                add_product::<S, VECTORS, ELEMENTS>(simd, &mut tile, |i| elements[i], gradient);
            }
        }
        *sum = tile;
    }
}
