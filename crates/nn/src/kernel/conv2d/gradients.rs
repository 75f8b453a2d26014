//! The gradients of a convolution: one pass over the images for all that are wanted.

use std::ops::Range;

use rayon::prelude::*;

use super::frame::Frame;
use super::geometry::Geometry;
use super::pooled::{ActivationRow, AddPixels, UnpoolRow};
use super::{direct, padding, unrolled};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

/// How many elements of a sum a thread adds up at once.
const CHUNK: usize = 1 << 13;

/// Where the gradient to a convolution's sums comes from.
#[derive(Clone, Copy, Debug)]
pub enum OutputGradient<'a> {
    /// It is given, NHWC.
    Plain(&'a [f32]),
    /// From the `gradient` to the `output` of an activation with `limits`, both NHWC.
    Limited { gradient: &'a [f32], output: &'a [f32], limits: [f32; 2] },
    /// From the `gradient` to the `pooled` output of [`super::forward_pooled`], both NHWC, and its `winners`.
    Pooled { gradient: &'a [f32], pooled: &'a [f32], winners: &'a [u8], limits: [f32; 2] },
}

/// Where to write the gradients that are wanted. Every element is written.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// To the images, NHWC.
    pub images: Option<&'a mut [f32]>,
    /// To the weights, OIHW.
    pub weight: Option<&'a mut [f32]>,
    /// To the bias.
    pub bias: Option<&'a mut [f32]>,
}

/// The gradients of a loss to the operands of a convolution. `images` is read for the gradient to the weights, `weight` for
/// that to the images; what is not read may be empty.
pub fn gradients(
    vectors: Vectors,
    geometry: &Geometry,
    images: &[f32],
    weight: &[f32],
    source: OutputGradient<'_>,
    wanted: Wanted<'_>,
) {
    let pass = Pass::new(vectors, geometry, images, weight, source, &wanted);
    let mut rest = wanted.images;
    let mut tasks = Vec::new();
    for part in Geometry::parts(source.count(geometry)) {
        let own = rest.take().map(|images| {
            let (own, others) = images.split_at_mut(part.len() * geometry.input_len());
            rest = Some(others);
            own
        });
        tasks.push((part, own));
    }
    let sums: Vec<Sums> = tasks.into_par_iter().map(|(part, to_images)| pass.part(part, to_images)).collect();
    if let Some(bias) = wanted.bias {
        add_bias_sums(sums.iter().map(|sum| sum.bias.as_slice()), bias);
    }
    if let Some(weight) = wanted.weight {
        reduce(geometry, sums.into_iter().filter_map(|sums| sums.weight), weight);
    }
}

/// The gradient of a loss to a bias: the sum of `gradient` over all but its last axis, which is as long as `out`; a row of
/// an image, or of a matrix, is `row` elements.
pub fn bias_gradient(vectors: Vectors, row: usize, gradient: &[f32], out: &mut [f32]) {
    let channels = out.len();
    let count = gradient.len() / row;
    let parts = Geometry::parts(count).into_par_iter().map(|part| {
        let (mut sum, mut partial) = (vec![0.0; channels], vec![0.0; channels]);
        for row in gradient[part.start * row..part.end * row].chunks_exact(row) {
            vectors.run(AddPixels { row, partial: &mut partial, sum: &mut sum });
        }
        sum
    });
    let parts: Vec<Vec<f64>> = parts.collect();
    add_bias_sums(parts.iter().map(Vec::as_slice), out);
}

fn add_bias_sums<'a>(sums: impl Iterator<Item = &'a [f64]>, out: &mut [f32]) {
    let mut total = vec![0.0f64; out.len()];
    for sum in sums {
        for (total, value) in total.iter_mut().zip(sum) {
            *total += value;
        }
    }
    for (out, total) in out.iter_mut().zip(total) {
        *out = total as f32;
    }
}

/// What one part of the batch adds to the gradients that are sums over images.
struct Sums {
    weight: Option<WeightSum>,
    bias: Vec<f64>,
}

/// All that the parts of a batch share.
struct Pass<'a> {
    vectors: Vectors,
    geometry: &'a Geometry,
    images: &'a [f32],
    source: OutputGradient<'a>,
    /// Around each image.
    padding: Frame,
    /// Around each image's gradient to its output.
    frame: Frame,
    to_images: Option<InputGradient>,
    to_weight: bool,
    to_bias: bool,
}

impl<'a> Pass<'a> {
    fn new(
        vectors: Vectors,
        g: &'a Geometry,
        images: &'a [f32],
        weight: &[f32],
        source: OutputGradient<'a>,
        wanted: &Wanted<'_>,
    ) -> Self {
        let output = [g.output[0], g.output[1]];
        let plain = Frame { inner: output, outer: output, offset: [0, 0], channels: g.output[2] };
        let (frame, to_images) = match input_gradient_frame(g).filter(|_| vectors.lanes() > 1) {
            _ if wanted.images.is_none() => (plain, None),
            Some(frame) => {
                let prepared = direct::Prepared::input_gradient(vectors, g, &frame, weight);
                (frame, Some(InputGradient::Direct(prepared)))
            }
            None => (plain, Some(InputGradient::Unrolled(unrolled::Prepared::new(g, weight)))),
        };
        let (to_weight, to_bias) = (wanted.weight.is_some(), wanted.bias.is_some());
        Self { vectors, geometry: g, images, source, padding: padding(g), frame, to_images, to_weight, to_bias }
    }

    /// The part's sums; the gradients to its images are written to `to_images`.
    fn part(&self, part: Range<usize>, mut to_images: Option<&mut [f32]>) -> Sums {
        let g = self.geometry;
        let mut weight = self.to_weight.then(|| WeightSum::zero(self.vectors, g, &self.padding));
        let mut bias = vec![0.0; g.output[2]];
        let mut framed = Scratch::of(self.frame.len());
        for (index, n) in part.enumerate() {
            self.fill(n, &mut framed, &mut bias);
            if let Some(sum) = &mut weight {
                let image = &self.images[n * g.input_len()..][..g.input_len()];
                sum.add(g, image, &self.padding, &self.frame, &framed);
            }
            if let (Some(prepared), Some(to_images)) = (&self.to_images, &mut to_images) {
                let out = &mut to_images[index * g.input_len()..][..g.input_len()];
                match prepared {
                    InputGradient::Direct(prepared) => prepared.rows(&framed, 0, out),
                    InputGradient::Unrolled(prepared) => prepared.input_gradient(g, &self.frame, &framed, out),
                }
            }
        }
        Sums { weight, bias }
    }

    /// Writes image `n`'s gradient to its sums into its frame, and adds it to the sum for the bias.
    fn fill(&self, n: usize, framed: &mut [f32], bias: &mut [f64]) {
        let g = self.geometry;
        let (channels, row_len) = (g.output[2], g.output[1] * g.output[2]);
        let at = |y: usize| (n * g.output[0] + y) * row_len;
        let mut partial = vec![0.0; channels];
        self.frame.fill(framed, |y, out| {
            match self.source {
                OutputGradient::Plain(gradient) => out.copy_from_slice(&gradient[at(y)..][..row_len]),
                OutputGradient::Limited { gradient, output, limits } => self.vectors.run(ActivationRow {
                    gradient: &gradient[at(y)..][..row_len],
                    output: &output[at(y)..][..row_len],
                    limits,
                    out: &mut *out,
                }),
                OutputGradient::Pooled { gradient, pooled, winners, limits } => {
                    let [rows, columns] = g.pooled();
                    if y / 2 == rows {
                        return out.fill(0.0);
                    }
                    let row = (n * rows + y / 2) * columns * channels..(n * rows + y / 2 + 1) * columns * channels;
                    self.vectors.run(UnpoolRow {
                        lower: (y % 2) as u8,
                        channels,
                        gradient: &gradient[row.clone()],
                        pooled: &pooled[row.clone()],
                        limits,
                        winners: &winners[row],
                        out: &mut *out,
                    });
                }
            }
            if self.to_bias {
                self.vectors.run(AddPixels { row: out, partial: &mut partial, sum: &mut *bias });
            }
        });
    }
}

impl OutputGradient<'_> {
    /// How many images there are.
    fn count(&self, g: &Geometry) -> usize {
        match self {
            Self::Plain(gradient) | Self::Limited { gradient, .. } => gradient.len() / g.output_len(),
            Self::Pooled { gradient, .. } => gradient.len() / (g.pooled()[0] * g.pooled()[1] * g.output[2]),
        }
    }
}

/// The gradient to the images, ready to run.
enum InputGradient {
    Direct(direct::Prepared),
    Unrolled(unrolled::Prepared),
}

/// The frame around the gradient over which the gradient to the images is a convolution, where it is one: without strides,
/// and with no more padding than the window reaches.
fn input_gradient_frame(g: &Geometry) -> Option<Frame> {
    let reach = g.reach();
    let outer = [0, 1].map(|axis| g.input[axis] + reach[axis]);
    let offset = [0, 1].map(|axis| reach[axis].checked_sub(g.padding[axis]));
    let [Some(top), Some(left)] = offset else { return None };
    let fits = g.output[0] + top <= outer[0] && g.output[1] + left <= outer[1];
    let inner = [g.output[0], g.output[1]];
    (g.stride == [1, 1] && fits).then_some(Frame { inner, outer, offset: [top, left], channels: g.output[2] })
}

/// A sum of gradients to the weights over images.
enum WeightSum {
    Direct(direct::WeightSum),
    Unrolled(unrolled::WeightSum),
}

impl WeightSum {
    fn zero(vectors: Vectors, g: &Geometry, padding: &Frame) -> Self {
        if vectors.lanes() > 1 {
            Self::Direct(direct::WeightSum::zero(vectors, g, padding))
        } else {
            Self::Unrolled(unrolled::WeightSum::zero(g))
        }
    }

    fn add(&mut self, g: &Geometry, image: &[f32], padding: &Frame, frame: &Frame, gradient: &[f32]) {
        match self {
            Self::Direct(sum) if padding.is_empty() => sum.add(g, image, frame, gradient),
            Self::Direct(sum) => {
                let mut padded = Scratch::of(padding.len());
                padding.place(image, &mut padded);
                sum.add(g, &padded, frame, gradient);
            }
            Self::Unrolled(sum) => sum.add(g, image, frame, gradient),
        }
    }

    /// The sums of one group, in any order that all sums of a convolution share.
    fn group(&self, group: usize) -> &[f32] {
        match self {
            Self::Direct(sum) => sum.group(group),
            Self::Unrolled(sum) => sum.group(group),
        }
    }

    fn group_mut(&mut self, group: usize) -> &mut [f32] {
        match self {
            Self::Direct(sum) => sum.group_mut(group),
            Self::Unrolled(sum) => sum.group_mut(group),
        }
    }

    /// Where the weight from `element` of a window to output channel `output` stands in its group's sums.
    fn position(&self, group: usize, element: usize, output: usize) -> usize {
        match self {
            Self::Direct(sum) => sum.position(group, element, output),
            Self::Unrolled(sum) => sum.position(element, output),
        }
    }
}

/// Adds up the parts' sums, in order, and writes the total to `out`, OIHW.
fn reduce(g: &Geometry, sums: impl Iterator<Item = WeightSum>, out: &mut [f32]) {
    let mut sums = sums;
    let Some(mut total) = sums.next() else { return out.fill(0.0) };
    let others: Vec<WeightSum> = sums.collect();
    for group in 0..g.groups {
        total.group_mut(group).par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, total)| {
            for other in &others {
                for (total, value) in total.iter_mut().zip(&other.group(group)[chunk * CHUNK..]) {
                    *total += value;
                }
            }
        });
    }
    let ([inputs, outputs], area) = (g.group(), g.kernel[0] * g.kernel[1]);
    out.par_chunks_exact_mut(g.window_len()).enumerate().for_each(|(output, out)| {
        let (group, output) = (output / outputs, output % outputs);
        let sums = total.group(group);
        for (i, out) in out.iter_mut().enumerate() {
            *out = sums[total.position(group, i % area * inputs + i / area, output)];
        }
    });
}
