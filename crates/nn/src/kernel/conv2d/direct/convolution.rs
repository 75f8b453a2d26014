//! Rows of a convolution's output for one group of channels: windows are read where they lie in the image.

use pulp::{Simd, WithSimd, as_arrays};

use super::packed::Packed;
use super::tile::{Tile, add_product, max_rows, runs, with_rows, within};
use super::windows::Windows;

/// Some rows of a convolution of one image.
pub struct Convolution<'a> {
    /// Where the windows lie.
    pub windows: &'a Windows,
    /// From the first window's first element on.
    pub image: &'a [f32],
    /// Window elements by output channels.
    pub weight: &'a Packed,
    /// One row of output channels.
    pub bias: &'a Packed,
    /// Sums below the first or above the second are replaced by it.
    pub limits: [f32; 2],
    /// The rows of output, HWC.
    pub out: &'a mut [f32],
    /// Channels of the output.
    pub channels: usize,
    /// The first of them that belongs to the group.
    pub first: usize,
}

impl WithSimd for Convolution<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.weight.block == S::F32_LANES {
            self.run::<S, 1>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl Convolution<'_> {
    #[inline(always)]
    fn run<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Windows { row, pixel, columns, .. } = *self.windows;
        let (weights, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(&self.weight.values).0);
        let (biases, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(&self.bias.values).0);
        let limits = [simd.splat_f32s(self.limits[0]), simd.splat_f32s(self.limits[1])];
        let blocks = self.weight.blocks().zip(weights.chunks_exact(self.weight.rows)).zip(biases);
        for (((start, own), weight), bias) in blocks {
            let channels = self.first + start..self.first + start + own;
            for (y, out) in self.out.chunks_exact_mut(columns * self.channels).enumerate() {
                let image = &self.image[y * row..];
                for (x, pixels) in runs(columns, max_rows(S::F32_LANES)) {
                    let image = &image[x * pixel..];
                    let out = out[x * self.channels..].chunks_exact_mut(self.channels);
                    with_rows!(pixels, S::F32_LANES, PIXELS => {
                        let tile = product::<S, VECTORS, PIXELS>(simd, self.windows, image, weight, bias);
                        for (pixel, out) in tile.iter().zip(out) {
                            store::<S, VECTORS>(simd, pixel, limits, &mut out[channels.clone()]);
                        }
                    });
                }
            }
        }
    }
}

/// The product of `PIXELS` windows, the first of which begins `image`, with one block of the weight, plus the bias.
#[inline(always)]
fn product<S: Simd, const VECTORS: usize, const PIXELS: usize>(
    simd: S,
    windows: &Windows,
    image: &[f32],
    weight: &[[S::f32s; VECTORS]],
    bias: &[S::f32s; VECTORS],
) -> Tile<S, VECTORS, PIXELS> {
    let mut tile = [*bias; PIXELS];
    for (start, weight) in windows.runs.iter().zip(weight.chunks_exact(windows.run)) {
        let mut runs: [&[f32]; PIXELS] = [&[]; PIXELS];
        for (i, run) in runs.iter_mut().enumerate() {
            *run = &image[start + i * windows.pixel..][..windows.run];
        }
        for r in 0..windows.run {
            add_product::<S, VECTORS, PIXELS>(simd, &mut tile, |i| runs[i][r], &weight[r]);
        }
    }
    tile
}

/// Writes a pixel's block within the limits; the last block may hold fewer channels than its vectors. A NaN passes.
#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(simd: S, pixel: &[S::f32s; VECTORS], limits: [S::f32s; 2], out: &mut [f32]) {
    let (vectors, rest) = S::as_mut_simd_f32s(out);
    for (out, vector) in vectors.iter_mut().zip(pixel) {
        *out = within(simd, *vector, limits);
    }
    if let Some(vector) = pixel.get(vectors.len()) {
        simd.partial_store_f32s(rest, within(simd, *vector, limits));
    }
}
