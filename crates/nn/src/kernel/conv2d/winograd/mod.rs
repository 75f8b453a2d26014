//! Convolution with 3x3 windows by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016): a tile of 2x2 outputs
//! takes 16 products for each pair of channels in place of 36.
//!
//! The transforms are additions and halvings, so that little exactness is lost; larger tiles would save more products and
//! lose more digits. A product of all tiles is a matrix product over channels, which the direct kernels compute as a
//! convolution with a 1x1 window.

mod transform;

use rayon::prelude::*;

use self::transform::{
    PRODUCTS, TileRow, TransformGradient, TransformInput, TransformOutput, transformed_weight, weight_gradient,
};
use super::direct::{Convolution, Packed, WeightGradient, Windows};
use super::frame::Frame;
use super::geometry::Geometry;
use super::{NO_LIMITS, add_in_order, gradients};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

/// How many products of a few rows of tiles aim to be in the cache at once: half a MiB.
const BAND_ELEMENTS: usize = 128 * 1024;

/// Whether a convolution has the shape for it, and is large enough to gain.
pub fn takes(g: &Geometry) -> bool {
    let large = g.output[0] >= 4 && g.output[1] >= 4 && g.input[2] >= 8 && g.output[2] >= 8;
    g.kernel == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1] && g.groups == 1 && large
}

/// A convolution with its weights transformed.
#[derive(Debug)]
pub struct Prepared {
    vectors: Vectors,
    /// Input by output channels, of each product.
    weights: Vec<Packed>,
    bias: Vec<f32>,
    limits: [f32; 2],
    inputs: usize,
    /// Columns of the output.
    columns: usize,
    /// From a row of the framed image to the next.
    row: usize,
}

impl Prepared {
    /// The forward pass over images that `padding` frames, its sums kept within `limits`.
    pub fn forward(
        vectors: Vectors,
        g: &Geometry,
        padding: &Frame,
        weight: &[f32],
        bias: Option<&[f32]>,
        limits: [f32; 2],
    ) -> Self {
        let [inputs, outputs] = [g.input[2], g.output[2]];
        let weights = transformed(vectors, [inputs, outputs], |input, output| {
            let at = (output * inputs + input) * 9;
            std::array::from_fn(|place| weight[at + place])
        });
        let bias = bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec);
        Self { vectors, weights, bias, limits, inputs, columns: g.output[1], row: padding.row_len() }
    }

    /// The gradient to the images, as a convolution of the gradient that `frame` frames.
    pub fn input_gradient(vectors: Vectors, g: &Geometry, frame: &Frame, weight: &[f32]) -> Self {
        let [inputs, outputs] = [g.input[2], g.output[2]];
        let weights = transformed(vectors, [outputs, inputs], |output, input| {
            let at = (output * inputs + input) * 9;
            std::array::from_fn(|place| weight[at + 8 - place])
        });
        let row = frame.row_len();
        Self { vectors, weights, bias: vec![0.0; inputs], limits: NO_LIMITS, inputs: outputs, columns: g.input[1], row }
    }

    /// The rows of the output from the even row `first` on, HWC, for an image in its frame.
    pub fn rows(&self, image: &[f32], first: usize, out: &mut [f32]) {
        let (across, outputs) = (self.columns.div_ceil(2), self.bias.len());
        let out_row = self.columns * outputs;
        let tile_rows = (out.len() / out_row).div_ceil(2);
        let band = (BAND_ELEMENTS / (PRODUCTS * across * (self.inputs + outputs))).clamp(1, tile_rows);
        let mut inputs = Scratch::of(PRODUCTS * band * across * self.inputs);
        let mut sums = Scratch::of(PRODUCTS * band * across * outputs);
        let tiles = TileRow { count: across, row: self.row, pixel: self.inputs, channels: self.inputs };
        for (start, out) in (0..tile_rows).step_by(band).zip(out.chunks_mut(2 * band * out_row)) {
            let count = band.min(tile_rows - start) * across;
            let inputs = &mut inputs[..PRODUCTS * count * self.inputs];
            let sums = &mut sums[..PRODUCTS * count * outputs];
            for (i, first_tile) in (0..count).step_by(across).enumerate() {
                let image = &image[(first + 2 * (start + i)) * self.row..];
                self.vectors.run(TransformInput { tiles, image, products: inputs, first: first_tile });
            }
            let windows = Windows::pixels(self.inputs, count);
            let no_bias = Packed::zeros(self.vectors, 1, outputs);
            let products = inputs.chunks_exact(count * self.inputs).zip(sums.chunks_exact_mut(count * outputs));
            for ((image, out), weight) in products.zip(&self.weights) {
                let (windows, bias, limits) = (&windows, &no_bias, NO_LIMITS);
                self.vectors.run(Convolution {
                    windows,
                    image,
                    weight,
                    bias,
                    limits,
                    out,
                    channels: outputs,
                    first: 0,
                });
            }
            for (first_tile, rows) in (0..count).step_by(across).zip(out.chunks_mut(2 * out_row)) {
                let (bias, limits, columns) = (&self.bias, self.limits, self.columns);
                self.vectors.run(TransformOutput { products: sums, first: first_tile, bias, limits, rows, columns });
            }
        }
    }
}

/// The products of 3x3 windows, `rows x columns` of each; `weight(row, column)` is one window, row by row.
fn transformed(
    vectors: Vectors,
    [rows, columns]: [usize; 2],
    weight: impl Fn(usize, usize) -> [f32; 9] + Sync,
) -> Vec<Packed> {
    let mut products: Vec<Packed> = (0..PRODUCTS).map(|_| Packed::zeros(vectors, rows, columns)).collect();
    let (blocks, block) = (products[0].blocks(), products[0].block);
    let mut each: Vec<_> = products.iter_mut().map(|product| product.values.chunks_exact_mut(rows * block)).collect();
    let tasks: Vec<_> = blocks
        .map(|(first, own)| (first, own, each.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()))
        .collect();
    tasks.into_par_iter().for_each(|(first, own, mut products)| {
        for row in 0..rows {
            for column in 0..own {
                let results = transformed_weight(weight(row, first + column));
                for (product, result) in products.iter_mut().zip(results) {
                    product[row * block + column] = result;
                }
            }
        }
    });
    products
}

/// A sum of gradients to the transformed weights over images.
pub struct WeightSum {
    vectors: Vectors,
    /// Input by output channels, of each product.
    sums: Vec<Packed>,
}

impl gradients::WeightSum for WeightSum {
    fn zero(vectors: Vectors, g: &Geometry, _padding: &Frame) -> Self {
        Self { vectors, sums: (0..PRODUCTS).map(|_| Packed::zeros(vectors, g.input[2], g.output[2])).collect() }
    }

    fn add(&mut self, g: &Geometry, padding: &Frame, image: &[f32], frame: &Frame, gradient: &[f32]) {
        let ([rows, columns, outputs], inputs) = (g.output, g.input[2]);
        let [down, across] = [rows.div_ceil(2), columns.div_ceil(2)];
        let band = (BAND_ELEMENTS / (PRODUCTS * across * (inputs + outputs))).clamp(1, down);
        let mut of_image = Scratch::of(PRODUCTS * band * across * inputs);
        let mut of_gradient = Scratch::of(PRODUCTS * band * across * outputs);
        for start in (0..down).step_by(band) {
            let count = band.min(down - start) * across;
            let of_image = &mut of_image[..PRODUCTS * count * inputs];
            let of_gradient = &mut of_gradient[..PRODUCTS * count * outputs];
            for (i, first) in (0..count).step_by(across).enumerate() {
                let y = 2 * (start + i);
                let tiles = TileRow { count: across, row: padding.row_len(), pixel: inputs, channels: inputs };
                let image = &image[y * padding.row_len()..];
                self.vectors.run(TransformInput { tiles, image, products: of_image, first });
                let tiles = TileRow { count: across, row: frame.row_len(), pixel: outputs, channels: outputs };
                let gradient = &gradient[frame.start() + y * frame.row_len()..];
                self.vectors.run(TransformGradient { tiles, gradient, products: of_gradient, first });
            }
            let windows = Windows::pixels(inputs, count);
            let products = of_image.chunks_exact(count * inputs).zip(of_gradient.chunks_exact(count * outputs));
            for ((image, gradient), sum) in products.zip(&mut self.sums) {
                self.vectors.run(WeightGradient {
                    windows: &windows,
                    image,
                    gradient,
                    gradient_row: count * outputs,
                    gradient_pixel: outputs,
                    rows: 1,
                    sum,
                });
            }
        }
    }

    fn reduce(mut sums: Vec<Self>, g: &Geometry, out: &mut [f32]) {
        for p in 0..PRODUCTS {
            add_in_order(sums.iter_mut().map(|sum| &mut *sum.sums[p].values));
        }
        let inputs = g.input[2];
        out.par_chunks_exact_mut(9 * inputs).enumerate().for_each(|(output, out)| {
            for (input, out) in out.chunks_exact_mut(9).enumerate() {
                let at = sums[0].sums[0].position(input, output);
                out.copy_from_slice(&weight_gradient(std::array::from_fn(|p| sums[0].sums[p].values[at])));
            }
        });
    }
}
