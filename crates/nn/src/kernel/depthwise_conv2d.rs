//! Depthwise convolution: each channel has windows of its own (Howard et al. 2017, section 3.1); and its gradients.
//!
//! In NHWC the channels are the vector axis. One vector of channels of a few neighboring pixels stays in registers while
//! the window's elements run by. The gradient to the images is the same kernel: a sum over window elements too, of other
//! sources.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::activation::{self, Activation};
use super::parts::parts;
use super::vectors::Vectors;

/// How many target rows of an image are one task: their sources stay in a core's cache while blocks of channels pass.
const BAND: usize = 8;
/// How many vectors of sums are kept in registers.
const TILE: usize = 8;

/// The sizes of one depthwise convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Input rows, columns and channels.
    pub input: [usize; 3],
    /// Output rows, columns and channels: a multiple of the input's.
    pub output: [usize; 3],
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// Step between windows, down and across.
    pub stride: [usize; 2],
    /// Zero rows above and zero columns to the left of the input. Those below and to the right follow from the output
    /// size.
    pub padding: [usize; 2],
    /// Step between the elements of a window, down and across.
    pub dilation: [usize; 2],
}

impl Geometry {
    fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    fn area(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// How many output channels an input channel has.
    fn multiplier(&self) -> usize {
        self.output[2] / self.input[2]
    }

    /// Which elements of an image each output pixel sums up.
    fn output_sums(&self) -> Sums {
        let taps = |axis: usize, target: usize| -> Vec<Tap> {
            let first = target * self.stride[axis];
            let source = |place: usize| (first + place * self.dilation[axis]).checked_sub(self.padding[axis]);
            taps_within(self.kernel[axis], self.input[axis], source)
        };
        Sums {
            source_width: self.input[1],
            target_width: self.output[1],
            channels: self.output[2],
            across: self.kernel[1],
            rows: (0..self.output[0]).map(|target| taps(0, target)).collect(),
            runs: runs(self.output[1], [1, self.stride[1]], |target| taps(1, target)),
            steps: [1, self.stride[1]],
        }
    }

    /// Which elements of a gradient to the output each pixel of an image sums up: those of the windows that have it.
    fn input_sums(&self) -> Sums {
        let taps = |axis: usize, target: usize| -> Vec<Tap> {
            let source = |place: usize| {
                let first = (target + self.padding[axis]).checked_sub(place * self.dilation[axis])?;
                first.is_multiple_of(self.stride[axis]).then_some(first / self.stride[axis])
            };
            taps_within(self.kernel[axis], self.output[axis], source)
        };
        Sums {
            source_width: self.output[1],
            target_width: self.input[1],
            channels: self.output[2],
            across: self.kernel[1],
            rows: (0..self.input[0]).map(|target| taps(0, target)).collect(),
            runs: runs(self.input[1], [self.stride[1], 1], |target| taps(1, target)),
            steps: [self.stride[1], 1],
        }
    }
}

/// One term of a sum along one axis: a window element and the source that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tap {
    place: usize,
    source: usize,
}

fn taps_within(kernel: usize, sources: usize, source: impl Fn(usize) -> Option<usize>) -> Vec<Tap> {
    let tap = |place| source(place).filter(|source| *source < sources).map(|source| Tap { place, source });
    (0..kernel).filter_map(tap).collect()
}

/// Targets along a row, a fixed step apart, that sum up the same window elements, of sources a fixed step apart.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    first: usize,
    len: usize,
    /// Those of the first target.
    taps: Vec<Tap>,
}

/// Cuts `targets` into runs with these steps between targets and between their sources.
fn runs(targets: usize, [step, source_step]: [usize; 2], taps: impl Fn(usize) -> Vec<Tap>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for target in (0..step.min(targets)).flat_map(|phase| (phase..targets).step_by(step)) {
        let taps = taps(target);
        let continues = |run: &&mut Run| {
            let moved = run.taps.iter().map(|tap| Tap { source: tap.source + run.len * source_step, ..*tap });
            target == run.first + run.len * step && moved.eq(taps.iter().copied())
        };
        match runs.last_mut().filter(continues) {
            Some(run) => run.len += 1,
            None => runs.push(Run { first: target, len: 1, taps }),
        }
    }
    runs
}

/// Which window elements of which sources each pixel of a target sums up, the same in all channels.
#[derive(Debug)]
struct Sums {
    source_width: usize,
    target_width: usize,
    channels: usize,
    /// Columns of the window.
    across: usize,
    /// The taps of each row.
    rows: Vec<Vec<Tap>>,
    /// All targets of a row.
    runs: Vec<Run>,
    /// From target to target of a run, and from source to source.
    steps: [usize; 2],
}

/// The depthwise convolution of `images` (NHWC) with `weight` (`[channels * multiplier, 1, rows, columns]`) plus `bias`,
/// under `activation`, written to `out` (NHWC).
pub fn forward(g: &Geometry, images: &[f32], weight: &[f32], bias: &[f32], activation: Activation, out: &mut [f32]) {
    forward_by(Vectors::widest(), g, images, weight, bias, activation, out);
}

/// A depthwise convolution with its weights laid out once for any number of images.
#[derive(Debug)]
pub struct Forward {
    vectors: Vectors,
    geometry: Geometry,
    sums: Sums,
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl Forward {
    /// As [`forward`].
    pub fn new(vectors: Vectors, g: &Geometry, weight: &[f32], bias: &[f32], activation: Activation) -> Self {
        let (weight, bias) = (packed(vectors, weight, g.area()), packed(vectors, bias, 1));
        Self { vectors, geometry: *g, sums: g.output_sums(), weight, bias, activation }
    }

    /// The output for NHWC images.
    pub fn run(&self, images: &[f32], out: &mut [f32]) {
        let g = &self.geometry;
        let images = out.par_chunks_exact_mut(g.output_len()).zip(images.par_chunks_exact(g.input_len()));
        images.for_each_init(Vec::new, |repeated, (out, image)| {
            let source = repeat_channels(image, g.multiplier(), repeated);
            self.sums.write(self.vectors, source, &self.weight, &self.bias, out, |band| {
                activation::apply_chunk(self.activation, band);
            });
        });
    }
}

/// The gradient of a loss to the images, from its `gradient` to the sums; both NHWC. Written to `out`.
pub fn input_gradient(g: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    input_gradient_by(Vectors::widest(), g, weight, gradient, out);
}

/// The gradient of a loss to the weights, in their shape, from the images and its `gradient` to the sums, both NHWC.
/// Written to `out`. That to the bias is a convolution's [`bias_gradient`](super::conv2d::bias_gradient).
pub fn weight_gradient(g: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    weight_gradient_by(Vectors::widest(), g, images, gradient, out);
}

fn forward_by(
    vectors: Vectors,
    g: &Geometry,
    images: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
    out: &mut [f32],
) {
    Forward::new(vectors, g, weight, bias, activation).run(images, out);
}

fn input_gradient_by(vectors: Vectors, g: &Geometry, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (sums, weight) = (g.input_sums(), packed(vectors, weight, g.area()));
    let bias = packed(vectors, &vec![0.0; g.output[2]], 1);
    let images = out.par_chunks_exact_mut(g.input_len()).zip(gradient.par_chunks_exact(g.output_len()));
    images.for_each_init(Vec::new, |each, (out, gradient)| match g.multiplier() {
        1 => sums.write(vectors, gradient, &weight, &bias, out, |_| {}),
        multiplier => {
            each.resize(out.len() * multiplier, 0.0);
            sums.write(vectors, gradient, &weight, &bias, each, |_| {});
            for (out, each) in out.iter_mut().zip(each.chunks_exact(multiplier)) {
                *out = each.iter().sum();
            }
        }
    });
}

fn weight_gradient_by(vectors: Vectors, g: &Geometry, images: &[f32], gradient: &[f32], out: &mut [f32]) {
    let (sums, area) = (&g.output_sums(), g.area());
    let parts: Vec<Vec<f32>> = parts(images.len() / g.input_len())
        .into_par_iter()
        .map(|part| {
            let mut products = vec![0.0; g.output[2].next_multiple_of(vectors.lanes()) * area];
            let mut repeated = Vec::new();
            for n in part {
                let image = &images[n * g.input_len()..][..g.input_len()];
                let source = repeat_channels(image, g.multiplier(), &mut repeated);
                let gradient = &gradient[n * g.output_len()..][..g.output_len()];
                vectors.run(AddProducts { sums, source, gradient, products: &mut products });
            }
            products
        })
        .collect();
    let lanes = vectors.lanes();
    for (channel, out) in out.chunks_exact_mut(area).enumerate() {
        for (place, out) in out.iter_mut().enumerate() {
            let at = packed_position(lanes, area, channel, place);
            *out = parts.iter().map(|part| part[at]).sum();
        }
    }
}

/// Weights `[channels, area]` as blocks of one vector of channels, each block `[area, lanes]`; the last block is filled up
/// with zeros.
fn packed(vectors: Vectors, weight: &[f32], area: usize) -> Vec<f32> {
    let lanes = vectors.lanes();
    let mut packed = vec![0.0; (weight.len() / area).next_multiple_of(lanes) * area];
    for (i, weight) in weight.iter().enumerate() {
        packed[packed_position(lanes, area, i / area, i % area)] = *weight;
    }
    packed
}

fn packed_position(lanes: usize, area: usize, channel: usize, place: usize) -> usize {
    (channel / lanes * area + place) * lanes + channel % lanes
}

/// The image with each channel `multiplier` times in a row, so that a channel has one window.
fn repeat_channels<'a>(image: &'a [f32], multiplier: usize, repeated: &'a mut Vec<f32>) -> &'a [f32] {
    if multiplier == 1 {
        return image;
    }
    repeated.clear();
    repeated.extend(image.iter().flat_map(|value| std::iter::repeat_n(*value, multiplier)));
    repeated
}

impl Sums {
    /// Sums up a whole target, and hands each band of it to `finish` while it is in cache.
    fn write(
        &self,
        vectors: Vectors,
        source: &[f32],
        weight: &[f32],
        bias: &[f32],
        target: &mut [f32],
        finish: impl Fn(&mut [f32]) + Sync,
    ) {
        let row_len = self.target_width * self.channels;
        target.par_chunks_mut(BAND * row_len).zip(self.rows.par_chunks(BAND)).for_each(|(target, rows)| {
            vectors.run(Band { sums: self, rows, source, weight, bias, target: &mut *target });
            finish(target);
        });
    }

    /// The row of the source that `tap` meets.
    #[inline(always)]
    fn source_row<'a>(&self, source: &'a [f32], tap: Tap) -> &'a [f32] {
        let row_len = self.source_width * self.channels;
        &source[tap.source * row_len..][..row_len]
    }

    /// The first channel of each block and how many are its own.
    #[inline(always)]
    fn blocks(&self, lanes: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let channels = self.channels;
        (0..channels).step_by(lanes).map(move |first| (first, lanes.min(channels - first)))
    }
}

/// Evaluates an expression with a constant `$len` equal to `$value`, which is at most [`TILE`].
macro_rules! with_len {
    ($value:expr, $len:ident => $body:expr) => {
        with_len!(@ $value, $len => $body, 1 2 3 4 5 6 7 8)
    };
    (@ $value:expr, $len:ident => $body:expr, $($size:literal)*) => {
        match $value {
            $($size => {
                const $len: usize = $size;
                $body
            })*
            other => unreachable!("a tile of {other}, but {TILE} is the most"),
        }
    };
}

/// Some rows of a target.
struct Band<'a> {
    sums: &'a Sums,
    /// The taps of these rows.
    rows: &'a [Vec<Tap>],
    /// HWC.
    source: &'a [f32],
    /// In blocks of channels.
    weight: &'a [f32],
    /// In blocks of channels.
    bias: &'a [f32],
    /// These rows, WC each.
    target: &'a mut [f32],
}

impl WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let area = self.weight.len() / self.bias.len();
        let weights = S::as_simd_f32s(self.weight).0.chunks_exact(area);
        let biases = S::as_simd_f32s(self.bias).0;
        for ((channels, weight), bias) in self.sums.blocks(S::F32_LANES).zip(weights).zip(biases) {
            if channels.1 == S::F32_LANES {
                self.block::<S, true>(simd, channels, weight, *bias);
            } else {
                self.block::<S, false>(simd, channels, weight, *bias);
            }
        }
    }
}

impl Band<'_> {
    /// One block of channels, `WHOLE` where they fill a vector.
    #[inline(always)]
    fn block<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        channels: (usize, usize),
        weight: &[S::f32s],
        bias: S::f32s,
    ) {
        let row_len = self.sums.target_width * self.sums.channels;
        for (row, target) in self.rows.iter().zip(self.target.chunks_exact_mut(row_len)) {
            for run in &self.sums.runs {
                for at in (0..run.len).step_by(TILE) {
                    let tile = Tile { sums: self.sums, row, run, at, source: self.source, channels };
                    with_len!(TILE.min(run.len - at), PIXELS => {
                        tile.write::<S, WHOLE, PIXELS>(simd, weight, bias, target);
                    });
                }
            }
        }
    }
}

/// Neighboring pixels of a run, from pixel `at` of it on.
struct Tile<'a> {
    sums: &'a Sums,
    row: &'a [Tap],
    run: &'a Run,
    at: usize,
    source: &'a [f32],
    channels: (usize, usize),
}

impl Tile<'_> {
    #[inline(always)]
    fn write<S: Simd, const WHOLE: bool, const PIXELS: usize>(
        &self,
        simd: S,
        weight: &[S::f32s],
        bias: S::f32s,
        target: &mut [f32],
    ) {
        let (channels, (first, own)) = (self.sums.channels, self.channels);
        let [step, source_step] = self.sums.steps.map(|step| step * channels);
        let offsets: [usize; PIXELS] = std::array::from_fn(|i| (self.at + i) * source_step + first);
        let mut tile = [bias; PIXELS];
        for down in self.row {
            let source = self.sums.source_row(self.source, *down);
            for across in &self.run.taps {
                let weight = weight[down.place * self.sums.across + across.place];
                let from = across.source * channels;
                for (sum, offset) in tile.iter_mut().zip(offsets) {
                    let value = load::<S, WHOLE>(simd, &source[from + offset..][..own]);
                    *sum = simd.mul_add_e_f32s(value, weight, *sum);
                }
            }
        }
        let to = self.run.first * channels + self.at * step + first;
        for (i, sum) in tile.into_iter().enumerate() {
            store::<S, WHOLE>(simd, &mut target[to + i * step..][..own], sum);
        }
    }
}

/// Adds the products of one image with the gradient to its output to `products`, which are in blocks of channels.
struct AddProducts<'a> {
    sums: &'a Sums,
    source: &'a [f32],
    gradient: &'a [f32],
    products: &'a mut [f32],
}

impl WithSimd for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (sums, lanes) = (self.sums, S::F32_LANES);
        let area = self.products.len() / sums.channels.next_multiple_of(lanes);
        let blocks = S::as_mut_simd_f32s(self.products).0.chunks_exact_mut(area);
        for (channels, products) in sums.blocks(lanes).zip(blocks) {
            if channels.1 == lanes {
                add_products::<S, true>(simd, sums, self.source, self.gradient, channels, products);
            } else {
                add_products::<S, false>(simd, sums, self.source, self.gradient, channels, products);
            }
        }
    }
}

/// The products of one block of channels. A run's are summed up in registers before they are added to `products`, so that no
/// chain of roundings is as long as an image.
#[inline(always)]
fn add_products<S: Simd, const WHOLE: bool>(
    simd: S,
    sums: &Sums,
    source: &[f32],
    gradient: &[f32],
    channels: (usize, usize),
    products: &mut [S::f32s],
) {
    for (row, gradient) in sums.rows.iter().zip(gradient.chunks_exact(sums.target_width * sums.channels)) {
        for down in row {
            let source = sums.source_row(source, *down);
            let products = &mut products[down.place * sums.across..][..sums.across];
            for run in &sums.runs {
                for taps in run.taps.chunks(TILE) {
                    with_len!(taps.len(), TAPS => {
                        add_run::<S, WHOLE, TAPS>(simd, sums, run, taps, source, gradient, channels, products);
                    });
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "the inner loop of one caller, whose variables these are")]
fn add_run<S: Simd, const WHOLE: bool, const TAPS: usize>(
    simd: S,
    sums: &Sums,
    run: &Run,
    taps: &[Tap],
    source: &[f32],
    gradient: &[f32],
    (first, own): (usize, usize),
    products: &mut [S::f32s],
) {
    let from: [usize; TAPS] = std::array::from_fn(|tap| taps[tap].source * sums.channels + first);
    let [step, source_step] = sums.steps.map(|step| step * sums.channels);
    let mut tile = [simd.splat_f32s(0.0); TAPS];
    for i in 0..run.len {
        let at = run.first * sums.channels + i * step + first;
        let gradient = load::<S, WHOLE>(simd, &gradient[at..][..own]);
        for (sum, from) in tile.iter_mut().zip(from) {
            let value = load::<S, WHOLE>(simd, &source[from + i * source_step..][..own]);
            *sum = simd.mul_add_e_f32s(value, gradient, *sum);
        }
    }
    for (tap, sum) in taps.iter().zip(tile) {
        products[tap.place] = simd.add_f32s(products[tap.place], sum);
    }
}

/// A vector from the beginning of `values`, which fill it where it is `WHOLE`.
#[inline(always)]
fn load<S: Simd, const WHOLE: bool>(simd: S, values: &[f32]) -> S::f32s {
    if WHOLE { S::as_simd_f32s(values).0[0] } else { simd.partial_load_f32s(values) }
}

/// The counterpart of [`load`].
#[inline(always)]
fn store<S: Simd, const WHOLE: bool>(simd: S, out: &mut [f32], vector: S::f32s) {
    if WHOLE {
        S::as_mut_simd_f32s(out).0[0] = vector;
    } else {
        simd.partial_store_f32s(out, vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(
        input: [usize; 3],
        multiplier: usize,
        kernel: [usize; 2],
        [stride, dilation]: [[usize; 2]; 2],
        padding: [usize; 4],
    ) -> Geometry {
        let out = |axis: usize| {
            let padded = input[axis] + padding[2 * axis] + padding[2 * axis + 1];
            (padded - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis] + 1
        };
        let output = [out(0), out(1), input[2] * multiplier];
        Geometry { input, output, kernel, stride, padding: [padding[0], padding[2]], dilation }
    }

    /// One pixel; tails of channels and of tiles; both strides, dilation and uneven padding; the layers of EfficientNet-Lite0.
    fn geometries() -> Vec<Geometry> {
        let plain = [[1, 1], [1, 1]];
        vec![
            geometry([1, 1, 1], 1, [1, 1], plain, [0; 4]),
            geometry([1, 1, 3], 1, [3, 3], plain, [1; 4]),
            geometry([3, 3, 1], 1, [3, 3], plain, [0; 4]),
            geometry([7, 9, 17], 1, [3, 3], plain, [1; 4]),
            geometry([5, 23, 33], 1, [5, 5], plain, [2; 4]),
            geometry([8, 9, 5], 1, [3, 3], [[2, 2], [1, 1]], [0, 1, 0, 1]),
            geometry([9, 20, 16], 1, [5, 5], [[2, 2], [1, 1]], [1, 2, 2, 1]),
            geometry([11, 10, 2], 1, [3, 2], [[3, 1], [1, 2]], [2, 0, 1, 3]),
            geometry([10, 12, 4], 1, [2, 3], [[1, 2], [3, 2]], [0, 3, 2, 1]),
            geometry([4, 30, 1], 1, [1, 11], plain, [0, 0, 5, 5]),
            geometry([6, 5, 3], 2, [3, 3], plain, [1; 4]),
            geometry([7, 7, 11], 3, [3, 3], [[2, 2], [1, 1]], [1; 4]),
            geometry([5, 5, 2], 1, [2, 2], [[4, 4], [1, 1]], [0; 4]),
        ]
    }

    fn ramp(len: usize, step: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * step + 5) % 29) as f32 / 14.0 - 1.0).collect()
    }

    struct Case {
        images: Vec<f32>,
        weight: Vec<f32>,
        bias: Vec<f32>,
        gradient: Vec<f32>,
    }

    fn case(g: &Geometry, images: usize) -> Case {
        Case {
            images: ramp(images * g.input_len(), 7),
            weight: ramp(g.output[2] * g.area(), 11),
            bias: ramp(g.output[2], 3),
            gradient: ramp(images * g.output_len(), 13),
        }
    }

    /// Output, gradient to the images and gradient to the weights.
    fn all_passes(vectors: Vectors, g: &Geometry, case: &Case) -> [Vec<f32>; 3] {
        let empty = |like: &[f32]| vec![f32::NAN; like.len()];
        let (mut y, mut x, mut w) = (empty(&case.gradient), empty(&case.images), empty(&case.weight));
        forward_by(vectors, g, &case.images, &case.weight, &case.bias, Activation::Linear, &mut y);
        input_gradient_by(vectors, g, &case.weight, &case.gradient, &mut x);
        weight_gradient_by(vectors, g, &case.images, &case.gradient, &mut w);
        [y, x, w]
    }

    /// The definition, in f64: one product at a time.
    fn definition(g: &Geometry, case: &Case) -> [Vec<f64>; 3] {
        let [rows, columns, outputs] = g.output;
        let mut y = vec![0.0f64; case.gradient.len()];
        let (mut x, mut w) = (vec![0.0f64; case.images.len()], vec![0.0f64; case.weight.len()]);
        for (i, y) in y.iter_mut().enumerate() {
            let (o, column, row) = (i % outputs, i / outputs % columns, i / outputs / columns % rows);
            let gradient = f64::from(case.gradient[i]);
            *y = f64::from(case.bias[o]);
            for (ky, kx) in (0..g.kernel[0]).flat_map(|ky| (0..g.kernel[1]).map(move |kx| (ky, kx))) {
                let from_row = (row * g.stride[0] + ky * g.dilation[0]).wrapping_sub(g.padding[0]);
                let from_column = (column * g.stride[1] + kx * g.dilation[1]).wrapping_sub(g.padding[1]);
                if from_row < g.input[0] && from_column < g.input[1] {
                    let pixel = from_row * g.input[1] + from_column;
                    let at = i / g.output_len() * g.input_len() + pixel * g.input[2] + o / g.multiplier();
                    let weight = (o * g.kernel[0] + ky) * g.kernel[1] + kx;
                    *y += f64::from(case.images[at]) * f64::from(case.weight[weight]);
                    x[at] += gradient * f64::from(case.weight[weight]);
                    w[weight] += gradient * f64::from(case.images[at]);
                }
            }
        }
        [y, x, w]
    }

    #[test]
    fn a_3x3_case_by_hand() {
        let g = geometry([3, 3, 2], 1, [3, 3], [[1, 1], [1, 1]], [0; 4]);
        let image: Vec<f32> = (0..9).flat_map(|i| [i as f32, 1.0]).collect();
        let weight = [[1.0, 0.0, -1.0].repeat(3), vec![0.5; 9]].concat();
        let mut out = [f32::NAN; 2];
        forward(&g, &image, &weight, &[10.0, -5.0], Activation::Linear, &mut out);
        assert_eq!(out, [4.0, -0.5]);
        forward(&g, &image, &weight, &[10.0, -5.0], Activation::Relu, &mut out);
        assert_eq!(out, [4.0, 0.0]);
        let mut to_image = [f32::NAN; 18];
        input_gradient(&g, &weight, &[2.0, 4.0], &mut to_image);
        assert_eq!(to_image.to_vec(), [2.0, 2.0, 0.0, 2.0, -2.0, 2.0].repeat(3));
        let mut to_weight = [f32::NAN; 18];
        weight_gradient(&g, &image, &[2.0, 4.0], &mut to_weight);
        assert_eq!(to_weight[..9], [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
        assert_eq!(to_weight[9..], [4.0; 9]);
    }

    #[test]
    fn every_kind_of_vectors_agrees_with_the_definition() {
        for g in geometries() {
            let case = case(&g, 3);
            for vectors in Vectors::available() {
                for (got, expected) in all_passes(vectors, &g, &case).iter().zip(&definition(&g, &case)) {
                    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
                        let error = (f64::from(*got) - expected).abs();
                        let context = format!("{g:?}, {vectors:?}, element {i}: {got} instead of {expected}");
                        assert!(error <= 1e-5 * expected.abs().max(1.0), "{context}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_two_and_five_threads_give_the_same_bytes() {
        for g in [geometries()[6], geometries()[11], geometry([30, 11, 40], 1, [3, 3], [[1, 1], [1, 1]], [1; 4])] {
            let case = case(&g, 11);
            for vectors in Vectors::available() {
                let run = |threads| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| all_passes(vectors, &g, &case))
                };
                assert_eq!(run(1), run(2));
                assert_eq!(run(1), run(5));
            }
        }
    }

    #[test]
    fn runs_cut_a_row_where_the_window_leaves_it() {
        let g = geometry([1, 9, 1], 1, [1, 3], [[1, 1], [1, 1]], [0, 0, 1, 1]);
        let lens: Vec<_> = g.output_sums().runs.iter().map(|run| (run.first, run.len, run.taps.len())).collect();
        assert_eq!(lens, [(0, 1, 2), (1, 7, 3), (8, 1, 2)]);
        let g = geometry([1, 9, 1], 1, [1, 3], [[1, 2], [1, 1]], [0; 4]);
        let lens: Vec<_> = g.input_sums().runs.iter().map(|run| (run.first, run.len, run.taps.len())).collect();
        assert_eq!(lens, [(0, 1, 1), (2, 3, 2), (8, 1, 1), (1, 4, 1)]);
    }
}
