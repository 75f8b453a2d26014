//! The transforms of F(2x2, 3x3) between pixels and the sixteen products of a tile, for all channels of many tiles.
//!
//! With the matrices of Lavin and Gray (2016), *Fast algorithms for convolutional neural networks*, section 4.1: the input
//! `d` becomes `B^T d B`, the weights `g` become `G g G^T`, and the products `m` become the output `A^T m A`. The gradient to
//! the output goes the way back, `A y A^T`, and the gradient to the products of weights becomes `G^T u G`.

use pulp::{Simd, WithSimd};

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
        let TileRow { count, row, pixel, channels } = self.tiles;
        let mut products = apart(self.products);
        for tile in 0..count {
            let corner = &self.image[2 * tile * pixel..];
            let pixels: [&[f32]; 16] = std::array::from_fn(|i| &corner[i / 4 * row + i % 4 * pixel..][..channels]);
            let at = (self.first + tile) * channels;
            each_vector::<S, 16, PRODUCTS>(simd, pixels, &mut products, at, |d| {
                let across: [_; 4] =
                    std::array::from_fn(|i| input_line(simd, [d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]]));
                let down: [_; 4] = std::array::from_fn(|j| input_line(simd, std::array::from_fn(|i| across[i][j])));
                std::array::from_fn(|i| down[i % 4][i / 4])
            });
        }
    }
}

/// One line of `B^T d`.
#[inline(always)]
fn input_line<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(d[0], d[2]), simd.add_f32s(d[1], d[2]), simd.sub_f32s(d[2], d[1]), simd.sub_f32s(d[1], d[3])]
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
        let TileRow { count, row, pixel, channels } = self.tiles;
        let mut products = apart(self.products);
        for tile in 0..count {
            let corner = &self.gradient[2 * tile * pixel..];
            let pixels: [&[f32]; 4] = std::array::from_fn(|i| &corner[i / 2 * row + i % 2 * pixel..][..channels]);
            let at = (self.first + tile) * channels;
            each_vector::<S, 4, PRODUCTS>(simd, pixels, &mut products, at, |y| {
                let across = [gradient_line(simd, [y[0], y[1]]), gradient_line(simd, [y[2], y[3]])];
                let down: [_; 4] = std::array::from_fn(|j| gradient_line(simd, [across[0][j], across[1][j]]));
                std::array::from_fn(|i| down[i % 4][i / 4])
            });
        }
    }
}

/// One line of `A y`.
#[inline(always)]
fn gradient_line<S: Simd>(simd: S, y: [S::f32s; 2]) -> [S::f32s; 4] {
    [y[0], simd.add_f32s(y[0], y[1]), simd.sub_f32s(y[0], y[1]), simd.sub_f32s(simd.splat_f32s(0.0), y[1])]
}

/// Transforms the products of a row of tiles, which begin at `first`, to two rows of output.
pub struct TransformOutput<'a> {
    pub products: &'a [f32],
    pub first: usize,
    pub bias: &'a [f32],
    /// Values below the first or above the second are replaced by it.
    pub limits: [f32; 2],
    /// One row of the output, or two.
    pub rows: [Option<&'a mut [f32]>; 2],
    pub columns: usize,
}

impl WithSimd for TransformOutput<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.bias.len();
        let products: [&[f32]; PRODUCTS] = {
            let len = self.products.len() / PRODUCTS;
            std::array::from_fn(|p| &self.products[p * len..(p + 1) * len])
        };
        let limits = self.limits.map(|limit| simd.splat_f32s(limit));
        let [mut upper, mut lower] = self.rows.map(Option::unwrap_or_default);
        for tile in 0..self.columns.div_ceil(2) {
            let at = (self.first + tile) * channels;
            let of_tile: [&[f32]; PRODUCTS] = products.map(|product| &product[at..at + channels]);
            let mut out: [&mut [f32]; 4] = Default::default();
            let mut places = out.iter_mut();
            for row in [&mut upper, &mut lower] {
                let width = (2 * channels).min(row.len());
                let (pixels, rest) = std::mem::take(row).split_at_mut(width);
                *row = rest;
                let (left, right) = pixels.split_at_mut(channels.min(width));
                for pixel in [left, right] {
                    if let Some(place) = places.next() {
                        *place = pixel;
                    }
                }
            }
            let run = |m: [S::f32s; 16], bias: S::f32s| {
                let across: [_; 4] =
                    std::array::from_fn(|i| output_line(simd, [m[4 * i], m[4 * i + 1], m[4 * i + 2], m[4 * i + 3]]));
                let down: [_; 2] = std::array::from_fn(|j| output_line(simd, std::array::from_fn(|i| across[i][j])));
                [down[0][0], down[1][0], down[0][1], down[1][1]]
                    .map(|sum| within(simd, simd.add_f32s(sum, bias), limits))
            };
            let vectors = of_tile.map(|product| S::as_simd_f32s(product));
            let (biases, rest_of_bias) = S::as_simd_f32s(self.bias);
            for (v, bias) in biases.iter().enumerate() {
                let results = run(std::array::from_fn(|p| vectors[p].0[v]), *bias);
                for (out, result) in out.iter_mut().zip(results) {
                    if let Some(place) = S::as_mut_simd_f32s(out).0.get_mut(v) {
                        *place = result;
                    }
                }
            }
            if !rest_of_bias.is_empty() {
                let m = std::array::from_fn(|p| simd.partial_load_f32s(vectors[p].1));
                let results = run(m, simd.partial_load_f32s(rest_of_bias));
                for (out, result) in out.iter_mut().zip(results) {
                    if !out.is_empty() {
                        simd.partial_store_f32s(S::as_mut_simd_f32s(out).1, result);
                    }
                }
            }
        }
    }
}

/// One line of `A^T m`.
#[inline(always)]
fn output_line<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
    let sum = simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]);
    let difference = simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]);
    [sum, difference]
}

/// `value` between two limits. A NaN passes.
#[inline(always)]
fn within<S: Simd>(simd: S, value: S::f32s, [low, high]: [S::f32s; 2]) -> S::f32s {
    let value = simd.select_f32s(simd.less_than_f32s(value, low), low, value);
    simd.select_f32s(simd.greater_than_f32s(value, high), high, value)
}

/// The products of all tiles, product by product.
#[inline(always)]
fn apart(products: &mut [f32]) -> [&mut [f32]; PRODUCTS] {
    let len = products.len() / PRODUCTS;
    let mut parts = products.chunks_exact_mut(len);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Applies `transform` to the channels of some pixels, a vector at a time, and stores its results at `at` of each product.
#[inline(always)]
fn each_vector<S: Simd, const FROM: usize, const TO: usize>(
    simd: S,
    pixels: [&[f32]; FROM],
    products: &mut [&mut [f32]; TO],
    at: usize,
    transform: impl Fn([S::f32s; FROM]) -> [S::f32s; TO],
) {
    let (channels, vectors) = (pixels[0].len(), pixels.map(|pixel| S::as_simd_f32s(pixel)));
    for v in 0..vectors[0].0.len() {
        let results = transform(std::array::from_fn(|i| vectors[i].0[v]));
        for (product, result) in products.iter_mut().zip(results) {
            let (places, _) = S::as_mut_simd_f32s(&mut product[at + v * S::F32_LANES..][..S::F32_LANES]);
            places[0] = result;
        }
    }
    let rest = channels % S::F32_LANES;
    if rest > 0 {
        let results = transform(std::array::from_fn(|i| simd.partial_load_f32s(vectors[i].1)));
        for (product, result) in products.iter_mut().zip(results) {
            simd.partial_store_f32s(&mut product[at + channels - rest..at + channels], result);
        }
    }
}

/// Product `p` of 3x3 weights: an element of `G g G^T`.
pub fn transformed_weight(p: usize, weight: impl Fn(usize, usize) -> f32) -> f32 {
    let line = |i: usize, [a, b, c]: [f32; 3]| match i {
        0 => a,
        1 => 0.5 * (a + b + c),
        2 => 0.5 * (a - b + c),
        _ => c,
    };
    line(p / 4, std::array::from_fn(|y| line(p % 4, std::array::from_fn(|x| weight(y, x)))))
}

/// The gradients to 3x3 weights, row by row, from those to their products: `G^T u G`.
pub fn weight_gradient(u: [f32; PRODUCTS]) -> [f32; 9] {
    let line = |[a, b, c, d]: [f32; 4]| [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d];
    let across: [_; 4] = std::array::from_fn(|i| line([u[4 * i], u[4 * i + 1], u[4 * i + 2], u[4 * i + 3]]));
    let down: [_; 3] = std::array::from_fn(|x| line(std::array::from_fn(|i| across[i][x])));
    std::array::from_fn(|i| down[i % 3][i / 3])
}
