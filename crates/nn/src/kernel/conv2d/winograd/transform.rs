//! The transforms of F(2x2, 3x3) between pixels and the sixteen products of a tile, for all channels of many tiles.
//!
//! With the matrices of Lavin and Gray (2016), *Fast algorithms for convolutional neural networks*, section 4.1: the input
//! `d` becomes `B^T d B`, the weights `g` become `G g G^T`, and the products `m` become the output `A^T m A`. The gradient to
//! the output goes the way back, `A y A^T`, and the gradient to the products of weights becomes `G^T u G`.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};

use super::super::direct::within;

/// The products of one tile.
pub const PRODUCTS: usize = 16;

/// A row of tiles of an image, the upper left corner of the first at the image's first element; from each tile to the next
/// it is two pixels.
#[derive(Clone, Copy)]
pub struct TileRow {
    /// Tiles.
    pub count: usize,
    /// From a row of pixels to the next.
    pub row: usize,
    /// From a pixel to the next.
    pub pixel: usize,
    /// Channels to be transformed.
    pub channels: usize,
}

/// Transforms 4x4 pixels of input a tile: `products[p][tile][channel]`, of which this row's tiles begin at `first`.
pub struct TransformInput<'a> {
    pub tiles: TileRow,
    pub image: &'a [f32],
    pub products: &'a mut [f32],
    pub first: usize,
}

impl WithSimd for TransformInput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.tiles.transform::<S, InputTile, 4, 16>(simd, self.image, self.products, self.first);
    }
}

/// Transforms 2x2 pixels of the gradient to the output a tile, as [`TransformInput`] does the input.
pub struct TransformGradient<'a> {
    pub tiles: TileRow,
    pub gradient: &'a [f32],
    pub products: &'a mut [f32],
    pub first: usize,
}

impl WithSimd for TransformGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.tiles.transform::<S, GradientTile, 2, 4>(simd, self.gradient, self.products, self.first);
    }
}

/// The transform of the pixels of one tile, for a vector of channels.
trait Tile<const PIXELS: usize> {
    fn products<S: Simd>(simd: S, pixels: [S::f32s; PIXELS]) -> [S::f32s; PRODUCTS];
}

/// `B^T d B`.
struct InputTile;

impl Tile<16> for InputTile {
    #[inline(always)]
    fn products<S: Simd>(simd: S, d: [S::f32s; 16]) -> [S::f32s; PRODUCTS] {
        let mut across = d;
        for i in 0..4 {
            let line = Self::line(simd, [d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]]);
            across[4 * i..4 * i + 4].copy_from_slice(&line);
        }
        let mut products = across;
        for j in 0..4 {
            let line = Self::line(simd, [across[j], across[4 + j], across[8 + j], across[12 + j]]);
            [products[j], products[4 + j], products[8 + j], products[12 + j]] = line;
        }
        products
    }
}

impl InputTile {
    #[inline(always)]
    fn line<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(d[0], d[2]), simd.add_f32s(d[1], d[2]), simd.sub_f32s(d[2], d[1]), simd.sub_f32s(d[1], d[3])]
    }
}

/// `A y A^T`.
struct GradientTile;

impl Tile<4> for GradientTile {
    #[inline(always)]
    fn products<S: Simd>(simd: S, y: [S::f32s; 4]) -> [S::f32s; PRODUCTS] {
        let (upper, lower) = (Self::line(simd, [y[0], y[1]]), Self::line(simd, [y[2], y[3]]));
        let mut products = [y[0]; PRODUCTS];
        for j in 0..4 {
            let line = Self::line(simd, [upper[j], lower[j]]);
            [products[j], products[4 + j], products[8 + j], products[12 + j]] = line;
        }
        products
    }
}

impl GradientTile {
    #[inline(always)]
    fn line<S: Simd>(simd: S, y: [S::f32s; 2]) -> [S::f32s; 4] {
        [y[0], simd.add_f32s(y[0], y[1]), simd.sub_f32s(y[0], y[1]), simd.neg_f32s(y[1])]
    }
}

impl TileRow {
    /// Transforms `SIDE x SIDE` pixels a tile. All that handles vectors is loops and functions that are always inlined:
    /// closures in the standard library's adapters would be compiled without the vectors' instructions.
    #[inline(always)]
    fn transform<S: Simd, T: Tile<PIXELS>, const SIDE: usize, const PIXELS: usize>(
        self,
        simd: S,
        image: &[f32],
        products: &mut [f32],
        first: usize,
    ) {
        let len = products.len() / PRODUCTS;
        let whole = self.channels / S::F32_LANES * S::F32_LANES;
        for tile in 0..self.count {
            let corner = &image[2 * tile * self.pixel..];
            let products = &mut products[(first + tile) * self.channels..];
            let mut channel = 0;
            while channel < self.channels {
                let lanes = S::F32_LANES.min(self.channels - channel);
                let mut pixels = [simd.splat_f32s(0.0); PIXELS];
                for (i, pixel) in pixels.iter_mut().enumerate() {
                    let at = i / SIDE * self.row + i % SIDE * self.pixel + channel;
                    let from = &corner[at..at + lanes];
                    *pixel = if channel < whole { S::as_simd_f32s(from).0[0] } else { simd.partial_load_f32s(from) };
                }
                let results = T::products(simd, pixels);
                for (p, result) in results.iter().enumerate() {
                    let to = &mut products[p * len + channel..][..lanes];
                    if channel < whole {
                        S::as_mut_simd_f32s(to).0[0] = *result;
                    } else {
                        simd.partial_store_f32s(to, *result);
                    }
                }
                channel += lanes;
            }
        }
    }
}

/// Transforms the products of a row of tiles, which begin at `first`, to two rows of output.
pub struct TransformOutput<'a> {
    pub products: &'a [f32],
    pub first: usize,
    pub bias: &'a [f32],
    /// Values below the first or above the second are replaced by it.
    pub limits: [f32; 2],
    /// One row of the output, or two one after the other.
    pub rows: &'a mut [f32],
    pub columns: usize,
}

impl WithSimd for TransformOutput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (channels, len) = (self.bias.len(), self.products.len() / PRODUCTS);
        let (row, whole) = (self.columns * channels, channels / S::F32_LANES * S::F32_LANES);
        let limits = [simd.splat_f32s(self.limits[0]), simd.splat_f32s(self.limits[1])];
        let down = self.rows.len() / row;
        for tile in 0..self.columns.div_ceil(2) {
            let products = &self.products[(self.first + tile) * channels..];
            let across = if 2 * tile + 1 < self.columns { 2 } else { 1 };
            let mut channel = 0;
            while channel < channels {
                let lanes = S::F32_LANES.min(channels - channel);
                let mut m = [simd.splat_f32s(0.0); PRODUCTS];
                for (p, m) in m.iter_mut().enumerate() {
                    let from = &products[p * len + channel..][..lanes];
                    *m = if channel < whole { S::as_simd_f32s(from).0[0] } else { simd.partial_load_f32s(from) };
                }
                let bias = &self.bias[channel..channel + lanes];
                let bias = if channel < whole { S::as_simd_f32s(bias).0[0] } else { simd.partial_load_f32s(bias) };
                let sums = output_tile(simd, m);
                for y in 0..down {
                    for x in 0..across {
                        let value = within(simd, simd.add_f32s(sums[2 * y + x], bias), limits);
                        let to = &mut self.rows[y * row + (2 * tile + x) * channels + channel..][..lanes];
                        if channel < whole {
                            S::as_mut_simd_f32s(to).0[0] = value;
                        } else {
                            simd.partial_store_f32s(to, value);
                        }
                    }
                }
                channel += lanes;
            }
        }
    }
}

/// `A^T m A`, row by row.
#[inline(always)]
fn output_tile<S: Simd>(simd: S, m: [S::f32s; PRODUCTS]) -> [S::f32s; 4] {
    let mut across = [m[0]; 8];
    for i in 0..4 {
        [across[2 * i], across[2 * i + 1]] = output_line(simd, [m[4 * i], m[4 * i + 1], m[4 * i + 2], m[4 * i + 3]]);
    }
    let left = output_line(simd, [across[0], across[2], across[4], across[6]]);
    let right = output_line(simd, [across[1], across[3], across[5], across[7]]);
    [left[0], right[0], left[1], right[1]]
}

#[inline(always)]
fn output_line<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
    let sum = simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]);
    let difference = simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]);
    [sum, difference]
}

/// The products of 3x3 weights, row by row: `G g G^T`.
pub fn transformed_weight(g: [f32; 9]) -> [f32; PRODUCTS] {
    let line = |[a, b, c]: [f32; 3]| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let down: [_; 3] = std::array::from_fn(|x| line([g[x], g[3 + x], g[6 + x]]));
    let across: [_; 4] = std::array::from_fn(|i| line([down[0][i], down[1][i], down[2][i]]));
    std::array::from_fn(|p| across[p / 4][p % 4])
}

/// The gradients to 3x3 weights, row by row, from those to their products: `G^T u G`.
pub fn weight_gradient(u: [f32; PRODUCTS]) -> [f32; 9] {
    let line = |[a, b, c, d]: [f32; 4]| [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d];
    let across: [_; 4] = std::array::from_fn(|i| line([u[4 * i], u[4 * i + 1], u[4 * i + 2], u[4 * i + 3]]));
    let down: [_; 3] = std::array::from_fn(|x| line(std::array::from_fn(|i| across[i][x])));
    std::array::from_fn(|i| down[i % 3][i / 3])
}
