//! Evaluation without a graph, image by image: the activations of one image stay in the cache from layer to layer.
//!
//! Weights are laid out once for the whole batch, and a batch normalization behind a convolution becomes part of its weights.
//! Only dense layers, whose weights are larger than an image, take the batch as a whole.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::error::NnError;
use crate::kernel::activation::{self, Activation};
use crate::kernel::avg_pool2d::{self, PaddingCount};
use crate::kernel::conv2d::{self, NO_LIMITS};
use crate::kernel::scratch::Scratch;
use crate::kernel::vectors::Vectors;
use crate::kernel::{batch_norm, dense, depthwise_conv2d, flatten, global_avg_pool2d, max_pool2d, pool2d};
use crate::layer::{BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, LayerSpec, NamedLayer};
use crate::parameters::Parameters;

/// The values of a network's parameters and statistics, by name.
pub struct Values<'a> {
    pub parameters: &'a Parameters,
    /// In the order of [`Parameters::all`].
    pub slices: &'a [&'a [f32]],
}

impl<'a> Values<'a> {
    fn get(&self, layer: &str, kind: &str) -> Result<&'a [f32], NnError> {
        Ok(self.slices[self.parameters.index_of_all(layer, kind)?])
    }
}

/// Layers ready to run.
#[derive(Debug)]
pub struct Inference<'a> {
    steps: Vec<(Step<'a>, usize)>,
}

/// One step, over any number of samples, each one after the other in a slice.
#[derive(Debug)]
enum Step<'a> {
    Conv2d { forward: conv2d::Forward, pooled: bool, then: Activation },
    DepthwiseConv2d(depthwise_conv2d::Forward),
    BatchNorm { scale: Vec<f32>, shift: Vec<f32>, activation: Activation },
    MaxPool2d(pool2d::Geometry),
    AvgPool2d(pool2d::Geometry),
    GlobalAvgPool2d { pixels: usize, channels: usize },
    Activation(Activation),
    Flatten { pixels: usize, channels: usize },
    Dense { inputs: usize, weight: &'a [f32], bias: &'a [f32], activation: Activation },
    Residual { layers: Inference<'a>, shortcut: Option<Inference<'a>>, activation: Activation },
}

impl<'a> Inference<'a> {
    /// The layers for input samples of shape `input`, and the shape of an output sample.
    pub fn new(input: &[usize], layers: &[NamedLayer], values: &Values<'a>) -> Result<(Self, Vec<usize>), NnError> {
        let mut steps = Vec::with_capacity(layers.len());
        let mut shape = input.to_vec();
        let mut rest = layers.iter().peekable();
        while let Some(layer) = rest.next() {
            let mut output = layer.output_shape(&shape)?;
            // Taken into the weights of the convolution before it.
            let foldable = match &layer.spec {
                LayerSpec::Conv2d(conv) => conv.activation == Activation::Linear,
                LayerSpec::DepthwiseConv2d(conv) => conv.activation == Activation::Linear,
                _ => false,
            };
            let norm = rest.next_if(|next| foldable && matches!(next.spec, LayerSpec::BatchNorm(_)));
            let step = match &layer.spec {
                LayerSpec::Conv2d(conv) => {
                    let folded = Folded::new(layer, conv.bias, norm, conv.activation, values)?;
                    let pool =
                        rest.next_if(|next| next.spec.is_pooling_of_pairs() && folded.activation.limits().is_some());
                    if let Some(pool) = pool {
                        output = pool.output_shape(&output)?;
                    }
                    conv2d_step(layer, conv, &shape, &folded, pool.is_some())?
                }
                LayerSpec::DepthwiseConv2d(conv) => {
                    let folded = Folded::new(layer, conv.bias, norm, conv.activation, values)?;
                    depthwise_step(layer, conv, &shape, &folded)?
                }
                LayerSpec::BatchNorm(norm) => {
                    let [scale, shift] = normalization(layer, norm, values)?;
                    Step::BatchNorm { scale, shift, activation: norm.activation }
                }
                LayerSpec::MaxPool2d(pool) => Step::MaxPool2d(layer.pool2d(pool, &shape)?.1),
                LayerSpec::AvgPool2d(pool) => Step::AvgPool2d(layer.pool2d(pool, &shape)?.1),
                LayerSpec::GlobalAvgPool2d {} => {
                    let channels = output[0];
                    Step::GlobalAvgPool2d { pixels: shape.iter().product::<usize>() / channels, channels }
                }
                LayerSpec::Activation { activation } => Step::Activation(*activation),
                LayerSpec::Flatten {} => {
                    let (pixels, channels) = match shape[..] {
                        [rows, columns, channels] => (rows * columns, channels),
                        _ => (1, output[0]),
                    };
                    Step::Flatten { pixels, channels }
                }
                LayerSpec::Dropout { .. } | LayerSpec::SpatialDropout { .. } => continue,
                LayerSpec::Dense { activation, .. } => Step::Dense {
                    inputs: shape[0],
                    weight: values.get(&layer.name, "weight")?,
                    bias: values.get(&layer.name, "bias")?,
                    activation: *activation,
                },
                LayerSpec::Residual { layers, shortcut, activation } => Step::Residual {
                    layers: Self::new(&shape, layers, values)?.0,
                    shortcut: match &shortcut[..] {
                        [] => None,
                        layers => Some(Self::new(&shape, layers, values)?.0),
                    },
                    activation: *activation,
                },
            };
            shape = output;
            steps.push((step, shape.iter().product()));
        }
        Ok((Self { steps }, shape))
    }

    /// The output for `count` samples `x`.
    pub fn run(&self, count: usize, x: &[f32]) -> Vec<f32> {
        let mut current = Cow::Borrowed(x);
        for steps in self.steps.chunk_by(|(a, _), (b, _)| a.is_for_batches() == b.is_for_batches()) {
            let Some((last, output_len)) = steps.last() else { continue };
            let mut next = vec![0.0; count * output_len];
            let input_len = current.len() / count;
            if last.is_for_batches() {
                chain(steps, &current, &mut next);
            } else {
                let samples = next.par_chunks_exact_mut(*output_len).zip(current.par_chunks_exact(input_len));
                samples.for_each(|(next, current)| chain(steps, current, next));
            }
            current = next.into();
        }
        current.into_owned()
    }
}

/// Runs steps one after the other; the last writes to `out`.
fn chain(steps: &[(Step<'_>, usize)], x: &[f32], out: &mut [f32]) {
    let Some((last, before)) = steps.split_last() else { return out.copy_from_slice(x) };
    let count = out.len() / last.1;
    let mut current: Option<Scratch> = None;
    for (step, len) in before {
        let mut next = Scratch::of(count * len);
        step.run(current.as_deref().unwrap_or(x), &mut next);
        current = Some(next);
    }
    last.0.run(current.as_deref().unwrap_or(x), out);
}

impl Step<'_> {
    fn is_for_batches(&self) -> bool {
        matches!(self, Self::Dense { .. })
    }

    fn run(&self, x: &[f32], out: &mut [f32]) {
        match self {
            Self::Conv2d { forward, pooled, then } => {
                if *pooled {
                    forward.run_pooled(x, out, &mut vec![0; out.len()]);
                } else {
                    forward.run(x, out);
                }
                activation::apply(*then, out);
            }
            Self::DepthwiseConv2d(forward) => forward.run(x, out),
            Self::BatchNorm { scale, shift, activation } => {
                batch_norm::scale_and_shift(x, scale, shift, out);
                activation::apply(*activation, out);
            }
            Self::MaxPool2d(geometry) => max_pool2d::forward(geometry, x, out),
            Self::AvgPool2d(geometry) => avg_pool2d::forward(geometry, PaddingCount::Excluded, x, out),
            Self::GlobalAvgPool2d { pixels, channels } => global_avg_pool2d::forward(*pixels, *channels, x, out),
            Self::Activation(activation) => {
                out.copy_from_slice(x);
                activation::apply(*activation, out);
            }
            Self::Flatten { pixels, channels } => flatten::transpose_each(*pixels, *channels, x, out),
            Self::Dense { inputs, weight, bias, activation } => {
                dense::forward(*inputs, x, weight, bias, out);
                activation::apply(*activation, out);
            }
            Self::Residual { layers, shortcut, activation } => {
                chain(&layers.steps, x, out);
                match shortcut {
                    None => add(out, x),
                    Some(shortcut) => {
                        let mut through_shortcut = Scratch::of(out.len());
                        chain(&shortcut.steps, x, &mut through_shortcut);
                        add(out, &through_shortcut);
                    }
                }
                activation::apply(*activation, out);
            }
        }
    }
}

/// On the calling thread: the values are still in its cache.
fn add(sum: &mut [f32], values: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}

/// The weights of a convolution with what follows it.
struct Folded<'a> {
    weight: Cow<'a, [f32]>,
    bias: Option<Cow<'a, [f32]>>,
    activation: Activation,
}

impl<'a> Folded<'a> {
    fn new(
        layer: &NamedLayer,
        has_bias: bool,
        norm: Option<&NamedLayer>,
        activation: Activation,
        values: &Values<'a>,
    ) -> Result<Self, NnError> {
        let weight = values.get(&layer.name, "weight")?;
        let bias = if has_bias { Some(values.get(&layer.name, "bias")?) } else { None };
        let Some((norm, LayerSpec::BatchNorm(settings))) = norm.map(|norm| (norm, &norm.spec)) else {
            return Ok(Self { weight: weight.into(), bias: bias.map(Into::into), activation });
        };
        let [scale, mut shift] = normalization(norm, settings, values)?;
        let area = weight.len() / scale.len();
        let scaled = weight.chunks_exact(area).zip(&scale);
        let weight: Vec<f32> = scaled.flat_map(|(weight, scale)| weight.iter().map(move |w| w * scale)).collect();
        for ((shift, scale), bias) in shift.iter_mut().zip(&scale).zip(bias.into_iter().flatten()) {
            *shift += bias * scale;
        }
        Ok(Self { weight: weight.into(), bias: Some(shift.into()), activation: settings.activation })
    }
}

/// A batch normalization by running statistics as a scale and a shift of each channel.
fn normalization(layer: &NamedLayer, norm: &BatchNormLayer, values: &Values<'_>) -> Result<[Vec<f32>; 2], NnError> {
    let value = |kind| values.get(&layer.name, kind);
    let (mean, variance) = (value("running_mean")?, value("running_var")?);
    if let Some(channel) = variance.iter().position(|variance| variance.is_nan() || *variance < 0.0) {
        let reason = format!("the running variance of channel {channel} is {}", variance[channel]);
        return Err(NnError::Layer { layer: layer.name.clone(), reason });
    }
    Ok(batch_norm::scales_and_shifts(value("weight")?, value("bias")?, mean, variance, norm.epsilon))
}

fn conv2d_step(
    layer: &NamedLayer,
    conv: &Conv2dLayer,
    input: &[usize],
    folded: &Folded<'_>,
    pooled: bool,
) -> Result<Step<'static>, NnError> {
    let (_, geometry) = layer.conv2d(conv, input)?;
    let limits = folded.activation.limits();
    let make = if pooled { conv2d::Forward::pooled } else { conv2d::Forward::new };
    let forward =
        make(Vectors::widest(), &geometry, &folded.weight, folded.bias.as_deref(), limits.unwrap_or(NO_LIMITS));
    let then = if limits.is_some() { Activation::Linear } else { folded.activation };
    Ok(Step::Conv2d { forward, pooled, then })
}

fn depthwise_step(
    layer: &NamedLayer,
    conv: &DepthwiseConv2dLayer,
    input: &[usize],
    folded: &Folded<'_>,
) -> Result<Step<'static>, NnError> {
    let (_, geometry) = layer.depthwise_conv2d(conv, input)?;
    let no_bias = vec![0.0; geometry.output[2]];
    let bias = folded.bias.as_deref().unwrap_or(&no_bias);
    let vectors = Vectors::widest();
    let forward = depthwise_conv2d::Forward::new(vectors, &geometry, &folded.weight, bias, folded.activation);
    Ok(Step::DepthwiseConv2d(forward))
}
