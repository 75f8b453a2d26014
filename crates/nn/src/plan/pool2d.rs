//! Pooling on its own; 2x2 max pooling behind a convolution is part of that.

use super::stage::{Operands, Pass, Stage};
use crate::kernel::avg_pool2d::{self, PaddingCount};
use crate::kernel::pool2d::Geometry;
use crate::kernel::{global_avg_pool2d, max_pool2d};

#[derive(Debug)]
pub struct MaxPool2d(pub Geometry);

impl Stage for MaxPool2d {
    fn output_len(&self) -> usize {
        self.0.output().iter().product()
    }

    fn forward(&mut self, _pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        max_pool2d::forward(&self.0, x, y);
    }

    fn backward(
        &mut self,
        _pass: &Pass<'_>,
        operands: &Operands<'_>,
        to_x: Option<&mut [f32]>,
        _to: &mut [&mut [f32]],
    ) {
        if let Some(to_x) = to_x {
            max_pool2d::input_gradient(&self.0, operands.x, operands.gradient, to_x);
        }
    }
}

#[derive(Debug)]
pub struct AvgPool2d(pub Geometry);

impl Stage for AvgPool2d {
    fn output_len(&self) -> usize {
        self.0.output().iter().product()
    }

    fn forward(&mut self, _pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        avg_pool2d::forward(&self.0, PaddingCount::Excluded, x, y);
    }

    fn backward(
        &mut self,
        _pass: &Pass<'_>,
        operands: &Operands<'_>,
        to_x: Option<&mut [f32]>,
        _to: &mut [&mut [f32]],
    ) {
        if let Some(to_x) = to_x {
            avg_pool2d::input_gradient(&self.0, PaddingCount::Excluded, operands.gradient, to_x);
        }
    }
}

/// The mean of each channel over all pixels.
#[derive(Debug)]
pub struct GlobalAvgPool2d {
    pub pixels: usize,
    pub channels: usize,
}

impl Stage for GlobalAvgPool2d {
    fn output_len(&self) -> usize {
        self.channels
    }

    fn forward(&mut self, _pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        global_avg_pool2d::forward(self.pixels, self.channels, x, y);
    }

    fn backward(
        &mut self,
        _pass: &Pass<'_>,
        operands: &Operands<'_>,
        to_x: Option<&mut [f32]>,
        _to: &mut [&mut [f32]],
    ) {
        if let Some(to_x) = to_x {
            global_avg_pool2d::input_gradient(self.pixels, self.channels, operands.gradient, to_x);
        }
    }
}
