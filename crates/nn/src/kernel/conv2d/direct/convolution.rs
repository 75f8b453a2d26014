//! One image's convolution: each window row is one contiguous run of an NHWC image, so windows are read in place.

use pulp::{Simd, WithSimd, as_arrays};

use super::packed::Packed;
use super::tile::{Tile, add_product, max_rows, runs, with_rows};

/// The convolution of one image with stride one and without padding.
pub struct Convolution<'a> {
    /// Input columns and channels.
    pub input: [usize; 2],
    /// Output columns.
    pub columns: usize,
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// HWC.
    pub image: &'a [f32],
    /// Window elements by output channels.
    pub weight: &'a Packed,
    /// One row of output channels.
    pub bias: &'a Packed,
    /// HWC.
    pub out: &'a mut [f32],
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
        let ([width, channels], outputs, run) = (self.input, self.weight.columns, self.kernel[1] * self.input[1]);
        let (weights, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(&self.weight.values).0);
        let (biases, _) = as_arrays::<VECTORS, _>(S::as_simd_f32s(&self.bias.values).0);
        for (((first, own), weight), bias) in
            self.weight.blocks().zip(weights.chunks_exact(self.weight.rows)).zip(biases)
        {
            for (y, out) in self.out.chunks_exact_mut(self.columns * outputs).enumerate() {
                let image = &self.image[y * width * channels..];
                for (x, pixels) in runs(self.columns, max_rows(S::F32_LANES)) {
                    let windows =
                        Windows { image: &image[x * channels..], row: width * channels, pixel: channels, run };
                    let out = &mut out[x * outputs..];
                    with_rows!(pixels, S::F32_LANES, PIXELS => {
                        let tile = windows.product::<S, VECTORS, PIXELS>(simd, weight, bias);
                        for (pixel, out) in tile.iter().zip(out.chunks_exact_mut(outputs)) {
                            store::<S, VECTORS>(simd, pixel, &mut out[first..first + own]);
                        }
                    });
                }
            }
        }
    }
}

/// Neighboring windows of an image.
#[derive(Clone, Copy)]
struct Windows<'a> {
    /// From the first window's first element on.
    image: &'a [f32],
    /// From one row to the next.
    row: usize,
    /// From one window to the next.
    pixel: usize,
    /// The length of one row of a window.
    run: usize,
}

impl Windows<'_> {
    /// The product of `PIXELS` windows with one block of the weight, plus the bias.
    #[inline(always)]
    fn product<S: Simd, const VECTORS: usize, const PIXELS: usize>(
        self,
        simd: S,
        weight: &[[S::f32s; VECTORS]],
        bias: &[S::f32s; VECTORS],
    ) -> Tile<S, VECTORS, PIXELS> {
        let mut tile = [*bias; PIXELS];
        for (ky, weight) in weight.chunks_exact(self.run).enumerate() {
            let image = &self.image[ky * self.row..];
            let windows: [&[f32]; PIXELS] = std::array::from_fn(|i| &image[i * self.pixel..][..self.run]);
            for r in 0..self.run {
                add_product::<S, VECTORS, PIXELS>(simd, &mut tile, |i| windows[i][r], &weight[r]);
            }
        }
        tile
    }
}

/// Writes a pixel's block; the last block may hold fewer channels than its vectors.
#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(simd: S, pixel: &[S::f32s; VECTORS], out: &mut [f32]) {
    let (vectors, rest) = S::as_mut_simd_f32s(out);
    for (out, vector) in vectors.iter_mut().zip(pixel) {
        *out = *vector;
    }
    if let Some(vector) = pixel.get(vectors.len()) {
        simd.partial_store_f32s(rest, *vector);
    }
}
