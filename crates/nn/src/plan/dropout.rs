//! Dropout of elements and of channels, its mask computed again for the backward pass.

use super::stage::{Operands, Pass, Stage};
use crate::kernel::dropout as kernel;
use crate::layer::NamedLayer;
use crate::op::dropout::mask_key;

#[derive(Debug)]
pub struct Dropout {
    layer: String,
    len: usize,
    rate: f32,
}

impl Dropout {
    pub fn new(layer: &NamedLayer, len: usize, rate: f32) -> Self {
        Self { layer: layer.name.clone(), len, rate }
    }
}

impl Stage for Dropout {
    fn output_len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        kernel::apply(self.rate, mask_key(pass.seed, &self.layer, pass.step), x, y);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, _to: &mut [&mut [f32]]) {
        if let Some(to_x) = to_x {
            kernel::apply(self.rate, mask_key(pass.seed, &self.layer, pass.step), operands.gradient, to_x);
        }
    }
}

/// Dropout of whole channels of an image.
#[derive(Debug)]
pub struct SpatialDropout {
    layer: String,
    pixels: usize,
    channels: usize,
    rate: f32,
}

impl SpatialDropout {
    pub fn new(layer: &NamedLayer, len: usize, channels: usize, rate: f32) -> Self {
        Self { layer: layer.name.clone(), pixels: len / channels, channels, rate }
    }

    fn apply(&self, pass: &Pass<'_>, x: &[f32], out: &mut [f32]) {
        let key = mask_key(pass.seed, &self.layer, pass.step);
        kernel::apply_to_channels(self.rate, key, [self.pixels, self.channels], x, out);
    }
}

impl Stage for SpatialDropout {
    fn output_len(&self) -> usize {
        self.pixels * self.channels
    }

    fn forward(&mut self, pass: &Pass<'_>, x: &[f32], y: &mut [f32]) {
        self.apply(pass, x, y);
    }

    fn backward(&mut self, pass: &Pass<'_>, operands: &Operands<'_>, to_x: Option<&mut [f32]>, _to: &mut [&mut [f32]]) {
        if let Some(to_x) = to_x {
            self.apply(pass, operands.gradient, to_x);
        }
    }
}
