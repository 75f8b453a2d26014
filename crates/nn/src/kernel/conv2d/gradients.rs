//! The gradients of a convolution: one pass over the images for all that are wanted.

use std::ops::Range;

use rayon::prelude::*;

use super::frame::Frame;
use super::geometry::Geometry;
use super::pooled::{ActivationRow, AddPixels, UnpoolRow};
use super::{NO_LIMITS, Way, direct, padding, unrolled, winograd};
use crate::kernel::parts::parts;
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

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
    // What pooling leaves out has no gradient.
    let geometry = &if matches!(source, OutputGradient::Pooled { .. }) { geometry.even() } else { *geometry };
    let pass = Pass::new(vectors, geometry, images, weight, source, &wanted);
    match pass.way {
        Way::Unrolled => pass.run::<unrolled::WeightSum>(wanted),
        Way::Direct => pass.run::<direct::WeightSum>(wanted),
        Way::Winograd => pass.run::<winograd::WeightSum>(wanted),
    }
}

/// The gradient of a loss to a bias: the sum of `gradient` over all but its last axis, which is as long as `out`; a row of
/// an image, or of a matrix, is `row` elements.
pub fn bias_gradient(vectors: Vectors, row: usize, gradient: &[f32], out: &mut [f32]) {
    let channels = out.len();
    let count = gradient.len() / row;
    let parts = parts(count).into_par_iter().map(|part| {
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

/// A sum of gradients to the weights over images.
pub trait WeightSum: Send + Sized {
    /// Zero, for images that `padding` frames.
    fn zero(vectors: Vectors, g: &Geometry, padding: &Frame) -> Self;

    /// Adds the gradient of an image that `padding` frames, from the gradient to its output that `frame` frames.
    fn add(&mut self, g: &Geometry, padding: &Frame, image: &[f32], frame: &Frame, gradient: &[f32]);

    /// Adds up at least one sum, in order, and writes the gradient to the weights, OIHW, to `out`.
    fn reduce(sums: Vec<Self>, g: &Geometry, out: &mut [f32]);
}

/// What one part of the batch adds to the gradients that are sums over images.
struct Sums<W> {
    weight: Option<W>,
    bias: Vec<f64>,
}

/// All that the parts of a batch share.
struct Pass<'a> {
    vectors: Vectors,
    geometry: &'a Geometry,
    way: Way,
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
        let way = Way::of(vectors, g);
        let frame = gradient_frame(g, way, wanted.images.is_some());
        let to_images = wanted.images.as_ref().map(|_| match way {
            Way::Direct if is_convolution(g) => {
                InputGradient::Direct(direct::Prepared::input_gradient(vectors, g, &frame, weight))
            }
            Way::Winograd if is_convolution(g) => {
                InputGradient::Winograd(winograd::Prepared::input_gradient(vectors, g, &frame, weight))
            }
            _ => InputGradient::Unrolled(unrolled::Prepared::new(g, weight, None, NO_LIMITS)),
        });
        Self {
            vectors,
            geometry: g,
            way,
            images,
            source,
            padding: padding(g, way),
            frame,
            to_images,
            to_weight: wanted.weight.is_some(),
            to_bias: wanted.bias.is_some(),
        }
    }

    /// Divides the batch into parts, and adds up what they sum.
    fn run<W: WeightSum>(&self, wanted: Wanted<'_>) {
        let g = self.geometry;
        let mut rest = wanted.images;
        let mut tasks = Vec::new();
        for part in parts(self.source.count(g)) {
            let own = rest.take().map(|images| {
                let (own, others) = images.split_at_mut(part.len() * g.input_len());
                rest = Some(others);
                own
            });
            tasks.push((part, own));
        }
        let sums: Vec<Sums<W>> = tasks.into_par_iter().map(|(part, to_images)| self.part(part, to_images)).collect();
        if let Some(bias) = wanted.bias {
            add_bias_sums(sums.iter().map(|sum| sum.bias.as_slice()), bias);
        }
        if let Some(weight) = wanted.weight {
            W::reduce(sums.into_iter().filter_map(|sums| sums.weight).collect(), g, weight);
        }
    }

    /// The part's sums; the gradients to its images are written to `to_images`.
    fn part<W: WeightSum>(&self, part: Range<usize>, mut to_images: Option<&mut [f32]>) -> Sums<W> {
        let g = self.geometry;
        let padded = self.way != Way::Unrolled && !self.padding.is_empty() && self.to_weight;
        let mut padded = padded.then(|| Scratch::of(self.padding.len()));
        let mut weight = self.to_weight.then(|| W::zero(self.vectors, g, &self.padding));
        let mut bias = vec![0.0; g.output[2]];
        let mut framed = Scratch::of(self.frame.len());
        for (index, n) in part.enumerate() {
            self.fill(n, &mut framed, &mut bias);
            if let Some(sum) = &mut weight {
                let mut image = &self.images[n * g.input_len()..][..g.input_len()];
                if let Some(padded) = &mut padded {
                    self.padding.place(image, padded);
                    image = padded;
                }
                sum.add(g, &self.padding, image, &self.frame, &framed);
            }
            if let (Some(prepared), Some(to_images)) = (&self.to_images, &mut to_images) {
                let out = &mut to_images[index * g.input_len()..][..g.input_len()];
                match prepared {
                    InputGradient::Direct(prepared) => prepared.rows(&framed, 0, out),
                    InputGradient::Winograd(prepared) => prepared.rows(&framed, 0, out),
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
    Unrolled(unrolled::Prepared),
    Direct(direct::Prepared),
    Winograd(winograd::Prepared),
}

/// Whether the gradient to the images is a convolution of the gradient in a frame: without strides, and with no more
/// padding than the window reaches.
fn is_convolution(g: &Geometry) -> bool {
    let fits = |axis: usize| {
        let (reach, before) = (g.reach()[axis], g.padding[axis]);
        before <= reach && g.output[axis] + reach - before <= g.input[axis] + reach
    };
    g.stride == [1, 1] && fits(0) && fits(1)
}

/// The frame around the gradient to an image's output: for whole tiles of it where there are such, and for the windows of
/// the gradient to the image where that is wanted and a convolution.
fn gradient_frame(g: &Geometry, way: Way, to_images: bool) -> Frame {
    let whole = |size: usize| if way == Way::Winograd { size.next_multiple_of(2) } else { size };
    let border = to_images && way != Way::Unrolled && is_convolution(g);
    let offset = [0, 1].map(|axis| if border { g.reach()[axis] - g.padding[axis] } else { 0 });
    let outer = [0, 1].map(|axis| {
        let windows = if border { whole(g.input[axis]) + g.reach()[axis] } else { 0 };
        windows.max(offset[axis] + whole(g.output[axis]))
    });
    Frame { inner: [g.output[0], g.output[1]], outer, offset, channels: g.output[2] }
}
