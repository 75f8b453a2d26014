//! One image's share of the gradient to a group's weights: outer products of window elements and output gradients, summed
//! over the pixels in registers.

use pulp::{Simd, WithSimd, as_arrays_mut};

use super::packed::Packed;
use super::tile::{Tile, add_product, max_rows, runs, with_rows};
use super::windows::Windows;

/// How many elements of the gradient are gone through before the next window elements are: 32 KiB.
const BAND_ELEMENTS: usize = 8 * 1024;

/// Adds one image's gradient to `sum`.
pub struct WeightGradient<'a> {
    /// Where the windows lie.
    pub windows: &'a Windows,
    /// From the first window's first element on.
    pub image: &'a [f32],
    /// The gradient to the output, from its first pixel and the group's first channel on.
    pub gradient: &'a [f32],
    /// From a row of the gradient to the next.
    pub gradient_row: usize,
    /// From a pixel of the gradient to the next.
    pub gradient_pixel: usize,
    /// Rows of the gradient.
    pub rows: usize,
    /// Window elements by output channels.
    pub sum: &'a mut Packed,
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
        let Windows { row, run, columns, .. } = *self.windows;
        let (block, window) = (self.sum.block, self.sum.rows);
        let band_rows = (BAND_ELEMENTS / (columns * block)).clamp(1, self.rows);
        let blocks = self.sum.blocks();
        for ((first, own), sum) in blocks.zip(self.sum.values.chunks_exact_mut(window * block)) {
            let (sum, _) = as_arrays_mut::<VECTORS, _>(S::as_mut_simd_f32s(sum).0);
            for y in (0..self.rows).step_by(band_rows) {
                let band = Band {
                    gradient: &self.gradient[y * self.gradient_row + first..],
                    gradient_row: self.gradient_row,
                    gradient_pixel: self.gradient_pixel,
                    own,
                    rows: band_rows.min(self.rows - y),
                    windows: self.windows,
                };
                for (start, sum) in self.windows.runs.iter().zip(sum.chunks_exact_mut(run)) {
                    let image = &self.image[y * row + start..];
                    for (r, elements) in runs(run, max_rows(S::F32_LANES)) {
                        let (image, sum) = (&image[r..], &mut sum[r..]);
                        with_rows!(elements, S::F32_LANES, ELEMENTS => {
                            if let Some(sum) = sum.first_chunk_mut() {
                                if own == block {
                                    band.add_products::<S, VECTORS, ELEMENTS, true>(simd, image, sum);
                                } else {
                                    band.add_products::<S, VECTORS, ELEMENTS, false>(simd, image, sum);
                                }
                            }
                        });
                    }
                }
            }
        }
    }
}

/// A few rows of the gradient, one block of channels.
struct Band<'a> {
    gradient: &'a [f32],
    gradient_row: usize,
    gradient_pixel: usize,
    /// Channels of the block.
    own: usize,
    rows: usize,
    windows: &'a Windows,
}

impl Band<'_> {
    /// Adds the products of `ELEMENTS` neighboring elements of every window, of which the first window's begin `image`, with
    /// the gradient, over all pixels of the band. `FULL` where the block fills its vectors.
    #[inline(always)]
    fn add_products<S: Simd, const VECTORS: usize, const ELEMENTS: usize, const FULL: bool>(
        &self,
        simd: S,
        image: &[f32],
        sum: &mut Tile<S, VECTORS, ELEMENTS>,
    ) {
        let Windows { row, pixel, columns, .. } = *self.windows;
        let mut tile = *sum;
        for y in 0..self.rows {
            let (image, gradient) = (&image[y * row..], &self.gradient[y * self.gradient_row..]);
            for x in 0..columns {
                let elements = &image[x * pixel..][..ELEMENTS];
                let gradient = &gradient[x * self.gradient_pixel..];
                let mut own = [simd.splat_f32s(0.0); VECTORS];
                let (vectors, rest) =
                    S::as_simd_f32s(&gradient[..if FULL { VECTORS * S::F32_LANES } else { self.own }]);
                for (own, vector) in own.iter_mut().zip(vectors) {
                    *own = *vector;
                }
                if !FULL && !rest.is_empty() {
                    own[vectors.len()] = simd.partial_load_f32s(rest);
                }
                add_product::<S, VECTORS, ELEMENTS>(simd, &mut tile, |i| elements[i], &own);
            }
        }
        *sum = tile;
    }
}
