//! The forward pass of a convolution, its weights laid out once for any number of images.

use rayon::prelude::*;

use super::frame::Frame;
use super::geometry::Geometry;
use super::pooled::PoolRows;
use super::{NO_LIMITS, Way, direct, padding, unrolled, winograd};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;

/// How many elements of a convolution's output are pooled at once: 256 KiB.
const POOL_BAND_ELEMENTS: usize = 64 * 1024;

/// A convolution ready to run.
#[derive(Debug)]
pub struct Forward {
    vectors: Vectors,
    geometry: Geometry,
    /// Around each image.
    padding: Frame,
    prepared: Prepared,
    limits: [f32; 2],
}

#[derive(Debug)]
enum Prepared {
    Direct(direct::Prepared),
    Winograd(winograd::Prepared),
    Unrolled(unrolled::Prepared),
}

impl Forward {
    /// As [`super::forward`].
    pub fn new(vectors: Vectors, g: &Geometry, weight: &[f32], bias: Option<&[f32]>, limits: [f32; 2]) -> Self {
        let way = Way::of(vectors, g);
        let padding = padding(g, way);
        let prepared = match way {
            Way::Direct => Prepared::Direct(direct::Prepared::forward(vectors, g, &padding, weight, bias, limits)),
            Way::Winograd => {
                Prepared::Winograd(winograd::Prepared::forward(vectors, g, &padding, weight, bias, limits))
            }
            Way::Unrolled => Prepared::Unrolled(unrolled::Prepared::new(g, weight, bias, limits)),
        };
        Self { vectors, geometry: *g, padding, prepared, limits }
    }

    /// As [`super::forward_pooled`].
    pub fn pooled(vectors: Vectors, g: &Geometry, weight: &[f32], bias: Option<&[f32]>, limits: [f32; 2]) -> Self {
        Self { limits, ..Self::new(vectors, &g.even(), weight, bias, NO_LIMITS) }
    }

    /// The output of a convolution without pooling.
    pub fn run(&self, images: &[f32], out: &mut [f32]) {
        let outputs = out.par_chunks_exact_mut(self.geometry.output_len());
        outputs.zip(images.par_chunks_exact(self.geometry.input_len())).for_each(|(out, image)| {
            self.framed(image, |image| self.rows(image, 0, out));
        });
    }

    /// The output of a convolution with pooling, and the winners of each window.
    pub fn run_pooled(&self, images: &[f32], out: &mut [f32], winners: &mut [u8]) {
        let [_, columns, channels] = self.geometry.output;
        let [pooled_rows, pooled_columns] = self.geometry.pooled();
        let (row, pooled_row) = (columns * channels, pooled_columns * channels);
        let pairs = (POOL_BAND_ELEMENTS / (2 * row)).clamp(1, pooled_rows);
        let (vectors, limits) = (self.vectors, self.limits);
        out.par_chunks_exact_mut(pooled_rows * pooled_row)
            .zip(winners.par_chunks_exact_mut(pooled_rows * pooled_row))
            .zip(images.par_chunks_exact(self.geometry.input_len()))
            .for_each(|((out, winners), image)| {
                self.framed(image, |image| {
                    let mut band = Scratch::of(2 * pairs * row);
                    let outputs = out.chunks_mut(pairs * pooled_row).zip(winners.chunks_mut(pairs * pooled_row));
                    for (first, (out, winners)) in (0..).step_by(2 * pairs).zip(outputs) {
                        let rows = &mut band[..2 * out.len() / pooled_row * row];
                        self.rows(image, first, rows);
                        vectors.run(PoolRows { rows, columns, channels, limits, out, winners });
                    }
                });
            });
    }

    /// Hands `image` with its padding, where it is not added on the way, to `then`.
    fn framed(&self, image: &[f32], then: impl FnOnce(&[f32])) {
        if self.padding.is_empty() || matches!(self.prepared, Prepared::Unrolled(_)) {
            return then(image);
        }
        let mut padded = Scratch::of(self.padding.len());
        self.padding.place(image, &mut padded);
        then(&padded);
    }

    /// The rows of the output from the even row `first` on, as many as `out` holds.
    fn rows(&self, image: &[f32], first: usize, out: &mut [f32]) {
        match &self.prepared {
            Prepared::Direct(prepared) => prepared.rows(image, first, out),
            Prepared::Winograd(prepared) => prepared.rows(image, first, out),
            Prepared::Unrolled(prepared) => prepared.rows(&self.geometry, image, first, out),
        }
    }
}
