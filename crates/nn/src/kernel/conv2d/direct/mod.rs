//! Convolution straight from the image.
//!
//! No window is unrolled: a tile of sums, a few pixels by one or two vectors of channels, stays in registers while the
//! window's elements run by (Georganas et al. 2018, *Anatomy of high-performance deep learning convolutions on SIMD
//! architectures*). The gradient to the images is the same kernel, with the weights turned by half a turn, over the
//! gradient in a frame of zeros. A 1x1 window makes it a plain matrix product.
// What runs inside an instruction set must be inlined into the function that enables it.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

mod convolution;
mod packed;
mod tile;
mod weight_gradient;
mod windows;

pub use self::convolution::Convolution;
pub use self::packed::Packed;
pub use self::tile::within;
pub use self::weight_gradient::WeightGradient;
pub use self::windows::Windows;
use super::frame::Frame;
use super::geometry::Geometry;
use super::{NO_LIMITS, add_in_order, gradients};
use crate::kernel::vectors::Vectors;

/// A convolution with its weights laid out for the kernel.
#[derive(Debug)]
pub struct Prepared {
    vectors: Vectors,
    windows: Windows,
    /// Weight and bias of each group.
    groups: Vec<(Packed, Packed)>,
    /// Input channels of a group.
    inputs: usize,
    channels: usize,
    limits: [f32; 2],
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
        let [inputs, outputs] = g.group();
        let groups = (0..g.groups).map(|group| {
            let elements: Vec<usize> = (0..g.window_len()).map(|element| g.weight_at(group, element, 0)).collect();
            let weight = Packed::gather(vectors, weight, &elements, outputs, g.window_len());
            let bias = bias.map_or_else(
                || Packed::zeros(vectors, 1, outputs),
                |bias| Packed::gather(vectors, bias, &[group * outputs], outputs, 1),
            );
            (weight, bias)
        });
        let windows = Windows::new(g, padding.row_len());
        Self { vectors, windows, groups: groups.collect(), inputs, channels: g.output[2], limits }
    }

    /// The gradient to the images, as a convolution of the gradient that `frame` frames.
    pub fn input_gradient(vectors: Vectors, g: &Geometry, frame: &Frame, weight: &[f32]) -> Self {
        let ([inputs, outputs], area) = (g.group(), g.kernel[0] * g.kernel[1]);
        let groups = (0..g.groups).map(|group| {
            let places = (0..area).rev().flat_map(|place| (0..outputs).map(move |output| (place, output)));
            let rows: Vec<usize> = places.map(|(place, output)| g.weight_at(group, place * inputs, output)).collect();
            (Packed::gather(vectors, weight, &rows, inputs, area), Packed::zeros(vectors, 1, inputs))
        });
        let groups = groups.collect();
        let swapped = Geometry { input: g.output, output: g.input, ..*g };
        let windows = Windows::new(&swapped, frame.row_len());
        Self { vectors, windows, groups, inputs: outputs, channels: g.input[2], limits: NO_LIMITS }
    }

    /// The rows of the output from `first` on, HWC, for an image in its frame.
    pub fn rows(&self, image: &[f32], first: usize, out: &mut [f32]) {
        for (group, (weight, bias)) in self.groups.iter().enumerate() {
            self.vectors.run(Convolution {
                windows: &self.windows,
                image: &image[first * self.windows.row + group * self.inputs..],
                weight,
                bias,
                limits: self.limits,
                out: &mut *out,
                channels: self.channels,
                first: group * weight.columns,
            });
        }
    }
}

/// A sum of gradients to the weights over images.
pub struct WeightSum {
    vectors: Vectors,
    windows: Windows,
    groups: Vec<Packed>,
}

impl gradients::WeightSum for WeightSum {
    fn zero(vectors: Vectors, g: &Geometry, padding: &Frame) -> Self {
        let groups = (0..g.groups).map(|_| Packed::zeros(vectors, g.window_len(), g.group()[1]));
        Self { vectors, windows: Windows::new(g, padding.row_len()), groups: groups.collect() }
    }

    fn add(&mut self, g: &Geometry, _padding: &Frame, image: &[f32], frame: &Frame, gradient: &[f32]) {
        let [inputs, outputs] = g.group();
        for (group, sum) in self.groups.iter_mut().enumerate() {
            self.vectors.run(WeightGradient {
                windows: &self.windows,
                image: &image[group * inputs..],
                gradient: &gradient[frame.start() + group * outputs..],
                gradient_row: frame.row_len(),
                gradient_pixel: frame.channels,
                rows: g.output[0],
                sum,
            });
        }
    }

    fn reduce(mut sums: Vec<Self>, g: &Geometry, out: &mut [f32]) {
        for group in 0..g.groups {
            add_in_order(sums.iter_mut().map(|sum| &mut *sum.groups[group].values));
        }
        let total = &sums[0].groups;
        g.write_weights(out, |group, element, output| {
            let sum = &total[group];
            sum.values[sum.position(element, output)]
        });
    }
}
